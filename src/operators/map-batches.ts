import { RecordBatch } from 'apache-arrow'
import { SluiceError } from '../core/errors.ts'
import { type Columns, describe, type Operator } from '../core/operator.ts'

/**
 * Replaces every batch by what a function makes of it: a batch, several, or nothing to drop it. Runs on the
 * main thread, one batch at a time, in order; nothing is buffered. What the function throws ends the pipeline,
 * with code `callback` and the thrown value as `cause`.
 *
 * @typeParam Out the columns that the function gives, for the operators behind it
 */
export function mapBatches<Out extends Columns = Columns>(
  map: (batch: RecordBatch) => BatchResult | Promise<BatchResult>,
): Operator<Columns, Out> {
  if (typeof map !== 'function') {
    throw new SluiceError('invalid-argument', `must be a function, not ${String(map)}`, {
      option: 'mapBatches',
    })
  }
  return describe(
    { op: 'custom', name: map.name === '' ? 'mapBatches' : `mapBatches ${map.name}` },
    async function* (input) {
      for await (const batch of input) {
        for (const result of await call(map, batch)) yield result
      }
    },
  )
}

/** What a function given to {@link mapBatches} may return. */
export type BatchResult = RecordBatch | readonly RecordBatch[] | null | undefined

async function call(
  map: (batch: RecordBatch) => BatchResult | Promise<BatchResult>,
  batch: RecordBatch,
): Promise<readonly RecordBatch[]> {
  let result: BatchResult
  try {
    result = await map(batch)
  } catch (cause) {
    throw new SluiceError('callback', 'the function given to mapBatches() threw', { cause })
  }
  const batches = result === null || result === undefined ? [] : Array.isArray(result) ? result : [result]
  for (const item of batches) {
    if (!(item instanceof RecordBatch)) {
      throw new SluiceError('callback', `the function given to mapBatches() returned ${typeof item}`, {
        hint: 'Return an apache-arrow RecordBatch, a list of them, or nothing.',
      })
    }
  }
  return batches as readonly RecordBatch[]
}
