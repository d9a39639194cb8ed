// Parquet's RLE / bit-packing hybrid (Encodings.md, "RLE = 3"), bounded by `end` whatever the runs claim. No more
// than `count` values, or bits, are written.
import { copyBits, fillBits, putBit } from './bits'

/** Position after the run header that `runHeader` read. */
let next: usize = 0

/** The position after the last header that {@link runHeader} has read. */
export function nextRun(): usize {
  return next
}

/** The ULEB128 run header at `source`, or -1 if it is cut off or over 32 bits. */
export function runHeader(source: usize, end: usize): i64 {
  let value: i64 = 0
  let shift: i64 = 0
  while (shift < 35) {
    if (source >= end) return -1
    const byte = load<u8>(source++)
    value |= (<i64>(byte & 127)) << shift
    if (byte < 128) {
      next = source
      return value > 0xffffffff ? -1 : value
    }
    shift += 7
  }
  return -1
}

/**
 * Decodes `count` values of `bitWidth` bits (0 to 32) from [source, end) to 32-bit integers at `target`.
 * Returns the largest of them, unsigned, or -1 if the runs end too early. -1 is also what a value of 2^32 - 1
 * gives, which no dictionary has.
 */
export function rleToI32(source: usize, end: usize, bitWidth: i32, count: i32, target: usize): i32 {
  if (bitWidth < 0 || bitWidth > 32) return -1
  if (bitWidth == 0) {
    memory.fill(target, 0, (<usize>count) << 2)
    return 0
  }
  const valueBytes = <usize>((bitWidth + 7) >> 3)
  let largest: u32 = 0
  while (count > 0) {
    const header = runHeader(source, end)
    if (header < 0) return -1
    source = next
    const declared = (header >> 1) << <i64>((<i32>header & 1) * 3)
    const values = <i32>min<i64>(declared, <i64>count)
    if (header & 1) {
      const needed = (<i64>values * <i64>bitWidth + 7) >> 3
      if (needed > <i64>(end - source)) return -1
      largest = max<u32>(largest, unpack(source, source + <usize>needed, bitWidth, values, target))
      // The last run's padding may be left out.
      source += <usize>min<i64>((header >> 1) * <i64>bitWidth, <i64>(end - source))
    } else {
      if (valueBytes > end - source) return -1
      let value: u32 = 0
      for (let i: usize = 0; i < valueBytes; i++) value |= (<u32>load<u8>(source + i)) << <u32>(i << 3)
      source += valueBytes
      if (values > 0) largest = max<u32>(largest, value)
      fillI32(target, values, value)
    }
    target += (<usize>values) << 2
    count -= values
  }
  return <i32>largest
}

/**
 * Decodes `count` one-bit values from [source, end) into bits of `target` from bit `to` on. Returns how many
 * are set, or -1 if the runs end too early or hold anything else than 0 and 1.
 */
export function rleToBits(source: usize, end: usize, count: i32, target: usize, to: i32): i32 {
  let ones: i32 = 0
  while (count > 0) {
    const header = runHeader(source, end)
    if (header < 0) return -1
    source = next
    const declared = (header >> 1) << <i64>((<i32>header & 1) * 3)
    const values = <i32>min<i64>(declared, <i64>count)
    if (header & 1) {
      if (((<i64>values + 7) >> 3) > <i64>(end - source)) return -1
      copyBits(source, 0, target, to, values)
      ones += onesIn(source, values)
      source += <usize>min<i64>(header >> 1, <i64>(end - source))
    } else {
      if (source >= end) return -1
      const value = load<u8>(source++)
      if (value > 1) return -1
      fillBits(target, to, values, value)
      if (value) ones += values
    }
    to += values
    count -= values
  }
  return ones
}

/**
 * The deprecated BIT_PACKED levels of one bit: most significant bit first. Returns how many are set, or -1 if
 * [source, end) is too short.
 */
export function packedToBits(source: usize, end: usize, count: i32, target: usize, to: i32): i32 {
  if (((<i64>count + 7) >> 3) > <i64>(end - source)) return -1
  let ones: i32 = 0
  for (let i = 0; i < count; i++) {
    const bit = (load<u8>(source + ((<usize>i) >> 3)) >> (<u8>(7 - (i & 7)))) & 1
    putBit(target, to + i, bit)
    ones += bit
  }
  return ones
}

