import { availableParallelism } from 'node:os'
import { Arena } from './arena.ts'
import { Budget } from './budget.ts'
import { parseBytes } from './bytes.ts'
import { SluiceError } from './errors.ts'
import type { Mode, Progress, RunOptions, RunReport } from './report.ts'
import { isTransient, type RetryingOptions, retrying } from './retry.ts'
import type { TokenBucket } from './token-bucket.ts'

/** How a run uses the machine. */
export interface ExecutionOptions {
  /**
   * How data is cut into units of work. `streaming`: many row groups in flight; `fragment`: a whole file as
   * one batch, one file a lane; `batch`: slices of at most `batchRows` rows, the tightest bound on memory.
   * The rows are the same in each. @default 'auto': chosen from the plan, see `explain()`
   */
  mode?: Mode | 'auto' | undefined
  /** The one budget that every buffer of the run is taken from: bytes, or text such as `'512MiB'`. @default '1GiB' */
  memory?: number | string | undefined
  /** Most rows of a batch in mode `batch`. @default 65536 */
  batchRows?: number | undefined
  /** Worker threads for CPU work; a small run starts none whatever this says. @default one a core */
  lanes?: number | undefined
}

export interface ResolvedExecution {
  mode: Mode | 'auto'
  memory: number
  batchRows: number
  lanes: number
}

const MIN_MEMORY = 32 * 2 ** 20
/** Share of the budget that lanes' memories get; the rest is for read-ahead and what the main thread holds. */
export const LANES_SHARE = 0.7

export function resolveExecution(options: ExecutionOptions): ResolvedExecution {
  const { mode = 'auto', memory = 2 ** 30, batchRows = 65_536, lanes = availableParallelism() } = options
  if (!['auto', 'streaming', 'fragment', 'batch'].includes(mode)) {
    throw invalid('mode', `must be 'auto', 'streaming', 'fragment' or 'batch', not '${mode}'`)
  }
  const bytes = parseBytes(memory, 'memory')
  if (bytes < MIN_MEMORY) throw invalid('memory', `must be at least 32MiB, not ${memory}`)
  if (!Number.isInteger(batchRows) || batchRows < 1) {
    throw invalid('batchRows', `must be a whole number above 0, not ${batchRows}`)
  }
  if (!Number.isInteger(lanes) || lanes < 1 || lanes > 256) {
    throw invalid('lanes', `must be a whole number from 1 to 256, not ${lanes}`)
  }
  return { mode, memory: bytes, batchRows, lanes }
}

/** One run of a pipeline: its signal, its budget, its counters. Everything that waits or buffers is given it. */
export class Run implements AsyncDisposable {
  readonly signal: AbortSignal
  readonly execution: ResolvedExecution
  readonly job: string | undefined
  /** For what the main thread holds: the read-ahead and whatever lanes do not have. */
  readonly budget: Budget
  /** Set by the planner from `retry` stages that it pushed down to the reads. */
  retry: RetryingOptions | undefined
  /** Set by the planner from `throttle` stages that it pushed down to the admission of units. */
  throttles: { rows?: TokenBucket; bytes?: TokenBucket }[] = []
  phase: Progress['phase'] = 'plan'
  mode: Mode = 'streaming'
  rowsIn = 0
  rowsOut = 0
  rowsTotal: number | undefined
  bytesRead = 0
  bytesTotal: number | undefined
  bytesWritten = 0
  files = 0
  partitions = 0
  retries = 0
  lanes = 0
  /** Set by a sink, before it asks for batches, that keeps all of them until the run has ended. */
  keepsBatches = false
  /** Share of the lanes' part of the budget that one set of lanes may take; below 1 where there are two sets. */
  laneShare = 1
  fragments: { total: number; pruned: number } = { total: 0, pruned: 0 }
  rowGroups: { total: number; pruned: number; copied: number; joined: number } = {
    ...{ total: 0, pruned: 0, copied: 0, joined: 0 },
  }
  pages: { total: number; pruned: number } = { total: 0, pruned: 0 }
  bloomFilters: { read: number; pruned: number } = { read: 0, pruned: 0 }
  /** Most bytes that the lanes held, summed. */
  laneHighWater = 0
  #started = performance.now()
  #abort = new AbortController()
  #arena: Arena | undefined
  #closers: (() => void | Promise<void>)[] = []

