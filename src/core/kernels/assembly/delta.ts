// The DELTA encodings of Encodings.md: DELTA_BINARY_PACKED = 5 bounded by `end` whatever its header claims, the
// lengths of DELTA_LENGTH_BYTE_ARRAY = 6, and DELTA_BYTE_ARRAY = 7. No more than `count` values are written.
import { unpack } from './rle'

/** Position after the number that `varint` read; 0 after a number that is cut off or too long. */
let position: usize = 0

function varint(end: usize): u64 {
  let value: u64 = 0
  let shift: u64 = 0
  let at = position
  while (shift < 70) {
    if (at >= end) break
    const byte = load<u8>(at++)
    value |= (<u64>(byte & 127)) << shift
    if (byte < 128) {
      position = at
      return value
    }
    shift += 7
  }
  position = 0
  return 0
}

@inline
function zigzag(value: u64): i64 {
  return <i64>((value >> 1) ^ (0 - (value & 1)))
}

/** Decodes `count` 32-bit integers to `target`. Returns the bytes used of [source, end), or -1. */
export function deltaToI32(source: usize, end: usize, count: i32, target: usize): i32 {
  return decode<i32>(source, end, count, target)
}

/** Decodes `count` 64-bit integers to `target`. Returns the bytes used of [source, end), or -1. */
export function deltaToI64(source: usize, end: usize, count: i32, target: usize): i32 {
  return decode<i64>(source, end, count, target)
}

/**
 * Sums wrap around as the specification wants. Bit widths up to 64 are read for both types: some writers take
 * differences of 32-bit integers in 64 bits.
 */
function decode<T>(source: usize, end: usize, count: i32, target: usize): i32 {
  position = source
  const blockSize = varint(end)
  if (position == 0) return -1
  const miniblocks = varint(end)
  if (position == 0) return -1
  const total = varint(end)
  if (position == 0) return -1
  let value = zigzag(varint(end))
  if (position == 0) return -1
  if (blockSize > 0x7fffffff || miniblocks == 0 || miniblocks > blockSize || total != <u64>count) return -1
  const perMiniblock = blockSize / miniblocks
  if (perMiniblock * miniblocks != blockSize || (perMiniblock & 7) != 0) return -1
  if (count == 0) return <i32>(position - source)
  store<T>(target, <T>value)
  target += sizeof<T>()
  let left = count - 1
  while (left > 0) {
    const smallest = zigzag(varint(end))
    if (position == 0 || miniblocks > <u64>(end - position)) return -1
    let widths = position
    const lastWidth = position + <usize>miniblocks
    position = lastWidth
    while (widths < lastWidth && left > 0) {
      const width = <u64>load<u8>(widths++)
      if (width > 64) return -1
      const values = <i32>min<u64>(perMiniblock, <u64>left)
      const needed = ((<u64>values) * width + 7) >> 3
      if (needed > <u64>(end - position)) return -1
      value = addMiniblock<T>(position, position + <usize>needed, <i32>width, values, target, value, smallest)
      // The padding of the last miniblock may be left out.
      position += <usize>min<u64>((perMiniblock * width) >> 3, <u64>(end - position))
      target += (<usize>values) * sizeof<T>()
      left -= values
    }
  }
  return <i32>(position - source)
}

/**
 * Unpacks the differences to the upper half of where the values go, then adds them up: value i is written
 * below the differences that are still to be read. Returns the last value.
 */
@inline
function addMiniblock<T>(
  source: usize,
  end: usize,
  width: i32,
  count: i32,
  target: usize,
  value: i64,
  smallest: i64,
): i64 {
  if (width == 0) {
    for (let i = 0; i < count; i++) {
      value += smallest
      store<T>(target, <T>value)
      target += sizeof<T>()
    }
  } else if (width <= 32) {
    let differences = target + (sizeof<T>() - 4) * <usize>count
    unpack(source, end, width, count, differences)
    for (let i = 0; i < count; i++) {
      value += smallest + <i64>load<u32>(differences)
      differences += 4
      store<T>(target, <T>value)
      target += sizeof<T>()
    }
  } else {
    const mask: u64 = width == 64 ? <u64>-1 : ((<u64>1) << <u64>width) - 1
    let bit: usize = 0
    for (let i = 0; i < count; i++) {
      value += smallest + <i64>(bitsAt(source + (bit >> 3), end, <u64>(bit & 7)) & mask)
      bit += <usize>width
      store<T>(target, <T>value)
      target += sizeof<T>()
    }
  }
  return value
}

/** 64 bits from bit `shift` (0 to 7) of `address` on; what lies beyond `end` reads as 0. */
@inline
function bitsAt(address: usize, end: usize, shift: u64): u64 {
  let word: u64 = 0
  let above: u64 = 0
  if (end - address >= 9) {
    word = load<u64>(address)
    above = <u64>load<u8>(address, 8)
  } else {
    for (let i: usize = 0; i < 8 && address + i < end; i++) word |= (<u64>load<u8>(address + i)) << <u64>(i << 3)
  }
  return shift == 0 ? word : (word >> shift) | (above << (64 - shift))
}

/**
 * Turns `count` lengths that lie at `offsets` + 4 into offsets from 0, in place. Returns the last one, or -1 if
 * a length is negative or they exceed `limit` together.
 */
export function lengthsToOffsets(offsets: usize, count: i32, limit: i32): i32 {
  let total: i64 = 0
  store<i32>(offsets, 0)
  for (let i = 0; i < count; i++) {
    offsets += 4
    const length = load<i32>(offsets)
    total += <i64>length
    if (length < 0 || total > <i64>limit) return -1
    store<i32>(offsets, <i32>total)
  }
  return <i32>total
}

/**
 * DELTA_BYTE_ARRAY: writes the offsets of `count` values, each made of the first `prefixes[i]` bytes of the one
 * before and its own suffix. Returns the last offset, -1 if a prefix is longer than that value, or -2 if the
 * offsets exceed 2^31 - 1.
 */
export function prefixedOffsets(prefixes: usize, suffixOffsets: usize, count: i32, offsets: usize): i32 {
  let total: i64 = 0
  let before: i32 = 0
  store<i32>(offsets, 0)
  for (let i = 0; i < count; i++) {
    const prefix = load<i32>(prefixes + ((<usize>i) << 2))
    if (prefix < 0 || prefix > before) return -1
    const suffix = load<i32>(suffixOffsets, 4) - load<i32>(suffixOffsets)
    suffixOffsets += 4
    const length = <i64>prefix + <i64>suffix
    total += length
    if (total > <i64>i32.MAX_VALUE) return -2
    before = <i32>length
    offsets += 4
    store<i32>(offsets, <i32>total)
  }
  return <i32>total
}

/** Joins prefixes and suffixes to the values whose offsets `prefixedOffsets` has made. */
export function joinPrefixed(
  prefixes: usize,
  suffixOffsets: usize,
  suffixes: usize,
  count: i32,
  target: usize,
): void {
  let before = target
  for (let i = 0; i < count; i++) {
    const prefix = <usize>load<i32>(prefixes + ((<usize>i) << 2))
    const start = <usize>load<i32>(suffixOffsets)
    const suffix = <usize>load<i32>(suffixOffsets, 4) - start
    suffixOffsets += 4
    memory.copy(target, before, prefix)
    memory.copy(target + prefix, suffixes + start, suffix)
    before = target
    target += prefix + suffix
  }
}
