import type { Schema } from 'apache-arrow'
import { BYTES, reprOf } from '../core/expressions/types.ts'
import { widens } from '../core/widen.ts'
import { leafType } from '../parquet/arrow-leaf.ts'
import { leavesOf } from '../parquet/arrow-schema.ts'
import type { FileMetadata } from '../parquet/metadata.ts'
import { flatLeaf } from './bounds.ts'

/**
 * About how many bytes some columns of a source take once a row group of a file is decoded; an upper estimate from the
 * footer.
 */
export function decodedBytes(
  metadata: FileMetadata,
  rowGroup: number,
  columns: readonly string[],
  source: Schema,
): number {
  const { columns: chunks, numRows } = metadata.rowGroups[rowGroup]!
  const widened = source.fields.reduce((sum, { name, type }) => {
    const leaf = columns.includes(name) ? flatLeaf(metadata, name) : undefined
    const wide = leaf !== undefined && widens(leafType(metadata.columns[leaf]!.element), type)
    return wide ? sum + numRows * BYTES[reprOf(type)] : sum
  }, 0)
  return leavesOf(metadata, columns).reduce((sum, leaf) => {
    const chunk = chunks[leaf]!
    const { element } = metadata.columns[leaf]!
    const dictionary = chunk.dictionaryPageOffset !== undefined
    switch (chunk.type) {
      case 'BOOLEAN':
        return sum + numRows / 4
      case 'INT32':
      case 'FLOAT':
        return sum + numRows * 4.2
      case 'INT64':
      case 'DOUBLE':
      case 'INT96':
        return sum + numRows * 8.2
      case 'FIXED_LEN_BYTE_ARRAY':
        return sum + numRows * Math.max(element.typeLength ?? 0, 16)
      default:
        // Codes for a dictionary-encoded chunk, else offsets and bytes.
        return sum + numRows * 4.2 + chunk.totalUncompressedSize * (dictionary ? 1.2 : 1)
    }
  }, widened)
}
