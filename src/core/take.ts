import { Data, DataType, type RecordBatch } from 'apache-arrow'
import type { Region } from './arena.ts'
import { dictionaryData, makeBatch } from './batch.ts'
import { SluiceError } from './errors.ts'

/** Rows of a batch by index, ascending or in any other order; `indices` is the address of 32-bit numbers. */
export interface Rows {
  count: number
  indices: number
}

const MAX_BYTES = 2 ** 31 - 1

/** The rows of a batch that `rows` names, in that order, with their columns in `region`. */
export function takeBatch(batch: RecordBatch, rows: Rows, region: Region): RecordBatch {
  const columns = batch.data.children.map(column => takeColumn(column, rows, region))
  return makeBatch(batch.schema.fields, columns, rows.count)
}

/** The same for a single column. Codes of a dictionary column are taken, its dictionary is shared. */
export function takeColumn(column: Data, rows: Rows, region: Region): Data {
  const { kernels } = region.arena
  const { type } = column
  const { count, indices } = rows
  if (DataType.isNull(type)) return new Data(type, 0, count, count)
  const { validity, nullCount } = takeValidity(column, rows, region)
  if (DataType.isStruct(type)) {
    const children = column.children.map(child => takeColumn(child, rows, region))
    return new Data(type, 0, count, nullCount, { 2: validity } as never, children)
  }
  if (DataType.isList(type) || DataType.isMap(type)) {
    const { offsets, child } = takeLists(column, rows, region)
    return new Data(type, 0, count, nullCount, { 0: offsets, 2: validity } as never, [child])
  }
  if (DataType.isFixedSizeList(type)) {
    const child = takeColumn(column.children[0]!, elementsOf(type.listSize, rows, region), region)
    return new Data(type, 0, count, nullCount, { 2: validity } as never, [child])
  }
  if (DataType.isUtf8(type) || DataType.isBinary(type)) {
    const from = addressIn(region, column.valueOffsets)
    const outOffsets = region.alloc((count + 1) * 4)
    const bytes = kernels.takeOffsets(from, indices, count, outOffsets)
    if (bytes > MAX_BYTES) throw tooLarge(bytes)
    const out = region.alloc(bytes)
    kernels.takeBytes(addressIn(region, column.values), from, indices, count, outOffsets, out)
    const offsets = region.arena.i32(outOffsets, count + 1)
    return new Data(type, 0, count, nullCount, {
      0: offsets,
      1: region.arena.u8(out, bytes),
      2: validity,
    } as never)
  }
  if (DataType.isBool(type)) {
    const out = region.alloc((count + 7) >> 3)
    kernels.takeBits(addressIn(region, column.values), column.offset, indices, count, out)
    const values = region.arena.u8(out, (count + 7) >> 3)
    return new Data(type, 0, count, nullCount, { 1: values, 2: validity } as never)
  }
  if (column.values === undefined || column.children.length > 0 || column.valueOffsets !== undefined) {
    throw new SluiceError('unsupported', `rows of type ${type} cannot be selected`)
  }
  const values = takeFixed(column, rows, region)
  return new Data(type, 0, count, nullCount, { 1: values, 2: validity } as never, [], column.dictionary)
}

/** A dictionary column as plain values; any other column as it is. */
export function materialise(column: Data, region: Region): Data {
  if (!DataType.isDictionary(column.type)) return column
  const codes = addressIn(region, column.values)
  const dictionary = dictionaryData(column)
  // A null's code is 0, which an empty dictionary does not have.
  if (dictionary.length === 0) return nullColumn(dictionary.type, column.length, region)
  const plain = takeColumn(dictionary, { count: column.length, indices: codes }, region)
  if (column.nullCount === 0) return plain
  return new Data(plain.type, 0, plain.length, column.nullCount, {
    ...plain.buffers,
    2: alignedValidity(column, region),
  } as never)
}

/** A column of nulls only. */
export function nullColumn(type: DataType, count: number, region: Region): Data {
  const { arena } = region
  const bitmap = (count + 7) >> 3
  const validity = arena.u8(region.zeroed(bitmap), bitmap)
  if (DataType.isNull(type)) return new Data(type, 0, count, count)
  if (DataType.isUtf8(type) || DataType.isBinary(type)) {
    const offsets = arena.i32(region.zeroed((count + 1) * 4), count + 1)
    return new Data(type, 0, count, count, { 0: offsets, 1: new Uint8Array(0), 2: validity } as never)
  }
  if (DataType.isBool(type)) {
    const values = arena.u8(region.zeroed(bitmap), bitmap)
    return new Data(type, 0, count, count, { 1: values, 2: validity } as never)
  }
  if (DataType.isList(type) || DataType.isMap(type)) {
    const offsets = arena.i32(region.zeroed((count + 1) * 4), count + 1)
    const items = nullColumn(type.children[0]!.type, 0, region)
    return new Data(type, 0, count, count, { 0: offsets, 2: validity } as never, [items])
  }
  if (DataType.isStruct(type) || DataType.isFixedSizeList(type)) {
    const length = DataType.isStruct(type) ? count : count * type.listSize
    const children = type.children.map(field => nullColumn(field.type, length, region))
    return new Data(type, 0, count, count, { 2: validity } as never, children)
  }
  const probe = new Data(type, 0, 0)
  const elements = count * probe.stride
  const view = type.ArrayType as unknown as TypedArrayConstructor
  // Allocate first: it may replace `arena.buffer`.
  const address = region.zeroed(elements * view.BYTES_PER_ELEMENT)
  const values = new view(arena.buffer, address, elements)
  return new Data(type, 0, count, count, { 1: values, 2: validity } as never)
}

