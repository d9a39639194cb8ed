import { formatBytes } from '../../core/bytes.ts'
import { type ColumnDescription, type DatasetDescription, describeDataset } from '../../index.ts'
import type { Command } from '../command.ts'
import { locate } from '../location.ts'
import { alignedLine, show } from '../text-table.ts'

export const schema: Command = {
  name: 'schema',
  summary: 'Print columns and sizes of Parquet files, from their footers.',
  arguments: ['URL'],
  options: { json: { help: 'as JSON' } },
  details:
    'Columns with type, nulls, encodings and compression; partition keys; rows, row groups, files, bytes.',
  async run({ arguments: [url], options, output, signal }) {
    const { store, files } = await locate(url!)
    const description = await describeDataset(store, { files, signal })
    await output.write(
      options.flag('json') ? `${JSON.stringify(description, null, 2)}\n` : textOf(description),
    )
  },
}

function textOf({ files, rowGroups, rows, bytes, columns }: DatasetDescription): string {
  const count = (value: number) => value.toLocaleString('en-US')
  const head = ['column', 'type', 'nulls', 'size', 'compression', 'encodings']
  const lines = [head, ...columns.map(cellsOf)]
  const widths = head.map((_, i) => Math.max(...lines.map(cells => cells[i]!.length)))
  const right = head.map(name => name === 'nulls' || name === 'size')
  return [
    ...lines.map(cells => alignedLine(cells, widths, right)),
    `\n${count(rows)} rows, ${count(rowGroups)} row groups, ${count(files)} files, ${formatBytes(bytes)}\n`,
  ].join('')
}

function cellsOf(column: ColumnDescription): string[] {
  const { name, type, nullable, partitionKey, nulls, bytes, compression, encodings } = column
  const typeText = nullable ? type : `${type} not null`
  if (partitionKey) return [show(name), typeText, '', '', '', '(partition key)']
  const nullText = nulls === undefined ? '?' : String(nulls)
  return [show(name), typeText, nullText, formatBytes(bytes), compression.join(','), encodings.join(',')]
}
