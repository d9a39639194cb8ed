import type { BoundExpr } from '../core/expressions/bound.ts'
import { type ColumnBounds, prune } from '../core/expressions/prune.ts'
import type { ColumnIndex, FileMetadata, OffsetIndex, RowRange } from '../parquet/metadata.ts'
import { rowsOfPage } from '../parquet/page-ranges.ts'
import { columnBounds, pageBounds } from './bounds.ts'
import type { LaneFile } from './lane-messages.ts'

/** A column's page index, both halves of it, checked against each other and the footer. */
export interface ColumnPages {
  leaf: number
  column: ColumnIndex
  offset: OffsetIndex
}

/** Rows between two ranges that are rather read than skipped: each range makes batches of its own. */
const MIN_GAP = 1024

/**
 * The rows of a row group that can pass all of some predicates, as far as the page indexes of their columns tell:
 * `pages` gives those of a column, if it has them. Pages of different columns end at different rows, so each
 * stretch of rows between two such ends is asked about.
 */
export function wantedRows(
  metadata: FileMetadata,
  rowGroup: number,
  constants: LaneFile['constants'],
  predicates: readonly BoundExpr[],
  pages: (column: string) => ColumnPages | undefined,
): RowRange[] {
  const { numRows } = metadata.rowGroups[rowGroup]!
  const whole = columnBounds(metadata, rowGroup, constants)
  const columns = new Map<string, { ends: number[]; bounds: ColumnBounds[]; page: number }>()
  for (const name of new Set(predicates.flatMap(predicate => predicate.columns))) {
    const known = pages(name)
    if (known === undefined) continue
    const { leaf, column, offset } = known
    const ranges = offset.pages.map((_, page) => rowsOfPage(offset, page, numRows))
    const rowsOf = (page: number) => ranges[page]!.end - ranges[page]!.start
    const bounds = pageBounds(metadata, leaf, column, rowsOf)
    columns.set(name, { ends: ranges.map(({ end }) => end), bounds, page: 0 })
  }
  const boundsOf = (name: string): ColumnBounds | undefined => {
    const column = columns.get(name)
    return column === undefined ? whole(name) : column.bounds[column.page]
  }
  const wanted: RowRange[] = []
  for (let start = 0; start < numRows; ) {
    let end = numRows
    for (const column of columns.values()) {
      while (column.ends[column.page]! <= start) column.page++
      end = Math.min(end, column.ends[column.page]!)
    }
    if (predicates.every(predicate => prune(predicate, boundsOf) !== 'none')) {
      const last = wanted.at(-1)
      if (last !== undefined && start - last.end < MIN_GAP) last.end = end
      else wanted.push({ start, end })
    }
    start = end
  }
  return wanted
}
