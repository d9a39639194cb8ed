/**
 * Taking rows by index, and the counting sort that orders rows by a small code. Rows mostly come in runs (a
 * filter that keeps nearly all, data sorted by its partition key): sixteen at a time are looked at, and copied as
 * a block where they lie side by side.
 *
 * Bounds: every index is below the number of values of the column it is used on, and every code below
 * `buckets`; the callers made both, they never come from a file.
 */
import { copyShort } from './spans'

@inline
function index(indices: usize, i: i32): usize {
  return <usize>load<u32>(indices + ((<usize>i) << 2))
}

/** Whether the sixteen indices from `i` on are consecutive numbers. */
@inline
function isRun(indices: usize, i: i32): bool {
  const at = indices + ((<usize>i) << 2)
  const first = load<u32>(at)
  if (load<u32>(at, 60) - first != 15) return false
  const base = i32x4.splat(first)
  const a = i32x4.eq(v128.load(at), i32x4.add(base, i32x4(0, 1, 2, 3)))
  const b = i32x4.eq(v128.load(at, 16), i32x4.add(base, i32x4(4, 5, 6, 7)))
  const c = i32x4.eq(v128.load(at, 32), i32x4.add(base, i32x4(8, 9, 10, 11)))
  const d = i32x4.eq(v128.load(at, 48), i32x4.add(base, i32x4(12, 13, 14, 15)))
  return i32x4.all_true(v128.and(v128.and(a, b), v128.and(c, d)))
}

@inline
function take<T>(values: usize, indices: usize, count: i32, out: usize): void {
  const size = sizeof<T>()
  let i = 0
  while (i + 16 <= count) {
    let to = out + (<usize>i) * size
    if (isRun(indices, i)) {
      let from = values + index(indices, i) * size
      const end = to + 16 * size
      while (to < end) {
        v128.store(to, v128.load(from))
        to += 16
        from += 16
      }
    } else {
      const end = i + 16
      for (let j = i; j < end; j++) {
        store<T>(to, load<T>(values + index(indices, j) * size))
        to += size
      }
    }
    i += 16
  }
  while (i < count) {
    store<T>(out + (<usize>i) * size, load<T>(values + index(indices, i) * size))
    i++
  }
}

export function take8(values: usize, indices: usize, count: i32, out: usize): void {
  take<u8>(values, indices, count, out)
}

export function take16(values: usize, indices: usize, count: i32, out: usize): void {
  take<u16>(values, indices, count, out)
}

export function take32(values: usize, indices: usize, count: i32, out: usize): void {
  take<u32>(values, indices, count, out)
}

export function take64(values: usize, indices: usize, count: i32, out: usize): void {
  take<u64>(values, indices, count, out)
}

export function take128(values: usize, indices: usize, count: i32, out: usize): void {
  take<v128>(values, indices, count, out)
}

export function takeWide(values: usize, width: i32, indices: usize, count: i32, out: usize): void {
  const w = <usize>width
  for (let i = 0; i < count; i++) memory.copy(out + (<usize>i) * w, values + index(indices, i) * w, w)
}

/** Takes bits; `bitOffset` is where the first value's bit lies. Whole bytes of `out` are written. */
export function takeBits(bits: usize, bitOffset: i32, indices: usize, count: i32, out: usize): i32 {
  let set = 0
  let byte: u32 = 0
  for (let i = 0; i < count; i++) {
    const at = index(indices, i) + <usize>bitOffset
    const bit = (<u32>load<u8>(bits + (at >> 3)) >> (<u32>at & 7)) & 1
    byte |= bit << (<u32>i & 7)
    set += <i32>bit
    if ((i & 7) == 7) {
      store<u8>(out + ((<usize>i) >> 3), <u8>byte)
      byte = 0
    }
  }
  if ((count & 7) != 0) store<u8>(out + ((<usize>count) >> 3), <u8>byte)
  return set
}

