import type { Field, RecordBatch, Schema } from 'apache-arrow'
import type { Aggregation } from '../core/aggregation/plan.ts'
import { prune } from '../core/expressions/prune.ts'
import type { LaneClient } from '../core/lanes.ts'
import { mapOrdered } from '../core/ordered.ts'
import { pushedPredicates } from '../core/pushdown.ts'
import type { ResolvedExecution, Run } from '../core/run.ts'
import type { Source, SourceExplanation } from '../core/source.ts'
import { narrowStages, requiredColumns, type Stage } from '../core/stages.ts'
import { batchFromMessage, fieldToMessage } from '../core/transport.ts'
import type { FileMetadata } from '../parquet/metadata.ts'
import type { Store } from '../storage/store.ts'
import { constantBounds } from './bounds.ts'
import { type Fetched, type FetchedPassage, fetchPassage, fetchUnit } from './fetch.ts'
import { planFile } from './file-plan.ts'
import { absentColumns, declaredFields, refuseExtra } from './file-schema.ts'
import type { LaneBatch, LaneCounts, LaneProgram } from './lane-messages.ts'
import { startLanes } from './lane-pool.ts'
import { chooseMode, lanesThatFit } from './mode.ts'
import { OpenUnit } from './open-unit.ts'
import type { PassThrough, PlannedPassage } from './pass-through.ts'
import {
  fileName,
  type Listing,
  listSource,
  readMetadata,
  type ScanOptions,
  type SourceFile,
  withNulls,
} from './scan-listing.ts'
import { decodedBytes } from './scan-size.ts'
import { Slabs } from './slabs.ts'
import {
  type FetchedUnit,
  type Fragment,
  fileColumns,
  type PlannedUnit,
  type RowGroupPlan,
  rowsIn,
  SMALL_RUN,
} from './units.ts'

/** Footers read ahead of need. */
const FOOTERS_AHEAD = 8
/** Units read ahead of the lanes that wait for them. */
const UNITS_AHEAD = 2

/** A dataset of Parquet files as a source: listing, pruning, reading; decoding is the lanes'. */
export class ParquetScan implements Source {
  readonly name = 'parquet'
  readonly governed = true
  readonly store: Store
  readonly execution: ResolvedExecution
  readonly #options: ScanOptions
  readonly #listings = new WeakMap<Run, Promise<Listing>>()

  constructor(store: Store, options: ScanOptions, execution: ResolvedExecution) {
    this.store = store
    this.execution = execution
    this.#options = options
  }

  /** The files and the schema; listed once a run. */
  listing(run: Run): Promise<Listing> {
    let listing = this.#listings.get(run)
    if (listing === undefined) {
      listing = listSource(this.store, this.#options, run)
      this.#listings.set(run, listing)
    }
    return listing
  }

  async schema(run: Run): Promise<Schema> {
    return (await this.listing(run)).schema
  }

  describe(): unknown {
    const { files = null, schema, missingColumns, extraColumns } = this.#options
    const declared = declaredFields(schema).map(({ name, type }) => [name, String(type)])
    return {
      ...{ source: this.name, url: this.store.url, files },
      ...(declared.length === 0 ? {} : { schema: declared }),
      ...(missingColumns === undefined ? {} : { missingColumns }),
      ...(extraColumns === undefined ? {} : { extraColumns }),
    }
  }

  read(stages: readonly Stage[], run: Run): AsyncGenerator<RecordBatch, void, void> {
    return this.#read(stages, undefined, run)
  }

  readGroups(
    stages: readonly Stage[],
    groups: Aggregation,
    run: Run,
  ): AsyncGenerator<RecordBatch, void, void> {
    return this.#read(stages, groups, run)
  }

  async *#read(
    stages: readonly Stage[],
    groups: Aggregation | undefined,
    run: Run,
  ): AsyncGenerator<RecordBatch, void, void> {
    const rows = { ...(await this.program(stages, run)), sharesBatches: run.keepsBatches }
    const program = groups === undefined ? rows : { ...rows, groups }
    const planned = this.planned(await this.files(run), stages, run)
    const { pool, units } = await startLanes(this, planned, run, program, async () => {})
    // One unit more than there are lanes, so that none idles while its batch is being looked at.
    const results = mapOrdered(
      units,
      pool.size + 1,
      fetched => OpenUnit.open(fetched, pool, run),
      unit => unit.release(),
    )
    try {
      for await (const unit of results) {
        try {
          for (let step = unit.first; step !== undefined; step = await unit.next()) {
            run.rowsIn += step.rowsIn
            run.countPages(step.pages.total, step.pages.opened)
            await run.paced(step.batch.rows, step.bytes)
            if (step.batch.rows > 0) yield batchFromMessage(step.batch)
          }
        } finally {
          unit.release()
        }
      }
      for (const lane of pool.lanes) {
        if (groups !== undefined) yield* restOf(lane)
        const { pages, highWater } = await lane.call<LaneCounts>('settle')
        run.countPages(pages.total, pages.opened)
        run.laneHighWater += highWater
      }
    } finally {
      await pool.close()
    }
  }

