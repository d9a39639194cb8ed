import type { Data, Field, RecordBatch } from 'apache-arrow'
import type { Arena } from '../core/arena.ts'
import { isSluiceError, SluiceError } from '../core/errors.ts'
import { type EncodedChunk, encodeColumn } from './column-writer.ts'
import type { ResolvedWriteOptions } from './write-options.ts'

export type { EncodedChunk, EncodedPage } from './column-writer.ts'

/** A row group as bytes and as data. Offsets of its columns count from the beginning of `bytes`. */
export interface EncodedRowGroup {
  /** In a buffer of its own, which can be transferred. */
  bytes: Uint8Array<ArrayBuffer>
  rows: number
  columns: EncodedChunk[]
}

/**
 * Encodes batches as one row group. Columns are found by position; each may be plain or dictionary-encoded, in
 * every batch as it likes, in the arena or elsewhere. What is needed on the way lies in the arena and is given
 * back before the return.
 */
export function encodeRowGroup(
  arena: Arena,
  fields: readonly Field[],
  batches: readonly RecordBatch[],
  options: ResolvedWriteOptions,
): EncodedRowGroup {
  const rows = batches.reduce((sum, batch) => sum + batch.numRows, 0)
  const parts: Uint8Array[] = []
  let length = 0
  const columns = fields.map((field, index) => {
    try {
      const pieces = batches.filter(batch => batch.numRows > 0).map(batch => columnAt(batch, index))
      const chunk = encodeColumn(arena, field, pieces, options, parts)
      shiftChunk(chunk, length)
      length += chunk.metadata.totalCompressedSize
      return chunk
    } catch (error) {
      throw isSluiceError(error) ? error.within({ column: field.name }) : error
    }
  })
  const bytes = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return { bytes, rows, columns }
}

function columnAt({ data }: RecordBatch, index: number): Data {
  const column = data.children[index]
  if (column === undefined) throw new SluiceError('schema', 'a batch lacks the column')
  return column
}

/** Moves a chunk's offsets by `by` bytes. */
export function shiftChunk({ metadata, pages }: EncodedChunk, by: number): void {
  metadata.dataPageOffset += by
  if (metadata.dictionaryPageOffset !== undefined) metadata.dictionaryPageOffset += by
  for (const page of pages) page.offset += by
}
