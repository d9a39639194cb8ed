import type { RecordBatch, Schema } from 'apache-arrow'
import { plainCells } from '../values.ts'
import { textChunks } from './chunks.ts'

/** RFC 4180, lines ending in LF, with a header. Null is an empty field, the empty text a quoted one. */
export async function* csv(
  batches: AsyncIterable<RecordBatch>,
  schema: Schema,
): AsyncGenerator<string, void, undefined> {
  yield `${schema.fields.map(({ name }) => quoted(name)).join(',')}\n`
  yield* textChunks(batches, batch => {
    const cells = batch.schema.fields.map((field, i) => plainCells(field, batch.data.children[i]!))
    return row => `${cells.map(cell => quoted(cell(row))).join(',')}\n`
  })
}

function quoted(text: string | null): string {
  if (text === null) return ''
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
