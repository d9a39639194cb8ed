import type { Field } from 'apache-arrow'
import type { Arena, Region } from '../core/arena.ts'
import { SluiceError } from '../core/errors.ts'
import type { Piece } from './column-source.ts'
import {
  buildDictionary,
  type CodedValues,
  codeWidth,
  dictionaryBytes,
  numberValues,
} from './dictionary-builder.ts'
import { collectCodes } from './dictionary-column.ts'
import { encodeByteStreamSplit } from './encodings/encode-byte-stream-split.ts'
import { encodeDeltaBinary } from './encodings/encode-delta-binary.ts'
import { encodeDeltaBytes } from './encodings/encode-delta-bytes.ts'
import { encodeDeltaLength } from './encodings/encode-delta-length.ts'
import { encodeDictionary } from './encodings/encode-dictionary.ts'
import { encodePlain } from './encodings/encode-plain.ts'
import { encodeRle } from './encodings/encode-rle.ts'
import type { ValueEncoder } from './encodings/encoder.ts'
import type { LeafType } from './leaf-type.ts'
import { collectValues, type PhysicalValues, physicalBytes, type Validity } from './physical-column.ts'
import type { ColumnEncoding, ResolvedWriteOptions } from './write-options.ts'

/** A column's values, ready to be cut into pages: plain, or codes of a dictionary. */
export interface EncodedValues {
  encoder: ValueEncoder
  /** Set unless `coded` is. */
  values?: PhysicalValues
  coded?: CodedValues
}

/** Collects a column's values and chooses how to encode them. */
export function chooseEncoding(
  region: Region,
  field: Field,
  leaf: LeafType,
  pieces: readonly Piece[],
  validity: Validity,
  options: ResolvedWriteOptions,
): EncodedValues {
  const { arena } = region
  const wanted = options.encodings.get(field.name)
  const { dictionary } = options
  const tried =
    (dictionary === true || (dictionary !== false && dictionary.includes(field.name))) && wanted === undefined
  const possible = (leaf.layout === 'fixed' || leaf.layout === 'bytes') && validity.valid > 0
  let values: PhysicalValues
  if (possible && pieces.every(isCoded)) {
    const coded = collectCodes(region, leaf, pieces, validity)
    if (wanted === 'RLE_DICTIONARY' || (tried && inputDictionaryPays(arena, leaf, coded))) {
      return codes(arena, coded)
    }
    values = plainOf(region, leaf, coded)
  } else if (pieces.some(isCoded)) {
    values = mixedValues(region, leaf, pieces, validity)
  } else values = collectValues(region, leaf, pieces, validity)

  if (wanted === 'RLE_DICTIONARY' && possible) return codes(arena, numberValues(region, leaf, values))
  // Without a value there is no dictionary, and nothing to encode.
  if (wanted !== undefined && validity.valid > 0) {
    return { encoder: encoderOf(region, leaf, values, wanted), values }
  }
  const plainBytes = physicalBytes(arena, leaf, values)
  const deltaBytes = isInteger(leaf) ? estimateDelta(region, leaf, values) : Number.POSITIVE_INFINITY
  const delta = deltaBytes < plainBytes * (options.codec === 'UNCOMPRESSED' ? 0.9 : 0.6)
  if (possible && tried) {
    const other = delta ? deltaBytes : plainBytes * (leaf.layout === 'bytes' ? 0.75 : 0.5)
    const coded = buildDictionary(region, leaf, values, other)
    if (coded !== undefined) return codes(arena, coded)
  }
  return { encoder: encoderOf(region, leaf, values, delta ? 'DELTA_BINARY_PACKED' : 'PLAIN'), values }
}

function isCoded({ source }: Piece): boolean {
  return source.dictionary !== undefined
}

function codes(arena: Arena, coded: CodedValues): EncodedValues {
  return { encoder: encodeDictionary(arena, coded.codes, codeWidth(coded.dictionary.count)), coded }
}

