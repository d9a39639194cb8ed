// Comparison of columns into bitmaps. Every kernel reads `n` values at `a` and at `b` — or the one value there,
// where the stride is 0 — and writes ceil(n / 8) bytes at `out`, bits past `n` in the last one being 0.
// Floats: NaN equals NaN and is above everything, -0 equals 0.
import { orderBytes, orderI128 } from './order'

/** Eight comparisons of one byte of the result. */
@inline
function eqByte<T>(a: usize, aStride: usize, b: usize, bStride: usize, count: i32): u32 {
  let byte: u32 = 0
  for (let k = 0; k < count; k++) {
    const x = load<T>(a + (<usize>k) * aStride)
    const y = load<T>(b + (<usize>k) * bStride)
    let equal: bool
    if (isFloat<T>()) equal = x == y || (x != x && y != y)
    else equal = x == y
    byte |= (<u32>equal) << k
  }
  return byte
}

@inline
function ltByte<T>(a: usize, aStride: usize, b: usize, bStride: usize, count: i32): u32 {
  let byte: u32 = 0
  for (let k = 0; k < count; k++) {
    const x = load<T>(a + (<usize>k) * aStride)
    const y = load<T>(b + (<usize>k) * bStride)
    let less: bool
    if (isFloat<T>()) less = x < y || (y != y && x == x)
    else less = x < y
    byte |= (<u32>less) << k
  }
  return byte
}

@inline
function lanes<T>(address: usize, stride: usize, offset: usize): v128 {
  return stride == 0 ? v128.splat<T>(load<T>(address)) : v128.load(address + offset)
}

@inline
function eqLanes<T>(x: v128, y: v128): v128 {
  if (isFloat<T>()) return v128.or(v128.eq<T>(x, y), v128.and(v128.ne<T>(x, x), v128.ne<T>(y, y)))
  return v128.eq<T>(x, y)
}

@inline
function ltLanes<T>(x: v128, y: v128): v128 {
  if (isFloat<T>()) return v128.or(v128.lt<T>(x, y), v128.and(v128.ne<T>(y, y), v128.eq<T>(x, x)))
  if (sizeof<T>() == 8 && !isSigned<T>()) {
    const sign = i64x2.splat(i64.MIN_VALUE)
    return i64x2.lt_s(v128.xor(x, sign), v128.xor(y, sign))
  }
  if (sizeof<T>() == 8) return i64x2.lt_s(x, y)
  return v128.lt<T>(x, y)
}

@inline
function maskOf<T>(x: v128): u32 {
  if (sizeof<T>() == 8) return <u32>i64x2.bitmask(x)
  if (sizeof<T>() == 4) return <u32>i32x4.bitmask(x)
  if (sizeof<T>() == 2) return <u32>i16x8.bitmask(x)
  return <u32>i8x16.bitmask(x)
}

/** `less` ? a < b : a = b, each bit flipped where `flip` is 255. */
@inline
function compareAs<T>(less: i32, flip: u32, a: usize, aStride: usize, b: usize, bStride: usize, n: i32, out: usize): void {
  const bytes = n >> 3
  const aStep = aStride << 3
  const bStep = bStride << 3
  if (sizeof<T>() > 1) {
    for (let i = 0; i < bytes; i++) {
      let byte: u32 = 0
      if (less) {
        for (let k: usize = 0; k < sizeof<T>() >> 1; k++) {
          byte |= maskOf<T>(ltLanes<T>(lanes<T>(a, aStride, k << 4), lanes<T>(b, bStride, k << 4))) << (<u32>k * (16 / sizeof<T>()))
        }
      } else {
        for (let k: usize = 0; k < sizeof<T>() >> 1; k++) {
          byte |= maskOf<T>(eqLanes<T>(lanes<T>(a, aStride, k << 4), lanes<T>(b, bStride, k << 4))) << (<u32>k * (16 / sizeof<T>()))
        }
      }
      store<u8>(out + <usize>i, byte ^ flip)
      a += aStep
      b += bStep
    }
  } else {
    for (let i = 0; i < bytes; i++) {
      const byte = less ? ltByte<T>(a, aStride, b, bStride, 8) : eqByte<T>(a, aStride, b, bStride, 8)
      store<u8>(out + <usize>i, byte ^ flip)
      a += aStep
      b += bStep
    }
  }
  const rest = n & 7
  if (rest > 0) {
    const byte = less ? ltByte<T>(a, aStride, b, bStride, rest) : eqByte<T>(a, aStride, b, bStride, rest)
    store<u8>(out + <usize>bytes, (byte ^ flip) & ((1 << rest) - 1))
  }
}

