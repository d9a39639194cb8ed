import type { FileMetadata } from '../parquet/metadata.ts'
import type { LaneFile, LaneUnit } from './lane-messages.ts'
import type { SourceFile } from './scan-listing.ts'

/** A source file with its footer and the row groups that may hold wanted rows. */
export interface Fragment {
  file: SourceFile
  name: string
  metadata: FileMetadata
  rowGroups: number[]
}

/** Work for a lane whose bytes are yet to be read. */
export interface PlannedUnit {
  fragment: Fragment
  rowGroups: number[]
  /** Those that are needed of the file's columns. */
  columns: string[]
  /** To be read. */
  storedBytes: number
  /** About what they become. */
  decodedBytes: number
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

/** What a lane is told of a file. */
export function laneFile({ file, name, metadata }: Fragment): LaneFile {
  return {
    id: file.id,
    name,
    metadata,
    constants: file.constants.map(({ name, value }) => ({ name, value })),
  }
}

/** Those of some columns that lie in the files, not in the folders' names. */
export function fileColumns(columns: readonly string[], { file }: Pick<Fragment, 'file'>): string[] {
  return columns.filter(name => !file.constants.some(constant => constant.name === name))
}
