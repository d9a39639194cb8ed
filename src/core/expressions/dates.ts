import type { Region } from '../arena.ts'
import { SluiceError } from '../errors.ts'
import type { BoundNode } from './bound.ts'
import { bitmapBytes, type Coded, type Column, constantColumn, makeColumn } from './column.ts'
import { type FormatPart, parsePattern } from './format.ts'
import type { DatePart, TruncateUnit } from './node.ts'
import { copiedValidity, kindOf, perDay, ticksOf } from './operands.ts'
import { civilFromDays, daysFromCivil } from './temporal.ts'
import { writeText } from './text.ts'
import { describeType } from './typename.ts'
import { INT64 } from './types.ts'
import { renderValue } from './value-text.ts'

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

export function datePart(region: Region, arg: Column, part: DatePart): Column {
  const { rows } = arg
  if (arg.allNull) return constantColumn(region, INT64, null, rows)
  const values = region.alloc(rows * 8)
  const ticks = ticksOf(region, arg)
  region.arena.kernels.datePart(UNITS.indexOf(part), ticks, rows, perDay(arg.type), values)
  return makeColumn(INT64, rows, values, arg.validity)
}

export function truncate(region: Region, arg: Column, node: BoundNode & { op: 'truncate' }): Column {
  const { rows, validity } = arg
  if (arg.allNull) return arg
  const { kernels } = region.arena
  const values = region.alloc(rows * 8)
  const check = (row: number) => {
    if (row < 0) return
    const reason = `the ${node.unit} of ${renderValue(region, arg, row)} starts before the first ${describeType(arg.type)}`
    throw new SluiceError('invalid-argument', `${node.text}: ${reason}`)
  }
  const ticks = ticksOf(region, arg)
  check(kernels.truncateTime(UNITS.indexOf(node.unit), ticks, rows, perDay(arg.type), validity, values))
  if (arg.repr === 'i64') return makeColumn(arg.type, rows, values, validity)
  const days = region.alloc(rows * 4)
  check(kernels.narrowI64(kindOf('i32'), values, rows, validity, 0, days))
  return makeColumn(arg.type, rows, days, validity)
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
