/**
 * Aggregates by group. `groups` holds a 32-bit group for each of `n` rows (0: all are in group 0), `valid` a bitmap
 * (0: nothing is null). A state has an entry for each group, which begins as what changes nothing: 0 for counts and
 * sums, {@link fill64} says what for bounds. Every group is below the number of entries: whoever numbers the rows
 * makes them so.
 */
import { orderBytes, orderI128 } from './order'
import { spanAt, spanLength } from './spans'

@inline
function isValid(valid: usize, i: i32): bool {
  return valid == 0 || ((load<u8>(valid + ((<usize>i) >> 3)) >> (<u8>(i & 7))) & 1) != 0
}

@inline
function groupAt(groups: usize, i: i32): usize {
  return groups == 0 ? 0 : <usize>load<u32>(groups + ((<usize>i) << 2))
}

/** Adds the number of valid rows to 64-bit counts. */
export function countGroups(groups: usize, valid: usize, n: i32, counts: usize): void {
  if (groups == 0) {
    let count: i64 = 0
    for (let i = 0; i < n; i++) count += <i64>isValid(valid, i)
    store<i64>(counts, load<i64>(counts) + count)
    return
  }
  for (let i = 0; i < n; i++) {
    const at = counts + (groupAt(groups, i) << 3)
    store<i64>(at, load<i64>(at) + <i64>isValid(valid, i))
  }
}

/** Adds 64-bit counts to 64-bit counts. */
export function addCounts(groups: usize, values: usize, n: i32, counts: usize): void {
  for (let i = 0; i < n; i++) {
    const at = counts + (groupAt(groups, i) << 3)
    store<i64>(at, load<i64>(at) + load<i64>(values + ((<usize>i) << 3)))
  }
}

@inline
function addWide(at: usize, value: i64, unsigned: bool): void {
  const low = load<u64>(at) + <u64>value
  store<u64>(at, low)
  store<i64>(at, load<i64>(at, 8) + (unsigned ? 0 : value >> 63) + <i64>(low < <u64>value), 8)
}

/** Adds int64, or uint64, to 128-bit sums, which no number of rows that there can be overflows. */
export function sumI64(groups: usize, values: usize, valid: usize, n: i32, unsigned: bool, sums: usize): void {
  for (let i = 0; i < n; i++) {
    if (isValid(valid, i)) addWide(sums + (groupAt(groups, i) << 4), load<i64>(values + ((<usize>i) << 3)), unsigned)
  }
}

/** Adds 128-bit integers; returns the first row whose sum leaves 128 bits, or -1. */
export function sumI128(groups: usize, values: usize, valid: usize, n: i32, sums: usize): i32 {
  for (let i = 0; i < n; i++) {
    if (!isValid(valid, i)) continue
    const at = sums + (groupAt(groups, i) << 4)
    const value = values + ((<usize>i) << 4)
    const low = load<u64>(at) + load<u64>(value)
    const a = load<i64>(at, 8)
    const b = load<i64>(value, 8)
    const high = a + b + <i64>(low < load<u64>(value))
    if (((a ^ high) & (b ^ high)) < 0) return i
    store<u64>(at, low)
    store<i64>(at, high, 8)
  }
  return -1
}

export function sumF64(groups: usize, values: usize, valid: usize, n: i32, sums: usize): void {
  if (groups == 0) {
    // A sum in memory would make each addition wait for the store before it.
    let sum: f64 = 0
    for (let i = 0; i < n; i++) if (isValid(valid, i)) sum += load<f64>(values + ((<usize>i) << 3))
    store<f64>(sums, load<f64>(sums) + sum)
    return
  }
  for (let i = 0; i < n; i++) {
    if (!isValid(valid, i)) continue
    const at = sums + (groupAt(groups, i) << 3)
    store<f64>(at, load<f64>(at) + load<f64>(values + ((<usize>i) << 3)))
  }
}

