import type { Region } from '../arena.ts'
import { SluiceError } from '../errors.ts'
import type { BoundNode } from './bound.ts'
import { type Column, constantColumn, makeColumn } from './column.ts'
import { compare, copiedValidity, kindOf } from './compute.ts'
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
  if (arg.repr === 'i128' || repr === 'i128') {
    throw new SluiceError(
      'unsupported',
      `no conversion from ${describeType(arg.type)} to ${describeType(type)} yet`,
    )
  }
  const source = arg.repr === 'bool' ? unpacked(region, arg) : arg
  const validity = node.orNull ? copiedValidity(region, rows, arg.validity) : arg.validity
  const out = { ...makeColumn(type, rows, region.alloc(rows * BYTES[repr])), validity }
  const { kernels } = region.arena
  const drop = node.orNull ? 1 : 0
  const check = (row: number) => {
    if (row >= 0) throw unfit(region, arg, row, node)
  }
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
  region.arena.kernels.flagsOfBits(arg.values, arg.rows, values)
  return { ...arg, repr: 'u8' as Repr, values }
}
