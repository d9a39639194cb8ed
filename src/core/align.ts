import type { Field, RecordBatch } from 'apache-arrow'
import { columnOf, makeBatch, valueType } from './batch.ts'
import { SluiceError } from './errors.ts'

/**
 * A batch with the columns of `fields`, by name and in that order; others are left out. For batches that a
 * function has made: a column that is missing or has another type is a `schema` error.
 */
export function alignBatch(batch: RecordBatch, fields: readonly Field[]): RecordBatch {
  const columns = fields.map(({ name, type }) => {
    const column = columnOf(batch, name)
    if (column === undefined) {
      throw new SluiceError('schema', 'is missing in a batch, though the first one has it', { column: name })
    }
    const found = valueType(column.type)
    if (String(found) === String(type)) return column
    throw new SluiceError('schema', `is of type ${found} in a batch and of type ${type} in the first one`, {
      column: name,
      hint: 'Give every batch the same columns.',
    })
  })
  return makeBatch(fields, columns, batch.numRows)
}
