import { DataType } from 'apache-arrow'
import type { Region } from '../arena.ts'
import type { BoundNode } from './bound.ts'
import { bitmapBytes, type Column, constantColumn, makeColumn } from './column.ts'
import { unfit } from './convert.ts'
import { parseDecimal } from './literal.ts'
import { copiedValidity, textBytes } from './operands.ts'
import { floorDivide, parseTimestamp } from './temporal.ts'
import { writeText } from './text.ts'
import { BYTES, type Repr, rangeOf, UTF8, unitNanos, type Value } from './types.ts'
import { rendererOf } from './value-text.ts'

/** A column as text. */
export function renderText(region: Region, arg: Column): Column {
  const { rows, validity } = arg
  if (arg.allNull) return constantColumn(region, UTF8, null, rows)
  if (arg.repr === 'i64' && DataType.isInt(arg.type)) {
    const offsets = region.alloc(rows * 4 + 4)
    const values = region.alloc(textBytes(rows * 20))
    region.arena.kernels.textOfI64(arg.values, rows, validity, offsets, values)
    return makeColumn(UTF8, rows, values, validity, offsets)
  }
  return writeText(region, rows, validity, rendererOf(region, arg))
}

/** Text as numbers, booleans, dates or timestamps. */
export function parseText(region: Region, arg: Column, node: BoundNode & { op: 'parse' }): Column {
  const { rows } = arg
  if (arg.allNull) return constantColumn(region, node.type, null, rows)
  const validity = node.orNull ? copiedValidity(region, rows, arg.validity) : arg.validity
  const column = makeColumn(node.type, rows, 0, validity)
  const { repr } = column
  const size = repr === 'bool' ? bitmapBytes(rows) : rows * BYTES[repr]
  column.values = region.zeroed(size)
  const view = new DataView(region.arena.buffer, column.values, size)
  const bits = validity === 0 ? undefined : region.arena.u8(validity, bitmapBytes(rows))
  const offsets = region.arena.i32(arg.offsets, rows + 1)
  const parse = parserOf(node.type, repr)
  const { parseI64, parseDays } = region.arena.kernels
  const kernel =
    DataType.isInt(node.type) && repr === 'i64' ? parseI64 : repr === 'i32' ? parseDays : undefined
  for (let row = 0; row < rows; row++) {
    // The kernel reads plain forms up to a row that needs a closer look.
    if (kernel !== undefined) row = kernel(arg.offsets, arg.values, row, rows, validity, column.values)
    if (row === rows) break
    if (bits !== undefined && ((bits[row >> 3]! >> (row & 7)) & 1) === 0) continue
    const start = offsets[row]!
    const value = parse(
      Buffer.from(region.arena.buffer, arg.values + start, offsets[row + 1]! - start).toString(),
    )
    if (value !== undefined) writeValue(view, repr, row, value)
    else if (node.orNull) bits![row >> 3]! &= ~(1 << (row & 7))
    else throw unfit(region, arg, row, node)
  }
  return column
}

function parserOf(type: DataType, repr: Repr): (text: string) => Value | undefined {
  if (repr === 'bool') {
    return text =>
      /^\s*(true|t|1)\s*$/i.test(text) ? true : /^\s*(false|f|0)\s*$/i.test(text) ? false : undefined
  }
  if (repr === 'f32' || repr === 'f64') {
    return text => {
      const named = /^\s*([+-]?)(?:(nan)|inf(?:inity)?)\s*$/i.exec(text)
      if (named !== null) return named[2] ? Number.NaN : named[1] === '-' ? -Infinity : Infinity
      return parseDecimal(text) === undefined ? undefined : Number(text)
    }
  }
  const [min, max] = rangeOf(repr)
  const within = (value: bigint | undefined) =>
    value === undefined || value < min || value > max ? undefined : value
  if (DataType.isDate(type) || DataType.isTimestamp(type)) {
    const unit = unitNanos(type)
    return text => {
      const nanos = parseTimestamp(text)
      return nanos === undefined ? undefined : within(floorDivide(nanos, unit))
    }
  }
  const scale = DataType.isDecimal(type) ? type.scale : 0
  const limit = DataType.isDecimal(type) ? 10n ** BigInt(type.precision) : undefined
  return text => {
    const value = parseDecimal(text)
    if (value === undefined) return undefined
    const result = roundedTo(value.unscaled, value.scale, scale)
    return limit !== undefined && (result >= limit || result <= -limit) ? undefined : within(result)
  }
}

/** An unscaled decimal at another scale, halves away from zero. */
function roundedTo(unscaled: bigint, from: number, to: number): bigint {
  if (to >= from) return unscaled * 10n ** BigInt(to - from)
  const divisor = 10n ** BigInt(from - to)
  const half = unscaled < 0n ? -divisor / 2n : divisor / 2n
  return (unscaled + half) / divisor
}

function writeValue(view: DataView, repr: Repr, row: number, value: Value): void {
  const at = row * BYTES[repr]
  if (repr === 'bool') {
    if (value === true) view.setUint8(row >> 3, view.getUint8(row >> 3) | (1 << (row & 7)))
  } else if (repr === 'f32') view.setFloat32(at, Number(value), true)
  else if (repr === 'f64') view.setFloat64(at, Number(value), true)
  else {
    const whole = BigInt(value as bigint)
    if (BYTES[repr] === 1) view.setInt8(at, Number(whole))
    else if (BYTES[repr] === 2) view.setInt16(at, Number(whole), true)
    else if (BYTES[repr] === 4) view.setInt32(at, Number(whole), true)
    else view.setBigInt64(at, whole, true)
    if (repr === 'i128') view.setBigInt64(at + 8, whole >> 64n, true)
  }
}
