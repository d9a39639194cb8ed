// Decimals: 128-bit two's complement, the low half first (Arrow's Decimal128). `n` values of 16 bytes at `a` and
// `b`, or one where the stride is 0. Kernels that can fail return the first row that does and is not null by
// `valid`, or -1; see `lost` for `drop`.
import { lost } from './lost'

// A magnitude under work; WebAssembly has no pairs to return.
let low: u64 = 0
let high: u64 = 0

/** Loads a value's magnitude; whether it was negative. */
@inline
function loadMagnitude(a: usize): bool {
  low = load<u64>(a)
  high = load<u64>(a, 8)
  const negative = <i64>high < 0
  if (negative) flip()
  return negative
}

/** Minus the value under work. */
@inline
function flip(): void {
  low = ~low + 1
  high = ~high + (low == 0 ? 1 : 0)
}

/** The value under work to memory; false if a magnitude has reached the sign bit. */
@inline
function storeSigned(negative: bool, out: usize): bool {
  const fits = <i64>high >= 0
  if (negative) flip()
  store<u64>(out, low)
  store<u64>(out, high, 8)
  return fits
}

/** The high half of a product of two uint64. */
@inline
function multiplyHigh(x: u64, y: u64): u64 {
  const xl = x & 0xffffffff
  const xh = x >> 32
  const yl = y & 0xffffffff
  const yh = y >> 32
  const middle = xh * yl + ((xl * yl) >> 32)
  return xh * yh + (middle >> 32) + (((middle & 0xffffffff) + xl * yh) >> 32)
}

/** Times a factor; false if that leaves 128 bits. */
@inline
function scaleUp(factor: u64): bool {
  const carry = multiplyHigh(low, factor)
  const over = multiplyHigh(high, factor)
  low *= factor
  const top = high * factor
  high = top + carry
  return over == 0 && high >= top
}

/** Divided by less than 2^32, rounded down. */
@inline
function scaleDown(divisor: u64): void {
  let rest: u64 = high % divisor
  high /= divisor
  let part = (rest << 32) | (low >> 32)
  const upper = part / divisor
  rest = part % divisor
  part = (rest << 32) | (low & 0xffffffff)
  low = (upper << 32) | (part / divisor)
}

@inline
function powerOfTen(exponent: i32): u64 {
  let power: u64 = 1
  while (exponent-- > 0) power *= 10
  return power
}

/** Of int64, or of uint64. */
export function decimalOfI64(a: usize, n: i32, unsigned: i32, out: usize): void {
  for (let i = 0; i < n; i++) {
    const value = load<i64>(a + ((<usize>i) << 3))
    store<i64>(out, value)
    store<i64>(out, unsigned ? 0 : value >> 63, 8)
    out += 16
  }
}

/** Of doubles times 10^scale, as doubles multiply, halves away from zero. */
export function decimalOfF64(a: usize, n: i32, scale: i32, valid: usize, drop: i32, out: usize): i32 {
  let power: f64 = 1
  for (let k = 0; k < scale; k++) power *= 10
  for (let i = 0; i < n; i++) {
    const value = load<f64>(a + ((<usize>i) << 3)) * power
    let magnitude = floor<f64>(abs<f64>(value))
    // Adding a half and rounding down would change odd integers from 2^52 on, and what lies just below a half.
    if (abs<f64>(value) - magnitude >= 0.5) magnitude += 1
    low = high = 0
    if (magnitude < 170141183460469231731687303715884105728.0) {
      high = <u64>(magnitude / 18446744073709551616.0)
      low = <u64>(magnitude - <f64>high * 18446744073709551616.0)
    } else if (lost(valid, i, drop)) return i
    storeSigned(value < 0, out)
    out += 16
  }
  return -1
}

/** As doubles, divided by 10^scale: the nearest one up to 2^53 and a scale of 22, beyond that one near it. */
export function f64OfDecimal(a: usize, n: i32, scale: i32, out: usize): void {
  let power: f64 = 1
  for (let k = 0; k < scale; k++) power *= 10
  for (let i = 0; i < n; i++) {
    const negative = loadMagnitude(a)
    const magnitude = (<f64>high * 18446744073709551616.0 + <f64>low) / power
    store<f64>(out + ((<usize>i) << 3), negative ? -magnitude : magnitude)
    a += 16
  }
}

