import type { RecordBatch, Schema } from 'apache-arrow'
import type { Aggregation } from './aggregation/plan.ts'
import type { ResolvedExecution, Run } from './run.ts'
import type { Stage } from './stages.ts'

/** Where batches come from. */
export interface Source {
  readonly name: string
  readonly execution: ResolvedExecution
  /** Reads through `run.attempt` and waits for `run.paced`: `retry` and `throttle` right behind it are its own. */
  readonly governed: boolean
  /**
   * Value types, no encodings; partition keys included. Of rows that `ahead`, the stages behind it in this run, drops in
   * any case, the source need not look for the files.
   */
  schema(run: Run, ahead?: readonly Stage[]): Promise<Schema>
  /** The batches after `stages`, which the source runs itself. Pulled; released by the iterator's `return()`. */
  read(stages: readonly Stage[], run: Run): AsyncIterable<RecordBatch>
  /** Partial groups of the rows after `stages`, as `core/aggregation` merges them; absent if the source cannot. */
  readGroups?(stages: readonly Stage[], aggregation: Aggregation, run: Run): AsyncIterable<RecordBatch>
  /** What would be read, without reading it. */
  explain(stages: readonly Stage[], run: Run): Promise<SourceExplanation>
  /** The source as data, for a job's plan. */
  describe(): unknown
}

export interface SourceExplanation {
  source: string
  mode: string
  /** Why this mode. */
  because: string
  fragments: { total: number; pruned: number }
  rowGroups: { total: number; pruned: number }
  /** Data pages that the page index rules out; how many there are is known of row groups of which some are. */
  pages: { pruned: number }
  /** Bloom filters that were read, and row groups that they rule out. */
  bloomFilters: { read: number; pruned: number }
  rows: number | undefined
  bytes: number | undefined
  /** How the files of each dataset were found; absent if there are none to be found. */
  listing?: readonly SourceListing[]
  /** Columns read from the files. */
  columns: string[]
  lanes: number
  /** Which of the row groups that are read a sink would pass through; if it is a sink that does so. */
  passThrough?: PassThroughCounts
}

/** How a dataset was listed: all of its keys, or the folders of its partitions and then the files of those wanted. */
export interface SourceListing {
  by: 'keys' | 'folders'
  /** Why. */
  because: string
  /** Folders of partitions whose files were listed, and folders that were left out. */
  folders?: { listed: number; pruned: number }
}

/** Row groups by what becomes of them on their way into a dataset. */
export interface PassThroughCounts {
  /** Written as the bytes that they are. */
  copied: number
  /** Joined to larger ones; decoded nevertheless if it turns out that they do not go together. */
  joined: number
  decoded: number
}
