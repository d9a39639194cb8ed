import { batchBytes } from '../core/batch.ts'
import { type Columns, describe, type Operator, restartable, type ThrottleOptions } from '../core/operator.ts'
import { throttleBuckets } from '../core/throttle.ts'

/**
 * Holds the stream to a rate, on average: bytes of Arrow data, rows, or both. A batch is let through whole and
 * its cost is waited for before the next one; one second's worth may pass at once after a pause. Behind a
 * source it holds back the reads themselves.
 *
 * @example
 * source(store).pipe(throttle({ bytesPerSecond: '200MB' }))
 */
export function throttle<T extends Columns>(options: ThrottleOptions): Operator<T, T> {
  throttleBuckets(options)
  return describe({ op: 'throttle', ...options }, (input, run) =>
    restartable(async function* () {
      const { rows, bytes } = throttleBuckets(options)
      for await (const batch of input) {
        await rows?.take(batch.numRows, run.signal)
        await bytes?.take(batchBytes(batch), run.signal)
        yield batch
      }
    }),
  )
}
