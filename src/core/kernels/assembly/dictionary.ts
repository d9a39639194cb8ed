/**
 * Dictionaries: numbering distinct values in order of first appearance. Open addressing with linear probing;
 * a slot holds code + 1, 0 being empty. The table has `2^tableBits` slots, cleared by the caller before the
 * first call and at least twice as many as `limit`. Calls continue where the last one stopped: `distinct` is
 * what that one returned. They return -1 instead of a number above `limit`.
 */
import { spanAt, spanLength } from './spans'

const GOLDEN: u64 = 0x9e3779b97f4a7c15

function build<T>(values: usize, count: i32, table: usize, tableBits: i32, distinct: i32, limit: i32, dictionary: usize, codes: usize): i32 {
  const mask = (1 << tableBits) - 1
  const shift = <u64>(64 - tableBits)
  for (let i = 0; i < count; i++) {
    const value = load<T>(values + (<usize>i) * sizeof<T>())
    let slot = <i32>(((<u64>value) * GOLDEN) >> shift)
    let code = load<i32>(table + ((<usize>slot) << 2)) - 1
    while (code >= 0 && load<T>(dictionary + (<usize>code) * sizeof<T>()) != value) {
      slot = (slot + 1) & mask
      code = load<i32>(table + ((<usize>slot) << 2)) - 1
    }
    if (code < 0) {
      if (distinct == limit) return -1
      code = distinct++
      store<i32>(table + ((<usize>slot) << 2), distinct)
      store<T>(dictionary + (<usize>code) * sizeof<T>(), value)
    }
    store<i32>(codes + ((<usize>i) << 2), code)
  }
  return distinct
}

/** Distinct 32-bit patterns: `dictionary` has room for `limit` values, `codes` for `count`. */
export function buildDictionary32(values: usize, count: i32, table: usize, tableBits: i32, distinct: i32, limit: i32, dictionary: usize, codes: usize): i32 {
  return build<u32>(values, count, table, tableBits, distinct, limit, dictionary, codes)
}

/** Distinct 64-bit patterns. */
export function buildDictionary64(values: usize, count: i32, table: usize, tableBits: i32, distinct: i32, limit: i32, dictionary: usize, codes: usize): i32 {
  return build<u64>(values, count, table, tableBits, distinct, limit, dictionary, codes)
}

@inline
function mix(hash: u64, word: u64): u64 {
  const product = (hash ^ word) * GOLDEN
  return product ^ (product >> 29)
}

/** Reads the string's own bytes only: the last words overlap. */
@inline
function hashBytes(value: usize, length: usize): u64 {
  let hash = (<u64>length) * GOLDEN
  if (length >= 8) {
    const last = value + length - 8
    while (value < last) {
      hash = mix(hash, load<u64>(value))
      value += 8
    }
    return mix(hash, load<u64>(last)) * GOLDEN
  }
  if (length >= 4) {
    return mix(hash, (<u64>load<u32>(value)) | ((<u64>load<u32>(value + length - 4)) << 32)) * GOLDEN
  }
  if (length == 0) return hash
  const word = (<u64>load<u8>(value)) | ((<u64>load<u8>(value + (length >> 1))) << 8) | ((<u64>load<u8>(value + length - 1)) << 16)
  return mix(hash, word) * GOLDEN
}

@inline
function sameBytes(a: usize, b: usize, length: usize): bool {
  if (length >= 8) {
    const last = length - 8
    let i: usize = 0
    while (i < last) {
      if (load<u64>(a + i) != load<u64>(b + i)) return false
      i += 8
    }
    return load<u64>(a + last) == load<u64>(b + last)
  }
  if (length >= 4) {
    return load<u32>(a) == load<u32>(b) && load<u32>(a + length - 4) == load<u32>(b + length - 4)
  }
  for (let i: usize = 0; i < length; i++) if (load<u8>(a + i) != load<u8>(b + i)) return false
  return true
}

