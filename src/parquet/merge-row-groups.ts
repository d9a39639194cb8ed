import type { Field } from 'apache-arrow'
import type { Arena } from '../core/arena.ts'
import { isSluiceError } from '../core/errors.ts'
import { ByteOutput } from './byte-output.ts'
import type { EncodedChunk } from './column-writer.ts'
import { mergeChunks, type StoredChunk } from './merge-chunks.ts'
import type { EncodedRowGroup } from './row-group-writer.ts'
import type { ResolvedWriteOptions } from './write-options.ts'

/**
 * Joins row groups to one, decoding as little as {@link mergeChunks} can; `undefined` if a column's chunks do not
 * go together. The bytes lie in the arena until `output` is freed.
 *
 * @param groups the chunks of each row group, in the order of the fields
 */
export function mergeRowGroups(
  arena: Arena,
  fields: readonly Field[],
  groups: readonly (readonly StoredChunk[])[],
  options: ResolvedWriteOptions,
): { group: EncodedRowGroup; output: ByteOutput } | undefined {
  const bytes = groups.reduce((sum, chunks) => chunks.reduce((all, { bytes }) => all + bytes.length, sum), 0)
  const output = new ByteOutput(arena, bytes)
  try {
    const columns: EncodedChunk[] = []
    for (const [index, field] of fields.entries()) {
      const chunks = groups.map(group => group[index]!)
      const column = mergeColumn(arena, field, chunks, options, output)
      if (column === undefined) {
        output.free()
        return undefined
      }
      columns.push(column)
    }
    const rows = groups.reduce((sum, chunks) => sum + chunks[0]!.rows, 0)
    return { group: { bytes: output.finish(), rows, columns }, output }
  } catch (error) {
    output.free()
    throw error
  }
}

/** Damaged chunks do not go together either: decoding them says what is wrong where, or that it does not matter. */
function mergeColumn(
  arena: Arena,
  field: Field,
  chunks: readonly StoredChunk[],
  options: ResolvedWriteOptions,
  output: ByteOutput,
): EncodedChunk | undefined {
  try {
    return mergeChunks(arena, field, chunks, options, output)
  } catch (error) {
    if (isSluiceError(error) && (error.code === 'corrupt' || error.code === 'unsupported')) return undefined
    throw isSluiceError(error) ? error.within({ column: field.name }) : error
  }
}
