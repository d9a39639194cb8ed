import { batchBytes } from '../core/batch.ts'
import { type Columns, describe, type Operator, type ThrottleOptions } from '../core/operator.ts'
import { throttleBuckets } from '../core/throttle.ts'

/**
 * Holds the stream to a rate, on average: bytes of Arrow data, rows, or both. A batch passes whole, once its cost
 * has been earned; one second's worth may pass at once at the start and after a pause. Directly behind `source()`
 * it holds back the reads themselves.
 *
 * @example
 * source(store).pipe(throttle({ bytesPerSecond: '200MB' }))
 */
export function throttle<T extends Columns>(options: ThrottleOptions): Operator<T, T> {
  throttleBuckets(options)
  return describe({ op: 'throttle', ...options }, async function* (input, run) {
    const { rows, bytes } = throttleBuckets(options)
    for await (const batch of input) {
      await rows?.take(batch.numRows, run.signal)
      await bytes?.take(batchBytes(batch), run.signal)
      yield batch
    }
  })
}