export function compareI8(less: i32, flip: u32, a: usize, aStride: usize, b: usize, bStride: usize, n: i32, out: usize): void {
  compareAs<i8>(less, flip, a, aStride, b, bStride, n, out)
}
export function compareU8(less: i32, flip: u32, a: usize, aStride: usize, b: usize, bStride: usize, n: i32, out: usize): void {
  compareAs<u8>(less, flip, a, aStride, b, bStride, n, out)
}
export function compareI16(less: i32, flip: u32, a: usize, aStride: usize, b: usize, bStride: usize, n: i32, out: usize): void {
  compareAs<i16>(less, flip, a, aStride, b, bStride, n, out)
}
export function compareU16(less: i32, flip: u32, a: usize, aStride: usize, b: usize, bStride: usize, n: i32, out: usize): void {
  compareAs<u16>(less, flip, a, aStride, b, bStride, n, out)
}
export function compareI32(less: i32, flip: u32, a: usize, aStride: usize, b: usize, bStride: usize, n: i32, out: usize): void {
  compareAs<i32>(less, flip, a, aStride, b, bStride, n, out)
}
export function compareU32(less: i32, flip: u32, a: usize, aStride: usize, b: usize, bStride: usize, n: i32, out: usize): void {
  compareAs<u32>(less, flip, a, aStride, b, bStride, n, out)
}
export function compareI64(less: i32, flip: u32, a: usize, aStride: usize, b: usize, bStride: usize, n: i32, out: usize): void {
  compareAs<i64>(less, flip, a, aStride, b, bStride, n, out)
}
export function compareU64(less: i32, flip: u32, a: usize, aStride: usize, b: usize, bStride: usize, n: i32, out: usize): void {
  compareAs<u64>(less, flip, a, aStride, b, bStride, n, out)
}
export function compareF32(less: i32, flip: u32, a: usize, aStride: usize, b: usize, bStride: usize, n: i32, out: usize): void {
  compareAs<f32>(less, flip, a, aStride, b, bStride, n, out)
}
export function compareF64(less: i32, flip: u32, a: usize, aStride: usize, b: usize, bStride: usize, n: i32, out: usize): void {
  compareAs<f64>(less, flip, a, aStride, b, bStride, n, out)
}

// The kernels below find an order, 0 for less, 1 for equal, 2 for greater, and set the bit that `wanted` has at
// that place.

export function compareI128(wanted: u32, a: usize, aStride: usize, b: usize, bStride: usize, n: i32, out: usize): void {
  let byte: u32 = 0
  for (let i = 0; i < n; i++) {
    byte |= ((wanted >> orderI128(a, b)) & 1) << (i & 7)
    if ((i & 7) == 7) {
      store<u8>(out++, byte)
      byte = 0
    }
    a += aStride
    b += bStride
  }
  if (n & 7) store<u8>(out, byte)
}

/** An int64 against a double, exactly. */
@inline
function orderMixed(x: i64, y: f64): u32 {
  if (y != y || y >= 9223372036854775808.0) return 0
  if (y < -9223372036854775808.0) return 2
  const whole = <i64>y
  if (x != whole) return x < whole ? 0 : 2
  const fraction = y - <f64>whole
  return fraction > 0 ? 0 : fraction < 0 ? 2 : 1
}

@inline
function orderMixedUnsigned(x: u64, y: f64): u32 {
  if (y != y || y >= 18446744073709551616.0) return 0
  if (y < 0) return 2
  const whole = <u64>y
  if (x != whole) return x < whole ? 0 : 2
  return y - <f64>whole > 0 ? 0 : 1
}

