import type { Field } from 'apache-arrow'
import type { Arena, Region } from '../core/arena.ts'
import { bloomFilterOf } from './bloom-writer.ts'
import type { ByteOutput } from './byte-output.ts'
import { chooseEncoding, type EncodedValues } from './choose-encoding.ts'
import { type ColumnRows, pieceOf } from './column-source.ts'
import { encodePlain } from './encodings/encode-plain.ts'
import type { ValueEncoder } from './encodings/encoder.ts'
import { flatLevels, type LeafLevels, nestedLevels } from './leaf-levels.ts'
import { hasBloomFilter, type LeafType, leafType } from './leaf-type.ts'
import type { ColumnChunkMetadata, PageLocation } from './metadata.ts'
import { nestedField } from './nested-field.ts'
import { type PageRows, PageWriter } from './page-writer.ts'
import { collectValidity } from './physical-column.ts'
import { type ShreddedLeaf, shred } from './shred.ts'
import { joinBounds, type ValueBounds, valueBounds } from './statistics.ts'
import { bloomFilterShare, type ResolvedWriteOptions } from './write-options.ts'

/** A column chunk, its bytes apart. Offsets count from where the row group's begin. Plain data, for other threads. */
export interface EncodedChunk {
  metadata: ColumnChunkMetadata
  pages: EncodedPage[]
  /** The column index as another file has it; else it is made from the pages. */
  columnIndex?: Uint8Array | undefined
}

/** A chunk that is being put together; its bloom filter lies behind all chunks of the row group. */
export interface ChunkWithFilter extends EncodedChunk {
  bloomFilter: Uint8Array | undefined
}

/** Where a data page lies and what is in it. */
export interface EncodedPage extends PageLocation {
  rows: number
  /** Values, nulls and what is missing in lists included; where the column is not nested, as many as rows. */
  slots: number
  nullCount: number
  /** Absent if all values are null or NaN, or if nobody asked. */
  bounds?: ValueBounds
}

/**
 * Encodes one column of a row group, given in pieces, to the end of `output`. A nested column becomes a chunk for
 * each of its leaves.
 */
export function encodeColumn(
  arena: Arena,
  field: Field,
  rows: readonly ColumnRows[],
  options: ResolvedWriteOptions,
  output: ByteOutput,
): ChunkWithFilter[] {
  const region = arena.regionFor(64 * rows.reduce((sum, { length }) => sum + length, 0))
  try {
    if (nestedField(field) === undefined) {
      const leaf = leafType(field)
      const pieces = rows.map(({ data, start, length }) => pieceOf(region, field, leaf, data, start, length))
      const validity = collectValidity(region, field, pieces)
      const levels = flatLevels(arena, validity, field.nullable || leaf.layout === 'null')
      const column = { path: [field.name], field, leaf, pieces, validity }
      return [encodeLeaf(region, column, levels, options, output)]
    }
    const chunks: ChunkWithFilter[] = []
    shred(region, field, rows, (leaf, region) => {
      chunks.push(encodeLeaf(region, leaf, nestedLevels(region, leaf.levels), options, output))
    })
    return chunks
  } finally {
    region.free()
  }
}

/** A column of values, nulls among them. */
type LeafColumn = Pick<ShreddedLeaf, 'path' | 'field' | 'leaf' | 'pieces' | 'validity'>

function encodeLeaf(
  region: Region,
  { path, field, leaf, pieces, validity }: LeafColumn,
  levels: LeafLevels,
  options: ResolvedWriteOptions,
  output: ByteOutput,
): ChunkWithFilter {
  const writer = new PageWriter(region.arena, options, output)
  try {
    const column = chooseEncoding(region, field, leaf, pieces, validity, options)
    const chunk = writePages(region, path, leaf, levels, column, options, writer)
    const fpp = hasBloomFilter(leaf) ? bloomFilterShare(options, field.name) : undefined
    const bloomFilter =
      fpp === undefined ? undefined : bloomFilterOf(region.arena, leaf, column, validity.valid, fpp)
    return { ...chunk, bloomFilter }
  } finally {
    writer.free()
  }
}

