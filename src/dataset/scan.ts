import type { RecordBatch, Schema } from 'apache-arrow'
import type { Aggregation } from '../core/aggregation/plan.ts'
import { alignedBatch, alignSchemas } from '../core/align-schemas.ts'
import { forEachConcurrently } from '../core/concurrency.ts'
import type { LaneClient } from '../core/lanes.ts'
import { mapOrdered } from '../core/ordered.ts'
import type { ResolvedExecution, Run } from '../core/run.ts'
import type { Source, SourceExplanation, SourceListing } from '../core/source.ts'
import { narrowStages, requiredColumns, type Stage, stagesSchema } from '../core/stages.ts'
import { batchFromMessage, fieldToMessage } from '../core/transport.ts'
import { type Fetched, type FetchedPassage, fetchPassage, fetchUnit } from './fetch.ts'
import type { LaneBatch, LaneProgram } from './lane-messages.ts'
import { lastCounts, startLanes } from './lane-pool.ts'
import { chooseMode, lanesThatFit } from './mode.ts'
import { OpenUnit } from './open-unit.ts'
import type { PassThrough, PlannedPassage } from './pass-through.ts'
import type { SourceFile } from './scan-listing.ts'
import { type ListedPart, type ScanPart, sum } from './scan-part.ts'
import { Slabs } from './slabs.ts'
import { type FetchedUnit, type PlannedUnit, rowsIn, SMALL_RUN } from './units.ts'

/** Units read ahead of the lanes that wait for them. */
const UNITS_AHEAD = 2
/** Parts listed at once. */
const LISTING = 8

/** What is known of a scan once its parts have been listed. */
interface ListedScan {
  schema: Schema
  parts: ListedPart[]
  listings: readonly SourceListing[]
  files: SourceFile[]
}

/**
 * Parquet files as a source: listing, pruning, reading; decoding is the lanes'. Usually they are one dataset; several
 * are read one after another, each through stages of its own that make their columns the same.
 */
export class ParquetScan implements Source {
  readonly name = 'parquet'
  readonly governed = true
  readonly execution: ResolvedExecution
  readonly parts: readonly ScanPart[]
  readonly #listed = new WeakMap<Run, Promise<ListedScan>>()

  constructor(parts: readonly ScanPart[], execution: ResolvedExecution) {
    this.parts = parts
    this.execution = execution
  }

