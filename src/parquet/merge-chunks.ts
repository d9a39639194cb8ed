import type { Field } from 'apache-arrow'
import type { Arena, Region } from '../core/arena.ts'
import { SluiceError } from '../core/errors.ts'
import type { ByteOutput } from './byte-output.ts'
import type { EncodedChunk, EncodedPage } from './column-writer.ts'
import { type CodedValues, codeWidth, numberValues } from './dictionary-builder.ts'
import { dictionaryCodes, isDictionaryEncoding } from './encodings/dictionary.ts'
import { encodeDictionary } from './encodings/encode-dictionary.ts'
import { encodePlain } from './encodings/encode-plain.ts'
import { plainBytes } from './encodings/plain.ts'
import { flatLevels } from './leaf-levels.ts'
import { type LeafType, leafType } from './leaf-type.ts'
import type { ColumnChunkMetadata, Encoding, PageEncodingStats } from './metadata.ts'
import { PageWriter } from './page-writer.ts'
import { type ChunkPages, type Page, PageOpener, scanPages } from './pages.ts'
import type { PhysicalValues } from './physical-column.ts'
import { trustedBounds } from './source-bounds.ts'
import { joinBounds, type ValueBounds } from './statistics.ts'
import type { ResolvedWriteOptions } from './write-options.ts'

/** A column chunk as it lies in its file, of a row group of `rows` rows. */
export interface StoredChunk {
  metadata: ColumnChunkMetadata
  bytes: Uint8Array
  rows: number
  /** Whether its column may have nulls, so that its pages have definition levels. */
  optional: boolean
}

/** Larger dictionaries would make a chunk slower to read than its plain values. */
const MAX_ENTRIES = 1 << 17
const MAX_BYTES = 1 << 20

/** One chunk on its way into the joined one. */
interface Part {
  stored: StoredChunk
  pages: ChunkPages
  opener: PageOpener
  /** Ordinal of its dictionary's first value among those of all parts. */
  firstEntry: number
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
  const [first] = chunks
  const { codec } = first!.metadata
  if (chunks.some(({ metadata }) => metadata.codec !== codec)) return undefined
  if (!field.nullable && chunks.some(({ optional }) => optional)) return undefined
  const leaf = leafType(field)
  const region = arena.region()
  const writer = new PageWriter(arena, { ...options, codec }, output)
  const start = writer.offset
  try {
    let entries = 0
    const sources = chunks.map((stored): Part => {
      const pages = scanPages([{ bytes: stored.bytes, firstRow: 0, rows: stored.rows }])
      const opener = new PageOpener(codec, stored.optional)
      const firstEntry = entries
      entries += pages.dictionary?.header.numValues ?? 0
      return { stored, pages, opener, firstEntry }
    })
    const shared = sharedDictionary(sources)
    if (shared !== undefined) copyPage(shared, writer)
    const united = shared === undefined ? uniteDictionaries(region, leaf, sources, entries) : undefined
    if (united === 'too large') return undefined
    if (united !== undefined) {
      const { address, count } = united.dictionary
      writer.dictionary(encodePlain(arena, leaf, address), count)
    }
    const coded = shared !== undefined || united !== undefined
    const dataPageOffset = writer.offset
    const pages = sources.flatMap(source => writePages(arena, field, leaf, source, united, writer))
    let firstRowIndex = 0
    for (const page of pages) {
      page.firstRowIndex = firstRowIndex
      firstRowIndex += page.rows
    }
    const metadata = joinMetadata(leaf, field, sources, coded, writer, options)
    metadata.dataPageOffset = dataPageOffset
    metadata.totalCompressedSize = writer.offset - start
    if (coded) metadata.dictionaryPageOffset = start
    return { metadata, pages }
  } finally {
    writer.free()
    region.free()
  }
}