/** Whether a value takes the place of a bound. NaN is above all other numbers. */
@inline
function replaces<T>(greatest: bool, value: T, bound: T): bool {
  if (greatest) return value > bound || (isFloat<T>() && value != value)
  return value < bound || (isFloat<T>() && bound != bound)
}

@inline
function boundRows<T>(groups: usize, values: usize, valid: usize, n: i32, greatest: bool, bounds: usize): void {
  if (groups == 0) {
    let bound = load<T>(bounds)
    for (let i = 0; i < n; i++) {
      const value = load<T>(values + ((<usize>i) << 3))
      if (isValid(valid, i) && replaces<T>(greatest, value, bound)) bound = value
    }
    store<T>(bounds, bound)
    return
  }
  for (let i = 0; i < n; i++) {
    const at = bounds + (groupAt(groups, i) << 3)
    const value = load<T>(values + ((<usize>i) << 3))
    if (isValid(valid, i) && replaces<T>(greatest, value, load<T>(at))) store<T>(at, value)
  }
}

function boundGroups<T>(groups: usize, values: usize, valid: usize, n: i32, greatest: bool, bounds: usize): void {
  if (greatest) boundRows<T>(groups, values, valid, n, true, bounds)
  else boundRows<T>(groups, values, valid, n, false, bounds)
}

/** Least or greatest values, 8 bytes each. */
export function boundGroupsI64(groups: usize, values: usize, valid: usize, n: i32, greatest: bool, bounds: usize): void {
  boundGroups<i64>(groups, values, valid, n, greatest, bounds)
}

export function boundGroupsU64(groups: usize, values: usize, valid: usize, n: i32, greatest: bool, bounds: usize): void {
  boundGroups<u64>(groups, values, valid, n, greatest, bounds)
}

export function boundGroupsF64(groups: usize, values: usize, valid: usize, n: i32, greatest: bool, bounds: usize): void {
  boundGroups<f64>(groups, values, valid, n, greatest, bounds)
}

/** Sets `n` states of 8 bytes: of least values to the greatest there is (NaN), of greatest to the least. */
export function fill64(at: usize, n: i32, value: u64): void {
  for (let i = 0; i < n; i++) store<u64>(at + ((<usize>i) << 3), value)
}

/** The same for 128-bit integers, the low half first. */
export function boundGroupsI128(groups: usize, values: usize, valid: usize, n: i32, greatest: bool, bounds: usize): void {
  const wanted: u32 = greatest ? 2 : 0
  for (let i = 0; i < n; i++) {
    if (!isValid(valid, i)) continue
    const at = bounds + (groupAt(groups, i) << 4)
    const value = values + ((<usize>i) << 4)
    if (orderI128(value, at) == wanted) v128.store(at, v128.load(value))
  }
}

/** {@link fill64} for 16 bytes. */
export function fill128(at: usize, n: i32, low: u64, high: u64): void {
  for (let i = 0; i < n; i++) {
    store<u64>(at + ((<usize>i) << 4), low)
    store<u64>(at + ((<usize>i) << 4), high, 8)
  }
}

/**
 * The same for byte strings: values are spans, and so are the bounds, which own their bytes; one at address 0 is not
 * there yet. A new bound is written over the old one if it is no longer than that, else at `heap`, where as many
 * bytes as the values have together are free. Returns where the heap goes on.
 */
export function boundGroupsSpans(groups: usize, spans: usize, valid: usize, n: i32, greatest: bool, bounds: usize, heap: usize): usize {
  const wanted: u32 = greatest ? 2 : 0
  for (let i = 0; i < n; i++) {
    if (!isValid(valid, i)) continue
    const value = spanAt(spans, i)
    const length = spanLength(spans, i)
    const at = bounds + (groupAt(groups, i) << 3)
    const old = <usize>load<u32>(at)
    let to = heap
    if (old != 0) {
      const oldLength = load<u32>(at, 4)
      if (orderBytes(value, <i32>length, old, <i32>oldLength) != wanted) continue
      if (length <= oldLength) to = old
    }
    memory.copy(to, value, <usize>length)
    if (to == heap) heap += <usize>length
    store<u32>(at, <u32>to)
    store<u32>(at, length, 4)
  }
  return heap
}

