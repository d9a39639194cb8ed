import type { DataType } from 'apache-arrow'
import type { Region } from '../arena.ts'
import { bitmapBytes, type Column, makeColumn, strideOf } from './column.ts'
import { textBytes } from './operands.ts'
import { BYTES } from './types.ts'

/** For each row `a` where the bit of `mask` is set, else `b`. */
export function pick(
  region: Region,
  rows: number,
  type: DataType,
  mask: number,
  a: Column,
  b: Column,
): Column {
  const { kernels } = region.arena
  if (a.allNull && b.allNull) return a
  const bytes = bitmapBytes(rows)
  const none = (column: Column) => (column.allNull ? region.zeroed(bytes) : column.validity)
  let validity = 0
  if (none(a) !== 0 || none(b) !== 0) {
    validity = region.alloc(bytes)
    kernels.pickBits(mask, none(a), none(b), rows, validity)
  }
  // Of a null constant there is no value to copy: the other side's will do.
  const [l, r] = [a.allNull ? b : a, b.allNull ? a : b]
  const column = makeColumn(type, rows, 0, validity)
  if (column.repr === 'bool') {
    const bits = (side: Column) => {
      if (!side.constant) return side.values
      const filled = region.alloc(bytes)
      region.arena.u8(filled, bytes).fill(region.arena.u8(side.values, 1)[0]!)
      return filled
    }
    column.values = region.alloc(bytes)
    kernels.pickBits(mask, bits(l), bits(r), rows, column.values)
  } else if (column.repr === 'bytes') {
    column.offsets = region.alloc(rows * 4 + 4)
    column.values = region.alloc(
      textBytes(
        kernels.pickOffsets(mask, l.offsets, strideOf(l), r.offsets, strideOf(r), rows, column.offsets),
      ),
    )
    kernels.pickBytes(
      mask,
      l.offsets,
      strideOf(l),
      l.values,
      r.offsets,
      strideOf(r),
      r.values,
      rows,
      column.values,
    )
  } else {
    const width = BYTES[column.repr]
    column.values = region.alloc(rows * width)
    kernels.pick(mask, l.values, strideOf(l), r.values, strideOf(r), rows, width, column.values)
  }
  return column
}
