import { type Data, DataType, Dictionary, Int32, makeData, makeVector, type Vector } from 'apache-arrow'
import type { Arena, Region } from '../arena.ts'
import { dictionaryData, valueType } from '../batch.ts'
import { SluiceError } from '../errors.ts'
import { BINARY, BYTES, FLOAT32, type Repr, reprOf, UTF8, type Value } from './types.ts'

/**
 * A computed column: where in the arena its values lie. Text has its int32 offsets at `offsets` and counts them
 * from `values`; booleans are a bitmap. A constant holds one value, `allNull` if that is null.
 */
export interface Column {
  type: DataType
  repr: Repr
  rows: number
  values: number
  offsets: number
  /** Bitmap, or 0 where nothing is null. */
  validity: number
  constant: boolean
  allNull: boolean
}

/** A column by dictionary: for each row an int32 code below `dictionary.rows`; null rows name a null value. */
export interface Coded {
  codes: number
  rows: number
  dictionary: Column
}

export function isCoded(column: Column | Coded): column is Coded {
  return 'codes' in column
}

export function makeColumn(type: DataType, rows: number, values: number, validity = 0, offsets = 0): Column {
  return { type, repr: reprOf(type), rows, values, offsets, validity, constant: false, allNull: false }
}

/** Bytes from one value to the next, for kernels: of text, from one offset to the next. */
export function strideOf(column: Column): number {
  if (column.constant) return 0
  return column.repr === 'bytes' ? 4 : BYTES[column.repr]
}

export function bitmapBytes(rows: number): number {
  return (rows + 7) >>> 3
}

/** A constant of some rows. */
export function constantColumn(region: Region, type: DataType, value: Value | null, rows: number): Column {
  const column: Column = { ...makeColumn(type, rows, 0), constant: true, allNull: value === null }
  if (value === null) return column
  if (value instanceof Uint8Array) {
    column.values = region.alloc(value.length)
    region.arena.u8(column.values, value.length).set(value)
    column.offsets = region.alloc(8)
    region.arena.i32(column.offsets, 2).set([0, value.length])
    return column
  }
  column.values = region.alloc(16)
  const view = new DataView(region.arena.buffer, column.values, 16)
  if (typeof value === 'boolean') view.setUint8(0, value ? 255 : 0)
  else if (typeof value === 'number')
    column.repr === 'f32' ? view.setFloat32(0, value, true) : view.setFloat64(0, value, true)
  else {
    view.setBigInt64(0, value, true)
    view.setBigInt64(8, value >> 64n, true)
  }
  return column
}

/** A column of a batch as kernels want it: in the arena, without a bit offset. */
export function loadColumn(region: Region, data: Data, name: string): Column | Coded {
  return DataType.isDictionary(data.type) ? loadCoded(region, data, name) : loadPlain(region, data, name)
}

function loadCoded(region: Region, data: Data, name: string): Coded {
  const { kernels } = region.arena
  const rows = data.length
  const validity = loadValidity(region, data)
  const plain = loadPlain(region, dictionaryData(data), name)
  const indices = data.values as Int32Array
  const width = indices.BYTES_PER_ELEMENT
  if (indices.length < rows || width > 4) throw outOfBounds(name)
  const codes = region.alloc(rows * 4)
  const bad = kernels.checkCodes(place(region, indices), width, validity, rows, plain.rows, codes)
  if (bad >= 0)
    throw new SluiceError('corrupt', `row ${bad} has a code beyond the dictionary`, { column: name })
  return { codes, rows, dictionary: validity === 0 ? plain : withNull(region, plain) }
}

/** The same values and a null after them. */
function withNull(region: Region, column: Column): Column {
  const { arena } = region
  const { rows } = column
  const validity = region.alloc(bitmapBytes(rows + 1))
  const bits = arena.u8(validity, bitmapBytes(rows + 1)).fill(255)
  if (column.validity !== 0) bits.set(arena.u8(column.validity, bitmapBytes(rows)))
  bits[rows >> 3]! &= ~(1 << (rows & 7))
  const longer = { ...column, rows: rows + 1, validity }
  if (column.repr === 'bytes') {
    longer.offsets = region.alloc((rows + 2) * 4)
    const offsets = arena.i32(longer.offsets, rows + 2)
    offsets.set(arena.i32(column.offsets, rows + 1))
    offsets[rows + 1] = offsets[rows]!
  } else {
    const bytes = column.repr === 'bool' ? bitmapBytes(rows) : rows * BYTES[column.repr]
    longer.values = region.zeroed(bytes + 16)
    arena.u8(longer.values, bytes).set(arena.u8(column.values, bytes))
  }
  return longer
}

