import type { RecordBatch } from 'apache-arrow'
import { jsonCells } from '../values.ts'
import { textChunks } from './chunks.ts'

/** One JSON object a line; the values as {@link jsonCells} says. */
export function jsonl(batches: AsyncIterable<RecordBatch>): AsyncIterable<string> {
  return textChunks(batches, batch => {
    const members = batch.schema.fields.map((field, i) => {
      const cell = jsonCells(field, batch.data.children[i]!)
      const name = JSON.stringify(field.name)
      return (row: number) => `${name}:${cell(row)}`
    })
    return row => `{${members.map(member => member(row)).join(',')}}\n`
  })
}
