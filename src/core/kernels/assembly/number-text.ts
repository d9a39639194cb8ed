// Integers and dates to text and back. Text is `n` + 1 int32 offsets into bytes.
//
// The parsers read rows from `from` on and stop at the first, not null by `valid` (0: none is), that they do not
// know how to read, whether or not it can be read at all: its number is returned, or `n` at the end.

/** int64 in decimal digits: at most 20 bytes a row at `out`, `n` + 1 offsets. Null rows are empty. Returns the bytes written. */
export function textOfI64(a: usize, n: i32, valid: usize, offsets: usize, out: usize): i32 {
  const start = out
  for (let i = 0; i < n; i++) {
    store<i32>(offsets + ((<usize>i) << 2), <i32>(out - start))
    if (!isThere(valid, i)) continue
    const value = load<i64>(a + ((<usize>i) << 3))
    let rest = <u64>value
    if (value < 0) {
      store<u8>(out++, 0x2d)
      rest = 0 - rest
    }
    let digits = 1
    let power: u64 = 10
    while (digits < 19 && rest >= power) {
      power *= 10
      digits++
    }
    let at = out + <usize>digits
    out = at
    while (digits-- > 0) {
      store<u8>(--at, 0x30 + <u32>(rest % 10))
      rest /= 10
    }
  }
  store<i32>(offsets + ((<usize>n) << 2), <i32>(out - start))
  return <i32>(out - start)
}

/** int64 of a sign and up to 18 digits. */
export function parseI64(offsets: usize, data: usize, from: i32, n: i32, valid: usize, out: usize): i32 {
  for (let i = from; i < n; i++) {
    if (!isThere(valid, i)) continue
    let at = data + <usize>load<i32>(offsets + ((<usize>i) << 2))
    const end = data + <usize>load<i32>(offsets + ((<usize>i) << 2), 4)
    const negative = at < end && load<u8>(at) == 0x2d
    if (negative) at++
    const length = <i32>(end - at)
    if (length < 1 || length > 18) return i
    let value: i64 = 0
    while (at < end) {
      const digit: u32 = <u32>load<u8>(at++) - 0x30
      if (digit > 9) return i
      value = value * 10 + <i64>digit
    }
    store<i64>(out + ((<usize>i) << 3), negative ? -value : value)
  }
  return n
}

/** Days since 1970 of dates written YYYY-MM-DD. */
export function parseDays(offsets: usize, data: usize, from: i32, n: i32, valid: usize, out: usize): i32 {
  for (let i = from; i < n; i++) {
    if (!isThere(valid, i)) continue
    const start = load<i32>(offsets + ((<usize>i) << 2))
    if (load<i32>(offsets + ((<usize>i) << 2), 4) - start != 10) return i
    const at = data + <usize>start
    const year = twoDigits(at) * 100 + twoDigits(at + 2)
    const month = twoDigits(at + 5)
    const day = twoDigits(at + 8)
    if (load<u8>(at, 4) != 0x2d || load<u8>(at, 7) != 0x2d || year < 0 || month < 1 || month > 12 || day < 1) return i
    if (day > 28 && day > daysIn(year, month)) return i
    const y = month <= 2 ? year - 1 : year
    const dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    // Years below 0 are not written with four digits; -1, for January of year 0, needs rounding down.
    const era = y < 0 ? -1 : y / 400
    const yearOfEra = y - era * 400
    store<i32>(out + ((<usize>i) << 2), era * 146097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719468)
  }
  return n
}

/** A number of two digits; far below 0 where they are not. */
@inline
function twoDigits(at: usize): i32 {
  const tens = <u32>load<u8>(at) - 0x30
  const ones = <u32>load<u8>(at, 1) - 0x30
  return tens > 9 || ones > 9 ? -1000000 : <i32>(tens * 10 + ones)
}

@inline
function daysIn(year: i32, month: i32): i32 {
  if (month == 2) return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31
}

@inline
function isThere(valid: usize, i: i32): bool {
  return valid == 0 || ((load<u8>(valid + ((<usize>i) >> 3)) >> (<u8>(i & 7))) & 1) != 0
}