  /** @param sink which row groups it passes through, if it is one of files */
  async explain(
    stages: readonly Stage[],
    run: Run,
    sink?: { passing: PassThrough | undefined },
  ): Promise<SourceExplanation> {
    const { schema } = await this.listing(run)
    const columns = requiredColumns(stages, schema)
    const { mode, because } = await this.mode(stages, run)
    run.mode = mode
    const passing = mode === 'fragment' ? undefined : sink?.passing
    const planned = this.planned(await this.files(run), stages, run)
    const counts = { copied: 0, joined: 0, decoded: 0 }
    let rows = 0
    let bytes = 0
    let units = 0
    let unitBytes = 0
    let largest = 0
    for await (const work of passing?.plan(planned) ?? planned) {
      const passage = 'path' in work
      rows += passage ? work.rows : sum(work.rowGroups, ({ ranges }) => rowsIn(ranges))
      bytes += work.storedBytes
      if (!passage) counts.decoded += work.rowGroups.length
      else counts[work.verbatim ? 'copied' : 'joined'] += work.groups.length
      if (passage && work.verbatim) continue
      largest = Math.max(largest, work.decodedBytes)
      unitBytes += work.storedBytes
      units++
    }
    const { fragments, rowGroups, pages, bloomFilters } = run
    const small = units <= 1 || unitBytes < SMALL_RUN
    const lanes = small ? 0 : Math.min(lanesThatFit(this.execution, largest), units)
    const pruning = { fragments, rowGroups, pages, bloomFilters }
    const explained = { source: this.store.url, mode, because, ...pruning, rows, bytes, columns, lanes }
    return sink === undefined ? explained : { ...explained, passThrough: counts }
  }

  /** All files of the source; the run's totals are set. */
  async files(run: Run): Promise<SourceFile[]> {
    const { files } = await this.listing(run)
    return files
  }

  /** The mode of the run, and why. */
  async mode(stages: readonly Stage[], run: Run): Promise<{ mode: Run['mode']; because: string }> {
    const { files, schema, first: metadata } = await this.listing(run)
    const fragment = { file: files[0]!, metadata, name: '', rowGroups: [] }
    const columns = fileColumns(requiredColumns(stages, schema), fragment)
    const sizes = metadata.rowGroups.map((_, rowGroup) => decodedBytes(metadata, rowGroup, columns, schema))
    return chooseMode(this.execution, sizes)
  }

  /** What lanes have to know to read; sets the run's mode. */
  async program(stages: readonly Stage[], run: Run): Promise<Omit<LaneProgram, 'arenaBytes'>> {
    const { schema } = await this.listing(run)
    run.mode = (await this.mode(stages, run)).mode
    const names = requiredColumns(stages, schema)
    const input = schema.fields.filter(field => names.includes(field.name)).map(fieldToMessage)
    return { mode: run.mode, batchRows: this.execution.batchRows, input, head: narrowStages(stages, schema) }
  }

