import { boundFromBytes } from '../core/expressions/bounds.ts'
import type { ColumnBounds } from '../core/expressions/prune.ts'
import { leafType } from '../parquet/arrow-leaf.ts'
import { leavesOf } from '../parquet/arrow-schema.ts'
import type { ColumnIndex, FileMetadata } from '../parquet/metadata.ts'
import type { LaneFile } from './lane-messages.ts'

type Bounds = (column: string) => ColumnBounds | undefined

/** What partition keys say: one value, in every row. */
export function constantBounds(constants: LaneFile['constants'], rows = 1): Bounds {
  return column => {
    const constant = constants.find(({ name }) => name === column)
    if (constant === undefined) return undefined
    const { value } = constant
    if (value === null) return { rows, nullCount: rows }
    const bound = boundOf(value)
    return { rows, nullCount: 0, min: bound, max: bound, isMinExact: true, isMaxExact: true }
  }
}

/** What a row group's statistics say, and the partition keys of its file. */
export function columnBounds(
  metadata: FileMetadata,
  rowGroup: number,
  constants: LaneFile['constants'],
): Bounds {
  const { columns, numRows } = metadata.rowGroups[rowGroup]!
  const keys = constantBounds(constants, numRows)
  return name => {
    const key = keys(name)
    if (key !== undefined) return key
    const leaf = flatLeaf(metadata, name)
    if (leaf === undefined) return undefined
    const decode = boundDecoder(metadata, leaf)
    const { statistics } = columns[leaf]!
    if (statistics === undefined) return { rows: numRows }
    return {
      rows: numRows,
      nullCount: statistics.nullCount,
      min: decode(statistics.min),
      max: decode(statistics.max),
      isMinExact: statistics.isMinExact,
      isMaxExact: statistics.isMaxExact,
    }
  }
}

/** What a column index says of each page; the pages have as many rows as `rowsOf` tells. */
export function pageBounds(
  metadata: FileMetadata,
  leaf: number,
  index: ColumnIndex,
  rowsOf: (page: number) => number,
): ColumnBounds[] {
  const decode = boundDecoder(metadata, leaf)
  return index.nullPages.map((allNull, page) => {
    const rows = rowsOf(page)
    if (allNull) return { rows, nullCount: rows }
    const nullCount = index.nullCounts?.[page]
    return { rows, nullCount, min: decode(index.min[page]), max: decode(index.max[page]) }
  })
}

/** The leaf of a top-level column that is not nested. */
export function flatLeaf(metadata: FileMetadata, name: string): number | undefined {
  const [leaf, ...more] = leavesOf(metadata, [name])
  return leaf !== undefined && more.length === 0 && metadata.columns[leaf]!.flat ? leaf : undefined
}

/** Reads bounds as values of the column's own type: of one that is read as a wider one they are the same. */
function boundDecoder(
  metadata: FileMetadata,
  leaf: number,
): (bytes: Uint8Array | undefined) => ColumnBounds['min'] {
  const { element } = metadata.columns[leaf]!
  if (element.type === 'INT96') return () => undefined
  const type = leafType(element)
  const byteArray = element.type === 'BYTE_ARRAY' || element.type === 'FIXED_LEN_BYTE_ARRAY'
  return bytes => (bytes === undefined ? undefined : boundFromBytes(type, bytes, byteArray))
}

/** Partition values and bounds differ in one thing: whole numbers of bounds are bigints, text is its bytes. */
function boundOf(value: string | number | bigint | boolean): ColumnBounds['min'] {
  if (typeof value === 'string') return new TextEncoder().encode(value)
  return typeof value === 'number' ? BigInt(value) : value
}
