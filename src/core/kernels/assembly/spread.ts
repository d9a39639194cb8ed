// Between the dense values of a page and rows with nulls, and from dictionary codes to values. A call writes `rows`
// (or `count`) values, and `rows` + 1 offsets. There are as many dense values as set bits in the validity of the
// rows: who decoded the levels has counted them.
import { bitAt, putBit } from './bits'

/**
 * Moves the `dense` values at the start of `values` to the rows whose bit of `validity` is set, in place, and
 * clears the other rows. From the last row backwards a value never moves to a lower index, so nothing is
 * overwritten before it was read; once the indices meet, the rest is in place.
 */
@inline
function spread<T>(values: usize, validity: usize, rows: i32, dense: i32): void {
  while (rows > dense && dense > 0) {
    let count = 1
    if ((rows & 7) == 0 && dense >= 8) count = 8 // bits of one byte
    const bits = <u32>load<u8>(validity + ((<usize>(rows - 1)) >> 3)) << (24 + ((8 - rows) & 7))
    dense = spreadByte<T>(values, bits, rows, dense, count)
    rows -= count
  }
  if (dense == 0) memory.fill(values, 0, (<usize>rows) * sizeof<T>())
}

/** Spreads `count` rows that end at `rows`, whose validity begins at the top of `bits`, last one first. */
@inline
function spreadByte<T>(values: usize, bits: u32, rows: i32, dense: i32, count: i32): i32 {
  let target = values + (<usize>rows) * sizeof<T>()
  for (let i = 0; i < count; i++) {
    const bit = <i32>(bits >> 31)
    bits <<= 1
    dense -= bit
    target -= sizeof<T>()
    store<T>(target, select<T>(load<T>(values + (<usize>dense) * sizeof<T>()), 0, bit))
  }
  return dense
}

/** Spreads values of `width` bytes: 1, 2, 4, 8 fast, any other by copying. */
export function spreadValues(values: usize, width: i32, validity: usize, rows: i32, dense: i32): void {
  if (width == 4) return spread<u32>(values, validity, rows, dense)
  if (width == 8) return spread<u64>(values, validity, rows, dense)
  if (width == 1) return spread<u8>(values, validity, rows, dense)
  if (width == 2) return spread<u16>(values, validity, rows, dense)
  const size = <usize>width
  while (rows > dense && dense > 0) {
    rows--
    const target = values + (<usize>rows) * size
    if (bitAt(validity, rows)) memory.copy(target, values + (<usize>(--dense)) * size, size)
    else memory.fill(target, 0, size)
  }
  if (dense == 0) memory.fill(values, 0, (<usize>rows) * size)
}

/** The same for bits: those at `source` go to the valid rows among bits of `target` from bit `to` on. */
export function spreadBits(source: usize, validity: usize, rows: i32, target: usize, to: i32): void {
  let dense = 0
  for (let row = 0; row < rows; row++) {
    let bit = 0
    if (bitAt(validity, row)) bit = bitAt(source, dense++)
    putBit(target, to + row, bit)
  }
}

/**
 * Turns the offsets of dense values into those of rows: row r of `rows` begins at
 * `base + offsets[k] - offsets[0]`, where k counts the valid rows before it from bit `from` of `validity` on.
 * Writes `rows` + 1 offsets.
 */
export function spreadOffsets(
  offsets: usize,
  validity: usize,
  from: i32,
  rows: i32,
  target: usize,
  base: i32,
): void {
  const shift = base - load<i32>(offsets)
  store<i32>(target, base)
  for (let row = 0; row < rows; row++) {
    offsets += (<usize>bitAt(validity, from + row)) << 2
    target += 4
    store<i32>(target, load<i32>(offsets) + shift)
  }
}

/** Adds `shift` to `count` offsets. */
export function shiftOffsets(offsets: usize, count: i32, shift: i32, target: usize): void {
  for (let i = 0; i < count; i++) {
    store<i32>(target + ((<usize>i) << 2), load<i32>(offsets + ((<usize>i) << 2)) + shift)
  }
}

@inline
function gather<T>(codes: usize, count: i32, dictionary: usize, target: usize): void {
  for (let i = 0; i < count; i++) {
    const code = <usize>load<u32>(codes + ((<usize>i) << 2))
    store<T>(target + (<usize>i) * sizeof<T>(), load<T>(dictionary + code * sizeof<T>()))
  }
}

/** Looks `count` codes up in a dictionary of values of `width` bytes. The codes have been range-checked. */
export function gatherValues(codes: usize, count: i32, dictionary: usize, width: i32, target: usize): void {
  if (width == 4) return gather<u32>(codes, count, dictionary, target)
  if (width == 8) return gather<u64>(codes, count, dictionary, target)
  if (width == 1) return gather<u8>(codes, count, dictionary, target)
  if (width == 2) return gather<u16>(codes, count, dictionary, target)
  const size = <usize>width
  for (let i = 0; i < count; i++) {
    const code = <usize>load<u32>(codes + ((<usize>i) << 2))
    memory.copy(target, dictionary + code * size, size)
    target += size
  }
}
