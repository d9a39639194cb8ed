import { Data, DataType } from 'apache-arrow'
import type { Region } from '../core/arena.ts'
import { SluiceError } from '../core/errors.ts'
import type { ListShape, Shape, StructShape } from './column-shape.ts'
import type { LeafRows } from './leaf-reader.ts'

/** The rows of a column's leaves, by the leaf's ordinal in the file. */
export type RowsOfLeaf = (leaf: number) => LeafRows

/**
 * Makes a column of `length` elements in `region` from its leaves. Each node takes the levels of the first leaf
 * below; all others have to agree with it in how many elements there are.
 */
export function assemble(shape: Shape, length: number, leaves: RowsOfLeaf, region: Region): Data {
  if (shape.kind === 'leaf') {
    const { data } = leaves(shape.leaf)
    return data.length === length ? data : disagree()
  }
  const validity = validityOf(shape, length, leaves, region)
  return shape.kind === 'list'
    ? assembleLists(shape, length, validity, leaves, region)
    : assembleStructs(shape, length, validity, leaves, region)
}

function assembleStructs(
  { field, members }: StructShape,
  length: number,
  { nullCount, nullBitmap }: Validity,
  leaves: RowsOfLeaf,
  region: Region,
): Data {
  const children = members.map(member => assemble(member, length, leaves, region))
  return new Data(field.type, 0, length, nullCount, { 2: nullBitmap } as never, children)
}

function assembleLists(
  { field, item, depth, level, leaf }: ListShape,
  length: number,
  { nullCount, nullBitmap }: Validity,
  leaves: RowsOfLeaf,
  region: Region,
): Data {
  const { arena } = region
  const { slots, repetition, definition } = leaves(leaf)
  const address = region.alloc(4 * (length + 1))
  const lists = arena.kernels.listOffsets(
    repetition,
    definition,
    slots,
    depth,
    level,
    item.level,
    length,
    address,
  )
  if (lists !== length) disagree()
  const offsets = arena.i32(address, length + 1)
  const elements = assemble(item, offsets[length]!, leaves, region)
  if (DataType.isMap(field.type) && elements.children[0]!.nullCount > 0) {
    throw new SluiceError('corrupt', 'a key of a map is null')
  }
  return new Data(field.type, 0, length, nullCount, { 0: offsets, 2: nullBitmap } as never, [elements])
}

interface Validity {
  nullCount: number
  /** Empty without nulls. */
  nullBitmap: Uint8Array
}

function validityOf(
  { field, depth, level, present, leaf }: ListShape | StructShape,
  length: number,
  leaves: RowsOfLeaf,
  region: Region,
): Validity {
  const none = { nullCount: 0, nullBitmap: new Uint8Array(0) }
  if (!field.nullable) return none
  const { kernels } = region.arena
  const { slots, repetition, definition } = leaves(leaf)
  const bytes = (length + 7) >> 3
  const bits = region.zeroed(bytes)
  if (kernels.nodeBits(repetition, definition, slots, depth, level, present, length, bits) !== length)
    disagree()
  const nullCount = length - kernels.popcount(bits, length)
  return nullCount === 0 ? none : { nullCount, nullBitmap: region.arena.u8(bits, bytes) }
}

function disagree(): never {
  throw new SluiceError('corrupt', 'the levels of its leaves contradict one another')
}
