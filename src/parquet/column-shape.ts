import { type DataType, Field, List, Map_, Struct } from 'apache-arrow'
import { leafType } from './arrow-leaf.ts'
import { DECIMAL_BYTES_KEY, FIELD_ID_KEY, INT96_KEY, LOGICAL_TYPE_KEY } from './field-metadata.ts'
import type { SchemaElement } from './metadata.ts'
import type { SchemaNode } from './schema-tree.ts'

/** A column as Arrow has it, and how levels make it so. */
export type Shape = LeafShape | StructShape | ListShape

/**
 * Of all slots of a leaf below a node, those begin an element of the node's array that repeat no deeper than
 * `depth` and are defined from `level` on; the element is not null from `present` on.
 */
interface Node {
  field: Field
  depth: number
  level: number
  present: number
  /** Ordinal, in the file, of the leaf itself or the first leaf below. */
  leaf: number
}

export interface LeafShape extends Node {
  kind: 'leaf'
  element: SchemaElement
}

export interface StructShape extends Node {
  kind: 'struct'
  members: Shape[]
}

/** A list, or a map, which is a list of structs. */
export interface ListShape extends Node {
  kind: 'list'
  item: Shape
}

/** The levels of whatever a node lies in. */
type Place = Pick<Node, 'depth' | 'level' | 'present'>

/** The shape of a top-level column, by "Nested Types" in LogicalTypes.md and its rules for older files. */
export function columnShape(column: SchemaNode): Shape {
  return shapeOf(column, { depth: 0, level: 0, present: 0 })
}

function shapeOf(node: SchemaNode, outer: Place): Shape {
  const { name, repetition } = node.element
  if (repetition !== 'REPEATED') return valueShape(node, outer, repetition !== 'REQUIRED')
  // A repeated field outside of an annotated list is a list of required values.
  const item = requiredShape(node, within(outer))
  return {
    kind: 'list',
    ...outer,
    field: new Field(name, new List(item.field), false),
    item,
    leaf: node.firstLeaf,
  }
}

/** The shape of a node whose repetition counts for nothing. */
function requiredShape(node: SchemaNode, outer: Place): Shape {
  return valueShape(node, outer, false)
}

function valueShape(node: SchemaNode, outer: Place, nullable: boolean): Shape {
  const { element, children, firstLeaf: leaf } = node
  const place = nullable ? { ...outer, present: outer.present + 1 } : outer
  const field = (type: DataType) => new Field(element.name, type, nullable, annotation(element))
  if (element.type !== undefined) {
    return { kind: 'leaf', ...place, field: field(leafType(element)), element, leaf }
  }
  const item = itemShape(node, within(place))
  if (item !== undefined) {
    const type = item.isEntry ? new Map_(item.shape.field as Field<never>, false) : new List(item.shape.field)
    return { kind: 'list', ...place, field: field(type), item: item.shape, leaf }
  }
  const members = children.map(child => shapeOf(child, place))
  return { kind: 'struct', ...place, field: field(structOf(members)), members, leaf }
}

/** What a group that is annotated as a list or a map has as elements; `undefined` if it is neither. */
function itemShape(
  { element, children }: SchemaNode,
  place: Place,
): { shape: Shape; isEntry: boolean } | undefined {
  const [repeated, ...more] = children
  if (repeated?.element.repetition !== 'REPEATED' || more.length > 0) return undefined
  const annotated = element.logicalType?.type ?? element.convertedType
  const [first, second, ...rest] = repeated.children
  if (annotated === 'LIST') return { shape: listItem(element, repeated, place), isEntry: false }
  if (annotated !== 'MAP' && annotated !== 'MAP_KEY_VALUE') return undefined
  if (first !== undefined && second !== undefined && rest.length === 0) {
    return {
      shape: entryShape(repeated, shapeOf(first, place), shapeOf(second, place), place),
      isEntry: true,
    }
  }
  // A map without values is a set of its keys.
  if (annotated === 'MAP' && first !== undefined && rest.length === 0) {
    return { shape: notNull(shapeOf(first, place)), isEntry: false }
  }
  return undefined
}

/** LogicalTypes.md, "Lists", backward-compatibility rules. */
function listItem(list: SchemaElement, repeated: SchemaNode, place: Place): Shape {
  const { element, children } = repeated
  const isElement = children.length !== 1 || element.name === 'array' || element.name === `${list.name}_tuple`
  return isElement ? requiredShape(repeated, place) : shapeOf(children[0]!, place)
}

function entryShape(repeated: SchemaNode, key: Shape, value: Shape, place: Place): StructShape {
  const members = [notNull(key), value]
  const field = new Field(repeated.element.name, structOf(members), false)
  return { kind: 'struct', ...place, field, members, leaf: repeated.firstLeaf }
}

/** Keys of maps are not null, whatever the schema says. */
function notNull(key: Shape): Shape {
  const { name, type, metadata } = key.field
  return { ...key, field: new Field(name, type, false, metadata) }
}

function structOf(members: readonly Shape[]): Struct {
  return new Struct(members.map(({ field }) => field))
}

/** Inside of the lists at a place. */
function within({ depth, present }: Place): Place {
  return { depth: depth + 1, level: present + 1, present: present + 1 }
}

/** What the column's Arrow type does not say. */
function annotation(element: SchemaElement): Map<string, string> {
  const metadata = new Map<string, string>()
  const kept = KEPT.has(element.logicalType?.type ?? '')
    ? element.logicalType?.type
    : KEPT.has(element.convertedType ?? '')
      ? element.convertedType
      : undefined
  if (kept !== undefined) metadata.set(LOGICAL_TYPE_KEY, kept)
  if (element.fieldId !== undefined) metadata.set(FIELD_ID_KEY, String(element.fieldId))
  const { type, typeLength, logicalType } = element
  if (type === 'FIXED_LEN_BYTE_ARRAY' && (logicalType?.type ?? element.convertedType) === 'DECIMAL') {
    metadata.set(DECIMAL_BYTES_KEY, String(typeLength))
  }
  if (type === 'INT96') metadata.set(INT96_KEY, 'true')
  return metadata
}

/** Annotations that no Arrow type says. */
const KEPT: ReadonlySet<string> = new Set(['JSON', 'BSON', 'ENUM', 'UUID', 'INTERVAL'])
