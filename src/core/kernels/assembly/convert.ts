// Physical values of Parquet to Arrow's layout. A call reads `count` values and writes `count` at `target`, which
// does not overlap them. Decimals are big-endian (LogicalTypes.md, "DECIMAL"), INT96 is the deprecated timestamp.

/** 32-bit integers to the low 8 bits of each. */
export function narrowTo8(source: usize, count: i32, target: usize): void {
  for (let i = 0; i < count; i++) store<u8>(target + <usize>i, load<u8>(source + ((<usize>i) << 2)))
}

/** 32-bit integers to the low 16 bits of each. */
export function narrowTo16(source: usize, count: i32, target: usize): void {
  for (let i = 0; i < count; i++) {
    store<u16>(target + ((<usize>i) << 1), load<u16>(source + ((<usize>i) << 2)))
  }
}

/** Signed 32-bit integers to `width` bytes (16 or 32), little-endian. */
export function widen32(source: usize, count: i32, width: i32, target: usize): void {
  for (let i = 0; i < count; i++) {
    extend(target, <i64>load<i32>(source + ((<usize>i) << 2)), width)
    target += <usize>width
  }
}

/** Signed 64-bit integers to `width` bytes (16 or 32), little-endian. */
export function widen64(source: usize, count: i32, width: i32, target: usize): void {
  for (let i = 0; i < count; i++) {
    extend(target, load<i64>(source + ((<usize>i) << 3)), width)
    target += <usize>width
  }
}

@inline
function extend(target: usize, value: i64, width: i32): void {
  const sign = value >> 63
  store<i64>(target, value)
  store<i64>(target, sign, 8)
  if (width == 32) {
    store<i64>(target, sign, 16)
    store<i64>(target, sign, 24)
  }
}

/**
 * INT96 (nanoseconds of the day as 8 bytes, then the Julian day as 4) to nanoseconds since 1970. Dates that 64
 * bits do not hold wrap around, as in other readers.
 */
export function int96ToNanoseconds(source: usize, count: i32, target: usize): void {
  for (let i = 0; i < count; i++) {
    const days = <i64>load<u32>(source, 8) - 2440588
    store<i64>(target, days * 86400000000000 + load<i64>(source))
    source += 12
    target += 8
  }
}

/** The way back: nanoseconds since 1970 to INT96, with the nanoseconds of the day from 0. */
export function nanosecondsToInt96(source: usize, count: i32, target: usize): void {
  for (let i = 0; i < count; i++) {
    const value = load<i64>(source)
    let days = value / 86400000000000
    let rest = value % 86400000000000
    if (rest < 0) {
      rest += 86400000000000
      days--
    }
    store<i64>(target, rest)
    store<u32>(target, <u32>(days + 2440588), 8)
    source += 8
    target += 12
  }
}

/**
 * Two's complement big-endian integers of `length` bytes each to `width` bytes (16 or 32), little-endian.
 * Returns -1 if one does not fit.
 */
export function fixedDecimals(source: usize, count: i32, length: i32, width: i32, target: usize): i32 {
  for (let i = 0; i < count; i++) {
    if (!reverseExtended(source, <usize>length, target, <usize>width)) return -1
    source += <usize>length
    target += <usize>width
  }
  return 0
}

/** The same for byte arrays: value i lies `gap` bytes after the end of the one before; `offsets` gives lengths. */
export function variableDecimals(
  source: usize,
  gap: usize,
  offsets: usize,
  count: i32,
  width: i32,
  target: usize,
): i32 {
  let start = load<u32>(offsets)
  for (let i = 0; i < count; i++) {
    offsets += 4
    const end = load<u32>(offsets)
    const length = <usize>(end - start)
    if (!reverseExtended(source, length, target, <usize>width)) return -1
    source += length + gap
    target += <usize>width
    start = end
  }
  return 0
}

function reverseExtended(source: usize, length: usize, target: usize, width: usize): bool {
  const sign: u8 = length > 0 && load<i8>(source) < 0 ? 255 : 0
  while (length > width) {
    // What is cut off must be the sign, and what is left must have it.
    if (load<u8>(source) != sign || (load<u8>(source, 1) ^ sign) > 127) return false
    source++
    length--
  }
  for (let i: usize = 0; i < length; i++) store<u8>(target + i, load<u8>(source + length - 1 - i))
  memory.fill(target + length, sign, width - length)
  return true
}
