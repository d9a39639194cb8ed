/**
 * Numbering the distinct values of a column in order of first appearance, through an open-addressing hash
 * table with linear probing.
 *
 * Bounds: `table` has `mask + 1` slots of 4 bytes (a power of two, at least twice `limit`), `codes` has room
 * for `count` numbers and `rows` for `limit`. The table is cleared here. A slot holds a number + 1; `rows`
 * holds, for each distinct value, the first row that has it. Nulls (validity bit 0; `bits` 0: none) get
 * number 0 and values begin at `base`; the result is the count of distinct values, or -1 once there are more
 * than `limit`.
 */

// @ts-ignore: decorator
@inline
function valid(bits: usize, at: i32): bool {
  return bits == 0 || ((load<u8>(bits + (<usize>at >> 3)) >> (<u8>(at & 7))) & 1) != 0
}

/** The finaliser of MurmurHash3 (Austin Appleby, public domain): every input bit changes every output bit. */
// @ts-ignore: decorator
@inline
function mix(key: u64): u64 {
  let k = key
  k ^= k >> 33
  k *= 0xff51afd7ed558ccd
  k ^= k >> 33
  k *= 0xc4ceb9fe1a85ec53
  k ^= k >> 33
  return k
}

export function distinct32(
  values: usize,
  bits: usize,
  bitOffset: i32,
  count: i32,
  base: i32,
  limit: i32,
  table: usize,
  mask: u32,
  codes: usize,
  rows: usize,
): i32 {
  memory.fill(table, 0, (<usize>mask + 1) << 2)
  let found = 0
  for (let i = 0; i < count; i++) {
    const out = codes + ((<usize>i) << 2)
    if (!valid(bits, i + bitOffset)) {
      store<i32>(out, 0)
      continue
    }
    const value = load<u32>(values + ((<usize>i) << 2))
    let slot = <u32>mix(value) & mask
    let held = load<u32>(table + ((<usize>slot) << 2))
    while (held != 0) {
      const row = load<u32>(rows + ((<usize>held - 1) << 2))
      if (load<u32>(values + ((<usize>row) << 2)) == value) break
      slot = (slot + 1) & mask
      held = load<u32>(table + ((<usize>slot) << 2))
    }
    if (held == 0) {
      if (found == limit) return -1
      store<u32>(rows + ((<usize>found) << 2), i)
      held = ++found
      store<u32>(table + ((<usize>slot) << 2), held)
    }
    store<i32>(out, <i32>held - 1 + base)
  }
  return found
}

export function distinct64(
  values: usize,
  bits: usize,
  bitOffset: i32,
  count: i32,
  base: i32,
  limit: i32,
  table: usize,
  mask: u32,
  codes: usize,
  rows: usize,
): i32 {
  memory.fill(table, 0, (<usize>mask + 1) << 2)
  let found = 0
  for (let i = 0; i < count; i++) {
    const out = codes + ((<usize>i) << 2)
    if (!valid(bits, i + bitOffset)) {
      store<i32>(out, 0)
      continue
    }
    const value = load<u64>(values + ((<usize>i) << 3))
    let slot = <u32>mix(value) & mask
    let held = load<u32>(table + ((<usize>slot) << 2))
    while (held != 0) {
      const row = load<u32>(rows + ((<usize>held - 1) << 2))
      if (load<u64>(values + ((<usize>row) << 3)) == value) break
      slot = (slot + 1) & mask
      held = load<u32>(table + ((<usize>slot) << 2))
    }
    if (held == 0) {
      if (found == limit) return -1
      store<u32>(rows + ((<usize>found) << 2), i)
      held = ++found
      store<u32>(table + ((<usize>slot) << 2), held)
    }
    store<i32>(out, <i32>held - 1 + base)
  }
  return found
}

/** The same for byte strings: `offsets` has count + 1 numbers into `bytes`. */
export function distinctBytes(
  offsets: usize,
  bytes: usize,
  bits: usize,
  bitOffset: i32,
  count: i32,
  base: i32,
  limit: i32,
  table: usize,
  mask: u32,
  codes: usize,
  rows: usize,
): i32 {
  memory.fill(table, 0, (<usize>mask + 1) << 2)
  let found = 0
  for (let i = 0; i < count; i++) {
    const out = codes + ((<usize>i) << 2)
    if (!valid(bits, i + bitOffset)) {
      store<i32>(out, 0)
      continue
    }
    const from = load<i32>(offsets + ((<usize>i) << 2))
    const length = load<i32>(offsets + ((<usize>i) << 2) + 4) - from
    const start = bytes + <usize>from
    let slot = <u32>hashBytes(start, length) & mask
    let held = load<u32>(table + ((<usize>slot) << 2))
    while (held != 0) {
      const at = offsets + ((<usize>load<u32>(rows + ((<usize>held - 1) << 2))) << 2)
      const other = load<i32>(at)
      if (load<i32>(at + 4) - other == length && equalBytes(start, bytes + <usize>other, length)) break
      slot = (slot + 1) & mask
      held = load<u32>(table + ((<usize>slot) << 2))
    }
    if (held == 0) {
      if (found == limit) return -1
      store<u32>(rows + ((<usize>found) << 2), i)
      held = ++found
      store<u32>(table + ((<usize>slot) << 2), held)
    }
    store<i32>(out, <i32>held - 1 + base)
  }
  return found
}

function hashBytes(start: usize, length: i32): u64 {
  let hash: u64 = mix(<u64>length + 1)
  let i = 0
  while (i + 8 <= length) {
    hash = mix(hash ^ load<u64>(start + <usize>i))
    i += 8
  }
  let rest: u64 = 0
  while (i < length) {
    rest = (rest << 8) | <u64>load<u8>(start + <usize>i)
    i++
  }
  return mix(hash ^ rest)
}

function equalBytes(a: usize, b: usize, length: i32): bool {
  let i = 0
  while (i + 8 <= length) {
    if (load<u64>(a + <usize>i) != load<u64>(b + <usize>i)) return false
    i += 8
  }
  while (i < length) {
    if (load<u8>(a + <usize>i) != load<u8>(b + <usize>i)) return false
    i++
  }
  return true
}
