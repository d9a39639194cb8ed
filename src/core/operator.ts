import type { RecordBatch } from 'apache-arrow'
import type { Aggregation } from './aggregation/plan.ts'
import type { RetryOptions } from './retry.ts'
import type { Run } from './run.ts'
import type { Stage } from './stages.ts'

/** Column names and the JavaScript types of their values, for the compiler. */
export type Columns = Record<string, unknown>

/** How rows are laid out in the files of a dataset. */
export interface RepartitionOptions {
  /** Partition keys, outermost folder first. @default [] */
  by?: readonly string[]
  /** Most rows of one file. @default no limit */
  maxRowsPerFile?: number
  /**
   * About how many bytes a file gets: a number, or text such as `'128MB'`. It gets more than that only if it has less
   * than three quarters of it without the row group that comes next. @default no limit
   */
  targetFileBytes?: number | string
  /** A job that meets more partitions than this fails: a guard against a key chosen by mistake. @default 10000 */
  maxPartitions?: number
}

export interface ThrottleOptions {
  /** Bytes of Arrow data a second: a number, or text such as `'200MB'`. */
  bytesPerSecond?: number | string
  rowsPerSecond?: number
}

/** The tries of the `retry` operator. */
export interface RetryOperatorOptions extends RetryOptions {
  /** Whether a failure is worth another try. @default those of code 'io' and 'timeout' */
  shouldRetry?: (error: unknown) => boolean
}

/** What an operator says of itself, for the planner and for `explain()`. */
export type OperatorDescription =
  | Stage
  | ({ op: 'aggregate' } & Aggregation)
  | ({ op: 'repartition' } & RepartitionOptions)
  | ({ op: 'throttle' } & ThrottleOptions)
  | ({ op: 'retry' } & RetryOperatorOptions)
  | { op: 'limit'; rows: number }
  | { op: 'tap' }
  | { op: 'custom'; name: string }

/**
 * An operator turns one stream of batches into another. Any such function will do; those made by Sluice also
 * describe themselves, so that they can be pushed down to storage or into worker threads.
 *
 * It is called once for each run, and again whenever a `retry` behind it starts anew. Its input starts anew for
 * each iterator. When its consumer stops early, its iterator's `return()` is called and it has to return its
 * input's; an `async function*` with `for await` does that by itself.
 */
export interface Operator<In extends Columns = Columns, Out extends Columns = Columns> {
  (input: AsyncIterable<RecordBatch>, run: Run): AsyncIterable<RecordBatch>
  readonly description?: OperatorDescription
  /** Never there: carries the columns' types. */
  readonly columns?: (input: In) => Out
}

/** Gives a function its description. */
export function describe<In extends Columns, Out extends Columns>(
  description: OperatorDescription,
  operator: (input: AsyncIterable<RecordBatch>, run: Run) => AsyncIterable<RecordBatch>,
): Operator<In, Out> {
  return Object.assign(operator, { description })
}

/** A stream that is made anew for each iterator. */
export function restartable<T>(make: () => AsyncIterable<T>): AsyncIterable<T> {
  return { [Symbol.asyncIterator]: () => make()[Symbol.asyncIterator]() }
}
