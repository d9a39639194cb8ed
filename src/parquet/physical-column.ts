import { type Data, DataType, type Dictionary, type Field, type Int } from 'apache-arrow'
import type { Arena, Region } from '../core/arena.ts'
import { dictionaryData } from '../core/batch.ts'
import { SluiceError } from '../core/errors.ts'
import type { LeafType } from './leaf-type.ts'

/** Kernels count in signed 32-bit numbers. */
const MAX_ROWS = 2 ** 31 - 1

/** Physical values in the arena, nulls left out: side by side, bytes of 0 and 1 for booleans, or spans. */
export interface PhysicalValues {
  address: number
  count: number
}

/** Which rows of a column hold values. */
export interface Validity {
  rows: number
  /** Bitmap in the arena from bit 0 on; 0: all rows are valid. */
  bits: number
  /** Rows that are not null. */
  valid: number
}

/** The address of a view's bytes in the arena; they are copied there if they lie elsewhere. */
export function toArena(region: Region, view: ArrayBufferView): number {
  const present = region.arena.addressOf(view)
  if (present >= 0) return present
  const address = region.alloc(view.byteLength)
  region.arena.u8(address, view.byteLength).set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength))
  return address
}

/** The validity of a column that comes in pieces, as one bitmap. */
export function collectValidity(region: Region, field: Field, pieces: readonly Data[]): Validity {
  const { arena } = region
  const rows = pieces.reduce((sum, piece) => sum + piece.length, 0)
  if (rows > MAX_ROWS) throw new SluiceError('unsupported', `a row group of ${rows} rows is too large`)
  const allNull = DataType.isNull(field.type)
  if (!allNull && !pieces.some(hasNulls)) return { rows, bits: 0, valid: rows }
  const bytes = Math.ceil(rows / 8)
  const bits = region.alloc(bytes)
  arena.u8(bits, bytes).fill(allNull ? 0 : 0xff)
  let row = 0
  for (const piece of pieces) {
    if (nullsOf(piece) > 0 && !allNull) {
      const own = bitsInArena(region, piece.nullBitmap, piece)
      arena.kernels.copyBits(own.address, own.from, bits, row, piece.length)
    }
    if (nullsOfDictionary(piece) > 0) clearNullsOfDictionary(region, piece, bits, row)
    row += piece.length
  }
  const valid = arena.kernels.countBits(bits, 0, rows)
  if (valid < rows && !field.nullable && !allNull) {
    throw new SluiceError('schema', `the column is declared without nulls and has ${rows - valid}`, {
      hint: 'Declare it nullable, or filter its nulls out.',
    })
  }
  return { rows, bits, valid }
}

/** The physical values of pieces that are not dictionary-encoded. */
export function collectValues(
  region: Region,
  leaf: LeafType,
  pieces: readonly Data[],
  validity: Validity,
): PhysicalValues {
  return convertValues(region, leaf, collectArrowValues(region, leaf, pieces, validity))
}

/** The values as Arrow has them, nulls left out; {@link convertValues} makes them physical. */
function collectArrowValues(
  region: Region,
  leaf: LeafType,
  pieces: readonly Data[],
  validity: Validity,
): PhysicalValues {
  if (leaf.layout === 'null') return { address: 0, count: 0 }
  const count = validity.valid
  const width = arrowWidthOf(leaf)
  const only = pieces.length === 1 ? pieces[0] : undefined
  if (only !== undefined && leaf.layout === 'fixed' && validity.bits === 0) {
    return { address: toArena(region, viewOf(only.values, 0, width * only.length)), count }
  }
  // The compacting kernels store each value before they know whether it stays: room for one more.
  const address = region.alloc((count + 1) * width)
  const collect = { fixed: collectFixed, bytes: collectSpans, boolean: collectBooleans }[leaf.layout]
  let row = 0
  let written = 0
  for (const piece of pieces) {
    written += collect(region, leaf, piece, validity.bits, row, address + written * width)
    row += piece.length
  }
  return { address, count: written }
}

/** Arrow values to physical ones; `schema` for a value that the column's type cannot hold. */
export function convertValues(region: Region, leaf: LeafType, values: PhysicalValues): PhysicalValues {
  const { convert, width } = leaf
  if (convert === undefined) return values
  const address = region.alloc(values.count * width)
  if (convert(region.arena.kernels, values.address, values.count, address) !== values.count) {
    const { type, logicalType } = leaf.element
    throw new SluiceError('schema', `a value does not fit in ${logicalType?.type ?? type} of Parquet`)
  }
  return { address, count: values.count }
}

/** A piece's values from row `row` of the column on, to `out`; returns how many. */
type Collect = (region: Region, leaf: LeafType, piece: Data, bits: number, row: number, out: number) => number

const collectFixed: Collect = (region, { arrowWidth: width }, piece, bits, row, out) => {
  const view = viewOf(piece.values, 0, width * piece.length)
  if (bits === 0) {
    region.arena.u8(out, view.length).set(view)
    return piece.length
  }
  const values = toArena(region, view)
  const { kernels } = region.arena
  switch (width) {
    case 1:
      return kernels.compact8(values, bits, row, piece.length, out)
    case 2:
      return kernels.compact16(values, bits, row, piece.length, out)
    case 4:
      return kernels.compact32(values, bits, row, piece.length, out)
    case 8:
      return kernels.compact64(values, bits, row, piece.length, out)
    default:
      return kernels.compactWide(values, width, bits, row, piece.length, out)
  }
}