/**
 * Copies the bytes of spans to `to`, one after the other, and points the spans there; those at address 0 stay.
 * Returns the end.
 */
export function moveSpans(spans: usize, n: i32, to: usize): usize {
  for (let i = 0; i < n; i++) {
    const from = spanAt(spans, i)
    if (from == 0) continue
    const length = <usize>spanLength(spans, i)
    memory.copy(to, from, length)
    store<u32>(spans + ((<usize>i) << 3), <u32>to)
    to += length
  }
  return to
}

/** Ascending order of spans by their bytes, or, with `numbers`, of the 128-bit integers that they name: merge sort. */
export function sortSpans(spans: usize, n: i32, numbers: bool, scratch: usize): void {
  let from = spans
  let into = scratch
  let width = 1
  while (width < n) {
    let start = 0
    while (start < n) {
      const middle = min(start + width, n)
      const end = min(middle + width, n)
      let a = start
      let b = middle
      let out = into + ((<usize>start) << 3)
      while (a < middle || b < end) {
        let second = a == middle
        if (!second && b < end) {
          const order = numbers
            ? orderI128(spanAt(from, b), spanAt(from, a))
            : orderBytes(spanAt(from, b), <i32>spanLength(from, b), spanAt(from, a), <i32>spanLength(from, a))
          second = order == 0
        }
        const taken = second ? b++ : a++
        store<u64>(out, load<u64>(from + ((<usize>taken) << 3)))
        out += 8
      }
      start = end
    }
    const other = from
    from = into
    into = other
    // Doubled for the last time it may leave 32 bits.
    if (width > n >> 1) break
    width <<= 1
  }
  if (from != spans) memory.copy(spans, from, (<usize>n) << 3)
}

/** Doubles with one form of zero and of NaN. */
export function canonicalF64(values: usize, n: i32, out: usize): void {
  for (let i = 0; i < n; i++) {
    const value = load<f64>(values + ((<usize>i) << 3))
    store<f64>(out + ((<usize>i) << 3), value != value ? NaN : value + 0.0)
  }
}

/** Sets the codes of nulls to 0. */
export function clearNulls(codes: usize, valid: usize, n: i32): void {
  for (let i = 0; i < n; i++) if (!isValid(valid, i)) store<u32>(codes + ((<usize>i) << 2), 0)
}

/** A bit for each code: whether it is above 0. */
export function validCodes(codes: usize, n: i32, out: usize): void {
  memory.fill(out, 0, (<usize>n + 7) >> 3)
  for (let i = 0; i < n; i++) {
    if (load<u32>(codes + ((<usize>i) << 2)) == 0) continue
    const at = out + ((<usize>i) >> 3)
    store<u8>(at, load<u8>(at) | (<u8>1 << <u8>(i & 7)))
  }
}

/** Halves of 64-bit pairs. */
export function splitPairs(pairs: usize, n: i32, first: usize, second: usize): void {
  for (let i = 0; i < n; i++) {
    const at = (<usize>i) << 2
    store<u32>(first + at, load<u32>(pairs + (at << 1)))
    store<u32>(second + at, load<u32>(pairs + (at << 1), 4))
  }
}

/** The groups that have a row, ascending; returns how many. */
export function liveGroups(counts: usize, n: i32, out: usize): i32 {
  const start = out
  for (let i = 0; i < n; i++) {
    if (load<i64>(counts + ((<usize>i) << 3)) == 0) continue
    store<i32>(out, i)
    out += 4
  }
  return <i32>((out - start) >> 2)
}