export function compareI64F64(wanted: u32, a: usize, aStride: usize, b: usize, bStride: usize, n: i32, out: usize): void {
  let byte: u32 = 0
  for (let i = 0; i < n; i++) {
    byte |= ((wanted >> orderMixed(load<i64>(a), load<f64>(b))) & 1) << (i & 7)
    if ((i & 7) == 7) {
      store<u8>(out++, byte)
      byte = 0
    }
    a += aStride
    b += bStride
  }
  if (n & 7) store<u8>(out, byte)
}

export function compareU64F64(wanted: u32, a: usize, aStride: usize, b: usize, bStride: usize, n: i32, out: usize): void {
  let byte: u32 = 0
  for (let i = 0; i < n; i++) {
    byte |= ((wanted >> orderMixedUnsigned(load<u64>(a), load<f64>(b))) & 1) << (i & 7)
    if ((i & 7) == 7) {
      store<u8>(out++, byte)
      byte = 0
    }
    a += aStride
    b += bStride
  }
  if (n & 7) store<u8>(out, byte)
}

/** Text: int32 offsets (with a stride of 0, two of them) into bytes. */
export function compareBytes(
  wanted: u32,
  aOffsets: usize, aStride: usize, aBytes: usize,
  bOffsets: usize, bStride: usize, bBytes: usize,
  n: i32, out: usize,
): void {
  let byte: u32 = 0
  for (let i = 0; i < n; i++) {
    const aStart = load<i32>(aOffsets)
    const bStart = load<i32>(bOffsets)
    const aLength = load<i32>(aOffsets, 4) - aStart
    const bLength = load<i32>(bOffsets, 4) - bStart
    let bit: u32
    if ((wanted == 2 || wanted == 5) && aLength != bLength) bit = <u32>(wanted == 5)
    else bit = (wanted >> orderBytes(aBytes + <usize>aStart, aLength, bBytes + <usize>bStart, bLength)) & 1
    byte |= bit << (i & 7)
    if ((i & 7) == 7) {
      store<u8>(out++, byte)
      byte = 0
    }
    aOffsets += aStride
    bOffsets += bStride
  }
  if (n & 7) store<u8>(out, byte)
}

/** Whether each of `n` int64 is among the `m` sorted ones at `list`. */
export function inI64(a: usize, n: i32, list: usize, m: i32, out: usize): void {
  let byte: u32 = 0
  for (let i = 0; i < n; i++) {
    const x = load<i64>(a + ((<usize>i) << 3))
    let low = 0
    let high = m
    while (low < high) {
      const middle = (low + high) >>> 1
      if (load<i64>(list + ((<usize>middle) << 3)) < x) low = middle + 1
      else high = middle
    }
    if (low < m && load<i64>(list + ((<usize>low) << 3)) == x) byte |= 1 << (i & 7)
    if ((i & 7) == 7) {
      store<u8>(out++, byte)
      byte = 0
    }
  }
  if (n & 7) store<u8>(out, byte)
}

/** Whether each of `n` texts is among the `m` sorted ones of the list. */
export function inBytes(offsets: usize, bytes: usize, n: i32, listOffsets: usize, listBytes: usize, m: i32, out: usize): void {
  let byte: u32 = 0
  for (let i = 0; i < n; i++) {
    const start = load<i32>(offsets + ((<usize>i) << 2))
    const length = load<i32>(offsets + ((<usize>i) << 2), 4) - start
    let low = 0
    let high = m
    let found: u32 = 0
    while (low < high) {
      const middle = (low + high) >>> 1
      const at = load<i32>(listOffsets + ((<usize>middle) << 2))
      const size = load<i32>(listOffsets + ((<usize>middle) << 2), 4) - at
      const order = orderBytes(listBytes + <usize>at, size, bytes + <usize>start, length)
      if (order == 1) {
        found = 1
        low = high
      } else if (order == 0) low = middle + 1
      else high = middle
    }
    byte |= found << (i & 7)
    if ((i & 7) == 7) {
      store<u8>(out++, byte)
      byte = 0
    }
  }
  if (n & 7) store<u8>(out, byte)
}
