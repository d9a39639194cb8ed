import type { Data } from 'apache-arrow'
import type { Region } from '../core/arena.ts'
import { SluiceError } from '../core/errors.ts'
import type { Piece } from './column-source.ts'
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
  /** One more than the number that each of its codes got; 0: does not occur. */
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
  pieces: readonly Piece[],
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

/** The dictionary of each piece; those that begin at the same place are one source, the longest of them. */
function sourcesOf(region: Region, pieces: readonly Piece[]): Source[] {
  const known = new Map<Data, Source>()
  const sources = pieces.map(({ source: { dictionary } }) => {
    const data = dictionary!
    let source = known.get(data)
    if (source === undefined) {
      source = [...known.values()].find(other => beginAlike(other.data, data)) ?? { data, map: 0 }
      if (data.length > source.data.length) source.data = data
      known.set(data, source)
    }
    return source
  })
  for (const source of new Set(sources)) source.map = region.zeroed(4 * source.data.length)
  return sources
}

/** Whether the values of one are the first of the other. */
function beginAlike(a: Data, b: Data): boolean {
  return (
    a === b ||
    (a.offset === b.offset &&
      sameStart(a.values, b.values) &&
      sameStart(a.valueOffsets, b.valueOffsets) &&
      sameStart(a.nullBitmap, b.nullBitmap))
  )
}

function sameStart(a: ArrayBufferView | undefined, b: ArrayBufferView | undefined): boolean {
  if (!a?.byteLength || !b?.byteLength) return !a?.byteLength && !b?.byteLength
  return a.buffer === b.buffer && a.byteOffset === b.byteOffset
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
