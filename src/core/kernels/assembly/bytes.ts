// Byte arrays: Parquet's layout (Encodings.md, "Plain: (PLAIN = 0)") to Arrow's offsets and data. What a file says
// is bounded by the end that goes with it; offsets were made by kernels, codes were checked against the dictionary.
// Copies may write up to 16 bytes from where a value goes, but none at or after `targetEnd`.

/** Copies within the arena; the ranges may overlap. */
export function copy(source: usize, target: usize, length: usize): void {
  memory.copy(target, source, length)
}

/** Sets `length` bytes to 0. */
export function clear(target: usize, length: usize): void {
  memory.fill(target, 0, length)
}

/**
 * PLAIN byte arrays (a 4-byte little-endian length before each value) in [source, end): writes the `count` + 1
 * offsets of the values without their lengths. Returns the last offset, or -1 if a value crosses `end`.
 */
export function plainOffsets(source: usize, end: usize, count: i32, offsets: usize): i32 {
  let total: u32 = 0
  store<u32>(offsets, 0)
  for (let i = 0; i < count; i++) {
    if (end - source < 4) return -1
    const length = load<u32>(source)
    source += 4
    if (length > <u32>(end - source)) return -1
    source += <usize>length
    total += length
    offsets += 4
    store<u32>(offsets, total)
  }
  return <i32>total
}

/**
 * Copies `count` byte arrays, the first of which begins at `source` and each of which is followed by `gap`
 * bytes that do not belong to it, to `target`. `offsets` gives their lengths; [source, sourceEnd) holds them,
 * [target, targetEnd) is as long as they are together.
 */
export function copyBytes(
  source: usize,
  sourceEnd: usize,
  gap: usize,
  offsets: usize,
  count: i32,
  target: usize,
  targetEnd: usize,
): void {
  let start = load<u32>(offsets)
  for (let i = 0; i < count; i++) {
    offsets += 4
    const end = load<u32>(offsets)
    const length = <usize>(end - start)
    copyShort(source, sourceEnd, target, targetEnd, length)
    source += length + gap
    target += length
    start = end
  }
}

/** Writes the `count` + 1 offsets of the values that `codes` select; returns the last, -1 if over 2^31 - 1. */
export function gatherOffsets(codes: usize, count: i32, dictionaryOffsets: usize, offsets: usize): i32 {
  let total: i64 = 0
  store<i32>(offsets, 0)
  for (let i = 0; i < count; i++) {
    const entry = dictionaryOffsets + ((<usize>load<u32>(codes + ((<usize>i) << 2))) << 2)
    total += <i64>(load<u32>(entry, 4) - load<u32>(entry))
    if (total > i32.MAX_VALUE) return -1
    offsets += 4
    store<i32>(offsets, <i32>total)
  }
  return <i32>total
}

/** Copies the values that `codes` select from a dictionary to [target, targetEnd). */
export function gatherBytes(
  codes: usize,
  count: i32,
  dictionaryOffsets: usize,
  dictionary: usize,
  dictionaryEnd: usize,
  target: usize,
  targetEnd: usize,
): void {
  for (let i = 0; i < count; i++) {
    const entry = dictionaryOffsets + ((<usize>load<u32>(codes + ((<usize>i) << 2))) << 2)
    const start = load<u32>(entry)
    const length = <usize>(load<u32>(entry, 4) - start)
    copyShort(dictionary + <usize>start, dictionaryEnd, target, targetEnd, length)
    target += length
  }
}

/**
 * Copies a value that is probably short: 16 bytes at once where both ranges have room for them, as what is
 * written beyond the value is overwritten by the next one.
 */
@inline
function copyShort(source: usize, sourceEnd: usize, target: usize, targetEnd: usize, length: usize): void {
  if (length <= 16 && sourceEnd - source >= 16 && targetEnd - target >= 16) {
    v128.store(target, v128.load(source))
  } else memory.copy(target, source, length)
}

/**
 * Whether every one of `count` values is UTF-8 (RFC 3629, section 4) by itself. Returns the index of a byte
 * that is not, counted from `data`, or -1. All the values are checked as one text, then that none begins
 * within a character.
 */
export function invalidUtf8(data: usize, offsets: usize, count: i32): i32 {
  const first = data + <usize>load<u32>(offsets)
  const end = data + <usize>load<u32>(offsets + ((<usize>count) << 2))
  let position = first
  let ascii = true
  while (position < end) {
    while (end - position >= 16 && !v128.any_true(i8x16.lt_s(v128.load(position), i8x16.splat(0)))) position += 16
    if (position >= end) break
    const byte = load<u8>(position)
    if (byte < 0x80) {
      position++
      continue
    }
    ascii = false
    const length = sequenceLength(position, end, byte)
    if (length == 0) return <i32>(position - data)
    position += length
  }
  if (ascii) return -1
  for (let i = 0; i < count; i++) {
    const start = data + <usize>load<u32>(offsets + ((<usize>i) << 2))
    if (start < end && (load<u8>(start) & 0xc0) == 0x80) return <i32>(start - data)
  }
  return -1
}

/** Bytes of the well-formed sequence of two to four bytes at `position`, or 0. */
function sequenceLength(position: usize, end: usize, byte: u32): usize {
  const room = end - position
  if (byte < 0xc2 || byte > 0xf4 || room < 2) return 0
  const second = <u32>load<u8>(position, 1)
  if (byte < 0xe0) return isContinuation(second) ? 2 : 0
  if (room < 3 || !isContinuation(load<u8>(position, 2))) return 0
  if (byte < 0xf0) {
    // Neither overlong nor a surrogate.
    const low: u32 = byte == 0xe0 ? 0xa0 : 0x80
    const high: u32 = byte == 0xed ? 0x9f : 0xbf
    return second >= low && second <= high ? 3 : 0
  }
  if (room < 4 || !isContinuation(load<u8>(position, 3))) return 0
  // Neither overlong nor beyond U+10FFFF.
  const low: u32 = byte == 0xf0 ? 0x90 : 0x80
  const high: u32 = byte == 0xf4 ? 0x8f : 0xbf
  return second >= low && second <= high ? 4 : 0
}

@inline
function isContinuation(byte: u32): bool {
  return (byte & 0xc0) == 0x80
}