/** Address of a view's bytes in the region's arena; bytes that lie elsewhere are copied into the region. */
export function addressIn(region: Region, view: ArrayBufferView): number {
  const { arena } = region
  const address = arena.addressOf(view)
  if (address >= 0) return address
  const copy = region.alloc(view.byteLength)
  arena.u8(copy, view.byteLength).set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength))
  return copy
}

/** The validity bitmap of a column, from bit 0; empty if the column has no nulls. */
export function alignedValidity(column: Data, region: Region): Uint8Array {
  if (column.nullCount === 0) return new Uint8Array(0)
  const bytes = (column.length + 7) >> 3
  if ((column.offset & 7) === 0) {
    return column.nullBitmap.subarray(column.offset >> 3, (column.offset >> 3) + bytes)
  }
  const out = region.arena.u8(region.alloc(bytes), bytes)
  const shift = column.offset & 7
  const from = column.nullBitmap
  const first = column.offset >> 3
  for (let i = 0; i < bytes; i++) {
    out[i] = (from[first + i]! >> shift) | ((from[first + i + 1] ?? 0) << (8 - shift))
  }
  return out
}

export interface TypedArrayConstructor {
  readonly BYTES_PER_ELEMENT: number
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): ArrayBufferView
}

function takeValidity(
  column: Data,
  { count, indices }: Rows,
  region: Region,
): { validity: Uint8Array; nullCount: number } {
  if (column.nullCount === 0) return { validity: new Uint8Array(0), nullCount: 0 }
  const bytes = (count + 7) >> 3
  const out = region.alloc(bytes)
  const bits = addressIn(region, column.nullBitmap)
  const valid = region.arena.kernels.takeBits(bits, column.offset, indices, count, out)
  if (valid === count) return { validity: new Uint8Array(0), nullCount: 0 }
  return { validity: region.arena.u8(out, bytes), nullCount: count - valid }
}

function takeFixed(column: Data, { count, indices }: Rows, region: Region): ArrayBufferView {
  const { arena } = region
  const { kernels } = arena
  const source = column.values as ArrayBufferView & { BYTES_PER_ELEMENT: number }
  const width = source.BYTES_PER_ELEMENT * column.stride
  const from = addressIn(region, source)
  const out = region.alloc(count * width)
  if (width === 8) kernels.take64(from, indices, count, out)
  else if (width === 4) kernels.take32(from, indices, count, out)
  else if (width === 1) kernels.take8(from, indices, count, out)
  else if (width === 2) kernels.take16(from, indices, count, out)
  else if (width === 16) kernels.take128(from, indices, count, out)
  else kernels.takeWide(from, width, indices, count, out)
  const view = source.constructor as unknown as TypedArrayConstructor
  return new view(arena.buffer, out, count * column.stride)
}

function takeLists(
  column: Data,
  { count, indices }: Rows,
  region: Region,
): { offsets: Int32Array; child: Data } {
  const { arena } = region
  const wanted = new Uint32Array(arena.buffer, indices, count)
  const from = column.valueOffsets as Int32Array
  const offsets = arena.i32(region.alloc((count + 1) * 4), count + 1)
  let total = 0
  offsets[0] = 0
  for (let i = 0; i < count; i++) {
    const row = wanted[i]!
    total += from[row + 1]! - from[row]!
    if (total > MAX_BYTES) throw tooLarge(total)
    offsets[i + 1] = total
  }
  const address = region.alloc(total * 4)
  const elements = new Uint32Array(arena.buffer, address, total)
  let at = 0
  for (let i = 0; i < count; i++) {
    const row = wanted[i]!
    for (let element = from[row]!; element < from[row + 1]!; element++) elements[at++] = element
  }
  return { offsets, child: takeColumn(column.children[0]!, { count: total, indices: address }, region) }
}

/** The elements of lists of one size. */
function elementsOf(size: number, { count, indices }: Rows, region: Region): Rows {
  const { arena } = region
  const total = count * size
  if (total > MAX_BYTES) throw tooLarge(total)
  const address = region.alloc(total * 4)
  const lists = new Uint32Array(arena.buffer, indices, count)
  const elements = new Uint32Array(arena.buffer, address, total)
  let at = 0
  for (let i = 0; i < count; i++) {
    const first = lists[i]! * size
    for (let element = first; element < first + size; element++) elements[at++] = element
  }
  return { count: total, indices: address }
}

function tooLarge(size: number): SluiceError {
  return new SluiceError('budget', `a batch's column would hold ${size} values, more than 2^31`, {
    hint: "Use mode 'batch' or a smaller 'batchRows'.",
  })
}
