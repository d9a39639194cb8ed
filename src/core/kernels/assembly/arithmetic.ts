// Arithmetic over `n` values at `a` and `b`, or the one value there where the stride is 0, into `n` at `out`.
// Kernels that can fail return the first row, not null by `valid`, that does, or -1. A failing row's result is
// unspecified, as is a null's. `valid` is 0 where there are no nulls.

@inline
function isValid(valid: usize, i: i32): bool {
  return valid == 0 || ((load<u8>(valid + ((<usize>i) >> 3)) >> (<u8>(i & 7))) & 1) != 0
}

export function addI64(a: usize, aStride: usize, b: usize, bStride: usize, valid: usize, n: i32, out: usize): i32 {
  for (let i = 0; i < n; i++) {
    const x = load<i64>(a)
    const y = load<i64>(b)
    const sum = x + y
    if (((x ^ sum) & (y ^ sum)) < 0 && isValid(valid, i)) return i
    store<i64>(out, sum)
    a += aStride
    b += bStride
    out += 8
  }
  return -1
}

export function subtractI64(a: usize, aStride: usize, b: usize, bStride: usize, valid: usize, n: i32, out: usize): i32 {
  for (let i = 0; i < n; i++) {
    const x = load<i64>(a)
    const y = load<i64>(b)
    const difference = x - y
    if (((x ^ y) & (x ^ difference)) < 0 && isValid(valid, i)) return i
    store<i64>(out, difference)
    a += aStride
    b += bStride
    out += 8
  }
  return -1
}

/** Whether the product of two int64 leaves int64. */
@inline
function productOverflows(x: i64, y: i64): bool {
  // Products of 31-bit factors fit; the rest is settled by dividing back.
  if (<i64>(<i32>x) == x && <i64>(<i32>y) == y) return false
  if (x == 0 || y == 0) return false
  if ((x == -1 && y == i64.MIN_VALUE) || (y == -1 && x == i64.MIN_VALUE)) return true
  return (x * y) / y != x
}

export function multiplyI64(a: usize, aStride: usize, b: usize, bStride: usize, valid: usize, n: i32, out: usize): i32 {
  for (let i = 0; i < n; i++) {
    const x = load<i64>(a)
    const y = load<i64>(b)
    if (productOverflows(x, y) && isValid(valid, i)) return i
    store<i64>(out, x * y)
    a += aStride
    b += bStride
    out += 8
  }
  return -1
}

/** The remainder with the dividend's sign; where the divisor is 0, 0 and a cleared bit in `outValid` (all set or copied before). */
export function remainderI64(a: usize, aStride: usize, b: usize, bStride: usize, n: i32, out: usize, outValid: usize): void {
  for (let i = 0; i < n; i++) {
    const x = load<i64>(a)
    const y = load<i64>(b)
    let rest: i64 = 0
    if (y == 0) {
      const at = outValid + ((<usize>i) >> 3)
      store<u8>(at, <u32>load<u8>(at) & ~(1 << (i & 7)))
    } else if (y != -1) rest = x % y
    store<i64>(out, rest)
    a += aStride
    b += bStride
    out += 8
  }
}

/** `operator`: 0 add, 1 subtract, 2 multiply, 3 divide, 4 remainder with the dividend's sign. */
export function arithmeticF64(operator: i32, a: usize, aStride: usize, b: usize, bStride: usize, n: i32, out: usize): void {
  if (operator == 0) {
    for (let i = 0; i < n; i++) {
      store<f64>(out + ((<usize>i) << 3), load<f64>(a) + load<f64>(b))
      a += aStride
      b += bStride
    }
  } else if (operator == 1) {
    for (let i = 0; i < n; i++) {
      store<f64>(out + ((<usize>i) << 3), load<f64>(a) - load<f64>(b))
      a += aStride
      b += bStride
    }
  } else if (operator == 2) {
    for (let i = 0; i < n; i++) {
      store<f64>(out + ((<usize>i) << 3), load<f64>(a) * load<f64>(b))
      a += aStride
      b += bStride
    }
  } else if (operator == 3) {
    for (let i = 0; i < n; i++) {
      store<f64>(out + ((<usize>i) << 3), load<f64>(a) / load<f64>(b))
      a += aStride
      b += bStride
    }
  } else {
    for (let i = 0; i < n; i++) {
      store<f64>(out + ((<usize>i) << 3), NativeMath.mod(load<f64>(a), load<f64>(b)))
      a += aStride
      b += bStride
    }
  }
}

/** For each row the value at `a` where the bit of `mask` is set, else that at `b`; `width` 1, 2, 4, 8 or 16 bytes. */
export function pick(mask: usize, a: usize, aStride: usize, b: usize, bStride: usize, n: i32, width: i32, out: usize): void {
  for (let i = 0; i < n; i++) {
    const from = isValid(mask, i) ? a : b
    if (width == 8) store<u64>(out, load<u64>(from))
    else if (width == 4) store<u32>(out, load<u32>(from))
    else if (width == 16) v128.store(out, v128.load(from))
    else if (width == 2) store<u16>(out, load<u16>(from))
    else store<u8>(out, load<u8>(from))
    a += aStride
    b += bStride
    out += <usize>width
  }
}
