import type { DataType } from 'apache-arrow'
import type { Region } from '../arena.ts'
import { SluiceError } from '../errors.ts'
import type { BoundNode } from './bound.ts'
import { bitmapBytes, type Coded, type Column, constantColumn, makeColumn, strideOf } from './column.ts'
import type { CompareOperator, DatePart, TruncateUnit } from './node.ts'
import { BOOL, BYTES, INT64, type Repr, unitNanos, type Value } from './types.ts'
import { renderValue } from './value-text.ts'

const NANOS_PER_DAY = 86_400_000_000_000n
const UNITS: readonly (DatePart | TruncateUnit)[] = [
  'year',
  'quarter',
  'month',
  'week',
  'day',
  'hour',
  'minute',
  'second',
  'dayOfWeek',
  'dayOfYear',
]
/** Every operator as "less" or "equal", perhaps with sides swapped, perhaps inverted. */
const COMPARE = {
  '=': { less: 0, swap: false, flip: 0, wanted: 2 },
  '<>': { less: 0, swap: false, flip: 255, wanted: 5 },
  '<': { less: 1, swap: false, flip: 0, wanted: 1 },
  '<=': { less: 1, swap: true, flip: 255, wanted: 3 },
  '>': { less: 1, swap: true, flip: 0, wanted: 4 },
  '>=': { less: 1, swap: false, flip: 255, wanted: 6 },
} as const

/** Rows by code. */
export function lookUp(region: Region, { codes, rows, dictionary }: Coded): Column {
  const { arena } = region
  const { kernels } = arena
  const { repr, type } = dictionary
  const bits = (bitmap: number) => {
    const flags = region.alloc(dictionary.rows)
    kernels.flagsOfBits(bitmap, dictionary.rows, flags)
    const out = region.alloc(bitmapBytes(rows))
    kernels.flagCodes(codes, rows, flags, out)
    return out
  }
  const validity = dictionary.validity === 0 ? 0 : bits(dictionary.validity)
  if (repr === 'bool') return makeColumn(type, rows, bits(dictionary.values), validity)
  if (repr === 'bytes') {
    const offsets = region.alloc(rows * 4 + 4)
    const values = region.alloc(textBytes(kernels.lookUpOffsets(codes, rows, dictionary.offsets, offsets)))
    kernels.lookUpBytes(codes, rows, dictionary.offsets, dictionary.values, values)
    return makeColumn(type, rows, values, validity, offsets)
  }
  const values = region.alloc(rows * BYTES[repr])
  if (BYTES[repr] > 0) kernels.lookUp(codes, rows, dictionary.values, BYTES[repr], values)
  return makeColumn(type, rows, values, validity)
}

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
  region.arena.kernels.flagsOfBits(column.values, rows, out)
  return out
}

export function arithmetic(
  region: Region,
  rows: number,
  node: BoundNode & { op: 'arithmetic' },
  a: Column,
  b: Column,
): Column {
  const { arena } = region
  const { kernels } = arena
  const { operator, type } = node
  if (a.allNull || b.allNull) return constantColumn(region, type, null, rows)
  const validity = bothValid(region, rows, a, b)
  const column = makeColumn(type, rows, 0, validity)
  column.values = region.alloc(rows * BYTES[column.repr])
  const sides = [a.values, strideOf(a), b.values, strideOf(b)] as const
  if (column.repr === 'f64') {
    kernels.arithmeticF64('+-*/%'.indexOf(operator), ...sides, rows, column.values)
    return column
  }
  if (column.repr === 'i128')
    throw new SluiceError('unsupported', `${node.text}: no arithmetic on decimals yet`)
  if (operator === '%') {
    column.validity = copiedValidity(region, rows, validity)
    kernels.remainderI64(...sides, rows, column.values, column.validity)
    return column
  }
  const kernel =
    operator === '+' ? kernels.addI64 : operator === '-' ? kernels.subtractI64 : kernels.multiplyI64
  const row = kernel(...sides, validity, rows, column.values)
  if (row >= 0) {
    throw new SluiceError(
      'invalid-argument',
      `${node.text} leaves int64: ${renderValue(region, a, row)} ${operator} ${renderValue(region, b, row)}`,
      { hint: 'Cast one side to float64 or to a decimal.' },
    )
  }
  return column
}

