import { Data, DataType, Dictionary, Int32, Vector } from 'apache-arrow'
import type { Region } from './arena.ts'
import { SluiceError } from './errors.ts'
import { addressIn, takeColumn } from './take.ts'

/** Rows numbered by value. Number 0 is null where the column has nulls; values begin at `base`. */
export interface Numbering {
  /** Address of 32-bit numbers, one a row. */
  codes: number
  /** 1 if the column has nulls, else 0. */
  base: number
  /** The distinct values; value `i` has number `base + i`. */
  values: Data
}

/**
 * Numbers the rows of a column by value, in order of first appearance. A dictionary column's codes are used
 * as they are, whether or not each occurs; its dictionary may hold a value twice.
 *
 * @returns undefined if there are more than `limit` distinct values
 */
export function numberRows(column: Data, limit: number, region: Region): Numbering | undefined {
  const { arena } = region
  const { kernels } = arena
  const base = column.nullCount > 0 ? 1 : 0
  const count = column.length
  if (DataType.isDictionary(column.type)) return numberCodes(column, base, region)
  const { type } = column
  const bits = base === 1 ? addressIn(region, column.nullBitmap) : 0
  const most = Math.min(limit, count)
  const slots = 2 ** Math.ceil(Math.log2(Math.max(16, most * 2)))
  const table = region.alloc(slots * 4)
  const codes = region.alloc(count * 4)
  const rows = region.alloc(most * 4)
  let found: number
  if (DataType.isUtf8(type) || DataType.isBinary(type)) {
    const offsets = addressIn(region, column.valueOffsets)
    const bytes = addressIn(region, column.values)
    found = kernels.distinctBytes(
      offsets,
      bytes,
      bits,
      column.offset,
      count,
      base,
      most,
      table,
      slots - 1,
      codes,
      rows,
    )
  } else {
    const { values, wide } = widened(column, region)
    const kernel = wide ? kernels.distinct64 : kernels.distinct32
    found = kernel(values, bits, column.offset, count, base, most, table, slots - 1, codes, rows)
  }
  if (found < 0) return undefined
  return { codes, base, values: takeColumn(column, { count: found, indices: rows }, region) }
}

/** Any flat column as a dictionary column, or itself if it has more than `limit` distinct values. */
export function dictionaryEncode(column: Data, limit: number, region: Region): Data {
  if (DataType.isDictionary(column.type)) return column
  const numbering = numberRows(column, limit, region)
  if (numbering === undefined) return column
  const { arena } = region
  const codes = arena.i32(numbering.codes, column.length)
  if (numbering.base === 1) for (let i = 0; i < codes.length; i++) codes[i] = Math.max(0, codes[i]! - 1)
  const type = new Dictionary(column.type, new Int32())
  const buffers = { 1: codes, 2: column.nullBitmap }
  const dictionary = new Vector([numbering.values])
  return new Data(type, column.offset, column.length, column.nullCount, buffers as never, [], dictionary)
}

function numberCodes(column: Data, base: number, region: Region): Numbering {
  const values = (column.dictionary as Vector).data[0]!
  const from = addressIn(region, column.values)
  if (base === 0) return { codes: from, base, values }
  const { arena } = region
  const table = region.alloc(Math.max(values.length, 1) * 4)
  const numbers = arena.i32(table, values.length)
  for (let i = 0; i < numbers.length; i++) numbers[i] = i + 1
  const codes = region.alloc(column.length * 4)
  arena.kernels.mapCodes(
    from,
    addressIn(region, column.nullBitmap),
    column.offset,
    table,
    0,
    column.length,
    codes,
  )
  return { codes, base, values }
}

/** The values as 32- or 64-bit patterns. */
function widened(column: Data, region: Region): { values: number; wide: boolean } {
  const source = column.values as ArrayLike<number> & ArrayBufferView & { BYTES_PER_ELEMENT: number }
  const { arena } = region
  if (DataType.isBool(column.type)) {
    const out = arena.i32(region.alloc(column.length * 4), column.length)
    for (let i = 0; i < out.length; i++) {
      const bit = i + column.offset
      out[i] = (source[bit >> 3]! >> (bit & 7)) & 1
    }
    return { values: out.byteOffset, wide: false }
  }
  const width = (source?.BYTES_PER_ELEMENT ?? 0) * column.stride
  if (width === 8 || width === 4) return { values: addressIn(region, source), wide: width === 8 }
  if (width === 1 || width === 2) {
    const out = arena.i32(region.alloc(column.length * 4), column.length)
    for (let i = 0; i < out.length; i++) out[i] = source[i]!
    return { values: out.byteOffset, wide: false }
  }
  throw new SluiceError('unsupported', `values of type ${column.type} cannot be partition keys`, {
    hint: 'Cast the column to text first.',
  })
}
