import { Schema } from 'apache-arrow'
import { located, SluiceError } from '../core/errors.ts'
import { columnShape } from './column-shape.ts'
import type { FileMetadata } from './metadata.ts'
import { type SchemaNode, schemaTree } from './schema-tree.ts'

/**
 * The Arrow schema of a file: its top-level columns with the types of their values (an encoding such as
 * `Dictionary` is none). Annotations without an Arrow type are kept in the field's metadata. The file's own
 * key-value metadata becomes the schema's, without Arrow's serialised schema.
 */
export function arrowSchema(metadata: FileMetadata, file?: string): Schema {
  try {
    const fields = schemaTree(metadata.schema).children.map(node => columnShape(node).field)
    return new Schema(fields, new Map(metadata.keyValueMetadata.filter(([key]) => key !== 'ARROW:schema')))
  } catch (error) {
    throw located(error, 'corrupt', file === undefined ? {} : { file })
  }
}

/** Ordinals of the leaves below the top-level columns of these names, in the order of the names. */
export function leavesOf(metadata: FileMetadata, names: readonly string[]): number[] {
  const roots = schemaTree(metadata.schema).children
  return names.flatMap(name => {
    const { firstLeaf, endLeaf } = topLevel(roots, name)
    return Array.from({ length: endLeaf - firstLeaf }, (_, index) => firstLeaf + index)
  })
}

/** The top-level column of that name; the first, if there are several. */
export function topLevel(roots: readonly SchemaNode[], name: string): SchemaNode {
  const node = roots.find(({ element }) => element.name === name)
  if (node === undefined) throw new SluiceError('schema', 'the file has no such column', { column: name })
  return node
}