/** The first dictionary page, if it is good for all parts: none has other bytes there. */
function sharedDictionary(sources: readonly Part[]): Page | undefined {
  const [first] = sources
  const shared = first!.pages.dictionary
  if (shared === undefined) return undefined
  const bytes = pageBytes(shared)
  const same = sources.every(
    ({ pages: { dictionary } }) =>
      dictionary !== undefined && Buffer.compare(pageBytes(dictionary), bytes) === 0,
  )
  return same ? shared : undefined
}

/** A page with its header. */
function pageBytes({ bytes, headerStart, start, header }: Page): Uint8Array {
  return bytes.subarray(headerStart, start + header.compressedSize)
}

function copyPage(page: Page, writer: PageWriter): void {
  writer.copy(pageBytes(page), page.start - page.headerStart + page.header.uncompressedSize)
}

/** The distinct values of all dictionaries, and for each value of each dictionary its number among them. */
function uniteDictionaries(
  region: Region,
  leaf: LeafType,
  sources: readonly Part[],
  entries: number,
): CodedValues | 'too large' | undefined {
  if (sources.every(({ pages }) => pages.dictionary === undefined)) return undefined
  const bytes = sources.reduce((sum, { pages }) => sum + (pages.dictionary?.header.uncompressedSize ?? 0), 0)
  // Without knowing yet how much they have in common.
  if (entries > 64 * MAX_ENTRIES || bytes > 64 * MAX_BYTES) return 'too large'
  const address = region.alloc(entries * leaf.width)
  for (const { pages, opener, firstEntry } of sources) {
    if (pages.dictionary === undefined) continue
    readValues(region, leaf, pages.dictionary, opener, address + firstEntry * leaf.width)
  }
  const united = numberValues(region, leaf, { address, count: entries })
  const { dictionary } = united
  if (dictionary.count > MAX_ENTRIES || bytesOf(region.arena, leaf, dictionary) > MAX_BYTES)
    return 'too large'
  return united
}

/** The values of a dictionary page: side by side at `target`, or as spans there. */
function readValues(region: Region, leaf: LeafType, page: Page, opener: PageOpener, target: number): void {
  const { kernels } = region.arena
  const { encoding, numValues: count, uncompressedSize } = page.header
  if (encoding !== 'PLAIN' && encoding !== 'PLAIN_DICTIONARY') {
    throw new SluiceError('unsupported', `a dictionary encoded as ${encoding} is not supported`)
  }
  const values = opener.openDictionary(page, region)
  const end = values + uncompressedSize
  if (leaf.layout !== 'bytes') {
    if (count * leaf.width > uncompressedSize) {
      throw new SluiceError('corrupt', `a dictionary claims ${count} values in ${uncompressedSize} bytes`)
    }
    kernels.copy(values, target, count * leaf.width)
    return
  }
  const { offsets, data, gap } = plainBytes({ values, end, count }, region)
  const bytes = region.arena.i32(offsets, count + 1)[count]!
  const text = region.alloc(bytes)
  kernels.copyBytes(data + gap, end, gap, offsets, count, text, text + bytes)
  kernels.spansOfOffsets(offsets, text, 0, bytes, 0, 0, count, target)
}

function bytesOf(arena: Arena, leaf: LeafType, { address, count }: PhysicalValues): number {
  return leaf.layout === 'bytes' ? arena.kernels.spanBytes(address, count) : count * leaf.width
}

/** Writes the data pages of one part; their rows are numbered later. */
function writePages(
  arena: Arena,
  field: Field,
  leaf: LeafType,
  { stored, pages, opener, firstEntry }: Part,
  united: CodedValues | undefined,
  writer: PageWriter,
): EncodedPage[] {
  const entries = pages.dictionary?.header.numValues ?? 0
  const renumbered = united !== undefined && !isIdentity(arena, united.codes + 4 * firstEntry, entries)
  const { statistics } = stored.metadata
  // What is said of the chunk is said of its only page.
  const only = pages.data.length === 1 && statistics?.nullCount !== undefined
  const bounds = only ? trustedBounds(leaf.order, statistics) : undefined
  return pages.data.map(page => {
    const { header } = page
    const offset = writer.offset
    if (renumbered && isDictionaryEncoding(header.encoding)) {
      const map = united.codes + 4 * firstEntry
      renumber(arena, field, page, opener, map, entries, codeWidth(united.dictionary.count), writer)
    } else if (field.nullable && !stored.optional) {
      writer.withLevels(header, stored.bytes.subarray(page.start, page.start + header.compressedSize))
    } else copyPage(page, writer)
    return {
      offset,
      compressedPageSize: writer.offset - offset,
      firstRowIndex: 0,
      rows: header.numValues,
      slots: header.numValues,
      nullCount: only ? statistics!.nullCount! : 0,
      ...(bounds === undefined ? {} : { bounds }),
    }
  })
}

