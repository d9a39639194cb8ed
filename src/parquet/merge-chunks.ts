import type { Field } from 'apache-arrow'
import type { Arena, Region } from '../core/arena.ts'
import type { ByteOutput } from './byte-output.ts'
import type { EncodedChunk, EncodedPage } from './column-writer.ts'
import { encodePlain } from './encodings/encode-plain.ts'
import { GatheredPages, type Numbers, type PageLimits } from './gathered-pages.ts'
import { type LeafType, leafType } from './leaf-type.ts'
import type { Codec, ColumnChunkMetadata, Statistics } from './metadata.ts'
import { PageWriter } from './page-writer.ts'
import { bodyOf, type ChunkPages, type Page, PageOpener, scanPages } from './pages.ts'
import { trustedBounds } from './source-bounds.ts'
import { joinBounds, type ValueBounds } from './statistics.ts'
import { uniteDictionaries } from './unite-dictionaries.ts'
import type { ResolvedWriteOptions } from './write-options.ts'

/** A column chunk as it lies in its file, of a row group of `rows` rows. */
export interface StoredChunk {
  codec: Codec
  statistics: Statistics | undefined
  bytes: Uint8Array
  rows: number
  /** Whether its column may have nulls, so that its pages have definition levels. */
  optional: boolean
}

/** One chunk on its way into the joined one. */
interface Part {
  stored: StoredChunk
  pages: ChunkPages
  opener: PageOpener
  /** The numbers of its dictionary's values in the united one; none if they stay the same. */
  numbers?: Numbers
}

/**
 * Joins the chunks of one column of several row groups to one chunk. Data pages are copied as they are; where
 * there are dictionaries these are united, and pages of codes that have changed are written anew, the only ones
 * that are decompressed. The bytes go to the end of `output`.
 *
 * The chunks must be of the type that `field` is written as. Where it may have nulls and a chunk's column may not,
 * the pages become pages of version 2, whose levels lie before what is compressed: their values are copied all the
 * same. `undefined` if the chunks do not go together: compressed with different codecs, their dictionaries too
 * large for one, or nulls where there must be none.
 */
export function mergeChunks(
  arena: Arena,
  field: Field,
  chunks: readonly StoredChunk[],
  options: ResolvedWriteOptions,
  output: ByteOutput,
): EncodedChunk | undefined {
  const { codec } = chunks[0]!
  if (chunks.some(chunk => chunk.codec !== codec)) return undefined
  if (!field.nullable && chunks.some(({ optional }) => optional)) return undefined
  const leaf = leafType(field)
  const region = arena.region()
  const writer = new PageWriter(arena, { ...options, codec }, output)
  const start = writer.offset
  try {
    const parts = chunks.map((stored): Part => {
      const pages = scanPages([{ bytes: stored.bytes, firstRow: 0, rows: stored.rows }])
      return { stored, pages, opener: new PageOpener(codec, stored.optional) }
    })
    const entries = writeDictionary(region, leaf, parts, writer)
    if (entries === undefined) return undefined
    const dataPageOffset = writer.offset
    const gathered = new GatheredPages(region, field, leaf, entries, limitsOf(parts, options), writer)
    const pages = parts.flatMap(part => writePages(field, leaf, part, gathered, writer))
    pages.push(...gathered.flush())
    let firstRowIndex = 0
    for (const page of pages) {
      page.firstRowIndex = firstRowIndex
      firstRowIndex += page.rows
    }
    const metadata = joinMetadata(leaf, field, parts, writer, options)
    metadata.dataPageOffset = dataPageOffset
    metadata.totalCompressedSize = writer.offset - start
    if (dataPageOffset > start) metadata.dictionaryPageOffset = start
    return { metadata, pages }
  } finally {
    writer.free()
    region.free()
  }
}

/**
 * Writes the dictionary of all parts, if one of them has any, and gives the number of its values; undefined if that
 * would be too many.
 */