  async schema(run: Run, ahead: readonly Stage[] = []): Promise<Schema> {
    return (await this.#list(run, ahead)).schema
  }

  /** The parts, in order; listed once a run. */
  async listedParts(run: Run): Promise<readonly ListedPart[]> {
    return (await this.#list(run)).parts
  }

  describe(): unknown {
    const parts = this.parts.map(part => part.describe())
    return { source: this.name, ...(parts.length === 1 ? parts[0] : { parts }) }
  }

  #list(run: Run, ahead: readonly Stage[] = []): Promise<ListedScan> {
    let listed = this.#listed.get(run)
    if (listed === undefined) {
      listed = listParts(this.parts, ahead, run)
      this.#listed.set(run, listed)
    }
    return listed
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
    const { fields } = stagesSchema(stages, await this.schema(run))
    const rows = { ...(await this.program(stages, run)), sharesBatches: run.keepsBatches }
    const program = groups === undefined ? rows : { ...rows, groups }
    const planned = this.planned(await this.files(run), stages, run, true)
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
            if (step.batch.rows === 0) continue
            const batch = batchFromMessage(step.batch)
            const several = this.parts.length > 1 && groups === undefined
            yield several ? alignedBatch(batch, fields) : batch
          }
        } finally {
          unit.release()
        }
      }
      for (const lane of pool.lanes) {
        if (groups !== undefined) yield* restOf(lane)
        const counts = await lastCounts(lane)
        run.countPages(counts?.pages.total ?? 0, counts?.pages.opened ?? 0)
        run.laneHighWater += counts?.highWater ?? 0
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
    const columns = requiredColumns(stages, await this.schema(run))
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
    const source = this.parts.map(({ store }) => store.url).join(', ')
    const { listings: listing } = await this.#list(run)
    const explained = { source, mode, because, listing, ...pruning, rows, bytes, columns, lanes }
    return sink === undefined ? explained : { ...explained, passThrough: counts }
  }

  /** All files of the source, in order. */
  async files(run: Run): Promise<readonly SourceFile[]> {
    return (await this.#list(run)).files
  }

  /** The mode of the run, and why. */
  async mode(stages: readonly Stage[], run: Run): Promise<{ mode: Run['mode']; because: string }> {
    const sizes: number[] = []
    for (const [i, { stages: own }] of (await this.listedParts(run)).entries())
      sizes.push(...(await this.parts[i]!.sizes([...own, ...stages], run)))
    return chooseMode(this.execution, sizes)
  }

  /** What lanes have to know to read; sets the run's mode. */
  async program(stages: readonly Stage[], run: Run): Promise<Omit<LaneProgram, 'arenaBytes' | 'mostBytes'>> {
    run.mode = (await this.mode(stages, run)).mode
    const parts = (await this.listedParts(run)).map(({ schema, stages: own }) => {
      const all = [...own, ...stages]
      const names = requiredColumns(all, schema)
      const input = schema.fields.filter(field => names.includes(field.name)).map(fieldToMessage)
      return { input, head: narrowStages(all, schema) }
    })
    return { mode: run.mode, batchRows: this.execution.batchRows, parts }
  }

  /** Work for the lanes; to `hold` small files saves a request each, where they are going to be read. */
  async *planned(
    files: readonly SourceFile[],
    stages: readonly Stage[],
    run: Run,
    hold = false,
  ): AsyncGenerator<PlannedUnit> {
    for (const [i, { stages: own }] of (await this.listedParts(run)).entries()) {
      const ofPart = files.filter(({ part }) => part === i)
      if (ofPart.length > 0) yield* this.parts[i]!.planned(ofPart, [...own, ...stages], run, hold)
    }
  }

  /** The same work, its bytes read ahead as far as the budget lets it. */
  fetched<P extends PlannedUnit | PlannedPassage>(
    planned: AsyncIterable<P>,
    run: Run,
  ): AsyncGenerator<Fetched<P>> {
    const slabs = new Slabs(run.budget)
    const fetch = (work: PlannedUnit | PlannedPassage): Promise<FetchedUnit | FetchedPassage> =>
      'path' in work ? fetchPassage(work, slabs, run) : fetchUnit(work, slabs, run)
    return mapOrdered(
      planned,
      UNITS_AHEAD + this.execution.lanes,
      work => fetch(work) as Promise<Fetched<P>>,
      fetched => fetched.release(),
    )
  }
}

async function listParts(parts: readonly ScanPart[], ahead: readonly Stage[], run: Run): Promise<ListedScan> {
  // Behind what makes several parts alike, a stage is not one over the columns of each.
  const behind = parts.length === 1 ? ahead : []
  await forEachConcurrently(parts, LISTING, part => part.listing(run, behind))
  const listings = await Promise.all(parts.map(part => part.listing(run)))
  const { schema, stages } = alignSchemas(
    parts.map(({ name, stages }, i) => ({ name, schema: stagesSchema(stages, listings[i]!.schema) })),
  )
  const files = listings.flatMap((listing, part) => listing.files.map(file => ({ ...file, part })))
  return {
    schema,
    parts: parts.map((part, i) => ({
      schema: listings[i]!.schema,
      stages: [...part.stages, ...stages[i]!],
    })),
    listings: listings.map(({ listedBy }) => listedBy),
    files:
      parts.length === 1
        ? files
        : files.map((file, id) => ({ ...file, id, key: `${file.part}/${file.key}` })),
  }
}

/** The groups that are left in a lane. */
async function* restOf(lane: LaneClient): AsyncGenerator<RecordBatch> {
  await lane.call('openRest')
  for (let step = await lane.call<LaneBatch | undefined>('next'); step !== undefined; ) {
    yield batchFromMessage(step.batch)
    step = await lane.call<LaneBatch | undefined>('next')
  }
}
