import type { Aggregation } from '../core/aggregation/plan.ts'
import type { Mode } from '../core/report.ts'
import type { Stage } from '../core/stages.ts'
import type { BatchMessage, FieldMessage } from '../core/transport.ts'
import type { PageCounts } from '../parquet/column-reader.ts'
import type { FileMetadata, RowRange } from '../parquet/metadata.ts'
import type { ChunkPart } from '../parquet/pages.ts'
import type { EncodedRowGroup } from '../parquet/row-group-writer.ts'
import type { ResolvedWriteOptions } from '../parquet/write-options.ts'
import type { RowGroupSize } from './partition-buffers.ts'
import type { PartitionValue } from './partition-types.ts'

/** What a lane does in a run; plain data. */
export interface LaneProgram {
  mode: Mode
  batchRows: number
  /**
   * Whether batches are in shared memory; else each is in a buffer that moves to the main thread. Of such buffers
   * V8 counts the bytes, and looks for garbage again and again while they become more: right where a batch is
   * dropped once it was looked at, in vain where all of them are kept.
   */
  sharesBatches?: boolean
  /** Bytes of the budget that this lane's memory may take. */
  arenaBytes: number
  /** The whole budget: what a lane may take where a unit needs more than its share; more only by the unit's own bytes. */
  mostBytes: number
  /** For each part of the scan the columns that are needed, partition keys included, and the stages behind the reads. */
  parts: { input: FieldMessage[]; head: Stage[] }[]
  /** Behind the stages: units give partial groups. */
  groups?: Aggregation
  sink?: LaneSink
}

/** What a lane needs to know to partition and encode. */
export interface LaneSink {
  /** Stages before the partitioning of batches that come from the main thread. */
  tail: Stage[]
  /** Columns of the files written. */
  fields: FieldMessage[]
  keys: string[]
  size: RowGroupSize
  maxPartitions: number
  write: ResolvedWriteOptions
}

/** A source file, told to a lane before its first unit; row groups and chunks that are not read are left out. */
export interface LaneFile {
  id: number
  part: number
  name: string
  metadata: FileMetadata
  constants: { name: string; value: PartitionValue }[]
}

/** Work for a lane: some rows of one row group, or in mode `fragment` of all of a file's. */
export interface LaneUnit {
  file: number
  rowGroups: { rowGroup: number; ranges: RowRange[] }[]
  chunks: { rowGroup: number; leaf: number; parts: ChunkPart[] }[]
  /** Of all of its rows, if it is not for the keys to say. */
  partition?: string | undefined
}

export interface LaneBatch {
  batch: BatchMessage
  /** Bytes of the batch. */
  bytes: number
  rowsIn: number
  /** No other batch of the unit follows. */
  last: boolean
  /** Since the last time that they were told. */
  pages: PageCounts
}

export interface LaneCounts {
  rowsIn: number
  rowsOut: number
  /** Bytes of Arrow data after the stages. */
  bytesOut: number
  /** Since the last time that they were told. */
  pages: PageCounts
  highWater: number
}

/** A row group on its way to its partition's file. */
export interface LaneEmit {
  path: string
  group: EncodedRowGroup
}
