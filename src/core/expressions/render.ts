import { DataType } from 'apache-arrow'
import type { Region } from '../arena.ts'
import type { BoundNode } from './bound.ts'
import { bitmapBytes, type Coded, type Column, constantColumn, makeColumn } from './column.ts'
import { copiedValidity, perDay, ticksOf } from './compute.ts'
import { unfit } from './convert.ts'
import { type FormatPart, parsePattern } from './format.ts'
import { parseDecimal } from './literal.ts'
import { civilFromDays, daysFromCivil, floorDivide, parseTimestamp } from './temporal.ts'
import { writeText } from './text.ts'
import { BYTES, type Repr, rangeOf, UTF8, unitNanos, type Value } from './types.ts'
import { rendererOf } from './value-text.ts'

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]
/** Seconds that pass before a token's text can change; 0: less than one. */
const STEP: Readonly<Record<string, number>> = { H: 3600, I: 3600, p: 3600, M: 60, S: 1, f: 0, g: 0, n: 0 }
const DAY = 86_400

/** A column as text. */
export function renderText(region: Region, arg: Column): Column {
  if (arg.allNull) return constantColumn(region, UTF8, null, arg.rows)
  return writeText(region, arg.rows, arg.validity, rendererOf(region, arg))
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
  for (let row = 0; row < rows; row++) {
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
export function roundedTo(unscaled: bigint, from: number, to: number): bigint {
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

/**
 * Dates or times as text by a pattern. Rows of the same day (hour, minute, second: whatever the pattern shows)
 * share one text, made once: the result is a dictionary.
 */
export function formatTimes(region: Region, arg: Column, pattern: string): Coded {
  const { arena } = region
  const { rows } = arg
  const parts = parsePattern(pattern)
  const ticks = perDay(arg.type)
  const days = region.alloc(rows * 8)
  const rest = region.alloc(rows * 8)
  if (!arg.allNull) arena.kernels.splitTime(ticksOf(region, arg), rows, ticks, days, rest)
  const dayOf = new Float64Array(arena.buffer, days, rows)
  const restOf = new Float64Array(arena.buffer, rest, rows)
  const step = Math.min(DAY, ...parts.map(part => ('token' in part ? (STEP[part.token] ?? DAY) : DAY)))
  const nanosPerTick = Number(86_400_000_000_000n / ticks)
  const ticksPerStep = step === 0 ? 1 : step * (Number(ticks) / DAY)
  const stepsPerDay = Number(ticks) / ticksPerStep

  const bits = arg.validity === 0 ? undefined : arena.u8(arg.validity, bitmapBytes(rows))
  const codes = region.alloc(rows * 4)
  const codeOf = arena.i32(codes, rows)
  const texts: string[] = []
  const known = new Map<number, Map<number, number>>()
  let day = Number.NaN
  let slot = Number.NaN
  let code = 0
  let ofDay = new Map<number, number>()
  let nullCode = -1
  for (let row = 0; row < rows; row++) {
    if (arg.allNull || (bits !== undefined && ((bits[row >> 3]! >> (row & 7)) & 1) === 0)) {
      if (nullCode < 0) nullCode = texts.push('') - 1
      codeOf[row] = nullCode
      continue
    }
    const rowSlot = stepsPerDay === 1 ? 0 : Math.floor(restOf[row]! / ticksPerStep)
    if (dayOf[row] !== day || rowSlot !== slot) {
      if (dayOf[row] !== day) {
        day = dayOf[row]!
        ofDay = known.get(day) ?? new Map<number, number>()
        known.set(day, ofDay)
      }
      slot = rowSlot
      const found = ofDay.get(slot)
      code = found ?? texts.push(formatOne(parts, day, slot * ticksPerStep * nanosPerTick)) - 1
      if (found === undefined) ofDay.set(slot, code)
    }
    codeOf[row] = code
  }
  const dictionary = writeText(region, texts.length, 0, index => texts[index]!)
  if (nullCode < 0) return { codes, rows, dictionary }
  const validity = copiedValidity(region, texts.length, 0)
  arena.u8(validity, bitmapBytes(texts.length))[nullCode >> 3]! &= ~(1 << (nullCode & 7))
  return { codes, rows, dictionary: { ...dictionary, validity } }
}

/** One time by a pattern, as strftime has it. */
function formatOne(parts: readonly FormatPart[], days: number, nanosOfDay: number): string {
  const { year, month, day } = civilFromDays(days)
  const seconds = Math.floor(nanosOfDay / 1e9)
  const nanos = nanosOfDay % 1e9
  const hour = Math.floor(seconds / 3600)
  const weekday = (((days + 4) % 7) + 7) % 7
  const pad = (value: number, width: number) => String(Math.floor(value)).padStart(width, '0')
  const token = (name: string): string => {
    switch (name) {
      case 'Y':
        return year < 0 ? `-${pad(-year, 4)}` : pad(year, 4)
      case 'y':
        return pad(((year % 100) + 100) % 100, 2)
      case 'm':
        return pad(month, 2)
      case 'd':
        return pad(day, 2)
      case 'H':
        return pad(hour, 2)
      case 'I':
        return pad(hour % 12 === 0 ? 12 : hour % 12, 2)
      case 'M':
        return pad((seconds / 60) % 60, 2)
      case 'S':
        return pad(seconds % 60, 2)
      case 'f':
        return pad(nanos / 1e3, 6)
      case 'g':
        return pad(nanos / 1e6, 3)
      case 'n':
        return pad(nanos, 9)
      case 'j':
        return pad(days - daysFromCivil(year, 1, 1) + 1, 3)
      case 'p':
        return hour < 12 ? 'AM' : 'PM'
      case 'a':
        return DAYS[weekday]!.slice(0, 3)
      case 'A':
        return DAYS[weekday]!
      case 'b':
        return MONTHS[month - 1]!.slice(0, 3)
      case 'B':
        return MONTHS[month - 1]!
      case 'u':
        return String(weekday === 0 ? 7 : weekday)
      default:
        return String(weekday)
    }
  }
  return parts.map(part => ('text' in part ? part.text : token(part.token))).join('')
}
