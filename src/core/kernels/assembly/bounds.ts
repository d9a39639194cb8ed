/**
 * Least and greatest of `count` values (at least one). The typed ones write two values of the type at `out`:
 * minimum, then maximum; NaN is left out. The order is that of the column's type (`ColumnOrder` in
 * parquet.thrift). `out` has room for 32 bytes.
 */
import { orderBytes } from './order'
import { spanAt, spanLength } from './spans'

function bounds<T>(values: usize, count: i32, least: T, greatest: T, out: usize): void {
  const lanes = <i32>(16 / sizeof<T>())
  let i = 0
  if (count >= lanes) {
    // `least` and `greatest` are the neutral elements: every value replaces them, NaN never does.
    let low = v128.splat<T>(least)
    let high = v128.splat<T>(greatest)
    for (; i + lanes <= count; i += lanes) {
      const value = v128.load(values + (<usize>i) * sizeof<T>())
      low = v128.bitselect(value, low, v128.lt<T>(value, low))
      high = v128.bitselect(value, high, v128.gt<T>(value, high))
    }
    store<v128>(out, low)
    store<v128>(out, high, 16)
    for (let lane = 0; lane < lanes; lane++) {
      const a = load<T>(out + (<usize>lane) * sizeof<T>())
      const b = load<T>(out + (<usize>lane) * sizeof<T>(), 16)
      if (a < least) least = a
      if (b > greatest) greatest = b
    }
  }
  for (; i < count; i++) {
    const value = load<T>(values + (<usize>i) * sizeof<T>())
    if (value < least) least = value
    if (value > greatest) greatest = value
  }
  store<T>(out, least)
  store<T>(out, greatest, sizeof<T>())
}

export function boundsI32(values: usize, count: i32, out: usize): void {
  bounds<i32>(values, count, i32.MAX_VALUE, i32.MIN_VALUE, out)
}

export function boundsU32(values: usize, count: i32, out: usize): void {
  bounds<u32>(values, count, u32.MAX_VALUE, 0, out)
}

export function boundsI64(values: usize, count: i32, out: usize): void {
  bounds<i64>(values, count, i64.MAX_VALUE, i64.MIN_VALUE, out)
}

/** No SIMD comparison of unsigned 64-bit lanes exists: the sign bit is turned around. */
export function boundsU64(values: usize, count: i32, out: usize): void {
  let least = u64.MAX_VALUE
  let greatest: u64 = 0
  for (let i = 0; i < count; i++) {
    const value = load<u64>(values + ((<usize>i) << 3))
    least = min(least, value)
    greatest = max(greatest, value)
  }
  store<u64>(out, least)
  store<u64>(out, greatest, 8)
}

/** Minimum above maximum: all are NaN. */
export function boundsF32(values: usize, count: i32, out: usize): void {
  bounds<f32>(values, count, f32.POSITIVE_INFINITY, f32.NEGATIVE_INFINITY, out)
}

/** Minimum above maximum: all are NaN. */
export function boundsF64(values: usize, count: i32, out: usize): void {
  bounds<f64>(values, count, f64.POSITIVE_INFINITY, f64.NEGATIVE_INFINITY, out)
}

/**
 * Half-precision floats, as bit patterns. Returns 0 if all are NaN. The patterns are compared after a mapping
 * that puts them in the order of their values.
 */
export function boundsF16(values: usize, count: i32, out: usize): i32 {
  let least: i32 = 0x10000
  let greatest: i32 = -1
  for (let i = 0; i < count; i++) {
    const half = <i32>load<u16>(values + ((<usize>i) << 1))
    if ((half & 0x7fff) > 0x7c00) continue
    const key = half >= 0x8000 ? 0xffff - half : half + 0x8000
    least = min(least, key)
    greatest = max(greatest, key)
  }
  if (greatest < 0) return 0
  store<u16>(out, <u16>(least < 0x8000 ? 0xffff - least : least - 0x8000))
  store<u16>(out, <u16>(greatest < 0x8000 ? 0xffff - greatest : greatest - 0x8000), 2)
  return 1
}

export function bounds8(values: usize, count: i32, out: usize): void {
  let least: u8 = 255
  let greatest: u8 = 0
  for (let i = 0; i < count; i++) {
    const value = load<u8>(values + <usize>i)
    least = min(least, value)
    greatest = max(greatest, value)
  }
  store<u8>(out, least)
  store<u8>(out, greatest, 1)
}

/** The first 8 bytes as a number that sorts as they do; `flip` turns the first bit around. */
@inline
function prefix(value: usize, length: u32, flip: u64): u64 {
  if (length >= 8) return bswap<u64>(load<u64>(value)) ^ flip
  let word: u64 = 0
  for (let i: u32 = 0; i < length; i++) word |= (<u64>load<u8>(value + <usize>i)) << (56 - 8 * i)
  return word ^ flip
}

/**
 * Indices of the least and the greatest byte string (two 32-bit numbers at `out`): unsigned bytes compared in
 * order, or, with `signed`, big-endian two's complement numbers of one length.
 */
export function boundsSpans(spans: usize, count: i32, signed: bool, out: usize): void {
  const flip: u64 = signed ? 0x8000000000000000 : 0
  let least = 0
  let greatest = 0
  let low = prefix(spanAt(spans, 0), spanLength(spans, 0), flip)
  let high = low
  for (let i = 1; i < count; i++) {
    const value = spanAt(spans, i)
    const length = spanLength(spans, i)
    const word = prefix(value, length, flip)
    if (word < low || (word == low && orderBytes(value, <i32>length, spanAt(spans, least), <i32>spanLength(spans, least)) == 0)) {
      least = i
      low = word
    }
    if (word > high || (word == high && orderBytes(value, <i32>length, spanAt(spans, greatest), <i32>spanLength(spans, greatest)) == 2)) {
      greatest = i
      high = word
    }
  }
  store<i32>(out, least)
  store<i32>(out, greatest, 4)
}
