/** How a dataset is cut into units of work; see DESIGN: streaming, fragment, batch. */
export type Mode = 'streaming' | 'fragment' | 'batch'

/** What a finished run did. */
export interface RunReport {
  mode: Mode
  /** Name or id of the job, for runs that end in a dataset. */
  job?: string
  /** The job had been committed by an earlier run: nothing was done. */
  alreadyCommitted?: boolean
  /** Rows read, after pruning and before filters. */
  rowsIn: number
  rowsOut: number
  /** Files written. */
  files: number
  /** Partitions written to. */
  partitions: number
  /** Source files and row groups, and those that statistics or partition keys made unnecessary to read. */
  fragments: { total: number; pruned: number }
  rowGroups: {
    total: number
    pruned: number
    /** Written as the bytes that they were. */
    copied: number
    /** Joined to larger ones without being decoded. */
    joined: number
  }
  /**
   * Data pages of the flat columns that were needed, in the row groups that were read, and those that were never
   * decompressed: the page index ruled them out, or no filter left a row in them.
   */
  pages: { total: number; pruned: number }
  /** Bloom filters that were read, and row groups that they ruled out, which count in `rowGroups` as well. */
  bloomFilters: { read: number; pruned: number }
  bytesRead: number
  bytesWritten: number
  /** Wall time of the run, start-up of the process left out. */
  seconds: number
  /** Largest resident set of the whole process, lanes included, since it started. */
  peakRssBytes: number
  /** Most bytes of the memory budget that were held at once. */
  budgetHighWaterBytes: number
  /** The budget. */
  memoryBytes: number
  /** Worker threads used; 0 if everything ran on the main thread. */
  lanes: number
  retries: number
}

/** A moment of a run, a few times a second. */
export interface Progress {
  phase: 'plan' | 'run' | 'commit' | 'done'
  rowsIn: number
  /** Rows to be read in all, after pruning; unknown for sources that do not know. */
  rowsTotal: number | undefined
  rowsOut: number
  bytesRead: number
  bytesTotal: number | undefined
  bytesWritten: number
  files: number
  retries: number
  seconds: number
}

export interface RunOptions {
  /** Aborts the run: it rejects with `signal.reason`, and the destination stays as it was. */
  signal?: AbortSignal | undefined
  /** `true`: a bar on stderr if that is a terminal, else a line every few seconds; or a function. @default false */
  progress?: boolean | ((progress: Progress) => void) | undefined
  /** Name of the job: run it again under the same name to resume it, or to find it done. @default a fresh id */
  job?: string | undefined
}
