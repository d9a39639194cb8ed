import type { Field } from 'apache-arrow'
import type { Arena } from '../core/arena.ts'
import { isSluiceError, SluiceError } from '../core/errors.ts'
import { ByteOutput } from './byte-output.ts'
import type { BatchRows, ColumnRows } from './column-source.ts'
import { type EncodedChunk, encodeColumn } from './column-writer.ts'
import type { ResolvedWriteOptions } from './write-options.ts'

export type { BatchRows } from './column-source.ts'
export type { EncodedChunk, EncodedPage } from './column-writer.ts'

/** What a footer says of a row group. Offsets of its columns count from the first of its bytes. */
export interface RowGroupLayout {
  rows: number
  /** One a leaf. */
  columns: EncodedChunk[]
}

/** A row group with its bytes. */
export interface EncodedRowGroup extends RowGroupLayout {
  /** In the arena, until the output is freed. */
  bytes: Uint8Array
}

/** The share of its rows' bytes that a row group is expected to take; more is found room for, too. */
const EXPECTED = 0.5

/**
 * Encodes rows as one row group. Columns are found by position; each may be plain or dictionary-encoded, in
 * every batch as it likes, in the arena or elsewhere. What is needed on the way lies in the arena and is given
 * back before the return; the bytes lie there as well, until `output` is freed.
 *
 * @param bytes about what the rows take
 */
export function encodeRowGroup(
  arena: Arena,
  fields: readonly Field[],
  rows: readonly BatchRows[],
  bytes: number,
  options: ResolvedWriteOptions,
): { group: EncodedRowGroup; output: ByteOutput } {
  const output = new ByteOutput(arena, Math.ceil(bytes * EXPECTED))
  const parts = rows.filter(({ start, end }) => end > start)
  try {
    const chunks = fields.flatMap((field, index) => {
      try {
        return encodeColumn(
          arena,
          field,
          parts.map(part => columnAt(part, index)),
          options,
          output,
        )
      } catch (error) {
        throw isSluiceError(error) ? error.within({ column: field.name }) : error
      }
    })
    const columns = chunks.map(({ bloomFilter, metadata, pages }): EncodedChunk => {
      if (bloomFilter !== undefined) {
        metadata.bloomFilterOffset = output.length
        metadata.bloomFilterLength = bloomFilter.length
        output.append(bloomFilter)
      }
      return { metadata, pages }
    })
    const count = parts.reduce((sum, { start, end }) => sum + end - start, 0)
    return { group: { bytes: output.finish(), rows: count, columns }, output }
  } catch (error) {
    output.free()
    throw error
  }
}

function columnAt({ batch, start, end }: BatchRows, index: number): ColumnRows {
  const data = batch.data.children[index]
  if (data === undefined) throw new SluiceError('schema', 'a batch lacks the column')
  return { data, start, length: end - start }
}

/** Moves a chunk's offsets by `by` bytes. */
export function shiftChunk({ metadata, pages }: EncodedChunk, by: number): void {
  metadata.dataPageOffset += by
  if (metadata.dictionaryPageOffset !== undefined) metadata.dictionaryPageOffset += by
  if (metadata.bloomFilterOffset !== undefined) metadata.bloomFilterOffset += by
  for (const page of pages) page.offset += by
}
