/**
 * The RLE/bit-packed hybrid of Parquet ("Run Length Encoding / Bit-Packing Hybrid (RLE = 3)" in
 * Encodings.md): dictionary codes, and definition levels or booleans straight from a bitmap. Without the
 * length prefix that some pages put before it.
 *
 * A call reads the `count` values it is given and writes at most `ceil(count / 8) * (width + 1) + 16` bytes.
 */

@inline
export function writeVarint(out: usize, value: u64): usize {
  while (value >= 0x80) {
    store<u8>(out++, <u8>(value | 0x80))
    value >>= 7
  }
  store<u8>(out++, <u8>value)
  return out
}

/** Packs `count` values of `width` bits, 1 to 32, least significant bit first, padded to whole groups of 8. */
function pack(values: usize, count: i32, width: u64, out: usize): usize {
  const end = out + <usize>((count + 7) >> 3) * <usize>width
  let pending: u64 = 0
  let bits: u64 = 0
  for (let i = 0; i < count; i++) {
    pending |= (<u64>load<u32>(values + ((<usize>i) << 2))) << bits
    bits += width
    if (bits >= 32) {
      store<u32>(out, <u32>pending)
      out += 4
      pending >>= 32
      bits -= 32
    }
  }
  while (out < end) {
    store<u8>(out++, <u8>pending)
    pending >>= 8
  }
  return end
}

/** How many values from `i` on equal the one at `i`; looks no further than one group when that is mixed. */
@inline
function runLength(values: usize, i: i32, count: i32): i32 {
  if (count - i < 8) return 0
  const first = load<u32>(values + ((<usize>i) << 2))
  const splat = i32x4.splat(first)
  let end = i
  while (end + 8 <= count) {
    const at = values + ((<usize>end) << 2)
    const equal = v128.and(i32x4.eq(v128.load(at), splat), i32x4.eq(v128.load(at, 16), splat))
    if (!i32x4.all_true(equal)) break
    end += 8
  }
  if (end == i) return 0
  while (end < count && load<u32>(values + ((<usize>end) << 2)) == first) end++
  return end - i
}

/** Encodes 32-bit values that fit in `width` bits (0 to 32); returns the number of bytes written. */
export function encodeHybrid(values: usize, count: i32, width: i32, out: usize): i32 {
  const start = out
  if (count == 0) return 0
  if (width == 0) return <i32>(writeVarint(out, (<u64>count) << 1) - start)
  const valueBytes = (width + 7) >> 3
  // A run pays from two or three bytes of packed values on.
  const worthwhile = width >= 4 ? 8 : width >= 2 ? 16 : 32
  let literal = 0
  let i = 0
  while (i < count) {
    const run = runLength(values, i, count)
    if (run < worthwhile) {
      i += 8
      continue
    }
    if (i > literal) {
      out = writeVarint(out, ((<u64>((i - literal) >> 3)) << 1) | 1)
      out = pack(values + ((<usize>literal) << 2), i - literal, width, out)
    }
    out = writeVarint(out, (<u64>run) << 1)
    let value = load<u32>(values + ((<usize>i) << 2))
    for (let b = 0; b < valueBytes; b++) {
      store<u8>(out++, <u8>value)
      value >>= 8
    }
    i += run
    literal = i
  }
  if (count > literal) {
    out = writeVarint(out, ((<u64>((count - literal + 7) >> 3)) << 1) | 1)
    out = pack(values + ((<usize>literal) << 2), count - literal, width, out)
  }
  return <i32>(out - start)
}

/** Eight bits from bit `from` on; bits at and beyond `end` are 0 and their bytes are not read. */
@inline
function bitsAt(bits: usize, from: i32, end: i32): u32 {
  const at = bits + ((<usize>from) >> 3)
  const shift = from & 7
  let value = (<u32>load<u8>(at)) >> shift
  if (shift != 0 && from - shift + 8 < end) value |= (<u32>load<u8>(at, 1)) << (8 - shift)
  const left = end - from
  return value & (left >= 8 ? 0xff : (1 << left) - 1)
}

/** Encodes the `count` bits from bit `from` on as values of one bit; returns the number of bytes written. */
export function encodeHybridBits(bits: usize, from: i32, count: i32, out: usize): i32 {
  const start = out
  const end = from + count
  let literal = from
  let i = from
  while (i < end) {
    const first = bitsAt(bits, i, end)
    let stop = i
    if (first == 0 || first == 0xff) {
      while (stop + 8 <= end && bitsAt(bits, stop, end) == first) stop += 8
    }
    if (stop - i < 32) {
      i = max(stop, i + 8)
      continue
    }
    if (i > literal) out = packBitsRun(bits, literal, i, out)
    out = writeVarint(out, (<u64>(stop - i)) << 1)
    store<u8>(out++, first & 1)
    i = stop
    literal = i
  }
  if (end > literal) out = packBitsRun(bits, literal, end, out)
  return <i32>(out - start)
}

function packBitsRun(bits: usize, from: i32, end: i32, out: usize): usize {
  out = writeVarint(out, ((<u64>((end - from + 7) >> 3)) << 1) | 1)
  for (let i = from; i < end; i += 8) store<u8>(out++, <u8>bitsAt(bits, i, end))
  return out
}
