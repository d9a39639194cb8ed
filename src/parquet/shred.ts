import { type Data, DataType, Field } from 'apache-arrow'
import type { Region } from '../core/arena.ts'
import { isSluiceError, SluiceError } from '../core/errors.ts'
import { type ColumnRows, nullsOf, type Piece, pieceOf, validityOf } from './column-source.ts'
import type { NestedLevels } from './leaf-levels.ts'
import { type LeafType, leafType } from './leaf-type.ts'
import { joinLists } from './list-pieces.ts'
import { leafField, nestedField } from './nested-field.ts'
import { bitmapOf, type Validity } from './physical-column.ts'

/** A leaf of a nested column: the values of all pieces, and which of them are in rows, and where. */
export interface ShreddedLeaf {
  path: string[]
  /** Of the values; named after the path. */
  field: Field
  leaf: LeafType
  pieces: readonly Piece[]
  /** Which of the pieces' elements are values; those that a null above hides are not. */
  validity: Validity
  levels: NestedLevels
}

/** Takes a leaf while its levels lie in `region`. */
type UseLeaf = (leaf: ShreddedLeaf, region: Region) => void

/** What the rows have become on the way down to a leaf; the kernels say what the arrays hold. */
interface Slots {
  rows: number
  count: number
  index: number
  definition: number
  /** 0: in no list yet. */
  repetition: number
  /** The definition level of slots that are neither null nor empty so far. */
  level: number
  /** Lists so far. */
  depth: number
}

/** A node of the column, and what is above it. */
interface Node {
  path: string[]
  field: Field
  pieces: readonly Data[]
  slots: Slots
}

/** Kernels count in signed 32-bit numbers. */
const MAX_SLOTS = 2 ** 31 - 1

/**
 * Takes a nested column, given in pieces, apart and hands its leaves to `use` in the order of the schema, one by
 * one: a struct of many fields takes no more memory than one of few.
 */
export function shred(region: Region, field: Field, parts: readonly ColumnRows[], use: UseLeaf): void {
  const pieces = parts.map(({ data, start, length }) =>
    length === data.length ? data : data.slice(start, length),
  )
  const rows = lengthOf(pieces)
  if (rows > MAX_SLOTS) throw tooLarge(rows)
  const index = region.alloc(4 * rows)
  const numbers = region.arena.i32(index, rows)
  for (let row = 0; row < rows; row++) numbers[row] = row
  const definition = region.alloc(rows)
  const slots = { rows, count: rows, index, definition, repetition: 0, level: 0, depth: 0 }
  shredNode(region, { path: [field.name], field, pieces, slots }, use)
}

function shredNode(outer: Region, node: Node, use: UseLeaf): void {
  const { path, field, pieces, slots } = node
  const region = outer.arena.regionFor(16 * slots.count)
  try {
    const nested = nestedField(field)
    if (nested === undefined) use(shredLeaf(region, node), region)
    else {
      for (const piece of pieces) checkKind(field, piece)
      const present = { ...node, slots: dropNulls(region, node, groupBits(region, pieces)) }
      if (nested.repeated === undefined) shredMembers(region, nested.fields, present, use)
      else shredLists(region, nested.repeated, nested.fields, present, use)
    }
  } catch (error) {
    throw isSluiceError(error) ? error.within({ column: path.join('.') }) : error
  } finally {
    region.free()
  }
}

function shredLists(
  region: Region,
  repeated: 'list' | 'key_value',
  fields: readonly Field[],
  lists: Node,
  use: UseLeaf,
): void {
  const { offsets, elements: pieces } = joinLists(region, lists.pieces)
  const slots = expand(region, offsets, pieces, lists.slots)
  const path = [...lists.path, repeated]
  if (repeated === 'list') {
    const field = fields[0]!
    shredNode(region, { path: [...path, field.name], field, pieces, slots }, use)
  } else {
    const field = required(lists.field.type.children[0] as Field)
    const entries = { path, field, pieces, slots }
    const present = dropNulls(region, entries, groupBits(region, pieces))
    shredMembers(region, fields, { ...entries, slots: present }, use)
  }
}

function shredMembers(region: Region, fields: readonly Field[], struct: Node, use: UseLeaf): void {
  for (const [i, field] of fields.entries()) {
    const pieces = struct.pieces.map(piece => memberOf(piece, i))
    shredNode(region, { path: [...struct.path, field.name], field, pieces, slots: struct.slots }, use)
  }
}