const collectSpans: Collect = (region, { offsetWidth }, piece, bits, row, out) => {
  if (piece.length === 0) return 0
  const { kernels } = region.arena
  const spans = offsetWidth === 4 ? kernels.spansOfOffsets : kernels.spansOfLargeOffsets
  const { offsets, data, bytes } = byteStrings(region, piece, offsetWidth)
  const written = spans(offsets, data, bytes, bits, row, piece.length, out)
  if (written < 0) throw new SluiceError('schema', OFFSETS)
  return written
}

const OFFSETS = "the column's offsets do not ascend"

/** The buffers of byte strings in the arena; `data` is where the first one lies. */
function byteStrings(
  region: Region,
  piece: Data,
  offsetWidth: 4 | 8,
): { offsets: number; data: number; bytes: number } {
  const offsets = toArena(region, viewOf(piece.valueOffsets, 0, (piece.length + 1) * offsetWidth))
  const first = Number(piece.valueOffsets[0])
  const last = Number(piece.valueOffsets[piece.length])
  // A slice names a part of the data only.
  const data = viewOf(piece.values, first, Math.max(0, last - first))
  return { offsets, data: toArena(region, data), bytes: data.length }
}

/**
 * Looks values of a dictionary up, as Arrow has them, to `out`. Its nulls are values like others here, so that
 * codes keep their meaning; no code names one. The codes have been range-checked.
 */
export function lookUp(
  region: Region,
  leaf: LeafType,
  dictionary: Data,
  codes: number,
  count: number,
  out: number,
): void {
  const { kernels } = region.arena
  if (leaf.layout === 'bytes') {
    // Only values that are asked for are looked at: a dictionary may be shared by many small row groups.
    const { offsets, data, bytes } = byteStrings(region, dictionary, leaf.offsetWidth)
    const done = kernels.spansOfCodes(offsets, leaf.offsetWidth, data, bytes, codes, count, out)
    if (done < 0) throw new SluiceError('schema', OFFSETS)
    return
  }
  const all: Validity = { rows: dictionary.length, bits: 0, valid: dictionary.length }
  const { address } = collectArrowValues(region, leaf, [dictionary], all)
  kernels.gatherValues(codes, count, address, arrowWidthOf(leaf), out)
}

/** Bytes of a value before conversion. */
export function arrowWidthOf(leaf: LeafType): number {
  return leaf.layout === 'fixed' ? leaf.arrowWidth : leaf.width
}

const collectBooleans: Collect = (region, _leaf, piece, bits, row, out) => {
  const { kernels } = region.arena
  const { address, from } = bitsInArena(region, piece.values, piece)
  if (bits === 0) {
    kernels.unpackBits(address, from, piece.length, out)
    return piece.length
  }
  const all = region.alloc(piece.length)
  kernels.unpackBits(address, from, piece.length, all)
  return kernels.compact8(all, bits, row, piece.length, out)
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

/** A piece's bits, in the arena from bit `from` on. */
function bitsInArena(
  region: Region,
  bits: Uint8Array | undefined,
  { offset, length }: Data,
): { address: number; from: number } {
  const first = offset >> 3
  const view = viewOf(bits, first, Math.ceil((offset + length) / 8) - first)
  return { address: toArena(region, view), from: offset & 7 }
}

function hasNulls(piece: Data): boolean {
  return nullsOf(piece) > 0 || nullsOfDictionary(piece) > 0
}

/** Arrow says -1 for a slice without a bitmap. */
function nullsOf(piece: Data): number {
  return piece.nullBitmap === undefined || piece.nullBitmap.length === 0 ? 0 : piece.nullCount
}

/** Values of a dictionary may be null themselves. */
function nullsOfDictionary(piece: Data): number {
  return DataType.isDictionary(piece.type) ? nullsOf(dictionaryData(piece)) : 0
}

function clearNullsOfDictionary(region: Region, piece: Data, bits: number, row: number): void {
  const { kernels } = region.arena
  const dictionary = dictionaryData(piece)
  const { address, from } = bitsInArena(region, dictionary.nullBitmap, dictionary)
  const codes = dictionaryCodes(region, piece)
  kernels.clearNullCodes(codes, piece.length, address, from, dictionary.length, bits, row)
}

/** The codes of a dictionary-encoded piece as 32-bit numbers, one a row. */
export function dictionaryCodes(region: Region, piece: Data): number {
  const { bitWidth, isSigned } = (piece.type as Dictionary).indices as Int
  const codes = toArena(region, viewOf(piece.values, 0, (piece.length * bitWidth) / 8))
  if (bitWidth === 32) return codes
  if (bitWidth === 64) throw new SluiceError('unsupported', 'dictionary codes of 64 bits are not supported')
  const wide = region.alloc(piece.length * 4)
  region.arena.kernels.widen(codes, bitWidth / 8, isSigned, piece.length, wide)
  return wide
}

/** Bytes of the values without lengths or nulls. */
export function physicalBytes({ kernels }: Arena, leaf: LeafType, values: PhysicalValues): number {
  if (leaf.layout !== 'bytes') return values.count * leaf.width
  return kernels.spanBytes(values.address, values.count) + 4 * values.count
}

/** Spans of physical values of any layout. */
export function toSpans(region: Region, leaf: LeafType, values: PhysicalValues): number {
  if (leaf.layout === 'bytes') return values.address
  const spans = region.alloc(8 * values.count)
  region.arena.kernels.spansOfFixed(values.address, leaf.width, values.count, spans)
  return spans
}
