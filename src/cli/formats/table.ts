import { DataType, type RecordBatch, type Schema } from 'apache-arrow'
import { valueType } from '../../core/batch.ts'
import { alignedLine, show } from '../text-table.ts'
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
  const head = (widths: readonly number[]) => {
    const rule = widths.map(width => '─'.repeat(width))
    return alignedLine(names, widths, right) + alignedLine(rule, widths, right)
  }
  let widths: number[] | undefined
  yield* textChunks(batches, batch => {
    const columns = batch.schema.fields.map((field, i) => {
      const cell = plainCells(field, batch.data.children[i]!)
      return (row: number) => show(cell(row) ?? '∅')
    })
    return row => {
      const before = widths === undefined
      widths ??= columns.map((cell, i) => widthOf(names[i]!, cell, batch.numRows))
      const line = alignedLine(
        columns.map(cell => cell(row)),
        widths,
        right,
      )
      return before ? head(widths) + line : line
    }
  })
  if (widths === undefined) yield head(names.map(name => name.length))
}

function widthOf(name: string, cell: (row: number) => string, rows: number): number {
  let width = name.length
  for (let row = 0; row < Math.min(SAMPLE, rows); row++) width = Math.max(width, cell(row).length)
  return width
}

function isNumber(type: DataType): boolean {
  return DataType.isInt(type) || DataType.isFloat(type) || DataType.isDecimal(type)
}