function onesIn(bits: usize, count: i32): i32 {
  let total: i32 = 0
  let i = 0
  while (i + 64 <= count) {
    total += <i32>popcnt<u64>(load<u64>(bits + ((<usize>i) >> 3)))
    i += 64
  }
  while (i < count) {
    total += (load<u8>(bits + ((<usize>i) >> 3)) >> (<u8>(i & 7))) & 1
    i++
  }
  return total
}

function fillI32(target: usize, count: i32, value: u32): void {
  const four = i32x4.splat(value)
  let i = 0
  while (i + 4 <= count) {
    v128.store(target + ((<usize>i) << 2), four)
    i += 4
  }
  while (i < count) {
    store<u32>(target + ((<usize>i) << 2), value)
    i++
  }
}

/**
 * Unpacks `count` values of `bitWidth` bits, least significant bit first, from [source, end), which holds them
 * all; returns the largest.
 *
 * Up to 25 bits, four values at a time: a swizzle brings each value's four bytes into its lane, a
 * multiplication by a power of two moves them to the lane's top (there is no shift by lane), and one shift
 * brings them down. Groups of eight values begin on a byte.
 */
export function unpack(source: usize, end: usize, bitWidth: i32, count: i32, target: usize): u32 {
  let largest: u32 = 0
  let done = 0
  const width = <usize>bitWidth
  if (bitWidth <= 25 && end - source >= 32) {
    const half = (width << 2) >> 3
    const firstSwizzle = swizzleOf(bitWidth, 0)
    const secondSwizzle = swizzleOf(bitWidth, (bitWidth & 1) << 2)
    const firstFactor = factorOf(bitWidth, 0)
    const secondFactor = factorOf(bitWidth, (bitWidth & 1) << 2)
    const down = 32 - bitWidth
    let most = i32x4.splat(0)
    const last = end - 16 - half
    while (done + 8 <= count && source <= last) {
      const first = i32x4.shr_u(i32x4.mul(i8x16.swizzle(v128.load(source), firstSwizzle), firstFactor), down)
      const second = i32x4.shr_u(
        i32x4.mul(i8x16.swizzle(v128.load(source + half), secondSwizzle), secondFactor),
        down,
      )
      v128.store(target, first)
      v128.store(target, second, 16)
      most = i32x4.max_u(most, i32x4.max_u(first, second))
      source += width
      target += 32
      done += 8
    }
    largest = max<u32>(
      max<u32>(i32x4.extract_lane(most, 0), i32x4.extract_lane(most, 1)),
      max<u32>(i32x4.extract_lane(most, 2), i32x4.extract_lane(most, 3)),
    )
  }
  const mask: u64 = ((<u64>1) << <u64>bitWidth) - 1
  let bit: usize = 0
  while (done < count) {
    const address = source + (bit >> 3)
    let word: u64 = 0
    if (end - address >= 8) word = load<u64>(address)
    else {
      for (let i: usize = 0; address + i < end; i++) word |= (<u64>load<u8>(address + i)) << <u64>(i << 3)
    }
    const value = <u32>((word >> <u64>(bit & 7)) & mask)
    largest = max<u32>(largest, value)
    store<u32>(target, value)
    target += 4
    bit += width
    done++
  }
  return largest
}

/** For each lane the indices of the four bytes where its value begins, the first value at bit `offset`. */
@inline
function swizzleOf(bitWidth: i32, offset: i32): v128 {
  const bits = i32x4.add(i32x4.mul(i32x4(0, 1, 2, 3), i32x4.splat(bitWidth)), i32x4.splat(offset))
  const bytes = i32x4.shr_u(bits, 3)
  return i32x4.add(i32x4.mul(bytes, i32x4.splat(0x01010101)), i32x4.splat(0x03020100))
}

/** For each lane the power of two that moves its value to the lane's top. */
@inline
function factorOf(bitWidth: i32, offset: i32): v128 {
  const up = 32 - bitWidth
  let factors = i32x4.splat(1 << (up - (offset & 7)))
  factors = i32x4.replace_lane(factors, 1, 1 << (up - ((offset + bitWidth) & 7)))
  factors = i32x4.replace_lane(factors, 2, 1 << (up - ((offset + 2 * bitWidth) & 7)))
  return i32x4.replace_lane(factors, 3, 1 << (up - ((offset + 3 * bitWidth) & 7)))
}
