import type { RecordBatch } from 'apache-arrow'
import { SluiceError } from '../core/errors.ts'
import { type Columns, describe, type Operator } from '../core/operator.ts'

/**
 * Calls a function with every batch that passes, and waits for it if it is async. What the function throws ends
 * the pipeline, with code `callback` and the thrown value as `cause`.
 */
export function tap<T extends Columns>(look: (batch: RecordBatch) => void | Promise<void>): Operator<T, T> {
  if (typeof look !== 'function')
    throw new SluiceError('invalid-argument', `must be a function, not ${String(look)}`, { option: 'tap' })
  return describe({ op: 'tap' }, async function* (input) {
    for await (const batch of input) {
      try {
        await look(batch)
      } catch (cause) {
        throw new SluiceError('callback', 'the function given to tap() threw', { cause })
      }
      yield batch
    }
  })
}
