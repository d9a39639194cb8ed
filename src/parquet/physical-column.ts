import { type Data, DataType, type Dictionary, type Field, type Int } from 'apache-arrow'
import type { Arena, Region } from '../core/arena.ts'
import { SluiceError } from '../core/errors.ts'
import { nullsOf, type Piece, sourceOf, validityOf } from './column-source.ts'
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

/** The validity of a column that comes in pieces, as one bitmap. */
export function collectValidity(region: Region, field: Field, pieces: readonly Piece[]): Validity {
  const rows = pieces.reduce((sum, piece) => sum + piece.length, 0)
  if (rows > MAX_ROWS) throw new SluiceError('unsupported', `a row group of ${rows} rows is too large`)
  const bits = bitmapOf(region, field, pieces)
  const valid = bits === 0 ? rows : region.arena.kernels.countBits(bits, 0, rows)
  if (valid === rows) return { rows, bits: 0, valid }
  if (!field.nullable && !DataType.isNull(field.type)) {
    throw new SluiceError('schema', `the column is declared without nulls and has ${rows - valid}`, {
      hint: 'Declare it nullable, or filter its nulls out.',
    })
  }
  return { rows, bits, valid }
}

/** Which of the pieces' values are not null, as a bitmap in the arena from bit 0 on; 0: all of them. */
export function bitmapOf(region: Region, { type }: Field, pieces: readonly Piece[]): number {
  const { kernels } = region.arena
  const allNull = DataType.isNull(type)
  if (!allNull && !pieces.some(hasNulls)) return 0
  const bits = region.alloc(Math.ceil(pieces.reduce((sum, piece) => sum + piece.length, 0) / 8))
  let row = 0
  for (const { source, start, length } of pieces) {
    if (source.validity === 0 || allNull) kernels.fillBits(bits, row, length, allNull ? 0 : 1)
    else kernels.copyBits(source.validity, source.data.offset + start, bits, row, length)
    row += length
  }
  clearNullsOfDictionaries(region, pieces, bits)
  return bits
}

/** The physical values of pieces that are not dictionary-encoded. */
export function collectValues(
  region: Region,
  leaf: LeafType,
  pieces: readonly Piece[],
  validity: Validity,
): PhysicalValues {
  return convertValues(region, leaf, collectArrowValues(region, leaf, pieces, validity))
}

/** The values as Arrow has them, nulls left out; {@link convertValues} makes them physical. */
function collectArrowValues(
  region: Region,
  leaf: LeafType,
  pieces: readonly Piece[],
  validity: Validity,
): PhysicalValues {
  if (leaf.layout === 'null') return { address: 0, count: 0 }
  const count = validity.valid
  const width = arrowWidthOf(leaf)
  const only = pieces.length === 1 ? pieces[0] : undefined
  if (only !== undefined && leaf.layout === 'fixed' && validity.bits === 0) {
    return { address: only.source.values + only.start * width, count }
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
type Collect = (
  region: Region,
  leaf: LeafType,
  piece: Piece,
  bits: number,
  row: number,
  out: number,
) => number

const collectFixed: Collect = (region, { arrowWidth: width }, { source, start, length }, bits, row, out) => {
  const values = source.values + start * width
  const { kernels } = region.arena
  if (bits === 0) {
    kernels.copy(values, out, length * width)
    return length
  }
  switch (width) {
    case 1:
      return kernels.compact8(values, bits, row, length, out)
    case 2:
      return kernels.compact16(values, bits, row, length, out)
    case 4:
      return kernels.compact32(values, bits, row, length, out)
    case 8:
      return kernels.compact64(values, bits, row, length, out)
    default:
      return kernels.compactWide(values, width, bits, row, length, out)
  }
}

const collectSpans: Collect = (region, { offsetWidth }, { source, start, length }, bits, row, out) => {
  const { kernels } = region.arena
  const spans = offsetWidth === 4 ? kernels.spansOfOffsets : kernels.spansOfLargeOffsets
  const { offsets, values, firstByte, bytes } = source
  const written = spans(offsets + start * offsetWidth, values, firstByte, bytes, bits, row, length, out)
  if (written < 0) throw new SluiceError('schema', OFFSETS)
  return written
}

const OFFSETS = "the column's offsets do not ascend"

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
  const source = sourceOf(region, leaf, dictionary)
  if (leaf.layout === 'bytes') {
    // Only values that are asked for are looked at: a dictionary may be shared by many small row groups.
    const { offsets, values, bytes } = source
    const done = kernels.spansOfCodes(offsets, leaf.offsetWidth, values, bytes, codes, count, out)
    if (done < 0) throw new SluiceError('schema', OFFSETS)
    return
  }
  const { length } = dictionary
  const all: Validity = { rows: length, bits: 0, valid: length }
  const { address } = collectArrowValues(region, leaf, [{ source, start: 0, length }], all)
  kernels.gatherValues(codes, count, address, arrowWidthOf(leaf), out)
}

/** Bytes of a value before conversion. */
export function arrowWidthOf(leaf: LeafType): number {
  return leaf.layout === 'fixed' ? leaf.arrowWidth : leaf.width
}

const collectBooleans: Collect = (region, _leaf, { source, start, length }, bits, row, out) => {
  const { kernels } = region.arena
  const from = source.data.offset + start
  if (bits === 0) {
    kernels.unpackBits(source.values, from, length, out)
    return length
  }
  const all = region.alloc(length)
  kernels.unpackBits(source.values, from, length, all)
  return kernels.compact8(all, bits, row, length, out)
}

function hasNulls({ source }: Piece): boolean {
  return source.validity !== 0 || (source.dictionary !== undefined && nullsOf(source.dictionary) > 0)
}

/** Values of a dictionary may be null themselves. */
function clearNullsOfDictionaries(region: Region, pieces: readonly Piece[], bits: number): void {
  const { kernels } = region.arena
  let row = 0
  for (const piece of pieces) {
    const { dictionary } = piece.source
    if (dictionary !== undefined && nullsOf(dictionary) > 0) {
      const nulls = validityOf(region, dictionary)
      const codes = dictionaryCodes(region, piece)
      const { offset, length } = dictionary
      kernels.clearNullCodes(codes, piece.length, nulls, offset, length, bits, row)
    }
    row += piece.length
  }
}

/** The codes of a dictionary-encoded piece as 32-bit numbers, one a row. */
export function dictionaryCodes(region: Region, { source, start, length }: Piece): number {
  const { bitWidth, isSigned } = (source.data.type as Dictionary).indices as Int
  const codes = source.values + (start * bitWidth) / 8
  if (bitWidth === 32) return codes
  if (bitWidth === 64) throw new SluiceError('unsupported', 'dictionary codes of 64 bits are not supported')
  const wide = region.alloc(length * 4)
  region.arena.kernels.widen(codes, bitWidth / 8, isSigned, length, wide)
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
