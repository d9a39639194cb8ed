// Conversions between numbers over `n` values, densely laid out. A kernel that can fail returns the first row,
// not null by `valid`, whose value the target cannot hold, or -1; with `drop` it clears that row's bit in
// `valid` instead and goes on. `valid` is 0 where there are no nulls (and then `drop` is 0).
import { lost } from './lost'

@inline
function spread<S, D>(a: usize, n: i32, out: usize): void {
  for (let i = 0; i < n; i++) store<D>(out + <usize>i * sizeof<D>(), <D>load<S>(a + <usize>i * sizeof<S>()))
}

// `kind` names the narrower type: 0 i8, 1 i16, 2 i32, 3 i64, 4 u8, 5 u16, 6 u32, 7 u64, 8 f32, 9 f64.

/** To int64, of anything it surely holds. */
export function widenI64(kind: i32, a: usize, n: i32, out: usize): void {
  if (kind == 0) spread<i8, i64>(a, n, out)
  else if (kind == 1) spread<i16, i64>(a, n, out)
  else if (kind == 2) spread<i32, i64>(a, n, out)
  else if (kind == 4) spread<u8, i64>(a, n, out)
  else if (kind == 5) spread<u16, i64>(a, n, out)
  else if (kind == 6) spread<u32, i64>(a, n, out)
  else memory.copy(out, a, (<usize>n) << 3)
}

/** To double, of any kind; int64 beyond 2^53 is rounded. */
export function widenF64(kind: i32, a: usize, n: i32, out: usize): void {
  if (kind == 0) spread<i8, f64>(a, n, out)
  else if (kind == 1) spread<i16, f64>(a, n, out)
  else if (kind == 2) spread<i32, f64>(a, n, out)
  else if (kind == 3) spread<i64, f64>(a, n, out)
  else if (kind == 4) spread<u8, f64>(a, n, out)
  else if (kind == 5) spread<u16, f64>(a, n, out)
  else if (kind == 6) spread<u32, f64>(a, n, out)
  else if (kind == 7) spread<u64, f64>(a, n, out)
  else if (kind == 8) spread<f32, f64>(a, n, out)
  else memory.copy(out, a, (<usize>n) << 3)
}

@inline
function narrowTo<D>(a: usize, n: i32, valid: usize, drop: i32, out: usize): i32 {
  for (let i = 0; i < n; i++) {
    const value = load<i64>(a + ((<usize>i) << 3))
    const narrow = <D>value
    if (<i64>narrow != value && lost(valid, i, drop)) return i
    store<D>(out + <usize>i * sizeof<D>(), narrow)
  }
  return -1
}

/** From int64 to integers of another kind; int64 to uint64 and back refuse what changes sign. */
export function narrowI64(kind: i32, a: usize, n: i32, valid: usize, drop: i32, out: usize): i32 {
  if (kind == 0) return narrowTo<i8>(a, n, valid, drop, out)
  if (kind == 1) return narrowTo<i16>(a, n, valid, drop, out)
  if (kind == 2) return narrowTo<i32>(a, n, valid, drop, out)
  if (kind == 4) return narrowTo<u8>(a, n, valid, drop, out)
  if (kind == 5) return narrowTo<u16>(a, n, valid, drop, out)
  if (kind == 6) return narrowTo<u32>(a, n, valid, drop, out)
  for (let i = 0; i < n; i++) {
    const value = load<i64>(a + ((<usize>i) << 3))
    if (value < 0 && lost(valid, i, drop)) return i
    store<i64>(out + ((<usize>i) << 3), value)
  }
  return -1
}

export function narrowF32(a: usize, n: i32, out: usize): void {
  spread<f64, f32>(a, n, out)
}

/** From double to int64, halves to even; NaN and what is out of range fail. */
export function roundF64(a: usize, n: i32, valid: usize, drop: i32, out: usize): i32 {
  for (let i = 0; i < n; i++) {
    const value = nearest<f64>(load<f64>(a + ((<usize>i) << 3)))
    let whole: i64 = 0
    if (value >= -9223372036854775808.0 && value < 9223372036854775808.0) whole = <i64>value
    else if (lost(valid, i, drop)) return i
    store<i64>(out + ((<usize>i) << 3), whole)
  }
  return -1
}

/** int64 times a positive factor, then divided by a positive divisor and rounded down. */
export function rescaleI64(a: usize, n: i32, multiply: i64, divide: i64, valid: usize, drop: i32, out: usize): i32 {
  const most = i64.MAX_VALUE / multiply
  const least = i64.MIN_VALUE / multiply
  for (let i = 0; i < n; i++) {
    const value = load<i64>(a + ((<usize>i) << 3))
    let result: i64 = 0
    if (value <= most && value >= least) {
      const product = value * multiply
      result = product / divide
      if (product % divide < 0) result -= 1
    } else if (lost(valid, i, drop)) return i
    store<i64>(out + ((<usize>i) << 3), result)
  }
  return -1
}

/** Doubles as int64 that are equal just where the doubles are: one NaN, one zero. */
export function keysF64(a: usize, n: i32, out: usize): void {
  for (let i = 0; i < n; i++) {
    const value = load<f64>(a + ((<usize>i) << 3))
    const key: i64 = value != value ? 0x7ff8000000000000 : value == 0 ? 0 : reinterpret<i64>(value)
    store<i64>(out + ((<usize>i) << 3), key)
  }
}