  /** The files that may hold wanted rows, with their footers, in order; the run's counters say what was pruned. */
  async *fragments(
    files: readonly SourceFile[],
    stages: readonly Stage[],
    run: Run,
  ): AsyncGenerator<Fragment> {
    const { schema, own, first, memo, footers } = await this.listing(run)
    const predicates = pushedPredicates(stages, schema)
    const columns = requiredColumns(stages, schema)
    const needed = own.filter(({ name }) => columns.includes(name))
    /** By the schema of files, which like files share. */
    const absent = new Map<FileMetadata['schema'], Field[]>()
    const request = { predicates, columns }
    run.fragments.total += files.length
    const wanted = files.filter(file => {
      const bounds = constantBounds(file.constants)
      const keep = predicates.every(predicate => prune(predicate, bounds) !== 'none')
      if (!keep) run.fragments.pruned++
      return keep
    })
    const bytes = wanted.reduce((sum, { object }) => sum + object.size, 0)
    const before = run.rowsTotal ?? 0
    let seenBytes = 0
    let seenRows = 0
    const fragments = mapOrdered(wanted, FOOTERS_AHEAD, async (file): Promise<Fragment> => {
      const { key } = file.object
      const known = file.id === 0 ? first : footers.get(key)
      footers.delete(key)
      const metadata = known ?? (await readMetadata(this.store, file.object, run, memo))
      const name = fileName(this.store, file.object)
      let nulls = absent.get(metadata.schema)
      if (nulls === undefined) {
        if (this.#options.extraColumns === 'error') refuseExtra(metadata, schema, name)
        nulls = absentColumns(metadata, needed, name, this.#options)
        absent.set(metadata.schema, nulls)
      }
      const opened = { file: withNulls(file, nulls), metadata, name }
      return { ...opened, rowGroups: await planFile(this.store, opened, request, run) }
    })
    for await (const fragment of fragments) {
      const { file, metadata, rowGroups } = fragment
      run.rowGroups.total += metadata.rowGroups.length
      run.rowGroups.pruned +=
        metadata.rowGroups.filter(({ numRows }) => numRows > 0).length - rowGroups.length
      for (const { pagesPruned } of rowGroups) run.countPages(pagesPruned, 0)
      seenBytes += file.object.size
      seenRows += sum(rowGroups, ({ ranges }) => rowsIn(ranges))
      // Files not yet seen are taken to be like those that were.
      run.rowsTotal = before + Math.round(seenRows * (bytes / Math.max(1, seenBytes)))
      if (rowGroups.length > 0) yield fragment
      else run.fragments.pruned++
    }
  }

  /** Work for the lanes. */
  async *planned(
    files: readonly SourceFile[],
    stages: readonly Stage[],
    run: Run,
  ): AsyncGenerator<PlannedUnit> {
    const { schema } = await this.listing(run)
    const names = requiredColumns(stages, schema)
    for await (const fragment of this.fragments(files, stages, run)) {
      const { metadata, rowGroups } = fragment
      const columns = fileColumns(names, fragment)
      const unit = (rowGroups: RowGroupPlan[]): PlannedUnit => ({
        ...{ fragment, rowGroups },
        storedBytes: sum(rowGroups, ({ chunks }) =>
          sum(chunks, ({ runs }) => sum(runs, ({ start, end }) => end - start)),
        ),
        decodedBytes: sum(rowGroups, ({ rowGroup }) => decodedBytes(metadata, rowGroup, columns, schema)),
      })
      if (run.mode === 'fragment') yield unit(rowGroups)
      else for (const rowGroup of rowGroups) yield unit([rowGroup])
    }
  }

  /** The same work, its bytes read ahead as far as the budget lets it. */
  fetched<P extends PlannedUnit | PlannedPassage>(
    planned: AsyncIterable<P>,
    run: Run,
  ): AsyncGenerator<Fetched<P>> {
    const slabs = new Slabs(run.budget)
    const fetch = (work: PlannedUnit | PlannedPassage): Promise<FetchedUnit | FetchedPassage> =>
      'path' in work ? fetchPassage(this.store, work, slabs, run) : fetchUnit(this.store, work, slabs, run)
    return mapOrdered(
      planned,
      UNITS_AHEAD + this.execution.lanes,
      work => fetch(work) as Promise<Fetched<P>>,
      fetched => fetched.release(),
    )
  }
}

function sum<T>(items: readonly T[], size: (item: T) => number): number {
  return items.reduce((total, item) => total + size(item), 0)
}

/** The groups that are left in a lane. */
async function* restOf(lane: LaneClient): AsyncGenerator<RecordBatch> {
  await lane.call('openRest')
  for (let step = await lane.call<LaneBatch | undefined>('next'); step !== undefined; ) {
    yield batchFromMessage(step.batch)
    step = await lane.call<LaneBatch | undefined>('next')
  }
}
