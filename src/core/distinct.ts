import { Data, DataType } from 'apache-arrow'
import type { Region } from './arena.ts'
import { dictionaryData } from './batch.ts'
import { SluiceError } from './errors.ts'
import { addressIn, type TypedArrayConstructor } from './take.ts'

/** Rows numbered by value. Number 0 is null where the column has nulls; values begin at `base`. */
export interface Numbering {
  /** Address of 32-bit numbers, one a row. */
  codes: number
  /** 1 if the column has nulls, else 0. */
  base: number
  /** The distinct values; value `i` has number `base + i`. Not each needs to occur. */
  values: Data
}

/**
 * Numbers the rows of a column by value, in order of first appearance. A dictionary column's codes are used
 * as they are; its dictionary may hold a value twice.
 *
 * @returns undefined if there are more than `limit` distinct values
 */
export function numberRows(column: Data, limit: number, region: Region): Numbering | undefined {
  const numbers = DataType.isDictionary(column.type)
    ? { codes: addressIn(region, column.values), values: dictionaryData(column) }
    : buildDictionary(column, Math.min(limit, column.length), region)
  if (numbers === undefined) return undefined
  const { codes, values } = numbers
  if (column.nullCount === 0) return { codes, base: 0, values }
  const { arena } = region
  const table = region.alloc(values.length * 4)
  const shifted = arena.i32(table, values.length)
  for (let i = 0; i < shifted.length; i++) shifted[i] = i + 1
  const out = region.alloc(column.length * 4)
  const bits = addressIn(region, column.nullBitmap)
  arena.kernels.mapCodes(codes, bits, column.offset, table, 0, column.length, out)
  return { codes: out, base: 1, values }
}

/**
 * Numbers the pairs of two keys' codes that occur; undefined if there are more than `limit` different ones.
 *
 * @returns the pairs in order of their number, one after the other
 */
export function numberPairs(
  first: number,
  second: number,
  count: number,
  limit: number,
  region: Region,
): { codes: number; pairs: Uint32Array } | undefined {
  const { kernels, buffer } = region.arena
  const pairs = region.alloc(count * 8)
  kernels.pairCodes(first, second, count, pairs)
  const table = hashTable(limit, 4, region)
  const codes = region.alloc(count * 4)
  const dictionary = region.alloc(limit * 8)
  const found = kernels.buildDictionary64(
    pairs,
    count,
    table.address,
    table.bits,
    0,
    limit,
    dictionary,
    codes,
  )
  return found < 0 ? undefined : { codes, pairs: new Uint32Array(buffer, dictionary, found * 2) }
}

/** Null rows are numbered by whatever value lies there. */
function buildDictionary(
  column: Data,
  most: number,
  region: Region,
): { codes: number; values: Data } | undefined {
  const { arena } = region
  const { type, length } = column
  // Room for the value that lies under the nulls.
  const limit = most + 1
  if (DataType.isUtf8(type) || DataType.isBinary(type)) {
    const offsets = addressIn(region, column.valueOffsets)
    const numbered = numberBytes(column, offsets, limit, region)
    if (numbered === undefined) return undefined
    const { codes, ends, bytes } = numbered
    return { codes, values: new Data(type, 0, ends.length - 1, 0, { 0: ends, 1: bytes } as never) }
  }
  if (DataType.isDecimal(type)) {
    const width = type.bitWidth / 8
    const offsets = arena.i32(region.alloc((length + 1) * 4), length + 1)
    for (let i = 0; i <= length; i++) offsets[i] = i * width
    const numbered = numberBytes(column, offsets.byteOffset, limit, region)
    if (numbered === undefined) return undefined
    const { codes, ends, bytes } = numbered
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
    return { codes, values: new Data(type, 0, ends.length - 1, 0, { 1: words } as never) }
  }
  const { values, wide, view } = patterns(column, region)
  const table = hashTable(limit, 4, region)
  const codes = region.alloc(length * 4)
  const dictionary = region.alloc(limit * 8)
  const build = wide ? arena.kernels.buildDictionary64 : arena.kernels.buildDictionary32
  const found = build(values, length, table.address, table.bits, 0, limit, dictionary, codes)
  if (found < 0) return undefined
  return { codes, values: view(dictionary, found) }
}

