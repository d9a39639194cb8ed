// Text: `n` + 1 int32 offsets into bytes of UTF-8. Kernels trust that offsets do not descend and that the bytes
// between the first and the last are there; they never look beyond a value's own bytes, well-formed or not.

/** Bytes of the character that begins with `lead`; never 0. */
@inline
function width(lead: u32): i32 {
  return lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
}

/** The first place, not before `from`, at which a byte occurs in a text; its length if nowhere. */
@inline
function find(text: usize, length: i32, from: i32, byte: u32): i32 {
  const wanted = i8x16.splat(<i8>byte)
  while (from + 16 <= length) {
    const hits = i8x16.bitmask(i8x16.eq(v128.load(text + <usize>from), wanted))
    if (hits != 0) return from + ctz(hits)
    from += 16
  }
  while (from < length && load<u8>(text + <usize>from) != byte) from++
  return from
}

/**
 * One text against a pattern of `m` bytes, each flagged: 0 for itself, 1 for any one character, 2 for any text.
 * On a mismatch the last "any text" takes more, up to the next place where what follows it can begin: at worst
 * the length of the text times that of the pattern.
 */
@inline
function matches(text: usize, length: i32, bytes: usize, flags: usize, m: i32): bool {
  let i = 0
  let j = 0
  let resumeText = -1
  let resumePattern = 0
  while (i < length) {
    const flag: u32 = j < m ? load<u8>(flags + <usize>j) : 3
    if (flag == 2) {
      resumePattern = ++j
      if (j == m) return true
      if (load<u8>(flags + <usize>j) == 0) i = find(text, length, i, load<u8>(bytes + <usize>j))
      resumeText = i
    } else if (flag == 0 && load<u8>(bytes + <usize>j) == load<u8>(text + <usize>i)) {
      i++
      j++
    } else if (flag == 1) {
      i = min(length, i + width(load<u8>(text + <usize>i)))
      j++
    } else if (resumeText >= 0) {
      // A character at a time, so that "any one" never begins inside one.
      resumeText = min(length, resumeText + width(load<u8>(text + <usize>resumeText)))
      if (load<u8>(flags + <usize>resumePattern) == 0) {
        resumeText = find(text, length, resumeText, load<u8>(bytes + <usize>resumePattern))
      }
      i = resumeText
      j = resumePattern
    } else return false
  }
  while (j < m && load<u8>(flags + <usize>j) == 2) j++
  return j == m
}

@inline
function begins(text: usize, length: i32, prefix: usize, size: i32): bool {
  if (length < size) return false
  let i = 0
  while (i + 8 <= size) {
    if (load<u64>(text + <usize>i) != load<u64>(prefix + <usize>i)) return false
    i += 8
  }
  while (i < size) {
    if (load<u8>(text + <usize>i) != load<u8>(prefix + <usize>i)) return false
    i++
  }
  return true
}

/** A bit for each text that matches. `prefix` bytes of the pattern are without wildcards; `shape` 1: only "any text" follows. */
export function like(offsets: usize, data: usize, n: i32, bytes: usize, flags: usize, m: i32, prefix: i32, shape: i32, out: usize): void {
  let byte: u32 = 0
  let start = load<i32>(offsets)
  for (let i = 0; i < n; i++) {
    const end = load<i32>(offsets + ((<usize>i) << 2), 4)
    const text = data + <usize>start
    const length = end - start
    start = end
    let hit = begins(text, length, bytes, prefix)
    if (hit && shape != 1) {
      hit = matches(text + <usize>prefix, length - prefix, bytes + <usize>prefix, flags + <usize>prefix, m - prefix)
    }
    byte |= (<u32>hit) << (i & 7)
    if ((i & 7) == 7) {
      store<u8>(out++, byte)
      byte = 0
    }
  }
  if (n & 7) store<u8>(out, byte)
}

/** The characters of a text: its bytes that do not continue one. */
@inline
function characters(text: usize, length: i32): i32 {
  let count = length
  let i = 0
  while (i + 8 <= length) {
    const bytes = load<u64>(text + <usize>i)
    count -= <i32>popcnt((bytes >> 7) & ~(bytes >> 6) & 0x0101010101010101)
    i += 8
  }
  while (i < length) {
    count -= <i32>((load<u8>(text + <usize>i) & 0xc0) == 0x80)
    i++
  }
  return count
}

/** The number of characters of each text, as int64. */
export function countCharacters(offsets: usize, data: usize, n: i32, out: usize): void {
  let start = load<i32>(offsets)
  for (let i = 0; i < n; i++) {
    const end = load<i32>(offsets + ((<usize>i) << 2), 4)
    store<i64>(out + ((<usize>i) << 3), <i64>characters(data + <usize>start, end - start))
    start = end
  }
}

