/**
 * DELTA_BINARY_PACKED ("Delta Encoding (DELTA_BINARY_PACKED = 5)" in Encodings.md): blocks of 128 values in
 * four miniblocks of 32. Differences wrap around, as the format has it. A call reads `count` values and writes
 * at most `32 + ceil(count / 128) * (14 + 128 * sizeof(value))` bytes; it returns how many.
 */
import { writeVarint } from './encode-hybrid'

const BLOCK = 128
const MINI = 32

@inline
function zigzag(value: i64): u64 {
  return (<u64>(value << 1)) ^ (<u64>(value >> 63))
}

@inline
function at<T>(values: usize, i: i32): T {
  return load<T>(values + (<usize>i) * sizeof<T>())
}

@inline
function deltaAt<T>(values: usize, i: i32): T {
  return <T>(at<T>(values, i) - at<T>(values, i - 1))
}

function encode<T>(values: usize, count: i32, out: usize): i32 {
  const start = out
  out = writeVarint(out, BLOCK)
  out = writeVarint(out, BLOCK / MINI)
  out = writeVarint(out, count)
  out = writeVarint(out, count == 0 ? 0 : zigzag(<i64>at<T>(values, 0)))
  for (let block = 1; block < count; block += BLOCK) {
    const end = min(count, block + BLOCK)
    let least = deltaAt<T>(values, block)
    for (let i = block + 1; i < end; i++) {
      const delta = deltaAt<T>(values, i)
      least = delta < least ? delta : least
    }
    out = writeVarint(out, zigzag(<i64>least))
    let widths = out
    store<u32>(widths, 0)
    out += BLOCK / MINI
    for (let mini = block; mini < end; mini += MINI) {
      const stop = min(end, mini + MINI)
      const width = widthOf<T>(values, mini, stop, least)
      store<u8>(widths++, <u8>width)
      if (width > 0) out = packDeltas<T>(values, mini, stop, least, width, out)
    }
  }
  return <i32>(out - start)
}

/** Bits of the largest difference from the least delta, as an unsigned number. */
@inline
function widthOf<T>(values: usize, from: i32, end: i32, least: T): u64 {
  let any: u64 = 0
  for (let i = from; i < end; i++) any |= unsigned<T>(<T>(deltaAt<T>(values, i) - least))
  return 64 - clz<u64>(any)
}

@inline
function unsigned<T>(value: T): u64 {
  return sizeof<T>() == 4 ? <u64>(<u32>value) : <u64>value
}

/** Packs 32 values, zeros in place of those that are missing: `4 * width` bytes. */
function packDeltas<T>(values: usize, from: i32, end: i32, least: T, width: u64, out: usize): usize {
  const stop = out + 4 * <usize>width
  let pending: u64 = 0
  let bits: u64 = 0
  for (let i = from; i < end; i++) {
    const value = unsigned<T>(<T>(deltaAt<T>(values, i) - least))
    pending |= value << bits
    if (bits + width >= 64) {
      store<u64>(out, pending)
      out += 8
      // A shift by 64 would be a shift by 0.
      pending = bits == 0 ? 0 : value >> (64 - bits)
      bits = bits + width - 64
    } else bits += width
  }
  while (out < stop) {
    store<u8>(out++, <u8>pending)
    pending >>= 8
  }
  return stop
}

export function encodeDelta32(values: usize, count: i32, out: usize): i32 {
  return encode<i32>(values, count, out)
}

export function encodeDelta64(values: usize, count: i32, out: usize): i32 {
  return encode<i64>(values, count, out)
}