/** As int64, or uint64. */
export function i64OfDecimal(a: usize, n: i32, unsigned: i32, valid: usize, drop: i32, out: usize): i32 {
  for (let i = 0; i < n; i++) {
    const value = load<i64>(a)
    const top = load<i64>(a, 8)
    if (top != (unsigned ? 0 : value >> 63) && lost(valid, i, drop)) return i
    store<i64>(out + ((<usize>i) << 3), value)
    a += 16
  }
  return -1
}

/** Times 10^exponent; divided, with halves rounded away from zero, where the exponent is negative. At most ±38. */
export function rescaleDecimal(a: usize, n: i32, exponent: i32, valid: usize, drop: i32, out: usize): i32 {
  let halfLow: u64 = 0
  let halfHigh: u64 = 0
  if (exponent < 0) {
    low = 5
    high = 0
    for (let k = 1; k < -exponent; k++) scaleUp(10)
    halfLow = low
    halfHigh = high
  }
  for (let i = 0; i < n; i++) {
    const negative = loadMagnitude(a)
    let fits = true
    let rest = exponent
    while (rest > 0) {
      const step = min(rest, 18)
      if (!scaleUp(powerOfTen(step))) fits = false
      rest -= step
    }
    if (rest < 0) {
      low += halfLow
      high += halfHigh + (low < halfLow ? 1 : 0)
      while (rest < 0) {
        const step = min(-rest, 9)
        scaleDown(powerOfTen(step))
        rest += step
      }
    }
    if (!(storeSigned(negative, out) && fits) && lost(valid, i, drop)) return i
    a += 16
    out += 16
  }
  return -1
}

/** The first row whose magnitude is not below 10^precision. */
export function limitDecimal(a: usize, n: i32, precision: i32, valid: usize, drop: i32): i32 {
  low = 1
  high = 0
  for (let k = 0; k < precision; k++) scaleUp(10)
  const limitLow = low
  const limitHigh = high
  for (let i = 0; i < n; i++) {
    loadMagnitude(a)
    if ((high > limitHigh || (high == limitHigh && low >= limitLow)) && lost(valid, i, drop)) return i
    a += 16
  }
  return -1
}

/** `operator`: 0 add, 1 subtract, 2 multiply. */
export function arithmeticDecimal(
  operator: i32, a: usize, aStride: usize, b: usize, bStride: usize, valid: usize, n: i32, out: usize,
): i32 {
  for (let i = 0; i < n; i++) {
    let fits: bool
    if (operator == 2) {
      const minus = loadMagnitude(b)
      const bLow = low
      const bHigh = high
      const negative = loadMagnitude(a) != minus
      const aLow = low
      const aHigh = high
      fits = aHigh == 0 || bHigh == 0
      const cross = aHigh * bLow + aLow * bHigh
      if (multiplyHigh(aHigh, bLow) != 0 || multiplyHigh(aLow, bHigh) != 0) fits = false
      low = aLow * bLow
      high = multiplyHigh(aLow, bLow) + cross
      if (high < cross) fits = false
      if (!storeSigned(negative, out)) fits = false
    } else {
      const x = load<i64>(a, 8)
      let y = load<i64>(b, 8)
      let addend = load<u64>(b)
      if (operator == 1) {
        // Minus b, where b is never the least int128: no decimal is.
        addend = ~addend + 1
        y = ~y + (addend == 0 ? 1 : 0)
      }
      const sum = load<u64>(a) + addend
      const top = x + y + (sum < addend ? 1 : 0)
      fits = ((x ^ top) & (y ^ top)) >= 0
      store<u64>(out, sum)
      store<i64>(out, top, 8)
    }
    if (!fits && lost(valid, i, 0)) return i
    a += aStride
    b += bStride
    out += 16
  }
  return -1
}
