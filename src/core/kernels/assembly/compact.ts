/**
 * From Arrow's columns to Parquet's physical values: dropping nulls, widening, rescaling, cutting decimals.
 * A call reads `count` values (and bits) and writes at most `count` values. `out` may be `values` where the
 * result is not wider than the input.
 */

@inline
function bit(bits: usize, i: i32): u32 {
  return ((<u32>load<u8>(bits + ((<usize>i) >> 3))) >> (i & 7)) & 1
}

/** Branch-free: every value is stored, and the next one overwrites it unless it was valid. */
function compact<T>(values: usize, bits: usize, from: i32, count: i32, out: usize): i32 {
  const start = out
  for (let i = 0; i < count; i++) {
    store<T>(out, load<T>(values + (<usize>i) * sizeof<T>()))
    out += (<usize>bit(bits, from + i)) * sizeof<T>()
  }
  return <i32>((out - start) / sizeof<T>())
}

export function compact8(values: usize, bits: usize, from: i32, count: i32, out: usize): i32 {
  return compact<u8>(values, bits, from, count, out)
}

export function compact16(values: usize, bits: usize, from: i32, count: i32, out: usize): i32 {
  return compact<u16>(values, bits, from, count, out)
}

export function compact32(values: usize, bits: usize, from: i32, count: i32, out: usize): i32 {
  return compact<u32>(values, bits, from, count, out)
}

export function compact64(values: usize, bits: usize, from: i32, count: i32, out: usize): i32 {
  return compact<u64>(values, bits, from, count, out)
}

export function compactWide(values: usize, width: usize, bits: usize, from: i32, count: i32, out: usize): i32 {
  let written = 0
  for (let i = 0; i < count; i++) {
    if (bit(bits, from + i) == 0) continue
    memory.copy(out, values + (<usize>i) * width, width)
    out += width
    written++
  }
  return written
}

/** Number of set bits among the `count` from bit `from` on. */
export function countBits(bits: usize, from: i32, count: i32): i32 {
  let total = 0
  let i = from
  const end = from + count
  while (i < end && (i & 7) != 0) total += <i32>bit(bits, i++)
  while (i + 64 <= end) {
    total += <i32>popcnt<u64>(load<u64>(bits + ((<usize>i) >> 3)))
    i += 64
  }
  while (i < end) total += <i32>bit(bits, i++)
  return total
}

/** Bits to bytes of 0 and 1. */
export function unpackBits(bits: usize, from: i32, count: i32, out: usize): void {
  for (let i = 0; i < count; i++) store<u8>(out + <usize>i, <u8>bit(bits, from + i))
}

/** Bytes of 0 and 1 to bits, least significant first, the last byte padded with 0: PLAIN of BOOLEAN. */
export function packBits(values: usize, count: i32, out: usize): void {
  let i = 0
  while (i + 8 <= count) {
    // The multiplication gathers the lowest bit of each byte in the top byte.
    store<u8>(out++, <u8>((load<u64>(values + <usize>i) * 0x0102040810204080) >> 56))
    i += 8
  }
  if (i == count) return
  let last: u32 = 0
  for (let b = 0; i + b < count; b++) last |= (<u32>load<u8>(values + <usize>(i + b))) << b
  store<u8>(out, <u8>last)
}

/** Clears each of the `count` bits whose code names a null of the dictionary. Codes are below `size`, or skipped. */
export function clearNullCodes(codes: usize, count: i32, dictionary: usize, from: i32, size: u32, bits: usize, to: i32): void {
  for (let i = 0; i < count; i++) {
    const code = load<u32>(codes + ((<usize>i) << 2))
    if (code >= size || bit(dictionary, from + <i32>code) != 0) continue
    const at = bits + ((<usize>(to + i)) >> 3)
    store<u8>(at, <u8>((<u32>load<u8>(at)) & ~(1 << ((to + i) & 7))))
  }
}

/** 8- and 16-bit integers to 32 bits. `out` must not overlap `values`. */
export function widen(values: usize, width: i32, signed: bool, count: i32, out: usize): void {
  for (let i = 0; i < count; i++) {
    let value: i32
    if (width == 1) {
      value = signed ? <i32>load<i8>(values + <usize>i) : <i32>load<u8>(values + <usize>i)
    } else {
      value = signed ? <i32>load<i16>(values + ((<usize>i) << 1)) : <i32>load<u16>(values + ((<usize>i) << 1))
    }
    store<i32>(out + ((<usize>i) << 2), value)
  }
}

/** Multiplies 32-bit values by at least 2; returns `count`, or the index of the first product that does not fit. */
export function scale32(values: usize, count: i32, factor: i32, out: usize): i32 {
  for (let i = 0; i < count; i++) {
    const product = (<i64>load<i32>(values + ((<usize>i) << 2))) * <i64>factor
    if (product != <i64>(<i32>product)) return i
    store<i32>(out + ((<usize>i) << 2), <i32>product)
  }
  return count
}

/** {@link scale32} for 64-bit values. */
export function scale64(values: usize, count: i32, factor: i32, out: usize): i32 {
  const most = i64.MAX_VALUE / <i64>factor
  for (let i = 0; i < count; i++) {
    const value = load<i64>(values + ((<usize>i) << 3))
    if (value > most || value < -most) return i
    store<i64>(out + ((<usize>i) << 3), value * <i64>factor)
  }
  return count
}

/** Milliseconds to days, rounded down; returns `count`, or the index of the first that does not fit 32 bits. */
export function daysOfMillis(values: usize, count: i32, out: usize): i32 {
  const day: i64 = 86_400_000
  for (let i = 0; i < count; i++) {
    const value = load<i64>(values + ((<usize>i) << 3))
    const days = value / day - <i64>(value % day < 0)
    if (days != <i64>(<i32>days)) return i
    store<i32>(out + ((<usize>i) << 2), <i32>days)
  }
  return count
}

/**
 * Little-endian two's complement of `from` bytes to `to` bytes, in the order of INT32 and INT64 (4, 8) or, with
 * `reverse`, big-endian as FIXED_LEN_BYTE_ARRAY decimals are; `to` is at most `from`. Returns `count`, or the index of the first value
 * that does not fit.
 */
export function cutDecimal(values: usize, from: i32, count: i32, to: i32, reverse: bool, out: usize): i32 {
  for (let i = 0; i < count; i++) {
    const value = values + (<usize>i) * (<usize>from)
    const target = out + (<usize>i) * (<usize>to)
    const sign: u8 = <i8>load<u8>(value + <usize>(to - 1)) < 0 ? 0xff : 0
    for (let b = to; b < from; b++) if (load<u8>(value + <usize>b) != sign) return i
    if (reverse) {
      for (let b = 0; b < to; b++) store<u8>(target + <usize>(to - 1 - b), load<u8>(value + <usize>b))
    } else {
      for (let b = 0; b < to; b++) store<u8>(target + <usize>b, load<u8>(value + <usize>b))
    }
  }
  return count
}

/** BYTE_STREAM_SPLIT: byte k of every value, then byte k + 1 of every value. `out` must not overlap `values`. */
export function splitStreams(values: usize, width: i32, count: i32, out: usize): void {
  for (let b = 0; b < width; b++) {
    for (let i = 0; i < count; i++) store<u8>(out++, load<u8>(values + (<usize>i) * (<usize>width) + <usize>b))
  }
}
