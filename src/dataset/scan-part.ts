import type { Field, Schema } from 'apache-arrow'
import { prune } from '../core/expressions/prune.ts'
import { mapOrdered } from '../core/ordered.ts'
import { pushedPredicates } from '../core/pushdown.ts'
import type { Run } from '../core/run.ts'
import { requiredColumns, type Stage } from '../core/stages.ts'
import type { ColumnChunkMetadata, FileMetadata } from '../parquet/metadata.ts'
import type { Store } from '../storage/store.ts'
import { constantBounds } from './bounds.ts'
import { planFile } from './file-plan.ts'
import { absentColumns, declaredFields, refuseExtra } from './file-schema.ts'
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
import { SmallFiles } from './small-files.ts'
import { type Fragment, fileColumns, type PlannedUnit, type RowGroupPlan, rowsIn } from './units.ts'

/** Footers read ahead of need. */
const FOOTERS_AHEAD = 8

/** A part whose files have been listed. */
export interface ListedPart {
  /** Of its files. */
  schema: Schema
  /** What makes of it the schema of the scan. */
  stages: readonly Stage[]
}

/** Files of one store that have one schema, and the stages that make of it that of the whole scan. */
export class ScanPart {
  readonly store: Store
  readonly stages: readonly Stage[]
  readonly #options: ScanOptions
  readonly #listings = new WeakMap<Run, Promise<Listing>>()

  constructor(store: Store, options: ScanOptions, stages: readonly Stage[] = []) {
    this.store = store
    this.stages = stages
    this.#options = options
  }

  /** The same files with more stages behind them. */
  followedBy(stages: readonly Stage[]): ScanPart {
    return new ScanPart(this.store, this.#options, [...this.stages, ...stages])
  }

  /** The files and their schema; listed once a run, without files whose rows the stages drop in any case. */
  listing(run: Run, ahead: readonly Stage[] = []): Promise<Listing> {
    let listing = this.#listings.get(run)
    if (listing === undefined) {
      listing = listSource(this.store, this.#options, run, [...this.stages, ...ahead])
      this.#listings.set(run, listing)
    }
    return listing
  }

  /** How messages call it. */
  get name(): string {
    const { files } = this.#options
    return files === undefined ? this.store.url : `${this.store.url} (${[files].flat().join(', ')})`
  }

  describe(): object {
    const { files = null, schema, missingColumns, extraColumns } = this.#options
    const declared = declaredFields(schema).map(({ name, type }) => [name, String(type)])
    return {
      ...{ url: this.store.url, files },
      ...(declared.length === 0 ? {} : { schema: declared }),
      ...(missingColumns === undefined ? {} : { missingColumns }),
      ...(extraColumns === undefined ? {} : { extraColumns }),
      ...(this.stages.length === 0 ? {} : { stages: this.stages }),
    }
  }

  /** About how many bytes each row group of the first file takes once decoded. */
  async sizes(stages: readonly Stage[], run: Run): Promise<number[]> {
    const { files, schema, first } = await this.listing(run)
    const columns = fileColumns(requiredColumns(stages, schema), { file: files[0]! })
    return first.rowGroups.map((_, rowGroup) => decodedBytes(first, rowGroup, columns, schema))
  }

  /** Work for the lanes; to `hold` small files saves a request each, where they are going to be read. */
  async *planned(
    files: readonly SourceFile[],
    stages: readonly Stage[],
    run: Run,
    hold: boolean,
  ): AsyncGenerator<PlannedUnit> {
    const { schema } = await this.listing(run)
    const names = requiredColumns(stages, schema)
    for await (const fragment of this.#fragments(files, stages, run, hold)) {
      const { metadata, rowGroups, held } = fragment
      if (rowGroups.length > 1 && run.mode !== 'fragment') held?.release()
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

  /** The files that may hold wanted rows, with their footers, in order; the run's counters say what was pruned. */
  async *#fragments(
    files: readonly SourceFile[],
    stages: readonly Stage[],
    run: Run,
    hold: boolean,
  ): AsyncGenerator<Fragment> {
    const { files: all, schema, own, first, memo, footers } = await this.listing(run)
    const predicates = pushedPredicates(stages, schema)
    const columns = requiredColumns(stages, schema)
    const needed = own.filter(({ name }) => columns.includes(name))
    /** By the schema of files, which like files share. */
    const absent = new Map<FileMetadata['schema'], Field[]>()
    const request = { predicates, columns }
    const whole = hold && predicates.length === 0 && wantsMost(first, columns)
    const small = whole ? SmallFiles.of(run.budget) : undefined
    run.fragments.total += files.length
    const wanted = files.filter(file => {
      const bounds = constantBounds(file.constants)
      const keep = predicates.every(predicate => prune(predicate, bounds) !== 'none')
      if (!keep) run.fragments.pruned++
      return keep
    })
    const bytes = sum(wanted, ({ object }) => object.size)
    const before = run.rowsTotal ?? 0
    let seenBytes = 0
    let seenRows = 0
    const fragments = mapOrdered(wanted, FOOTERS_AHEAD, async (file): Promise<Fragment> => {
      const { key, size } = file.object
      const known = file.object === all[0]!.object ? first : footers.get(key)
      footers.delete(key)
      const held = known === undefined ? small?.take(size) : undefined
      const metadata = known ?? (await readMetadata(this.store, file.object, run, memo, held?.bytes))
      const name = fileName(this.store, file.object)
      let nulls = absent.get(metadata.schema)
      if (nulls === undefined) {
        if (this.#options.extraColumns === 'error') refuseExtra(metadata, schema, name)
        nulls = absentColumns(metadata, needed, name, this.#options)
        absent.set(metadata.schema, nulls)
      }
      const opened = { file: withNulls(file, nulls), metadata, name, held }
      return { ...opened, rowGroups: await planFile(opened, request, run) }
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
      else {
        fragment.held?.release()
        run.fragments.pruned++
      }
    }
  }
}

/** Whether the columns are at least half of what a file has. */
function wantsMost({ rowGroups }: FileMetadata, columns: readonly string[]): boolean {
  const chunks = rowGroups.flatMap(group => group.columns)
  const wanted = chunks.filter(({ path }) => columns.includes(path[0]!))
  const size = (chunk: ColumnChunkMetadata): number => chunk.totalCompressedSize
  return sum(wanted, size) >= sum(chunks, size) / 2
}

export function sum<T>(items: readonly T[], size: (item: T) => number): number {
  return items.reduce((total, item) => total + size(item), 0)
}
