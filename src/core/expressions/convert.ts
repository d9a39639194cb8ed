import { DataType } from 'apache-arrow'
import type { Region } from '../arena.ts'
import { SluiceError } from '../errors.ts'
import type { BoundNode } from './bound.ts'
import { type Column, constantColumn, makeColumn } from './column.ts'
import { compare } from './compare.ts'
import { copiedValidity, kindOf } from './operands.ts'
import { describeType } from './typename.ts'
import { BYTES, type Repr } from './types.ts'
import { renderValue } from './value-text.ts'

type Conversion = BoundNode & { op: 'convert' | 'parse' }

/** A number as another: by way of int64 or of double. */
export function convert(region: Region, arg: Column, node: BoundNode & { op: 'convert' }): Column {
  const { type, repr, multiply, divide } = node
  const { rows } = arg
  if (arg.allNull) return constantColumn(region, type, null, rows)
  if (arg.repr === repr && multiply === divide) return { ...arg, type }
  if (repr === 'bool') {
    const zero = constantColumn(region, arg.type, arg.repr.startsWith('f') ? 0 : 0n, rows)
    return compare(region, rows, '<>', arg, zero)
  }
  const source = arg.repr === 'bool' ? unpacked(region, arg) : arg
  const validity = node.orNull ? copiedValidity(region, rows, arg.validity) : arg.validity
  const out = { ...makeColumn(type, rows, region.alloc(rows * BYTES[repr])), validity }
  const { kernels } = region.arena
  const drop = node.orNull ? 1 : 0
  const check = (row: number) => {
    if (row >= 0) throw unfit(region, arg, row, node)
  }
  if (source.repr === 'i128' || repr === 'i128') return throughDecimal(region, source, out, drop, check)
  if (repr === 'f64') kernels.widenF64(kindOf(source.repr), source.values, rows, out.values)
  else if (repr === 'f32') {
    const doubles = region.alloc(rows * 8)
    kernels.widenF64(kindOf(source.repr), source.values, rows, doubles)
    kernels.narrowF32(doubles, rows, out.values)
  } else {
    let whole = repr === 'i64' ? out.values : region.alloc(rows * 8)
    if (source.repr === 'f32' || source.repr === 'f64') {
      const doubles = region.alloc(rows * 8)
      kernels.widenF64(kindOf(source.repr), source.values, rows, doubles)
      check(kernels.roundF64(doubles, rows, validity, drop, whole))
    } else if (source.repr === 'u64')
      check(kernels.narrowI64(kindOf('u64'), source.values, rows, validity, drop, whole))
    else if (source.repr === 'i64') whole = source.values
    else kernels.widenI64(kindOf(source.repr), source.values, rows, whole)
    if (multiply !== divide) {
      const scaled = repr === 'i64' ? out.values : region.alloc(rows * 8)
      check(kernels.rescaleI64(whole, rows, multiply, divide, validity, drop, scaled))
      whole = scaled
    }
    if (repr === 'i64') out.values = whole
    else check(kernels.narrowI64(kindOf(repr), whole, rows, validity, drop, out.values))
  }
  return out
}

/** To, from or between decimals. */
function throughDecimal(
  region: Region,
  source: Column,
  out: Column,
  drop: number,
  check: (row: number) => void,
): Column {
  const { kernels } = region.arena
  const { rows, validity, values } = out
  const float = out.repr === 'f32' || out.repr === 'f64'
  if (source.repr === 'i128' && float) {
    const doubles = out.repr === 'f64' ? values : region.alloc(rows * 8)
    kernels.f64OfDecimal(source.values, rows, scaleOf(source.type), doubles)
    if (out.repr === 'f32') kernels.narrowF32(doubles, rows, values)
    return out
  }
  const decimals = out.repr === 'i128' ? values : region.alloc(rows * 16)
  if (source.repr === 'f32' || source.repr === 'f64') {
    const doubles = region.alloc(rows * 8)
    kernels.widenF64(kindOf(source.repr), source.values, rows, doubles)
    check(kernels.decimalOfF64(doubles, rows, scaleOf(out.type), validity, drop, decimals))
  } else {
    let from = source.values
    if (source.repr !== 'i128') {
      const whole = source.repr === 'i64' || source.repr === 'u64' ? source.values : region.alloc(rows * 8)
      if (whole !== source.values) kernels.widenI64(kindOf(source.repr), source.values, rows, whole)
      from = region.alloc(rows * 16)
      kernels.decimalOfI64(whole, rows, source.repr === 'u64' ? 1 : 0, from)
    }
    const exponent = scaleOf(out.type) - scaleOf(source.type)
    check(kernels.rescaleDecimal(from, rows, exponent, validity, drop, decimals))
  }
  if (DataType.isDecimal(out.type)) {
    check(kernels.limitDecimal(decimals, rows, out.type.precision, validity, drop))
    return out
  }
  const whole = out.repr === 'i64' || out.repr === 'u64' ? values : region.alloc(rows * 8)
  check(kernels.i64OfDecimal(decimals, rows, out.repr === 'u64' ? 1 : 0, validity, drop, whole))
  if (whole !== values) check(kernels.narrowI64(kindOf(out.repr), whole, rows, validity, drop, values))
  return out
}

function scaleOf(type: DataType): number {
  return DataType.isDecimal(type) ? type.scale : 0
}

/** The error of a value that a cast cannot make the target of. */
export function unfit(region: Region, arg: Column, row: number, node: Conversion): SluiceError {
  const reason = `${renderValue(region, arg, row)} cannot be cast to ${describeType(node.type)}`
  return new SluiceError('invalid-argument', `${node.text}: ${reason}`, {
    ...(node.columns.length === 1 ? { column: node.columns[0]! } : {}),
    hint: 'Use tryCast to get null instead.',
  })
}

function unpacked(region: Region, arg: Column): Column {
  const values = region.alloc(arg.rows)
  region.arena.kernels.unpackBits(arg.values, 0, arg.rows, values)
  return { ...arg, repr: 'u8' as Repr, values }
}