function isIdentity(arena: Arena, map: number, entries: number): boolean {
  return arena.i32(map, entries).every((number, entry) => number === entry)
}

/** A page of codes with the numbers that their values have got. */
function renumber(
  arena: Arena,
  field: Field,
  page: Page,
  opener: PageOpener,
  map: number,
  entries: number,
  width: number,
  writer: PageWriter,
): void {
  const scratch = arena.region()
  try {
    const { rows, dense, validity, values, end } = opener.openData(page, scratch)
    const codes = scratch.alloc(4 * dense)
    dictionaryCodes({ values, end, count: dense }, entries, codes, scratch)
    arena.kernels.gatherValues(codes, dense, map, 4, codes)
    writer.data(
      encodeDictionary(arena, codes, width),
      { firstRow: 0, rows, firstValue: 0, values: dense },
      flatLevels(arena, { rows, bits: validity, valid: dense }, field.nullable),
    )
  } finally {
    scratch.free()
  }
}

function joinMetadata(
  leaf: LeafType,
  field: Field,
  sources: readonly Part[],
  coded: boolean,
  writer: PageWriter,
  options: ResolvedWriteOptions,
): ColumnChunkMetadata {
  const encodings = new Set<Encoding>(coded ? ['RLE', 'PLAIN'] : ['RLE'])
  const counts = new Map<string, PageEncodingStats>()
  if (coded) counts.set('', { pageType: 'DICTIONARY_PAGE', encoding: 'PLAIN', count: 1 })
  for (const { pages, stored } of sources) {
    for (const { header } of pages.data) {
      const encoding = isDictionaryEncoding(header.encoding) ? 'RLE_DICTIONARY' : header.encoding
      const withLevels = field.nullable && !stored.optional
      const pageType = header.type === 'data-v2' || withLevels ? 'DATA_PAGE_V2' : 'DATA_PAGE'
      encodings.add(header.encoding).add(encoding)
      const known = counts.get(pageType + encoding)
      if (known === undefined) counts.set(pageType + encoding, { pageType, encoding, count: 1 })
      else known.count++
    }
  }
  const metadata: ColumnChunkMetadata = {
    type: leaf.element.type!,
    encodings: [...encodings],
    path: [field.name],
    codec: sources[0]!.stored.metadata.codec,
    numValues: sources.reduce((sum, { stored }) => sum + stored.rows, 0),
    totalUncompressedSize: writer.uncompressed,
    totalCompressedSize: 0,
    dataPageOffset: 0,
    encodingStats: [...counts.values()],
  }
  const statistics = options.statistics ? joinStatistics(leaf, sources) : undefined
  if (statistics !== undefined) metadata.statistics = statistics
  return metadata
}

/** What the chunks' statistics say together; `undefined` if one says nothing. */
function joinStatistics(leaf: LeafType, sources: readonly Part[]): ColumnChunkMetadata['statistics'] {
  let nullCount = 0
  let bounds: ValueBounds | undefined
  let bounded = true
  for (const { stored } of sources) {
    const { statistics } = stored.metadata
    if (statistics?.nullCount === undefined) return undefined
    nullCount += statistics.nullCount
    if (statistics.nullCount === stored.rows) continue
    const own = trustedBounds(leaf.order, statistics)
    bounded &&= own !== undefined
    bounds = joinBounds(leaf.order, bounds, own)
  }
  return bounded ? { nullCount, ...bounds } : { nullCount }
}