function writeDictionary(
  region: Region,
  leaf: LeafType,
  parts: readonly Part[],
  writer: PageWriter,
): number | undefined {
  const { arena } = region
  const coded = parts.filter(({ pages }) => pages.dictionary !== undefined)
  if (coded.length === 0) return 0
  const dictionaries = coded.map(({ pages, opener }) => ({ page: pages.dictionary!, opener }))
  const first = dictionaries[0]!.page
  if (dictionaries.every(({ page }) => Buffer.compare(pageBytes(page), pageBytes(first)) === 0)) {
    writer.copy(first)
    return first.header.numValues
  }
  const united = uniteDictionaries(region, leaf, dictionaries)
  if (united === undefined) return undefined
  const { codes, dictionary } = united
  let address = codes
  for (const part of coded) {
    const count = part.pages.dictionary!.header.numValues
    // In a larger dictionary codes that have been beyond their own would stand for something.
    const isSame = count === dictionary.count && isIdentity(arena, address, count)
    if (!isSame) part.numbers = { address, count }
    address += 4 * count
  }
  writer.dictionary(encodePlain(arena, leaf, dictionary.address), dictionary.count)
  return dictionary.count
}

/** A page with its header. */
function pageBytes({ bytes, headerStart, start, header }: Page): Uint8Array {
  return bytes.subarray(headerStart, start + header.compressedSize)
}

/** What the options say of pages, and no more than there is. */
function limitsOf(parts: readonly Part[], { pageRows, pageBytes }: ResolvedWriteOptions): PageLimits {
  let rows = 0
  let bytes = 0
  for (const { header } of parts.flatMap(({ pages }) => pages.data)) {
    rows += header.numValues
    bytes += header.uncompressedSize
  }
  return { pageRows: Math.min(pageRows, rows), pageBytes: Math.min(pageBytes, bytes) }
}

/** Writes the data pages of one part that are not gathered, and before them what was; rows are numbered later. */
function writePages(
  field: Field,
  leaf: LeafType,
  { stored, pages, opener, numbers }: Part,
  gathered: GatheredPages,
  writer: PageWriter,
): EncodedPage[] {
  const { statistics } = stored
  // What is said of the chunk is said of its only page.
  const only = pages.data.length === 1 && statistics?.nullCount !== undefined
  const bounds = only ? trustedBounds(leaf.order, statistics) : undefined
  const entries = pages.dictionary?.header.numValues ?? 0
  // Without a dictionary of their own codes can only be those of no values.
  const isChanged = numbers !== undefined || pages.dictionary === undefined
  return pages.data.flatMap(page => {
    const { header } = page
    if (gathered.wants(page, isChanged)) return gathered.add(page, opener, entries, numbers, bounds)
    const before = gathered.flush()
    const offset = writer.offset
    if (field.nullable && !stored.optional) {
      writer.withLevels(header, bodyOf(page))
    } else writer.copy(page)
    const copied: EncodedPage = {
      offset,
      compressedPageSize: writer.offset - offset,
      firstRowIndex: 0,
      rows: header.numValues,
      slots: header.numValues,
      nullCount: only ? statistics.nullCount! : 0,
      ...(bounds === undefined ? {} : { bounds }),
    }
    return [...before, copied]
  })
}

function isIdentity(arena: Arena, map: number, entries: number): boolean {
  return arena.i32(map, entries).every((number, entry) => number === entry)
}

function joinMetadata(
  leaf: LeafType,
  field: Field,
  parts: readonly Part[],
  writer: PageWriter,
  options: ResolvedWriteOptions,
): ColumnChunkMetadata {
  const metadata: ColumnChunkMetadata = {
    type: leaf.element.type!,
    encodings: writer.encodings,
    path: [field.name],
    codec: parts[0]!.stored.codec,
    numValues: parts.reduce((sum, { stored }) => sum + stored.rows, 0),
    totalUncompressedSize: writer.uncompressed,
    totalCompressedSize: 0,
    dataPageOffset: 0,
    encodingStats: writer.encodingStats,
  }
  const statistics = options.statistics ? joinStatistics(leaf, parts) : undefined
  if (statistics !== undefined) metadata.statistics = statistics
  return metadata
}

/** What the chunks' statistics say together; `undefined` if one says nothing. */
function joinStatistics(leaf: LeafType, parts: readonly Part[]): ColumnChunkMetadata['statistics'] {
  let nullCount = 0
  let bounds: ValueBounds | undefined
  let bounded = true
  for (const { stored } of parts) {
    const { statistics } = stored
    if (statistics?.nullCount === undefined) return undefined
    nullCount += statistics.nullCount
    if (statistics.nullCount === stored.rows) continue
    const own = trustedBounds(leaf.order, statistics)
    bounded &&= own !== undefined
    bounds = joinBounds(leaf.order, bounds, own)
  }
  return bounded ? { nullCount, ...bounds } : { nullCount }
}