/** Offsets (32-bit, count + 1) of the taken byte strings; returns their bytes, as 64-bit for the caller to check. */
export function takeOffsets(offsets: usize, indices: usize, count: i32, out: usize): f64 {
  let at: i64 = 0
  store<i32>(out, 0)
  for (let i = 0; i < count; i++) {
    const from = offsets + (index(indices, i) << 2)
    at += <i64>(load<i32>(from + 4) - load<i32>(from))
    store<i32>(out + ((<usize>i + 1) << 2), <i32>at)
  }
  return <f64>at
}

/** The bytes for the offsets that `takeOffsets` wrote. */
export function takeBytes(
  bytes: usize,
  offsets: usize,
  indices: usize,
  count: i32,
  outOffsets: usize,
  out: usize,
): void {
  let i = 0
  while (i < count) {
    const from = offsets + (index(indices, i) << 2)
    const start = load<i32>(from)
    const rows = i + 16 <= count && isRun(indices, i) ? 16 : 1
    const length = load<i32>(from + ((<usize>rows) << 2)) - start
    copyShort(out + <usize>load<i32>(outOffsets + ((<usize>i) << 2)), bytes + <usize>start, <usize>length)
    i += rows
  }
}

/**
 * Orders rows by code, keeping the order of rows with equal codes: `starts` (buckets + 1 numbers) receives
 * where each bucket begins in `order`, `order` the row indices.
 */
export function countingSort(codes: usize, count: i32, buckets: i32, starts: usize, order: usize): void {
  memory.fill(starts, 0, (<usize>buckets + 1) << 2)
  for (let i = 0; i < count; i++) {
    const slot = starts + ((<usize>load<u32>(codes + ((<usize>i) << 2)) + 1) << 2)
    store<u32>(slot, load<u32>(slot) + 1)
  }
  for (let b = 0; b < buckets; b++) {
    const slot = starts + ((<usize>b) << 2)
    store<u32>(slot + 4, load<u32>(slot + 4) + load<u32>(slot))
  }
  for (let i = 0; i < count; i++) {
    const slot = starts + ((<usize>load<u32>(codes + ((<usize>i) << 2))) << 2)
    const at = load<u32>(slot)
    store<u32>(order + ((<usize>at) << 2), i)
    store<u32>(slot, at + 1)
  }
  // Each start has moved on to its bucket's end, which is the next one's start.
  memory.copy(starts + 4, starts, (<usize>buckets) << 2)
  store<u32>(starts, 0)
}

/**
 * Where each run of equal codes begins; returns how many runs there are, or -1 if there are more than `most`, for
 * which `starts` has room.
 */
export function codeRuns(codes: usize, count: i32, most: i32, starts: usize): i32 {
  let runs = 0
  let i = 0
  while (i < count) {
    if (runs == most) return -1
    store<i32>(starts + ((<usize>runs) << 2), i)
    runs++
    const code = load<i32>(codes + ((<usize>i) << 2))
    const wanted = i32x4.splat(code)
    while (i + 4 <= count && i32x4.all_true(i32x4.eq(v128.load(codes + ((<usize>i) << 2)), wanted))) i += 4
    while (i < count && load<i32>(codes + ((<usize>i) << 2)) == code) i++
  }
  return runs
}

/** Two keys as one: 64 bits a row, the code in the lower half, `more` in the upper. */
export function pairCodes(codes: usize, more: usize, count: i32, out: usize): void {
  for (let i = 0; i < count; i++) {
    const at = (<usize>i) << 2
    const pair = out + ((<usize>i) << 3)
    store<u32>(pair, load<u32>(codes + at))
    store<u32>(pair, load<u32>(more + at), 4)
  }
}

/** `out[i] = table[codes[i]]`, and `nullCode` where the validity bit is 0 (`bits` 0: no nulls). */
export function mapCodes(
  codes: usize,
  bits: usize,
  bitOffset: i32,
  table: usize,
  nullCode: i32,
  count: i32,
  out: usize,
): void {
  for (let i = 0; i < count; i++) {
    let code = nullCode
    const at = <usize>(i + bitOffset)
    if (bits == 0 || ((load<u8>(bits + (at >> 3)) >> (<u8>(at & 7))) & 1) != 0) {
      code = load<i32>(table + ((<usize>load<u32>(codes + ((<usize>i) << 2))) << 2))
    }
    store<i32>(out + ((<usize>i) << 2), code)
  }
}
