/**
 * Split-block bloom filters over XXH64 (BloomFilter.md of the format): a filter is `blocks` blocks of eight words of
 * 32 bits, at most 2^26 of them. A value's hash is that of its PLAIN bytes, without a length, seed 0.
 */
import { spanAt, spanLength } from './spans'

const P1: u64 = 0x9e3779b185ebca87
const P2: u64 = 0xc2b2ae3d27d4eb4f
const P3: u64 = 0x165667b19e3779f9
const P4: u64 = 0x85ebca77c2b2ae63
const P5: u64 = 0x27d4eb2f165667c5

@inline
function round(lane: u64, input: u64): u64 {
  return rotl<u64>(lane + input * P2, 31) * P1
}

@inline
function merged(hash: u64, lane: u64): u64 {
  return (hash ^ round(0, lane)) * P1 + P4
}

/** XXH64 of `length` bytes at `at`. */
function xxh64(at: usize, length: usize): u64 {
  const end = at + length
  let hash = P5
  if (length >= 32) {
    let a = P1 + P2
    let b = P2
    let c: u64 = 0
    let d: u64 = 0 - P1
    while (at + 32 <= end) {
      a = round(a, load<u64>(at))
      b = round(b, load<u64>(at, 8))
      c = round(c, load<u64>(at, 16))
      d = round(d, load<u64>(at, 24))
      at += 32
    }
    hash = rotl<u64>(a, 1) + rotl<u64>(b, 7) + rotl<u64>(c, 12) + rotl<u64>(d, 18)
    hash = merged(merged(merged(merged(hash, a), b), c), d)
  }
  hash += <u64>length
  while (at + 8 <= end) {
    hash = rotl<u64>(hash ^ round(0, load<u64>(at)), 27) * P1 + P4
    at += 8
  }
  if (at + 4 <= end) {
    hash = rotl<u64>(hash ^ (<u64>load<u32>(at)) * P1, 23) * P2 + P3
    at += 4
  }
  while (at < end) {
    hash = rotl<u64>(hash ^ (<u64>load<u8>(at)) * P5, 11) * P1
    at++
  }
  hash = (hash ^ (hash >> 33)) * P2
  hash = (hash ^ (hash >> 29)) * P3
  return hash ^ (hash >> 32)
}

/** Sets the bit that an odd number chooses in a word of a block. */
@inline
function setBit(block: usize, word: usize, key: u32, salt: u32): void {
  const at = block + (word << 2)
  store<u32>(at, load<u32>(at) | ((<u32>1) << ((key * salt) >> 27)))
}

@inline
function insert(filter: usize, blocks: i32, hash: u64): void {
  const block = filter + <usize>((((hash >> 32) * <u64>blocks) >> 32) << 5)
  const key = <u32>hash
  setBit(block, 0, key, 0x47b6137b)
  setBit(block, 1, key, 0x44974d91)
  setBit(block, 2, key, 0x8824ad5b)
  setBit(block, 3, key, 0xa2b7289d)
  setBit(block, 4, key, 0x705495c7)
  setBit(block, 5, key, 0x2df1424b)
  setBit(block, 6, key, 0x9efc4947)
  setBit(block, 7, key, 0x5c6bfb31)
}

/** Puts `count` values of `width` bytes into a filter. */
export function bloomFixed(values: usize, width: i32, count: i32, filter: usize, blocks: i32): void {
  for (let i = 0; i < count; i++) {
    insert(filter, blocks, xxh64(values, <usize>width))
    values += <usize>width
  }
}

/** The same for byte strings. */
export function bloomSpans(spans: usize, count: i32, filter: usize, blocks: i32): void {
  for (let i = 0; i < count; i++) insert(filter, blocks, xxh64(spanAt(spans, i), <usize>spanLength(spans, i)))
}