/** Which structs or lists of the pieces are not null, as a bitmap from bit 0 on; 0: all of them. */
function groupBits(region: Region, pieces: readonly Data[]): number {
  if (pieces.every(piece => nullsOf(piece) === 0)) return 0
  const { kernels } = region.arena
  const bits = region.alloc(Math.ceil(lengthOf(pieces) / 8))
  let at = 0
  for (const piece of pieces) {
    const { length, offset } = piece
    if (nullsOf(piece) === 0) kernels.fillBits(bits, at, length, 1)
    else kernels.copyBits(validityOf(region, piece), offset, bits, at, length)
    at += length
  }
  return bits
}

/** Ends the slots whose value, whose bit is clear, is null. */
function dropNulls(region: Region, { field, slots }: Node, bits: number): Slots {
  const { kernels } = region.arena
  const nullable = field.nullable || DataType.isNull(field.type)
  const below = { ...slots, level: slots.level + (nullable ? 1 : 0) }
  if (bits === 0) return below
  const { count, level } = slots
  const index = region.alloc(4 * count)
  const definition = region.alloc(count)
  const nulls = kernels.dropNullSlots(slots.index, slots.definition, count, bits, level, index, definition)
  if (nulls > 0 && !nullable) {
    throw new SluiceError('schema', `it is declared without nulls and has ${nulls}`, {
      hint: 'Declare it nullable, or filter its nulls out.',
    })
  }
  return { ...below, index, definition }
}

/** Lists to their elements. */
function expand(region: Region, offsets: number, elements: readonly Data[], slots: Slots): Slots {
  const { kernels } = region.arena
  const { index, definition, repetition, level } = slots
  const count = kernels.countSlots(index, slots.count, offsets, lengthOf(elements))
  if (count < 0) throw new SluiceError('schema', "the lists' offsets do not ascend")
  if (count > MAX_SLOTS) throw tooLarge(count)
  const depth = slots.depth + 1
  const out = {
    index: region.alloc(4 * count),
    definition: region.alloc(count),
    repetition: region.alloc(count),
  }
  kernels.expandSlots(
    index,
    definition,
    repetition,
    slots.count,
    offsets,
    level,
    depth,
    out.index,
    out.definition,
    out.repetition,
  )
  return { ...slots, ...out, count, level: level + 1, depth }
}

function shredLeaf(region: Region, node: Node): ShreddedLeaf {
  const { path } = node
  const field = leafField(node.field, path)
  const leaf = leafType(field)
  const pieces = node.pieces.map(data => pieceOf(region, field, leaf, data, 0, data.length))
  const slots = dropNulls(region, node, bitmapOf(region, field, pieces))
  const { rows, count, index, definition, repetition, level, depth } = slots
  const elements = lengthOf(pieces)
  const bits = region.zeroed(Math.ceil(elements / 8))
  const values = region.arena.kernels.finishSlots(index, definition, count, level, bits)
  return {
    path,
    field,
    leaf,
    pieces,
    validity: { rows: elements, bits: values === elements ? 0 : bits, valid: values },
    levels: {
      rows,
      slots: count,
      values,
      definition,
      maxDefinition: level,
      repetition,
      maxRepetition: depth,
    },
  }
}

/** Offsets are only looked at where the type says so: a piece of another type must not get that far. */
function checkKind(field: Field, { type }: Data): void {
  if (type.typeId !== field.type.typeId || type.children.length !== field.type.children.length) {
    throw new SluiceError('schema', `the column is declared as ${field.type} and holds ${type}`)
  }
}

function memberOf(struct: Data, index: number): Data {
  const member = struct.children[index]
  if (member === undefined || member.length < struct.length) {
    throw new SluiceError(
      'schema',
      `a struct of ${struct.length} values has a field of ${member?.length ?? 0}`,
    )
  }
  return member.length === struct.length ? member : member.slice(0, struct.length)
}

function required({ name, type, metadata }: Field): Field {
  return new Field(name, type, false, metadata)
}

function lengthOf(pieces: readonly { length: number }[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0)
}

function tooLarge(count: number): SluiceError {
  return new SluiceError('unsupported', `a row group of ${count} rows or values of lists is too large`, {
    hint: 'Write smaller row groups.',
  })
}