export function coalesce(region: Region, rows: number, type: DataType, args: readonly Column[]): Column {
  let result = args[0]!
  for (const next of args.slice(1)) {
    if (result.allNull) result = next
    else if (result.constant || result.validity === 0 || next.allNull) return result
    else result = pickByCase(region, rows, type, result.validity, result, next)
  }
  return result
}

/** For each row `a` where the bit of `mask` is set, else `b`. */
export function pickByCase(
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

export function datePart(region: Region, arg: Column, part: DatePart): Column {
  const { rows } = arg
  if (arg.allNull) return constantColumn(region, INT64, null, rows)
  const values = region.alloc(rows * 8)
  const ticks = ticksOf(region, arg)
  region.arena.kernels.datePart(UNITS.indexOf(part), ticks, rows, perDay(arg.type), values)
  return makeColumn(INT64, rows, values, arg.validity)
}

export function truncate(region: Region, arg: Column, unit: TruncateUnit): Column {
  const { rows } = arg
  if (arg.allNull) return arg
  const { kernels } = region.arena
  const values = region.alloc(rows * 8)
  kernels.truncateTime(UNITS.indexOf(unit), ticksOf(region, arg), rows, perDay(arg.type), values)
  if (arg.repr === 'i64') return makeColumn(arg.type, rows, values, arg.validity)
  // The start of a period lies near the day, which was an int32: only a null's garbage can leave it.
  const days = region.alloc(rows * 4)
  const spare = copiedValidity(region, rows, 0)
  kernels.narrowI64(kindOf('i32'), values, rows, spare, 1, days)
  return makeColumn(arg.type, rows, days, arg.validity)
}

/** Ticks as int64, of days too. */
export function ticksOf(region: Region, arg: Column): number {
  if (arg.repr === 'i64') return arg.values
  const ticks = region.alloc(arg.rows * 8)
  region.arena.kernels.widenI64(kindOf(arg.repr), arg.values, arg.rows, ticks)
  return ticks
}

/** How many of a date's or timestamp's units make a day. */
export function perDay(type: DataType): bigint {
  return NANOS_PER_DAY / unitNanos(type)
}

/** The number that kernels know a representation of numbers by. */
export function kindOf(repr: Repr): number {
  return ['i8', 'i16', 'i32', 'i64', 'u8', 'u16', 'u32', 'u64', 'f32', 'f64'].indexOf(repr)
}

/** The rows in which both are there, or 0 if that is all. */
export function bothValid(region: Region, rows: number, a: Column, b: Column): number {
  if (a.validity === 0 || a.validity === b.validity) return b.validity
  if (b.validity === 0) return a.validity
  const out = region.alloc(bitmapBytes(rows))
  region.arena.kernels.andBits(a.validity, b.validity, rows, out)
  return out
}

/** A validity that may be written to. */
export function copiedValidity(region: Region, rows: number, validity: number): number {
  const bytes = bitmapBytes(rows)
  const copy = region.alloc(bytes)
  if (validity === 0) region.arena.u8(copy, bytes).fill(255)
  else region.arena.u8(copy, bytes).set(region.arena.u8(validity, bytes))
  return copy
}

/** Bytes of text, if int32 offsets can reach them. */
export function textBytes(bytes: number): number {
  if (bytes < 2 ** 31) return bytes
  throw new SluiceError('budget', `a column of ${bytes} bytes of text is more than one batch can hold`, {
    hint: "Use mode 'batch', or fewer rows a batch.",
  })
}