/** A dictionary that is there already has cost nothing yet; the plain size is guessed from its values. */
function inputDictionaryPays(arena: Arena, leaf: LeafType, coded: CodedValues): boolean {
  const { count, dictionary } = coded
  const bytes = physicalBytes(arena, leaf, dictionary)
  const plain = (bytes / dictionary.count) * count
  return dictionaryBytes(count, dictionary.count, bytes) < 0.75 * plain
}

/** The encoding asked for, if the type has it. */
function encoderOf(
  region: Region,
  leaf: LeafType,
  { address }: PhysicalValues,
  encoding: ColumnEncoding,
): ValueEncoder {
  const { arena } = region
  const { layout, width } = leaf
  if (encoding === 'PLAIN' || layout === 'null') return encodePlain(arena, leaf, address)
  if (encoding === 'RLE' && layout === 'boolean') return encodeRle(arena, address)
  if (encoding === 'DELTA_BINARY_PACKED' && isInteger(leaf)) return encodeDeltaBinary(arena, width, address)
  if (encoding === 'DELTA_LENGTH_BYTE_ARRAY' && layout === 'bytes') return encodeDeltaLength(region, address)
  if (encoding === 'DELTA_BYTE_ARRAY' && layout === 'bytes') return encodeDeltaBytes(region, address)
  if (encoding === 'BYTE_STREAM_SPLIT' && layout === 'fixed')
    return encodeByteStreamSplit(arena, width, address)
  throw new SluiceError('invalid-argument', `${leaf.element.type} cannot be encoded as ${encoding}`, {
    option: 'encodings',
  })
}

function isInteger({ element }: LeafType): boolean {
  return element.type === 'INT32' || element.type === 'INT64'
}

/** The values that codes stand for. */
function plainOf(region: Region, { width }: LeafType, coded: CodedValues): PhysicalValues {
  const address = region.alloc(coded.count * width)
  region.arena.kernels.gatherValues(coded.codes, coded.count, coded.dictionary.address, width, address)
  return { address, count: coded.count }
}

/** The values of pieces of which some are dictionary-encoded, or whose type has no dictionary in Parquet. */
function mixedValues(
  region: Region,
  leaf: LeafType,
  pieces: readonly Piece[],
  validity: Validity,
): PhysicalValues {
  const { arena } = region
  const address = region.alloc(validity.valid * leaf.width)
  let row = 0
  let count = 0
  for (const piece of pieces) {
    const own = sliceValidity(region, validity, row, piece.length)
    const part = isCoded(piece)
      ? plainOf(region, leaf, collectCodes(region, leaf, [piece], own))
      : collectValues(region, leaf, [piece], own)
    const bytes = part.count * leaf.width
    arena.kernels.copy(part.address, address + count * leaf.width, bytes)
    row += piece.length
    count += part.count
  }
  return { address, count }
}

/** The validity of some of the rows. */
function sliceValidity(region: Region, { bits: all }: Validity, from: number, rows: number): Validity {
  if (all === 0) return { rows, bits: 0, valid: rows }
  const { kernels } = region.arena
  const bits = region.alloc(Math.ceil(rows / 8))
  kernels.copyBits(all, from, bits, 0, rows)
  return { rows, bits, valid: kernels.countBits(bits, 0, rows) }
}

/** Values in a run of the sample, and runs. */
const RUN = 1025
const RUNS = 4

/** What DELTA_BINARY_PACKED would take, from a few runs of the column. */
function estimateDelta(region: Region, { width }: LeafType, values: PhysicalValues): number {
  const { count, address } = values
  const scratch = region.arena.regionFor(0)
  const encoder = encodeDeltaBinary(region.arena, width, address)
  const run = Math.min(RUN, count)
  const out = scratch.alloc(encoder.bound(0, run))
  const runs = count < RUNS * RUN ? 1 : RUNS
  let bytes = 0
  for (let i = 0; i < runs; i++) {
    bytes += encoder.encode(Math.floor(((count - run) / Math.max(1, runs - 1)) * i), run, out)
  }
  scratch.free()
  return count === 0 ? 0 : (bytes / (runs * run)) * count
}
