import { isSluiceError } from '../core/errors.ts'
import type { ByteRange } from '../storage/store.ts'
import type { EncodedChunk, EncodedPage } from './column-writer.ts'
import { readColumnIndex, readOffsetIndex } from './index-pages.ts'
import type { LeafType } from './leaf-type.ts'
import { type ColumnChunkMetadata, type ColumnDescriptor, chunkRange } from './metadata.ts'
import { fitsChunk } from './page-ranges.ts'
import type { RowGroupLayout } from './row-group-writer.ts'
import { trustedBounds } from './source-bounds.ts'

/** A column chunk of another file, with what that file says of its pages, as the bytes that it is. */
export interface CopiedChunk {
  metadata: ColumnChunkMetadata
  columnIndex: Uint8Array | undefined
  offsetIndex: Uint8Array | undefined
  /** Where its bloom filter lies. */
  bloomFilter: ByteRange | undefined
}

/** A row group as it will lie in its new file. */
export interface RowGroupCopy extends RowGroupLayout {
  /** The ranges of the old file that are its bytes, one after another. */
  ranges: ByteRange[]
  /** Bytes of them. */
  length: number
}

/**
 * A row group of chunks that another file has, with nothing decoded: offsets are those of the new place, and
 * statistics are repeated as far as every reader may trust them. Bloom filters come behind the chunks. An index that
 * does not fit its chunk is left out, and so is what only the source's own schema or writer gives a meaning.
 *
 * @param chunks one for each leaf, of the very type that the leaf is written as
 */
export function copyRowGroup(
  { columns: descriptors, leaves }: { columns: readonly ColumnDescriptor[]; leaves: readonly LeafType[] },
  chunks: readonly CopiedChunk[],
  rows: number,
): RowGroupCopy {
  const ranges: ByteRange[] = []
  let length = 0
  const add = (range: ByteRange): void => {
    ranges.push(range)
    length += range.end - range.start
  }
  const columns = chunks.map((chunk, index): EncodedChunk => {
    const start = length
    add(chunkRange(chunk.metadata))
    return copyChunk(descriptors[index]!.path, leaves[index]!, chunk, rows, start)
  })
  for (const [index, chunk] of chunks.entries()) {
    const { bloomFilter } = chunk
    if (bloomFilter === undefined) continue
    const { metadata } = columns[index]!
    metadata.bloomFilterOffset = length
    metadata.bloomFilterLength = bloomFilter.end - bloomFilter.start
    add(bloomFilter)
  }
  return { ranges, length, rows, columns }
}

function copyChunk(
  path: string[],
  leaf: LeafType,
  { metadata: source, ...bytes }: CopiedChunk,
  rows: number,
  start: number,
): EncodedChunk {
  const from = chunkRange(source).start
  const by = start - from
  const { type, encodings, codec, numValues, totalUncompressedSize, totalCompressedSize } = source
  const metadata: ColumnChunkMetadata = {
    type,
    encodings,
    path,
    codec,
    numValues,
    totalUncompressedSize,
    totalCompressedSize,
    dataPageOffset: source.dataPageOffset + by,
  }
  if (from < source.dataPageOffset) metadata.dictionaryPageOffset = start
  if (source.encodingStats !== undefined) metadata.encodingStats = source.encodingStats
  const { statistics } = source
  if (statistics !== undefined) {
    const { nullCount, distinctCount } = statistics
    metadata.statistics = {
      ...(nullCount === undefined ? {} : { nullCount }),
      ...(distinctCount === undefined ? {} : { distinctCount }),
      ...trustedBounds(leaf.order, statistics),
    }
  }
  const pages = copyPages(source, rows, bytes.offsetIndex, by)
  const columnIndex = pages.length === 0 ? undefined : fittingColumnIndex(bytes.columnIndex, pages.length)
  return { metadata, pages, columnIndex }
}

/** Where the data pages lie, if the index of the file tells. */
function copyPages(
  chunk: ColumnChunkMetadata,
  rows: number,
  bytes: Uint8Array | undefined,
  by: number,
): EncodedPage[] {
  const index = bytes && parsed(() => readOffsetIndex(bytes))
  if (index === undefined || !fitsChunk(index, chunk, rows)) return []
  return index.pages.map(({ offset, compressedPageSize, firstRowIndex }, i) => {
    const own = (index.pages[i + 1]?.firstRowIndex ?? rows) - firstRowIndex
    return { offset: offset + by, compressedPageSize, firstRowIndex, rows: own, slots: own, nullCount: 0 }
  })
}

function fittingColumnIndex(bytes: Uint8Array | undefined, pages: number): Uint8Array | undefined {
  const index = bytes && parsed(() => readColumnIndex(bytes))
  return index?.nullPages.length === pages ? bytes : undefined
}

/** An index can only save work: a damaged one is none. */
function parsed<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (isSluiceError(error) && error.code === 'corrupt') return undefined
    throw error
  }
}
