// Snappy's raw format (google/snappy, format_description.txt), as Parquet pages hold it: no framing.
import { copyMatch, hashOf, matchLength } from './lz'

/**
 * Decompresses [source, end) to [target, targetEnd), which it has to fill exactly. Returns 0, or -1 if the
 * input is malformed or of another length.
 */
export function snappyDecompress(source: usize, end: usize, target: usize, targetEnd: usize): i32 {
  const start = target
  let declared: u64 = 0
  let shift: u64 = 0
  while (true) {
    if (source >= end || shift > 28) return -1
    const byte = load<u8>(source++)
    declared |= (<u64>(byte & 127)) << shift
    if (byte < 128) break
    shift += 7
  }
  if (declared != <u64>(targetEnd - target)) return -1
  while (source < end) {
    const tag = <u32>load<u8>(source++)
    const kind = tag & 3
    if (kind == 0) {
      let length = <u64>(tag >> 2) + 1
      if (length > 60) {
        const bytes = <usize>(length - 60)
        if (bytes > end - source) return -1
        length = 1
        for (let i: usize = 0; i < bytes; i++) length += (<u64>load<u8>(source + i)) << <u64>(i << 3)
        source += bytes
      }
      if (length > <u64>(end - source) || length > <u64>(targetEnd - target)) return -1
      const literal = <usize>length
      if (literal <= 16 && end - source >= 16 && targetEnd - target >= 16) {
        v128.store(target, v128.load(source))
      } else memory.copy(target, source, literal)
      source += literal
      target += literal
    } else {
      let length: usize
      let offset: usize
      if (kind == 1) {
        if (source >= end) return -1
        length = 4 + ((tag >> 2) & 7)
        offset = ((tag & 0xe0) << 3) | <u32>load<u8>(source++)
      } else {
        length = (tag >> 2) + 1
        const bytes: usize = kind == 2 ? 2 : 4
        if (bytes > end - source) return -1
        offset = kind == 2 ? <usize>load<u16>(source) : <usize>load<u32>(source)
        source += bytes
      }
      if (offset == 0 || offset > target - start || length > targetEnd - target) return -1
      copyMatch(target, offset, length, targetEnd)
      target += length
    }
  }
  return target == targetEnd ? 0 : -1
}

/** Matches are sought within blocks of this size, so that positions and offsets fit in 16 bits. */
const BLOCK: usize = 65536
/** Bits of the hash that chooses among the 2^14 places of the table. */
const HASH_BITS = 14

/**
 * Compresses [source, end) to `target`, where there is room for 32 + length + length / 6 bytes. `table` is
 * 32 KiB. Returns the bytes written.
 */
export function snappyCompress(source: usize, end: usize, target: usize, table: usize): i32 {
  const begin = target
  let rest = <u32>(end - source)
  while (rest >= 128) {
    store<u8>(target++, <u8>(rest | 128))
    rest >>= 7
  }
  store<u8>(target++, <u8>rest)
  while (source < end) {
    const blockEnd = min<usize>(source + BLOCK, end)
    target = compressBlock(source, blockEnd, target, table)
    source = blockEnd
  }
  return <i32>(target - begin)
}

function compressBlock(source: usize, end: usize, target: usize, table: usize): usize {
  let literal = source
  if (end - source >= 16) {
    memory.fill(table, 0, 1 << (HASH_BITS + 1))
    const last = end - 8
    let at = source + 1
    let misses: usize = 32
    while (at <= last) {
      const slot = table + (hashOf(load<u32>(at), HASH_BITS) << 1)
      const candidate = source + <usize>load<u16>(slot)
      store<u16>(slot, <u16>(at - source))
      if (candidate == at || load<u32>(candidate) != load<u32>(at)) {
        at += misses++ >> 5 // look less closely where nothing is found
        continue
      }
      target = writeLiteral(target, literal, at - literal)
      const length = <usize>4 + matchLength(candidate + 4, at + 4, end)
      target = writeCopies(target, at - candidate, length)
      at += length
      literal = at
      misses = 32
    }
  }
  return writeLiteral(target, literal, end - literal)
}

function writeLiteral(target: usize, literals: usize, count: usize): usize {
  if (count == 0) return target
  const less = count - 1
  if (less < 60) store<u8>(target++, <u8>(less << 2))
  else if (less < 256) {
    store<u8>(target, 60 << 2)
    store<u8>(target, <u8>less, 1)
    target += 2
  } else {
    store<u8>(target, 61 << 2)
    store<u16>(target, <u16>less, 1)
    target += 3
  }
  memory.copy(target, literals, count)
  return target + count
}

/** A copy takes 64 bytes at most, and the short form only 4 to 11. */
function writeCopies(target: usize, offset: usize, length: usize): usize {
  while (length > 64) {
    const part: usize = length < 68 ? 60 : 64
    target = longCopy(target, offset, part)
    length -= part
  }
  if (length < 12 && offset < 2048) {
    store<u8>(target, <u8>(((offset >> 8) << 5) | ((length - 4) << 2) | 1))
    store<u8>(target, <u8>offset, 1)
    return target + 2
  }
  return longCopy(target, offset, length)
}

@inline
function longCopy(target: usize, offset: usize, length: usize): usize {
  store<u8>(target, <u8>(((length - 1) << 2) | 2))
  store<u16>(target, <u16>offset, 1)
  return target + 3
}
