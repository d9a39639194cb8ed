import type { DataType, Schema } from 'apache-arrow'
import { boundFromBytes } from '../core/expressions/bounds.ts'
import type { ColumnBounds } from '../core/expressions/prune.ts'
import { leavesOf } from '../parquet/arrow-schema.ts'
import type { FileMetadata } from '../parquet/metadata.ts'
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
  schema: Schema,
  constants: LaneFile['constants'],
): Bounds {
  const { columns, numRows } = metadata.rowGroups[rowGroup]!
  const keys = constantBounds(constants, numRows)
  return name => {
    const key = keys(name)
    if (key !== undefined) return key
    const field = schema.fields.find(candidate => candidate.name === name)
    const [leaf, ...more] = leavesOf(metadata, [name])
    if (field === undefined || leaf === undefined || more.length > 0) return undefined
    if (!metadata.columns[leaf]!.flat) return undefined
    const { statistics, type } = columns[leaf]!
    if (statistics === undefined) return { rows: numRows }
    const byteArray = type === 'BYTE_ARRAY' || type === 'FIXED_LEN_BYTE_ARRAY'
    const decode = (bytes: Uint8Array | undefined) =>
      bytes === undefined || type === 'INT96'
        ? undefined
        : boundFromBytes(field.type as DataType, bytes, byteArray)
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

/** Partition values and bounds differ in one thing: whole numbers of bounds are bigints, text is its bytes. */
function boundOf(value: string | number | bigint | boolean): ColumnBounds['min'] {
  if (typeof value === 'string') return new TextEncoder().encode(value)
  return typeof value === 'number' ? BigInt(value) : value
}
