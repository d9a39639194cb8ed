import { DataType, type RecordBatch } from 'apache-arrow'
import { Arena } from './arena.ts'
import { batchBytes, makeBatch } from './batch.ts'
import { materialise } from './take.ts'
import { copyBatch } from './transport.ts'

/**
 * The same batches with one schema: a column that is dictionary-encoded in some of them only is made plain in
 * those. Where all of them agree nothing is copied.
 */
export function unifyBatches(batches: readonly RecordBatch[]): RecordBatch[] {
  const [first] = batches
  const mixed = (first?.data.children ?? []).map((_, i) => {
    const encoded = batches.filter(batch => DataType.isDictionary(batch.data.children[i]!.type)).length
    return encoded > 0 && encoded < batches.length
  })
  if (!mixed.includes(true)) return [...batches]
  return batches.map(batch => withPlain(batch, mixed))
}

/** The batch with some dictionary-encoded columns made plain, in memory of its own. */
export function withPlain(batch: RecordBatch, which: readonly boolean[]): RecordBatch {
  const affected = batch.data.children.some((column, i) => which[i]! && DataType.isDictionary(column.type))
  if (!affected) return batch
  const region = new Arena(2 * batchBytes(batch)).region()
  const columns = batch.data.children.map((column, i) => (which[i]! ? materialise(column, region) : column))
  return copyBatch(makeBatch(batch.schema.fields, columns, batch.numRows))
}
