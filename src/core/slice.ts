import type { Data, RecordBatch } from 'apache-arrow'
import { makeBatch } from './batch.ts'

/** Rows `start` to `end` of a batch, without copying. */
export function sliceRows(batch: RecordBatch, start: number, end: number): RecordBatch {
  if (start === 0 && end === batch.numRows) return batch
  const columns = batch.data.children.map((column: Data) => column.slice(start, end - start))
  return makeBatch(batch.schema.fields, columns, end - start)
}