/** The upper or lower case of ASCII bytes. Returns whether all were ASCII; else the result is of no use. */
export function mapAscii(data: usize, length: i32, upper: i32, out: usize): i32 {
  const first: u32 = upper ? 0x61 : 0x41
  let i = 0
  const low = i8x16.splat(<i8>first)
  const span = i8x16.splat(26)
  const bit = i8x16.splat(0x20)
  while (i + 16 <= length) {
    const bytes = v128.load(data + <usize>i)
    if (i8x16.bitmask(bytes) != 0) return 0
    const letters = i8x16.lt_u(i8x16.sub(bytes, low), span)
    v128.store(out + <usize>i, v128.xor(bytes, v128.and(letters, bit)))
    i += 16
  }
  while (i < length) {
    const byte: u32 = load<u8>(data + <usize>i)
    if (byte >= 0x80) return 0
    store<u8>(out + <usize>i, byte - first < 26 ? byte ^ 0x20 : byte)
    i++
  }
  return 1
}

/** The byte at which the character `index` of a text begins, or its end. */
@inline
function characterAt(text: usize, length: i32, index: i64): i32 {
  let at = 0
  while (at < length) {
    if ((load<u8>(text + <usize>at) & 0xc0) != 0x80 && --index < 0) return at
    at++
  }
  return length
}

/**
 * Characters `start` (from 1; from the end if negative) to `start` + `length` of each text. `out` has room for
 * all the bytes of the input, `outOffsets` for `n` + 1 offsets.
 */
export function substring(offsets: usize, data: usize, n: i32, start: i32, length: i32, outOffsets: usize, out: usize): void {
  let total = 0
  for (let i = 0; i < n; i++) {
    store<i32>(outOffsets + ((<usize>i) << 2), total)
    const at = load<i32>(offsets + ((<usize>i) << 2))
    const size = load<i32>(offsets + ((<usize>i) << 2), 4) - at
    const text = data + <usize>at
    let first = <i64>start - 1
    if (start < 0) {
      first = <i64>characters(text, size) + <i64>start
    }
    const last = first + <i64>length
    const from = first <= 0 ? 0 : characterAt(text, size, first)
    const to = last <= 0 ? 0 : from + characterAt(text + <usize>from, size - from, last - max<i64>(first, 0))
    if (to > from) {
      memory.copy(out + <usize>total, text + <usize>from, <usize>(to - from))
      total += to - from
    }
  }
  store<i32>(outOffsets + ((<usize>n) << 2), total)
}

/** The bytes that two columns joined row by row take, with their offsets; strides are 4, or 0 for one text. */
export function concatOffsets(a: usize, aStride: usize, b: usize, bStride: usize, n: i32, out: usize): f64 {
  let total: i64 = 0
  for (let i = 0; i < n; i++) {
    store<i32>(out + ((<usize>i) << 2), <i32>total)
    total += <i64>(load<i32>(a, 4) - load<i32>(a)) + <i64>(load<i32>(b, 4) - load<i32>(b))
    a += aStride
    b += bStride
  }
  store<i32>(out + ((<usize>n) << 2), <i32>total)
  return <f64>total
}

export function concatBytes(a: usize, aStride: usize, aData: usize, b: usize, bStride: usize, bData: usize, n: i32, out: usize): void {
  for (let i = 0; i < n; i++) {
    const aStart = load<i32>(a)
    const aLength = <usize>(load<i32>(a, 4) - aStart)
    memory.copy(out, aData + <usize>aStart, aLength)
    out += aLength
    const bStart = load<i32>(b)
    const bLength = <usize>(load<i32>(b, 4) - bStart)
    memory.copy(out, bData + <usize>bStart, bLength)
    out += bLength
    a += aStride
    b += bStride
  }
}

/** As {@link concatOffsets}, of one text or the other by the bit of `mask`. */
export function pickOffsets(mask: usize, a: usize, aStride: usize, b: usize, bStride: usize, n: i32, out: usize): f64 {
  let total: i64 = 0
  for (let i = 0; i < n; i++) {
    store<i32>(out + ((<usize>i) << 2), <i32>total)
    const from = (load<u8>(mask + ((<usize>i) >> 3)) >> (<u8>(i & 7))) & 1 ? a : b
    total += <i64>(load<i32>(from, 4) - load<i32>(from))
    a += aStride
    b += bStride
  }
  store<i32>(out + ((<usize>n) << 2), <i32>total)
  return <f64>total
}

export function pickBytes(mask: usize, a: usize, aStride: usize, aData: usize, b: usize, bStride: usize, bData: usize, n: i32, out: usize): void {
  for (let i = 0; i < n; i++) {
    const first = (load<u8>(mask + ((<usize>i) >> 3)) >> (<u8>(i & 7))) & 1
    const from = first ? a : b
    const start = load<i32>(from)
    const length = <usize>(load<i32>(from, 4) - start)
    memory.copy(out, (first ? aData : bData) + <usize>start, length)
    out += length
    a += aStride
    b += bStride
  }
}
