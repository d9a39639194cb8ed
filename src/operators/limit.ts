import { SluiceError } from '../core/errors.ts'
import { type Columns, describe, type Operator } from '../core/operator.ts'
import { sliceRows } from '../core/slice.ts'

/**
 * Passes the first `rows` rows on and then stops reading. What is first is the order of the source: files by
 * their keys, rows as they lie in them.
 */
export function limit<T extends Columns>(rows: number): Operator<T, T> {
  if (!Number.isInteger(rows) || rows < 0) {
    throw new SluiceError('invalid-argument', `must be a whole number from 0, not ${String(rows)}`, {
      option: 'limit',
    })
  }
  return describe({ op: 'limit', rows }, async function* (input) {
    let left = rows
    if (left === 0) return
    for await (const batch of input) {
      if (batch.numRows >= left) {
        yield sliceRows(batch, 0, left)
        return
      }
      left -= batch.numRows
      yield batch
    }
  })
}