function loadPlain(region: Region, data: Data, name: string): Column {
  const { arena } = region
  const rows = data.length
  const type = computedType(data.type)
  const repr = reprOf(data.type)
  const validity = loadValidity(region, data)
  if (repr === 'null') return { ...makeColumn(type, rows, 0), constant: true, allNull: true }
  if (repr === 'opaque') return makeColumn(type, rows, 0, validity)
  const view = data.values as Uint8Array
  if (repr === 'bool') {
    if (view.length * 8 < data.offset + rows) throw outOfBounds(name)
    return makeColumn(type, rows, shifted(region, place(region, view), data.offset, rows), validity)
  }
  if (repr === 'bytes') {
    const offsets = offsetsOf(data)
    const end = rows === 0 ? 0 : offsets[rows]!
    if (offsets.length < rows + 1 || view.length < end) throw outOfBounds(name)
    return makeColumn(type, rows, place(region, view), validity, place(region, offsets))
  }
  if (view.byteLength < rows * BYTES[repr]) throw outOfBounds(name)
  if (repr !== 'f16') return makeColumn(type, rows, place(region, view), validity)
  const values = region.alloc(rows * 4)
  const floats = new Float32Array(arena.buffer, values, rows)
  for (let i = 0; i < rows; i++) floats[i] = halfToFloat(view[i]!)
  return makeColumn(type, rows, values, validity)
}

function outOfBounds(name: string): SluiceError {
  return new SluiceError('corrupt', 'the column has fewer values than rows', { column: name })
}

function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25))
}

/** The type that computing knows a column's type as. */
export function computedType(encoded: DataType): DataType {
  const type = valueType(encoded)
  if (DataType.isLargeUtf8(type)) return UTF8
  if (DataType.isLargeBinary(type) || DataType.isFixedSizeBinary(type)) return BINARY
  return reprOf(type) === 'f16' ? FLOAT32 : type
}

function offsetsOf(data: Data): Int32Array {
  if (DataType.isFixedSizeBinary(data.type)) {
    const { byteWidth } = data.type
    return Int32Array.from({ length: data.length + 1 }, (_, row) => row * byteWidth)
  }
  const offsets = data.valueOffsets as Int32Array | BigInt64Array
  return offsets instanceof BigInt64Array ? Int32Array.from(offsets, Number) : offsets
}

function loadValidity(region: Region, data: Data): number {
  if (data.nullCount === 0 || DataType.isNull(data.type)) return 0
  return shifted(region, place(region, data.nullBitmap), data.offset, data.length)
}

function shifted(region: Region, bits: number, offset: number, rows: number): number {
  if (offset % 8 === 0) return bits + offset / 8
  const out = region.alloc(bitmapBytes(rows))
  region.arena.kernels.copyBits(bits, offset, out, 0, rows)
  return out
}

/** Address of a view, copied in if it lies elsewhere. */
function place(region: Region, view: ArrayBufferView): number {
  const at = region.arena.addressOf(view)
  if (at >= 0) return at
  const copy = region.alloc(view.byteLength)
  region.arena.u8(copy, view.byteLength).set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength))
  return copy
}

/** A computed column as Arrow's. Text that repeats stays dictionary-encoded. */
export function toData(region: Region, column: Column | Coded): Data {
  return isCoded(column) ? codedData(region, column) : plainData(region, column)
}

function codedData(region: Region, { codes, rows, dictionary }: Coded): Data {
  const { arena } = region
  const indices = arena.i32(codes, rows)
  let bits = 0
  if (dictionary.validity !== 0) {
    const flags = region.alloc(dictionary.rows)
    arena.kernels.unpackBits(dictionary.validity, 0, dictionary.rows, flags)
    bits = region.alloc(bitmapBytes(rows))
    arena.kernels.flagCodes(codes, rows, flags, bits)
  }
  // The dictionary itself has no nulls: null rows are masked, and what their code names is never seen.
  const values = makeVector(plainData(region, { ...dictionary, validity: 0 })) as Vector
  return makeData({
    type: new Dictionary(dictionary.type, new Int32()),
    length: rows,
    data: indices,
    dictionary: values,
    ...nullsOf(arena, bits, rows),
  }) as Data
}

function plainData(region: Region, column: Column): Data {
  const { arena } = region
  const { type, rows, repr, validity } = column
  const nulls = nullsOf(arena, validity, rows)
  if (repr === 'null') return makeData({ type, length: rows, nullCount: rows } as never) as Data
  if (repr === 'bytes') {
    const offsets = arena.i32(column.offsets, rows + 1)
    const first = offsets[0]!
    const valueOffsets = first === 0 ? offsets : arena.i32(region.alloc(rows * 4 + 4), rows + 1)
    if (first !== 0) for (let i = 0; i <= rows; i++) valueOffsets[i] = offsets[i]! - first
    const data = arena.u8(column.values + first, offsets[rows]! - first)
    return makeData({ type, length: rows, valueOffsets, data, ...nulls } as never) as Data
  }
  const bytes = repr === 'bool' ? bitmapBytes(rows) : rows * BYTES[repr]
  const Values = type.ArrayType as Uint8ArrayConstructor
  const data = new Values(arena.buffer, column.values, bytes / Values.BYTES_PER_ELEMENT)
  return makeData({ type, length: rows, data, ...nulls } as never) as Data
}

/** Counted here: apache-arrow would do it a bit at a time. */
function nullsOf(
  arena: Arena,
  validity: number,
  rows: number,
): { nullCount: number; nullBitmap?: Uint8Array } {
  const nullCount = validity === 0 ? 0 : rows - arena.kernels.popcount(validity, rows)
  return nullCount === 0 ? { nullCount } : { nullCount, nullBitmap: arena.u8(validity, bitmapBytes(rows)) }
}
