import type { Data } from 'apache-arrow'
import type { Region } from '../core/arena.ts'
import { dictionaryData } from '../core/batch.ts'
import { SluiceError } from '../core/errors.ts'
import { type CodedValues, numberValues } from './dictionary-builder.ts'
import type { LeafType } from './leaf-type.ts'
import {
  arrowWidthOf,
  convertValues,
  dictionaryCodes,
  lookUp,
  type PhysicalValues,
  type Validity,
} from './physical-column.ts'

/** A dictionary of the input. */
interface Source {
  data: Data
  /** The number that each of its codes got; -1: does not occur. */
  map: number
}

/** Numbers `from` up to `to` stand for values of `source`. */
interface Span {
  source: Source
  from: number
  to: number
}

/**
 * The codes of dictionary-encoded pieces, renumbered so that only values that occur are kept. With one
 * dictionary no value is looked at; with several, the values that occur are hashed once each, to join them.
 */
export function collectCodes(
  region: Region,
  leaf: LeafType,
  pieces: readonly Data[],
  validity: Validity,
): CodedValues {
  const { kernels } = region.arena
  const sources = sourcesOf(region, pieces)
  const entries = [...new Set(sources)].reduce((sum, { data }) => sum + data.length, 0)
  const used = region.alloc(4 * Math.min(entries, validity.valid))
  const codes = region.alloc(4 * validity.valid)
  const spans: Span[] = []
  let row = 0
  let written = 0
  let distinct = 0
  for (const [index, piece] of pieces.entries()) {
    const source = sources[index]!
    const { map, data } = source
    const valid = validity.bits === 0 ? piece.length : kernels.countBits(validity.bits, row, piece.length)
    const to = kernels.compactCodes(
      dictionaryCodes(region, piece),
      validity.bits,
      row,
      piece.length,
      map,
      data.length,
      used,
      distinct,
      codes + 4 * written,
    )
    if (to < 0) throw new SluiceError('schema', 'a code lies outside its dictionary')
    if (to > distinct) spans.push({ source, from: distinct, to })
    distinct = to
    row += piece.length
    written += valid
  }
  const values = valuesOf(region, leaf, spans, used, distinct)
  if (new Set(sources).size < 2) return { codes, count: written, dictionary: values }

  const joined = numberValues(region, leaf, values)
  kernels.gatherValues(codes, written, joined.codes, 4, codes)
  return { codes, count: written, dictionary: joined.dictionary }
}

/** The dictionary of each piece; a dictionary that several pieces share is one source. */
function sourcesOf(region: Region, pieces: readonly Data[]): Source[] {
  const known: Source[] = []
  return pieces.map(piece => {
    const data = dictionaryData(piece)
    const present = known.find(source => sameBuffers(source.data, data))
    if (present !== undefined) return present
    const map = region.alloc(4 * data.length)
    region.arena.i32(map, data.length).fill(-1)
    const source = { data, map }
    known.push(source)
    return source
  })
}

function sameBuffers(a: Data, b: Data): boolean {
  return (
    a === b ||
    (a.length === b.length &&
      a.offset === b.offset &&
      sameView(a.values, b.values) &&
      sameView(a.valueOffsets, b.valueOffsets) &&
      sameView(a.nullBitmap, b.nullBitmap))
  )
}

function sameView(a: ArrayBufferView | undefined, b: ArrayBufferView | undefined): boolean {
  return (
    (a?.byteLength ?? 0) === (b?.byteLength ?? 0) &&
    (a?.byteLength ? a.buffer === b?.buffer && a.byteOffset === b.byteOffset : true)
  )
}

/** The values that the numbers stand for. */
function valuesOf(
  region: Region,
  leaf: LeafType,
  spans: readonly Span[],
  used: number,
  distinct: number,
): PhysicalValues {
  const width = arrowWidthOf(leaf)
  const address = region.alloc(distinct * width)
  for (const { source, from, to } of spans) {
    lookUp(region, leaf, source.data, used + 4 * from, to - from, address + from * width)
  }
  return convertValues(region, leaf, { address, count: distinct })
}
