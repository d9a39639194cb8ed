import type { Field, RecordBatch, Vector } from 'apache-arrow'
import { Arena } from '../../../src/core/arena.ts'
import { makeBatch } from '../../../src/core/batch.ts'
import { ParquetFileWriter } from '../../../src/parquet/file-writer.ts'
import type { FileMetadata } from '../../../src/parquet/metadata.ts'
import { type BatchRows, encodeRowGroup } from '../../../src/parquet/row-group-writer.ts'
import { type ParquetWriteOptions, resolveWriteOptions } from '../../../src/parquet/write-options.ts'

export const arena: Arena = new Arena(64 << 20)

/** A batch of vectors of one chunk each. */
export function batchOf(fields: readonly Field[], columns: readonly Vector[]): RecordBatch {
  return makeBatch(
    fields,
    columns.map(column => column.data[0]!),
    columns[0]?.length ?? 0,
  )
}

/** All rows of some batches. */
export function rowsOf(batches: readonly RecordBatch[]): BatchRows[] {
  return batches.map(batch => ({ batch, start: 0, end: batch.numRows }))
}

/** A file of row groups, each given as its batches. */
export function parquetBytes(
  fields: readonly Field[],
  groups: readonly (readonly RecordBatch[])[],
  options: ParquetWriteOptions = {},
): { bytes: Uint8Array<ArrayBuffer>; metadata: FileMetadata } {
  const resolved = resolveWriteOptions(options)
  const writer = new ParquetFileWriter(fields, resolved)
  const parts = [writer.header()]
  for (const batches of groups) {
    const { group, output } = encodeRowGroup(arena, fields, rowsOf(batches), 1000, resolved)
    writer.append(group, group.bytes.length)
    parts.push(group.bytes.slice())
    output.free()
  }
  const { bytes, metadata } = writer.finish()
  parts.push(bytes)
  const file = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    file.set(part, at)
    at += part.length
  }
  return { bytes: file, metadata }
}
