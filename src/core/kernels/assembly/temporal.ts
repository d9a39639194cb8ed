// Dates and times: `n` int64 ticks since 1970-01-01 UTC, `perDay` ticks a day, by the proleptic Gregorian
// calendar. Unit: 0 year, 1 quarter, 2 month, 3 week (ISO, from Monday), 4 day, 5 hour, 6 minute, 7 second.
// Part: the same, and 8 the day of the week (0 for Sunday), 9 the day of the year. `perDay` is 1 for days, which
// are then ones that int32 holds and have no parts below the day, or a multiple of 86400.
import { bitAt } from './bits'

@inline
function floorDiv(a: i64, b: i64): i64 {
  const quotient = a / b
  return a % b < 0 ? quotient - 1 : quotient
}

@inline
function daysOf(year: i64, month: i64): i64 {
  const y = month <= 2 ? year - 1 : year
  const era = floorDiv(y, 400)
  const yearOfEra = y - era * 400
  const dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5
  return era * 146097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719468
}

/** Year × 512 + month × 32 + day of a number of days. */
@inline
function civil(days: i64): i64 {
  const shifted = days + 719468
  const era = floorDiv(shifted, 146097)
  const dayOfEra = shifted - era * 146097
  const yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365
  const dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  const shiftedMonth = (5 * dayOfYear + 2) / 153
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  return year * 512 + month * 32 + dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
}

@inline
function weekday(days: i64): i64 {
  const rest = (days + 4) % 7
  return rest < 0 ? rest + 7 : rest
}

@inline
function isoWeek(days: i64): i64 {
  // The week belongs to the year that holds its Thursday.
  const thursday = days - ((weekday(days) + 6) % 7) + 3
  return (thursday - daysOf(civil(thursday) >> 9, 1)) / 7 + 1
}

/** The part of each time, as int64. */
export function datePart(part: i32, a: usize, n: i32, perDay: i64, out: usize): void {
  // Rows often follow in time: what depends on the day alone is kept while the day stays.
  let lastDays = i64.MIN_VALUE
  let lastValue: i64 = 0
  for (let i = 0; i < n; i++) {
    const at = (<usize>i) << 3
    const ticks = load<i64>(a + at)
    const days = floorDiv(ticks, perDay)
    let value: i64
    if (part >= 5 && part <= 7) {
      const seconds = (ticks - days * perDay) / (perDay / 86400)
      value = part == 5 ? seconds / 3600 : part == 6 ? (seconds / 60) % 60 : seconds % 60
    } else if (days == lastDays) value = lastValue
    else if (part == 8) value = weekday(days)
    else if (part == 3) value = isoWeek(days)
    else {
      const date = civil(days)
      const month = (date >> 5) & 15
      if (part == 0) value = date >> 9
      else if (part == 1) value = (month + 2) / 3
      else if (part == 2) value = month
      else if (part == 4) value = date & 31
      else value = days - daysOf(date >> 9, 1) + 1
    }
    lastDays = days
    lastValue = value
    store<i64>(out + at, value)
  }
}

/**
 * The start of the unit that each time lies in. Returns the first row, not null by `valid` (0: none is), whose
 * unit starts before the least int64, or -1.
 */
export function truncateTime(unit: i32, a: usize, n: i32, perDay: i64, valid: usize, out: usize): i32 {
  const perSecond = perDay / 86400
  let lastDays = i64.MIN_VALUE
  let lastValue: i64 = 0
  const tick = unit == 5 ? perSecond * 3600 : unit == 6 ? perSecond * 60 : unit == 7 ? perSecond : perDay
  for (let i = 0; i < n; i++) {
    const at = (<usize>i) << 3
    const ticks = load<i64>(a + at)
    let value: i64
    if (unit >= 4) value = tick <= 1 ? ticks : floorDiv(ticks, tick) * tick
    else {
      const days = floorDiv(ticks, perDay)
      if (days == lastDays) value = lastValue
      else if (unit == 3) value = (days - ((weekday(days) + 6) % 7)) * perDay
      else {
        const date = civil(days)
        const month = (date >> 5) & 15
        value = daysOf(date >> 9, unit == 0 ? 1 : unit == 1 ? ((month - 1) / 3) * 3 + 1 : month) * perDay
      }
      lastDays = days
      lastValue = value
    }
    // What lies below the least int64 has become a number far above.
    if (value > ticks && (valid == 0 || bitAt(valid, i) != 0)) return i
    store<i64>(out + at, value)
  }
  return -1
}

/** Days and, within the day, ticks, both as doubles: exact, for a day has less than 2^53 ticks. */
export function splitTime(a: usize, n: i32, perDay: i64, days: usize, rest: usize): void {
  for (let i = 0; i < n; i++) {
    const at = (<usize>i) << 3
    const ticks = load<i64>(a + at)
    const day = floorDiv(ticks, perDay)
    store<f64>(days + at, <f64>day)
    store<f64>(rest + at, <f64>(ticks - day * perDay))
  }
}
