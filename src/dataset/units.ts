import { type ErrorCode, isSluiceError } from '../core/errors.ts'
import type { ColumnChunkMetadata, FileMetadata, RowRange } from '../parquet/metadata.ts'
import type { PageRun } from '../parquet/page-ranges.ts'
import type { LaneFile, LaneUnit } from './lane-messages.ts'
import type { SourceFile } from './scan-listing.ts'
import type { HeldFile } from './small-files.ts'

/** A source file with its footer and the row groups that may hold wanted rows. */
export interface Fragment {
  file: SourceFile
  name: string
  metadata: FileMetadata
  rowGroups: RowGroupPlan[]
  /** All of its bytes, if they have been read with the footer. */
  held?: HeldFile | undefined
}

/** What is to be read of a row group. */
export interface RowGroupPlan {
  rowGroup: number
  /** Rows that may be wanted, ascending, at least one. */
  ranges: RowRange[]
  /** The bytes to read of each leaf that is needed. */
  chunks: { leaf: number; runs: PageRun[] }[]
  /** Data pages that are left out by that. */
  pagesPruned: number
  /** Statistics say that all rows pass every filter on the source's columns. */
  certain: boolean
}

/** Work for a lane whose bytes are yet to be read. */
export interface PlannedUnit {
  fragment: Fragment
  rowGroups: RowGroupPlan[]
  /** To be read. */
  storedBytes: number
  /** About what they become. */
  decodedBytes: number
  /** Of all of its rows, if it is not for the keys to say. */
  partition?: string
}

/** Work for a lane with its bytes in memory. */
export interface FetchedUnit {
  fragment: Fragment
  unit: LaneUnit
  /** Gives the bytes back. */
  release(): void
}

/** Below this many bytes to read, starting a worker costs more than it brings. */
export const SMALL_RUN: number = 8 * 2 ** 20
/** Units looked at to find out. */
export const SMALL_UNITS = 64

/**
 * What a lane is told of a file: of its row groups those that are read, of these the chunks that are read, in their
 * places. A message is copied, and a footer can be large.
 */
export function laneFile({ file, name, metadata, rowGroups }: Fragment): LaneFile {
  const told: FileMetadata = { ...metadata, rowGroups: [], keyValueMetadata: [] }
  for (const { rowGroup, chunks } of rowGroups) {
    const group = metadata.rowGroups[rowGroup]!
    const columns: ColumnChunkMetadata[] = []
    for (const { leaf } of chunks) columns[leaf] = group.columns[leaf]!
    told.rowGroups[rowGroup] = { ...group, columns }
  }
  const constants = file.constants.map(({ name, value }) => ({ name, value }))
  return { id: file.id, part: file.part, name, metadata: told, constants }
}

/** Those of some columns that lie in the files, not in the folders' names. */
export function fileColumns(columns: readonly string[], { file }: Pick<Fragment, 'file'>): string[] {
  return columns.filter(name => !file.constants.some(constant => constant.name === name))
}

/** How many rows some ranges are. */
export function rowsIn(ranges: readonly RowRange[]): number {
  return ranges.reduce((sum, { start, end }) => sum + end - start, 0)
}

/** A lane's failure with the place that it was at: the file and, where it is but one, the row group. */
export function locatedIn(
  error: unknown,
  { name }: Fragment,
  rowGroups: readonly { rowGroup: number }[],
): unknown {
  if (!isSluiceError(error) || error.file !== undefined || !OF_THE_DATA.has(error.code)) return error
  const [first, ...more] = rowGroups
  return error.within({
    file: name,
    ...(first !== undefined && more.length === 0 ? { rowGroup: first.rowGroup } : {}),
  })
}

/** Others may have come from the sink, through the lane. */
const OF_THE_DATA: ReadonlySet<ErrorCode> = new Set(['corrupt', 'unsupported', 'budget', 'lane'])
