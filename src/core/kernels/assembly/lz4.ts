// LZ4's block format (lz4/lz4, doc/lz4_Block_format.md), as Parquet's LZ4_RAW holds it: no frame.
import { copyMatch, hashOf, matchLength } from './lz'

/** Position after the length that `extended` read; 0 if it was cut off or beyond 31 bits. */
let position: usize = 0

/** A length of the token's four bits that goes on in bytes of 255 and one that is less. */
function extended(length: usize, source: usize, end: usize): usize {
  if (length == 15) {
    let byte: usize = 255
    while (byte == 255) {
      if (source >= end || length > 0x7fffffff) {
        position = 0
        return 0
      }
      byte = <usize>load<u8>(source++)
      length += byte
    }
  }
  position = source
  return length
}

/**
 * Decompresses [source, end) to [target, targetEnd), which it has to fill exactly. Returns 0, or -1 if the
 * input is malformed or of another length.
 */
export function lz4Decompress(source: usize, end: usize, target: usize, targetEnd: usize): i32 {
  const start = target
  while (source < end) {
    const token = <usize>load<u8>(source++)
    const literal = extended(token >> 4, source, end)
    if (position == 0) return -1
    source = position
    if (literal > end - source || literal > targetEnd - target) return -1
    if (literal <= 16 && end - source >= 16 && targetEnd - target >= 16) v128.store(target, v128.load(source))
    else memory.copy(target, source, literal)
    source += literal
    target += literal
    if (source == end) return target == targetEnd ? 0 : -1 // the last sequence has no match
    if (end - source < 2) return -1
    const offset = <usize>load<u16>(source)
    const length = extended(token & 15, source + 2, end) + 4
    if (position == 0) return -1
    source = position
    if (offset == 0 || offset > target - start || length > targetEnd - target) return -1
    copyMatch(target, offset, length, targetEnd)
    target += length
  }
  return -1
}

/** Bits of the hash that chooses among the 2^12 places of the table. */
const HASH_BITS = 12

/**
 * Compresses [source, end) to `target`, where there is room for length + length / 255 + 16 bytes. `table` is
 * 16 KiB of zeroes. Returns the bytes written. As the format demands, the last match begins 12 bytes before the
 * end at the latest and the last 5 bytes are literals.
 */
export function lz4Compress(source: usize, end: usize, target: usize, table: usize): i32 {
  const begin = target
  let literal = source
  if (end - source >= 13) {
    const lastMatch = end - 12
    let at = source + 1
    let misses: usize = 1 << 6
    while (at <= lastMatch) {
      const slot = table + (hashOf(load<u32>(at), HASH_BITS) << 2)
      const candidate = source + <usize>load<u32>(slot)
      store<u32>(slot, <u32>(at - source))
      if (at - candidate > 65535 || candidate == at || load<u32>(candidate) != load<u32>(at)) {
        at += misses++ >> 6 // look less closely where nothing is found
        continue
      }
      const length = <usize>4 + matchLength(candidate + 4, at + 4, end - 5)
      target = sequence(target, literal, at - literal, at - candidate, length)
      at += length
      literal = at
      misses = 1 << 6
    }
  }
  return <i32>(sequence(target, literal, end - literal, 0, 0) - begin)
}

/** Writes a sequence; without a match if `offset` is 0. */
function sequence(target: usize, literals: usize, count: usize, offset: usize, length: usize): usize {
  const token = target++
  const more = length - 4
  store<u8>(token, (min<usize>(count, 15) << 4) | (offset == 0 ? 0 : min<usize>(more, 15)))
  if (count >= 15) target = extension(target, count - 15)
  memory.copy(target, literals, count)
  target += count
  if (offset == 0) return target
  store<u16>(target, <u16>offset)
  target += 2
  return more >= 15 ? extension(target, more - 15) : target
}

function extension(target: usize, rest: usize): usize {
  while (rest >= 255) {
    store<u8>(target++, 255)
    rest -= 255
  }
  store<u8>(target, <u8>rest)
  return target + 1
}
