import type { RecordBatch } from 'apache-arrow'
import { SluiceError } from '../core/errors.ts'
import { type Columns, describe, type Operator, type RetryOperatorOptions } from '../core/operator.ts'
import { retrying, validateRetryOptions } from '../core/retry.ts'
import { sliceRows } from '../core/slice.ts'

/**
 * Tries again what failed above it. Behind `source()` only the failed read is repeated, each read up to `attempts`
 * times. Behind operators that run on the main thread, the stream above is started anew and goes on behind the rows
 * that have been delivered: nothing is delivered twice, as long as those operators give the same rows in the same
 * order. Failures since the last batch that came through count.
 *
 * What a worker thread was at that died is done again by a new one: the unit of a read, the file or task of a rewrite.
 * Not the groups of an `aggregate` in the lanes, which are lost with it.
 *
 * By default failures of code `io`, `timeout` and `lane` are tried again, five times in all, with growing pauses; not
 * those that the store has tried again and given up (`attempts` of the error): for more tries of requests, open the store
 * with more.
 */
export function retry<T extends Columns>(options: RetryOperatorOptions = {}): Operator<T, T> {
  const { shouldRetry } = options
  const limits = validateRetryOptions(options)
  if (shouldRetry !== undefined && typeof shouldRetry !== 'function') {
    throw new SluiceError('invalid-argument', `must be a function, not ${String(shouldRetry)}`, {
      option: 'shouldRetry',
    })
  }
  return describe({ op: 'retry', ...options }, async function* (input, run) {
    let delivered = 0
    let iterator: AsyncIterator<RecordBatch> | undefined
    const pull = () =>
      retrying(
        async () => {
          iterator ??= behind(input, delivered)[Symbol.asyncIterator]()
          try {
            return await iterator.next()
          } catch (error) {
            iterator = undefined
            throw error
          }
        },
        { ...limits, shouldRetry, signal: run.signal, onRetry: () => void run.retries++ },
      )
    try {
      for (let step = await pull(); !step.done; step = await pull()) {
        delivered += step.value.numRows
        yield step.value
      }
    } finally {
      await iterator?.return?.()
    }
  })
}

/** The stream without its first `skip` rows, which it has to have. */
async function* behind(input: AsyncIterable<RecordBatch>, skip: number): AsyncGenerator<RecordBatch> {
  let left = skip
  for await (const batch of input) {
    if (left >= batch.numRows && left > 0) left -= batch.numRows
    else {
      yield sliceRows(batch, left, batch.numRows)
      left = 0
    }
  }
  if (left > 0) {
    throw new SluiceError('precondition', `the stream ended ${left} rows before where it had failed`, {
      option: 'retry',
      hint: 'What stands above retry() has to give the same rows in the same order each time.',
    })
  }
}
