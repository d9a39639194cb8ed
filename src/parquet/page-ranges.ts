import { type ColumnChunkMetadata, chunkRange, type OffsetIndex, type RowRange } from './metadata.ts'

/** A run of a chunk's pages: where it lies in the file, and its rows; none for the dictionary. */
export interface PageRun {
  start: number
  end: number
  firstRow: number
  rows: number
  /** Data pages. */
  pages: number
}

/**
 * Whether an offset index fits its chunk: pages in ascending order that do not overlap, all of them within the
 * chunk, the first one with row 0. One that does not fit is worth nothing: what it leads to may be any bytes.
 */
export function fitsChunk({ pages }: OffsetIndex, chunk: ColumnChunkMetadata, rows: number): boolean {
  let { start: at, end } = chunkRange(chunk)
  let row = -1
  for (const { offset, compressedPageSize, firstRowIndex } of pages) {
    if (offset < at || firstRowIndex <= row || compressedPageSize <= 0) return false
    at = offset + compressedPageSize
    row = firstRowIndex
  }
  return pages.length > 0 && pages[0]!.firstRowIndex === 0 && at <= end && row < rows
}

/** The rows of a chunk's page. */
export function rowsOfPage({ pages }: OffsetIndex, page: number, rows: number): RowRange {
  return { start: pages[page]!.firstRowIndex, end: pages[page + 1]?.firstRowIndex ?? rows }
}

/** The runs of pages that hold some rows, behind the dictionary, if there is one. */
export function pageRuns(
  index: OffsetIndex,
  chunk: ColumnChunkMetadata,
  ranges: readonly RowRange[],
  rows: number,
): PageRun[] {
  const { start } = chunkRange(chunk)
  const first = index.pages[0]!.offset
  const runs: PageRun[] = start < first ? [{ start, end: first, firstRow: 0, rows: 0, pages: 0 }] : []
  let range = 0
  let previous = -2
  index.pages.forEach(({ offset, compressedPageSize }, page) => {
    const own = rowsOfPage(index, page, rows)
    while (range < ranges.length && ranges[range]!.end <= own.start) range++
    if (range === ranges.length || ranges[range]!.start >= own.end) return
    const last = runs.at(-1)
    const end = offset + compressedPageSize
    const count = own.end - own.start
    if (previous === page - 1 && last?.end === offset) {
      last.end = end
      last.rows += count
      last.pages++
    } else runs.push({ start: offset, end, firstRow: own.start, rows: count, pages: 1 })
    previous = page
  })
  return runs
}
