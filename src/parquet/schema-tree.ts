import { SluiceError } from '../core/errors.ts'
import type { ColumnDescriptor, SchemaElement } from './metadata.ts'

/** A node of the schema with its children; groups have children, leaves have none. */
export interface SchemaNode {
  element: SchemaElement
  children: SchemaNode[]
  /** Ordinals of the leaves below: from `firstLeaf` up to `endLeaf`, exclusive. */
  firstLeaf: number
  endLeaf: number
}

const MAX_DEPTH = 128

const trees = new WeakMap<readonly SchemaElement[], SchemaNode>()

/** The schema's list of elements, which is depth-first, as a tree; made once for each list. */
export function schemaTree(schema: readonly SchemaElement[]): SchemaNode {
  let tree = trees.get(schema)
  if (tree === undefined) trees.set(schema, (tree = makeTree(schema)))
  return tree
}

function makeTree(schema: readonly SchemaElement[]): SchemaNode {
  let next = 0
  let leaves = 0
  const node = (depth: number): SchemaNode => {
    const element = schema[next++]
    if (element === undefined) throw new SluiceError('corrupt', 'the schema has fewer elements than it says')
    if (depth > MAX_DEPTH) throw new SluiceError('corrupt', 'the schema is nested too deeply')
    const result: SchemaNode = { element, children: [], firstLeaf: leaves, endLeaf: 0 }
    if (element.type !== undefined) leaves++
    else if (element.numChildren === undefined || element.numChildren < 0) {
      throw new SluiceError('corrupt', 'it has neither a type nor children', { column: element.name })
    } else for (let i = 0; i < element.numChildren; i++) result.children.push(node(depth + 1))
    result.endLeaf = leaves
    return result
  }
  const root = node(0)
  if (root.element.type !== undefined) throw new SluiceError('corrupt', 'the schema has no root')
  if (next !== schema.length) throw new SluiceError('corrupt', 'the schema has more elements than its root')
  return root
}

/** The leaves of a schema, in order, with their levels. */
export function columnDescriptors(schema: readonly SchemaElement[]): ColumnDescriptor[] {
  const columns: ColumnDescriptor[] = []
  const visit = (node: SchemaNode, path: string[], definition: number, repetition: number): void => {
    for (const child of node.children) {
      const { element } = child
      const childPath = [...path, element.name]
      const maxDefinitionLevel = definition + (element.repetition === 'REQUIRED' ? 0 : 1)
      const maxRepetitionLevel = repetition + (element.repetition === 'REPEATED' ? 1 : 0)
      if (element.repetition === undefined) {
        throw new SluiceError('corrupt', 'the schema does not say whether it repeats', {
          column: childPath.join('.'),
        })
      }
      if (element.type === undefined) visit(child, childPath, maxDefinitionLevel, maxRepetitionLevel)
      else {
        if (element.type === 'FIXED_LEN_BYTE_ARRAY' && !(element.typeLength! >= 0)) {
          throw new SluiceError('corrupt', 'the schema does not say how long its values are', {
            column: childPath.join('.'),
          })
        }
        const flat = path.length === 0 && element.repetition !== 'REPEATED'
        columns.push({
          index: columns.length,
          path: childPath,
          element,
          maxDefinitionLevel,
          maxRepetitionLevel,
          flat,
        })
      }
    }
  }
  visit(schemaTree(schema), [], 0, 0)
  return columns
}