function writePages(
  region: Region,
  path: string[],
  leaf: LeafType,
  levels: LeafLevels,
  column: EncodedValues,
  options: ResolvedWriteOptions,
  writer: PageWriter,
): EncodedChunk {
  const { arena } = region
  const { encoder, coded } = column
  const start = writer.offset
  if (coded !== undefined) {
    writer.dictionary(encodePlain(arena, leaf, coded.dictionary.address), coded.dictionary.count)
  }
  const dataPageOffset = writer.offset
  const summarise = options.statistics || options.pageIndex
  const pages: EncodedPage[] = []
  const boundsOf = summarise ? pageBounds(region, leaf, column) : undefined
  for (const page of cutPages(levels, encoder, options)) {
    const offset = writer.offset
    writer.data(encoder, page, levels)
    const slots = levels.slotsIn(page.firstRow, page.rows)
    const bounds = page.values === 0 ? undefined : boundsOf?.(page)
    pages.push({
      offset,
      compressedPageSize: writer.offset - offset,
      firstRowIndex: page.firstRow,
      rows: page.rows,
      slots,
      nullCount: slots - page.values,
      ...(bounds === undefined ? {} : { bounds }),
    })
  }
  const bounds = pages.reduce<ValueBounds | undefined>(
    (sum, page) => joinBounds(leaf.order, sum, page.bounds),
    undefined,
  )
  const { encodings, encodingStats } = writer
  const metadata: ColumnChunkMetadata = {
    type: leaf.element.type!,
    encodings,
    path,
    codec: options.codec,
    numValues: levels.slots,
    totalUncompressedSize: writer.uncompressed,
    totalCompressedSize: writer.offset - start,
    dataPageOffset,
    encodingStats,
  }
  if (coded !== undefined) metadata.dictionaryPageOffset = start
  if (options.statistics) {
    metadata.statistics = { nullCount: levels.slots - levels.values, ...bounds }
  }
  return { metadata, pages }
}

/** Pages of at most `pageRows` rows and, one row apart, `pageBytes` bytes of values. */
function* cutPages(
  levels: LeafLevels,
  encoder: ValueEncoder,
  options: ResolvedWriteOptions,
): Generator<PageRows> {
  let firstRow = 0
  let firstValue = 0
  while (firstRow < levels.rows) {
    let rows = Math.min(options.pageRows, levels.rows - firstRow)
    let values = levels.valuesIn(firstRow, rows)
    while (rows > 1 && encoder.bound(firstValue, values) > options.pageBytes) {
      rows = Math.ceil(rows / 2)
      values = levels.valuesIn(firstRow, rows)
    }
    yield { firstRow, rows, firstValue, values }
    firstRow += rows
    firstValue += values
  }
}

/** The bounds of a page's values; of codes, each that occurs is looked up once. */
function pageBounds(
  region: Region,
  leaf: LeafType,
  { values, coded }: EncodedValues,
): (page: PageRows) => ValueBounds | undefined {
  const { arena } = region
  const { width } = leaf
  if (coded === undefined) {
    return page => valueBounds(arena, leaf, values!.address + page.firstValue * width, page.values)
  }
  const { codes, dictionary } = coded
  const stamps = region.zeroed(4 * dictionary.count)
  const used = region.alloc(4 * dictionary.count)
  const occurring = region.alloc(width * dictionary.count)
  let epoch = 0
  return page => {
    const start = codes + 4 * page.firstValue
    const count = arena.kernels.distinctCodes(start, page.values, stamps, ++epoch, used)
    arena.kernels.gatherValues(used, count, dictionary.address, width, occurring)
    return valueBounds(arena, leaf, occurring, count)
  }
}
