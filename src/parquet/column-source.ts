import { type Data, DataType, Field, type RecordBatch } from 'apache-arrow'
import type { Arena, Region } from '../core/arena.ts'
import { valueType } from '../core/batch.ts'
import { SluiceError } from '../core/errors.ts'
import { type LeafType, leafType } from './leaf-type.ts'

/** Some rows of a batch. */
export interface BatchRows {
  batch: RecordBatch
  start: number
  end: number
}

/** Some rows of a column. */
export interface ColumnRows {
  data: Data
  start: number
  length: number
}

/** A column with its buffers in the arena. Checked: they have what the column's length needs. */
export interface ColumnSource {
  data: Data
  /** Address of the values of row 0, of its code, or of the byte that `firstByte` stands for. */
  values: number
  /** Address of row 0's offset, of byte strings. */
  offsets: number
  /** Least offset that may occur, and bytes from there on. */
  firstByte: number
  bytes: number
  /** Address of the validity bitmap, which begins at bit `data.offset`, as bits of booleans do; 0: no nulls. */
  validity: number
  /** The dictionary of codes. */
  dictionary: Data | undefined
}

/** The same of a column with its buffers in the arena. */
export interface Piece {
  source: ColumnSource
  start: number
  length: number
}

/**
 * Columns of the arena are looked at once, however many pieces they are taken in: by column, for the field and
 * the arena of the last time.
 */
const known = new WeakMap<Data, { source: ColumnSource; field: Field; arena: Arena }>()

/** Rows of a column, to be written as `field`. What lies outside of the arena is copied into `region`. */
export function pieceOf(
  region: Region,
  field: Field,
  leaf: LeafType,
  data: Data,
  start: number,
  length: number,
): Piece {
  const { arena } = region
  const before = known.get(data)
  if (before?.field === field && before.arena === arena) return { source: before.source, start, length }
  checkType(field, leaf, data)
  if (!liesIn(arena, data)) {
    // No more than these rows are copied.
    return { source: sourceOf(region, leaf, data.slice(start, length)), start: 0, length }
  }
  const source = sourceOf(region, leaf, data)
  known.set(data, { source, field, arena })
  return { source, start, length }
}

/** All rows of a column of values, a dictionary's. */
export function sourceOf(region: Region, leaf: LeafType, data: Data): ColumnSource {
  const { length } = data
  const coded = DataType.isDictionary(data.type)
  const source: ColumnSource = {
    data,
    values: 0,
    offsets: 0,
    firstByte: 0,
    bytes: 0,
    validity: nullsOf(data) > 0 ? validityOf(region, data) : 0,
    dictionary: coded ? (data.dictionary?.data[0] as Data) : undefined,
  }
  if (length === 0 || leaf.layout === 'null') return source
  if (coded) source.values = addressOf(region, data.values, (length * data.type.indices.bitWidth) / 8)
  else if (leaf.layout === 'fixed') source.values = addressOf(region, data.values, length * leaf.arrowWidth)
  else if (leaf.layout === 'boolean')
    source.values = addressOf(region, data.values, Math.ceil((data.offset + length) / 8))
  else {
    source.offsets = addressOf(region, data.valueOffsets, (length + 1) * leaf.offsetWidth)
    const first = Number(data.valueOffsets[0])
    const last = Math.max(first, Number(data.valueOffsets[length]))
    // A slice names a part of the data only.
    source.values = addressOf(region, viewOf(data.values, first, last - first), last - first)
    source.firstByte = first
    source.bytes = last - first
  }
  return source
}

/** Address of a column's validity bitmap, which begins at bit `data.offset`. */
export function validityOf(region: Region, { nullBitmap, offset, length }: Data): number {
  return addressOf(region, nullBitmap, Math.ceil((offset + length) / 8))
}

/** Arrow says -1 for a slice without a bitmap. */
export function nullsOf(data: Data): number {
  return data.nullBitmap === undefined || data.nullBitmap.length === 0 ? 0 : data.nullCount
}

/** Buffers are taken for what the field says: a column of another type must not get that far. */
function checkType(field: Field, leaf: LeafType, data: Data): void {
  if (data.dictionary !== undefined && data.dictionary.data.length !== 1) {
    throw new SluiceError('unsupported', 'the dictionary of the column comes in several chunks', {
      hint: 'Join them, or give the values themselves.',
    })
  }
  const type = valueType(data.type)
  if (type === field.type) return
  const own = leafType(new Field(field.name, type, field.nullable, field.metadata))
  const same =
    own.arrowWidth === leaf.arrowWidth &&
    own.offsetWidth === leaf.offsetWidth &&
    JSON.stringify(own.element) === JSON.stringify(leaf.element)
  if (!same) throw new SluiceError('schema', `the column is declared as ${field.type} and holds ${type}`)
}

function liesIn(arena: Arena, { values, valueOffsets, nullBitmap }: Data): boolean {
  const inside = (view: ArrayBufferView | undefined) =>
    view === undefined || view.byteLength === 0 || arena.addressOf(view) >= 0
  return inside(values) && inside(valueOffsets) && inside(nullBitmap)
}

/** The address of the first `bytes` bytes of a buffer, in the arena; they are copied there if they lie elsewhere. */
export function addressOf(region: Region, buffer: ArrayBufferView | undefined, bytes: number): number {
  const view = viewOf(buffer, 0, bytes)
  const present = region.arena.addressOf(view)
  if (present >= 0) return present
  const address = region.alloc(bytes)
  region.arena.u8(address, bytes).set(view)
  return address
}

/** A part of a buffer. Kernels trust the lengths they are given: a column shorter than it says stops here. */
function viewOf(view: ArrayBufferView | undefined, from: number, bytes: number): Uint8Array {
  if (bytes === 0) return new Uint8Array(0)
  if (view === undefined || !(from >= 0) || from + bytes > view.byteLength) {
    const has = view?.byteLength ?? 0
    throw new SluiceError('schema', `a buffer of the column has ${has} bytes instead of ${from + bytes}`)
  }
  return new Uint8Array(view.buffer, view.byteOffset + from, bytes)
}
