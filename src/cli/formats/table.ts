import { DataType, type RecordBatch, type Schema } from 'apache-arrow'
import { valueType } from '../../core/batch.ts'
import { plainCells } from '../values.ts'
import { textChunks } from './chunks.ts'

/** Rows that the widths of the columns are taken from. */
const SAMPLE = 1000

/**
 * Columns for people to look at: as wide as the first rows want; values are never cut, so that a long one in a
 * later row moves the rest of its line. Null is shown as `∅`, control characters are escaped.
 */
export async function* table(
  batches: AsyncIterable<RecordBatch>,
  schema: Schema,
): AsyncGenerator<string, void, undefined> {
  const right = schema.fields.map(({ type }) => isNumber(valueType(type)))
  const names = schema.fields.map(({ name }) => show(name))
  let widths: number[] | undefined
  const line = (texts: readonly string[]) =>
    `${texts
      .map((text, i) => (right[i] ? text.padStart(widths![i]!) : text.padEnd(widths![i]!)))
      .join('  ')
      .trimEnd()}\n`
  const head = () => line(names) + line(widths!.map(width => '─'.repeat(width)))

  yield* textChunks(batches, batch => {
    const cells = batch.schema.fields.map((field, i) => plainCells(field, batch.data.children[i]!))
    const first = widths === undefined
    widths ??= names.map((name, i) => {
      let width = name.length
      for (let row = 0; row < Math.min(SAMPLE, batch.numRows); row++) {
        width = Math.max(width, show(cells[i]!(row)).length)
      }
      return width
    })
    return row => (first && row === 0 ? head() : '') + line(cells.map(cell => show(cell(row))))
  })
  if (widths === undefined) {
    widths = names.map(name => name.length)
    yield head()
  }
}

function isNumber(type: DataType): boolean {
  return DataType.isInt(type) || DataType.isFloat(type) || DataType.isDecimal(type)
}

function show(text: string | null): string {
  if (text === null) return '∅'
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, character => JSON.stringify(character).slice(1, -1))
}