  constructor(execution: ResolvedExecution, options: RunOptions = {}) {
    const { signal } = options
    if (signal !== undefined && !(signal instanceof AbortSignal))
      throw invalid('signal', 'must be an AbortSignal')
    this.execution = execution
    this.job = options.job
    this.budget = new Budget(execution.memory * (1 - LANES_SHARE))
    this.signal = this.#abort.signal
    if (signal !== undefined) {
      const forward = () => this.abort(signal.reason)
      if (signal.aborted) forward()
      else {
        signal.addEventListener('abort', forward, { once: true })
        this.onClose(() => signal.removeEventListener('abort', forward))
      }
    }
  }

  /** Stops everything that waits on this run. */
  abort(reason: unknown): void {
    if (!this.#abort.signal.aborted) this.#abort.abort(reason)
  }

  /** Memory for the stages that run on the main thread. */
  get arena(): Arena {
    if (this.#arena === undefined) {
      const arena = new Arena(Math.floor(this.execution.memory / 8), this.execution.memory)
      this.#arena = arena
      this.budget.limit -= arena.limit
      this.onClose(() => {
        this.laneHighWater += arena.highWater
      })
    }
    return this.#arena
  }

  /**
   * Does something that may be tried again, as often as the pipeline's `retry` says, after failures that `retry` is for;
   * `only` leaves out those that have been tried again by whoever is called.
   */
  attempt<T>(work: () => Promise<T>, only: (error: unknown) => boolean = () => true): Promise<T> {
    if (this.retry === undefined) return work()
    const { shouldRetry = isTransient } = this.retry
    const count = () => {
      this.retries++
    }
    return retrying(work, {
      ...this.retry,
      shouldRetry: error => only(error) && shouldRetry(error),
      signal: this.signal,
      onRetry: count,
    })
  }

  /** Remembers what was counted so far; calling what it returns forgets all that came later. */
  checkpoint(): () => void {
    const { rowsIn, rowsOut, files } = this
    const rowGroups = { ...this.rowGroups }
    const [fragments, pages, bloomFilters] = [
      { ...this.fragments },
      { ...this.pages },
      { ...this.bloomFilters },
    ]
    return () =>
      void Object.assign(this, { rowsIn, rowsOut, files, fragments, rowGroups, pages, bloomFilters })
  }

  /** Waits until the pushed-down throttles are ready for more, after so much has come through. */
  async paced(rowsOut: number, bytesOut: number): Promise<void> {
    for (const { rows, bytes } of this.throttles) {
      await rows?.take(rowsOut, this.signal)
      await bytes?.take(bytesOut, this.signal)
    }
  }

  /** Counts data pages of columns that are read, and how many of them were. */
  countPages(total: number, read: number): void {
    this.pages.total += total
    this.pages.pruned += total - read
  }

  /** Has `close` called at the end of the run, however it ends; last come, first closed. */
  onClose(close: () => void | Promise<void>): void {
    this.#closers.push(close)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) await close()
  }

  get seconds(): number {
    return (performance.now() - this.#started) / 1000
  }

  progress(): Progress {
    const {
      phase,
      rowsIn,
      rowsTotal,
      rowsOut,
      bytesRead,
      bytesTotal,
      bytesWritten,
      files,
      retries,
      seconds,
    } = this
    return { phase, rowsIn, rowsTotal, rowsOut, bytesRead, bytesTotal, bytesWritten, files, retries, seconds }
  }

  report(): RunReport {
    const { mode, rowsIn, rowsOut, files, partitions, fragments, rowGroups, pages, bloomFilters } = this
    const { bytesRead, bytesWritten, seconds, lanes, retries } = this
    return {
      mode,
      rowsIn,
      rowsOut,
      files,
      partitions,
      fragments,
      rowGroups,
      pages,
      bloomFilters,
      bytesRead,
      bytesWritten,
      seconds,
      peakRssBytes: process.resourceUsage().maxRSS * 1024,
      budgetHighWaterBytes: this.budget.highWater + this.laneHighWater,
      memoryBytes: this.execution.memory,
      lanes,
      retries,
    }
  }
}

function invalid(option: string, reason: string): SluiceError {
  return new SluiceError('invalid-argument', reason, { option })
}
