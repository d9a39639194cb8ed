import type { Region } from '../arena.ts'
import { bitmapBytes, type Column, constantColumn, makeColumn, strideOf } from './column.ts'
import type { CompareOperator } from './node.ts'
import { bothValid, kindOf } from './operands.ts'
import { BOOL, type Repr, type Value } from './types.ts'

/** Every operator as "less" or "equal", perhaps with sides swapped, perhaps inverted. */
const COMPARE = {
  '=': { less: 0, swap: false, flip: 0, wanted: 2 },
  '<>': { less: 0, swap: false, flip: 255, wanted: 5 },
  '<': { less: 1, swap: false, flip: 0, wanted: 1 },
  '<=': { less: 1, swap: true, flip: 255, wanted: 3 },
  '>': { less: 1, swap: true, flip: 0, wanted: 4 },
  '>=': { less: 1, swap: false, flip: 255, wanted: 6 },
} as const

export function compare(
  region: Region,
  rows: number,
  operator: CompareOperator,
  a: Column,
  b: Column,
): Column {
  const { kernels } = region.arena
  if (a.allNull || b.allNull) return constantColumn(region, BOOL, null, rows)
  const { less, swap, flip, wanted } = COMPARE[operator]
  const validity = bothValid(region, rows, a, b)
  const out = region.alloc(bitmapBytes(rows))
  const column = makeColumn(BOOL, rows, out, validity)
  const [l, r] = swap ? [b, a] : [a, b]
  if (a.repr !== b.repr) {
    const mixed = a.repr === 'f64' ? ([b, a] as const) : ([a, b] as const)
    // With sides swapped, what was less is greater.
    const order = a.repr === 'f64' ? ((wanted & 1) << 2) | (wanted & 2) | (wanted >> 2) : wanted
    const kernel = mixed[0].repr === 'u64' ? kernels.compareU64F64 : kernels.compareI64F64
    kernel(order, mixed[0].values, strideOf(mixed[0]), mixed[1].values, strideOf(mixed[1]), rows, out)
    return column
  }
  switch (a.repr) {
    case 'bytes':
      kernels.compareBytes(
        wanted,
        a.offsets,
        strideOf(a),
        a.values,
        b.offsets,
        strideOf(b),
        b.values,
        rows,
        out,
      )
      return column
    case 'i128':
      kernels.compareI128(wanted, a.values, strideOf(a), b.values, strideOf(b), rows, out)
      return column
    case 'bool':
      kernels.compareU8(
        less,
        flip,
        octets(region, l),
        l.constant ? 0 : 1,
        octets(region, r),
        r.constant ? 0 : 1,
        rows,
        out,
      )
      return column
    default: {
      const kernel =
        kernels[
          `compare${a.repr.toUpperCase() as Uppercase<Exclude<Repr, 'f16' | 'bool' | 'null' | 'opaque' | 'bytes' | 'i128'>>}`
        ]
      kernel(less, flip, l.values, strideOf(l), r.values, strideOf(r), rows, out)
      return column
    }
  }
}

/** `value` where `arg` is not null. */
export function settle(region: Region, rows: number, value: boolean, arg: Column): Column {
  if (arg.allNull) return constantColumn(region, BOOL, null, rows)
  const out = region.alloc(bitmapBytes(rows))
  region.arena.u8(out, bitmapBytes(rows)).fill(value ? 255 : 0)
  return makeColumn(BOOL, rows, out, arg.validity)
}

/** Membership in a list without nulls; with `orNull`, false becomes null. */
export function isIn(
  region: Region,
  rows: number,
  arg: Column,
  values: readonly Value[],
  orNull: boolean,
): Column {
  if (arg.allNull) return constantColumn(region, BOOL, null, rows)
  const out = membership(region, rows, arg, values)
  if (!orNull) return makeColumn(BOOL, rows, out, arg.validity)
  if (arg.validity === 0) return makeColumn(BOOL, rows, out, out)
  const validity = region.alloc(bitmapBytes(rows))
  region.arena.kernels.andBits(out, arg.validity, rows, validity)
  return makeColumn(BOOL, rows, out, validity)
}

function membership(region: Region, rows: number, arg: Column, values: readonly Value[]): number {
  const { arena } = region
  const { kernels } = arena
  const out = region.alloc(bitmapBytes(rows))
  if (arg.repr === 'bytes') {
    const sorted = (values as Uint8Array[]).toSorted(Buffer.compare)
    const offsets = region.alloc(sorted.length * 4 + 4)
    const bytes = region.alloc(sorted.reduce((sum, { length }) => sum + length, 0))
    let end = 0
    sorted.forEach((value, index) => {
      arena.u8(bytes + end, value.length).set(value)
      arena.i32(offsets, sorted.length + 1)[index] = end
      end += value.length
    })
    arena.i32(offsets, sorted.length + 1)[sorted.length] = end
    kernels.inBytes(arg.offsets, arg.values, rows, offsets, bytes, sorted.length, out)
    return out
  }
  if (arg.repr === 'i128' || arg.repr === 'bool') {
    // Short lists in practice, and no kernel of their own.
    const bits = arena.u8(out, bitmapBytes(rows)).fill(0)
    for (const value of values) {
      const hit = compare(region, rows, '=', arg, constantColumn(region, arg.type, value, rows)).values
      arena.u8(hit, bits.length).forEach((byte, index) => {
        bits[index]! |= byte
      })
    }
    return out
  }
  const keys = region.alloc(rows * 8)
  const list = region.alloc(values.length * 8)
  const float = arg.repr === 'f32' || arg.repr === 'f64'
  if (float) {
    kernels.widenF64(kindOf(arg.repr), arg.values, rows, keys)
    kernels.keysF64(keys, rows, keys)
    new Float64Array(arena.buffer, list, values.length).set(values as number[])
    kernels.keysF64(list, values.length, list)
  } else {
    kernels.widenI64(kindOf(arg.repr), arg.values, rows, keys)
    new BigInt64Array(arena.buffer, list, values.length).set(values as bigint[])
  }
  new BigInt64Array(arena.buffer, list, values.length).sort()
  kernels.inI64(keys, rows, list, values.length, out)
  return out
}

/** A boolean column as bytes; of a constant, one. */
function octets(region: Region, column: Column): number {
  const rows = column.constant ? 1 : column.rows
  const out = region.alloc(rows)
  region.arena.kernels.unpackBits(column.values, 0, rows, out)
  return out
}