/** Distinct byte strings. Slots are 8 bytes: code + 1 and 32 bits of the hash. `dictionary` receives spans. */
export function buildDictionarySpans(spans: usize, count: i32, table: usize, tableBits: i32, distinct: i32, limit: i32, dictionary: usize, codes: usize): i32 {
  const mask = (1 << tableBits) - 1
  const shift = <u64>(64 - tableBits)
  for (let i = 0; i < count; i++) {
    const value = spanAt(spans, i)
    const length = spanLength(spans, i)
    const hash = hashBytes(value, <usize>length)
    const tag = <u32>hash
    let slot = <i32>(hash >> shift)
    let code = -1
    while (true) {
      const entry = table + ((<usize>slot) << 3)
      code = load<i32>(entry) - 1
      if (code < 0) {
        if (distinct == limit) return -1
        code = distinct++
        store<i32>(entry, distinct)
        store<u32>(entry, tag, 4)
        store<u64>(dictionary + ((<usize>code) << 3), load<u64>(spans + ((<usize>i) << 3)))
        break
      }
      if (
        load<u32>(entry, 4) == tag &&
        spanLength(dictionary, code) == length &&
        sameBytes(spanAt(dictionary, code), value, <usize>length)
      ) break
      slot = (slot + 1) & mask
    }
    store<i32>(codes + ((<usize>i) << 2), code)
  }
  return distinct
}

/**
 * Renumbers the valid codes among `count` from `distinct` on, in order of first appearance, and drops the
 * others: `map` has one entry per value of the dictionary, 0 at first, then its number + 1; `used[n]` becomes the code that got
 * number n. `bits` is a bitmap (0: all valid) from bit `from` on. Returns the next number, or -1 for a code
 * outside the dictionary.
 */
export function compactCodes(codes: usize, bits: usize, from: i32, count: i32, map: usize, size: u32, used: usize, distinct: i32, out: usize): i32 {
  for (let i = 0; i < count; i++) {
    const bit = from + i
    if (bits != 0 && ((load<u8>(bits + ((<usize>bit) >> 3)) >> (<u8>(bit & 7))) & 1) == 0) continue
    const code = load<u32>(codes + ((<usize>i) << 2))
    if (code >= size) return -1
    const entry = map + ((<usize>code) << 2)
    let number = load<i32>(entry) - 1
    if (number < 0) {
      number = distinct++
      store<i32>(entry, distinct)
      store<u32>(used + ((<usize>number) << 2), code)
    }
    store<i32>(out, number)
    out += 4
  }
  return distinct
}

/**
 * Each code that occurs among `count`, once, in order of first appearance. `stamps` has an entry for every code;
 * one that equals `epoch` has been seen. Returns how many.
 */
export function distinctCodes(codes: usize, count: i32, stamps: usize, epoch: i32, out: usize): i32 {
  let found = 0
  for (let i = 0; i < count; i++) {
    const code = load<u32>(codes + ((<usize>i) << 2))
    const stamp = stamps + ((<usize>code) << 2)
    if (load<i32>(stamp) == epoch) continue
    store<i32>(stamp, epoch)
    store<u32>(out + ((<usize>found) << 2), code)
    found++
  }
  return found
}

/**
 * {@link compactCodes} that keeps null rows, with the code 0: `out` has a code for each of the `count` rows.
 * Returns the number of codes that occur, or -1 for one outside the dictionary.
 */
export function renumberCodes(codes: usize, bits: usize, from: i32, count: i32, map: usize, size: u32, used: usize, out: usize): i32 {
  let distinct = 0
  for (let i = 0; i < count; i++) {
    const bit = from + i
    let number = 0
    if (bits == 0 || ((load<u8>(bits + ((<usize>bit) >> 3)) >> (<u8>(bit & 7))) & 1) != 0) {
      const code = load<u32>(codes + ((<usize>i) << 2))
      if (code >= size) return -1
      const entry = map + ((<usize>code) << 2)
      number = load<i32>(entry) - 1
      if (number < 0) {
        number = distinct++
        store<i32>(entry, distinct)
        store<u32>(used + ((<usize>number) << 2), code)
      }
    }
    store<i32>(out + ((<usize>i) << 2), number)
  }
  return distinct
}

/**
 * Looks the valid codes among `count` up in a table of `size` new ones; null rows get 0. Returns `count`, or -1 for
 * a code that is not below `size`. `out` may be `codes`.
 */
export function translateCodes(codes: usize, bits: usize, from: i32, table: usize, size: u32, count: i32, out: usize): i32 {
  for (let i = 0; i < count; i++) {
    const bit = from + i
    let number: u32 = 0
    if (bits == 0 || ((load<u8>(bits + ((<usize>bit) >> 3)) >> (<u8>(bit & 7))) & 1) != 0) {
      const code = load<u32>(codes + ((<usize>i) << 2))
      if (code >= size) return -1
      number = load<u32>(table + ((<usize>code) << 2))
    }
    store<u32>(out + ((<usize>i) << 2), number)
  }
  return count
}
