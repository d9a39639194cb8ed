/**
 * Choosing values of a page by position, so that the others need not be decoded. Positions are 32-bit numbers in
 * ascending order; the caller made them, and checked them against the values that the page holds. What comes from
 * a file (runs, see Encodings.md, "RLE = 3") is bounded by `end`.
 */
import { bitAt, putBit } from './bits'
import { nextRun, runHeader } from './rle'

/**
 * Rows to dense values: for those rows at `positions` whose bit of `validity` is set, the number of set bits
 * before it goes to `dense`; bit i of `bits` (cleared by the caller) says whether row i has a value. Returns how
 * many have.
 */
export function densePositions(validity: usize, positions: usize, count: i32, dense: usize, bits: usize): i32 {
  let kept = 0
  let at = 0
  let before = 0
  for (let i = 0; i < count; i++) {
    const row = load<i32>(positions + ((<usize>i) << 2))
    while (at + 64 <= row) {
      before += <i32>popcnt<u64>(load<u64>(validity + ((<usize>at) >> 3)))
      at += 64
    }
    let rank = before
    let byte = at
    while (byte + 8 <= row) {
      rank += <i32>popcnt<u32>(<u32>load<u8>(validity + ((<usize>byte) >> 3)))
      byte += 8
    }
    const last = <u32>load<u8>(validity + ((<usize>row) >> 3))
    rank += <i32>popcnt<u32>(last & ((1 << (row & 7)) - 1))
    const bit = bitAt(validity, row)
    putBit(bits, i, bit)
    store<i32>(dense + ((<usize>kept) << 2), rank)
    kept += bit
  }
  return kept
}

/**
 * The values at `positions` of the RLE / bit-packing hybrid, as 32-bit integers. Returns the largest of them,
 * unsigned, or -1 if the runs end before the last position.
 */
export function rleChosen(source: usize, end: usize, bitWidth: i32, positions: usize, count: i32, target: usize): i32 {
  if (bitWidth < 0 || bitWidth > 32) return -1
  if (bitWidth == 0) {
    memory.fill(target, 0, (<usize>count) << 2)
    return 0
  }
  const valueBytes = <usize>((bitWidth + 7) >> 3)
  const mask: u64 = ((<u64>1) << <u64>bitWidth) - 1
  const last = positions + ((<usize>count) << 2)
  let largest: u32 = 0
  let first: i64 = 0
  while (positions < last) {
    const header = runHeader(source, end)
    if (header < 0) return -1
    source = nextRun()
    const after = first + ((header >> 1) << <i64>((<i32>header & 1) * 3))
    if (header & 1) {
      while (positions < last && <i64>load<u32>(positions) < after) {
        const bit = (<i64>load<u32>(positions) - first) * <i64>bitWidth
        const skipped = bit >> 3
        const bytes = ((bit & 7) + <i64>bitWidth + 7) >> 3
        if (skipped + bytes > <i64>(end - source)) return -1
        const address = source + <usize>skipped
        let word: u64 = 0
        for (let i: usize = 0; i < <usize>bytes; i++) word |= (<u64>load<u8>(address + i)) << <u64>(i << 3)
        const value = <u32>((word >> <u64>(bit & 7)) & mask)
        largest = max<u32>(largest, value)
        store<u32>(target, value)
        positions += 4
        target += 4
      }
      // The last run's padding may be left out.
      source += <usize>min<i64>((header >> 1) * <i64>bitWidth, <i64>(end - source))
    } else {
      if (valueBytes > end - source) return -1
      let value: u32 = 0
      for (let i: usize = 0; i < valueBytes; i++) value |= (<u32>load<u8>(source + i)) << <u32>(i << 3)
      source += valueBytes
      while (positions < last && <i64>load<u32>(positions) < after) {
        largest = max<u32>(largest, value)
        store<u32>(target, value)
        positions += 4
        target += 4
      }
    }
    first = after
  }
  return <i32>largest
}

/** Bytes that `chosenPlain` writes: the values at `positions` and 4 bytes for each. */
export function chosenPlainSize(offsets: usize, positions: usize, count: i32): f64 {
  let total: i64 = 0
  for (let i = 0; i < count; i++) {
    const from = offsets + ((<usize>load<u32>(positions + ((<usize>i) << 2))) << 2)
    total += <i64>(load<i32>(from, 4) - load<i32>(from)) + 4
  }
  return <f64>total
}

/**
 * The byte arrays at `positions`, PLAIN: each behind its length. Value i of the source begins at
 * `data + offsets[i] + gap * (i + 1)`, as `copyBytes` has it.
 */
export function chosenPlain(data: usize, gap: i32, offsets: usize, positions: usize, count: i32, target: usize): void {
  for (let i = 0; i < count; i++) {
    const position = <usize>load<u32>(positions + ((<usize>i) << 2))
    const from = offsets + (position << 2)
    const start = load<i32>(from)
    const length = load<i32>(from, 4) - start
    store<i32>(target, length)
    memory.copy(target + 4, data + <usize>start + (<usize>gap) * (position + 1), <usize>length)
    target += 4 + <usize>length
  }
}