/** Numbers the values as strings of bytes, and gives the distinct ones with their offsets. */
function numberBytes(
  column: Data,
  offsets: number,
  limit: number,
  region: Region,
): { codes: number; ends: Int32Array; bytes: Uint8Array } | undefined {
  const { arena } = region
  const { kernels } = arena
  const { length } = column
  const bytes = addressIn(region, column.values)
  const spans = region.alloc(length * 8)
  if (kernels.spansOfOffsets(offsets, bytes, 0, column.values.byteLength, 0, 0, length, spans) < 0) {
    throw new SluiceError('corrupt', 'a column of text has offsets beyond its bytes')
  }
  const table = hashTable(limit, 8, region)
  const codes = region.alloc(length * 4)
  const dictionary = region.alloc(limit * 8)
  const found = kernels.buildDictionarySpans(
    spans,
    length,
    table.address,
    table.bits,
    0,
    limit,
    dictionary,
    codes,
  )
  if (found < 0) return undefined
  const size = kernels.spanBytes(dictionary, found)
  const text = region.alloc(size)
  kernels.copySpans(dictionary, found, text)
  const lengths = region.alloc((found + 1) * 4)
  kernels.spanLengths(dictionary, found, lengths + 4)
  const ends = arena.i32(lengths, found + 1)
  ends[0] = 0
  for (let i = 1; i <= found; i++) ends[i]! += ends[i - 1]!
  return { codes, ends, bytes: arena.u8(text, size) }
}

function hashTable(limit: number, slotBytes: number, region: Region): { address: number; bits: number } {
  const bits = Math.max(4, Math.ceil(Math.log2(limit * 2)))
  return { address: region.zeroed(2 ** bits * slotBytes), bits }
}

/** The values as 32- or 64-bit patterns, and how patterns become values again. */
function patterns(
  column: Data,
  region: Region,
): { values: number; wide: boolean; view: (address: number, count: number) => Data } {
  const { arena } = region
  const { type, length, offset } = column
  const source = column.values as ArrayLike<number> & ArrayBufferView & { BYTES_PER_ELEMENT: number }
  const width = (source?.BYTES_PER_ELEMENT ?? 0) * column.stride
  const data = (values: ArrayBufferView, count: number) => new Data(type, 0, count, 0, { 1: values } as never)
  if (DataType.isBool(type)) {
    const out = arena.i32(region.alloc(length * 4), length)
    for (let i = 0; i < length; i++) out[i] = (source[(i + offset) >> 3]! >> ((i + offset) & 7)) & 1
    const view = (address: number, count: number) => {
      const bits = arena.i32(address, count).reduce((byte, bit, i) => byte | (bit << i), 0)
      return data(Uint8Array.of(bits), count)
    }
    return { values: out.byteOffset, wide: false, view }
  }
  const typed = type.ArrayType as unknown as TypedArrayConstructor
  if (width === 4 || width === 8) {
    const view = (address: number, count: number) => data(new typed(arena.buffer, address, count), count)
    return { values: addressIn(region, source), wide: width === 8, view }
  }
  if (width === 1 || width === 2) {
    const out = arena.i32(region.alloc(length * 4), length)
    for (let i = 0; i < length; i++) out[i] = source[i]!
    const view = (address: number, count: number) => {
      const narrow = Reflect.construct(typed, [arena.i32(address, count)]) as ArrayBufferView
      return data(narrow, count)
    }
    return { values: out.byteOffset, wide: false, view }
  }
  throw new SluiceError('unsupported', `values of type ${type} cannot be partition keys`, {
    hint: 'Cast the column to text first.',
  })
}
