/**
 * Byte strings as *spans*: a pair of 32-bit numbers, address and length, per value. Spans let values of
 * several buffers, of a dictionary or between nulls be handled alike, without their bytes being moved. Whoever
 * makes spans has checked them; kernels that take spans read exactly the bytes they name.
 */

@inline
function isSet(bits: usize, i: i32): bool {
  return bits == 0 || ((load<u8>(bits + ((<usize>i) >> 3)) >> (<u8>(i & 7))) & 1) != 0
}

@inline
export function spanAt(spans: usize, i: i32): usize {
  return <usize>load<u32>(spans + ((<usize>i) << 3))
}

@inline
export function spanLength(spans: usize, i: i32): u32 {
  return load<u32>(spans + ((<usize>i) << 3), 4)
}

function fromOffsets<T>(offsets: usize, data: usize, base: f64, bytes: u32, bits: usize, from: i32, count: i32, out: usize): i32 {
  const first = <i64>base
  let written = 0
  let start = <i64>load<T>(offsets)
  if (start < first) return -1
  for (let i = 0; i < count; i++) {
    offsets += sizeof<T>()
    const end = <i64>load<T>(offsets)
    // Nulls are checked, too: only so is every offset known not to lie before the first.
    if (end < start || <u64>(end - first) > <u64>bytes) return -1
    if (isSet(bits, from + i)) {
      const span = out + ((<usize>written) << 3)
      store<u32>(span, <u32>(data + <usize>(start - first)))
      store<u32>(span, <u32>(end - start), 4)
      written++
    }
    start = end
  }
  return written
}

/**
 * Spans of the valid values among `count`, given `count + 1` offsets and a bitmap (0: all valid) from bit `from`
 * on. An offset of `base` stands for the address `data`, from where `bytes` bytes may be used. Returns the number
 * of spans, or -1 for offsets that leave the data.
 */
export function spansOfOffsets(offsets: usize, data: usize, base: f64, bytes: u32, bits: usize, from: i32, count: i32, out: usize): i32 {
  return fromOffsets<i32>(offsets, data, base, bytes, bits, from, count, out)
}

/** {@link spansOfOffsets} for 64-bit offsets. */
export function spansOfLargeOffsets(offsets: usize, data: usize, base: f64, bytes: u32, bits: usize, from: i32, count: i32, out: usize): i32 {
  return fromOffsets<i64>(offsets, data, base, bytes, bits, from, count, out)
}

/**
 * Spans of the values with the numbers `codes` among `size` values, given `size + 1` offsets, the first of which
 * stands for the address `data`, from where `bytes` bytes may be used. Codes below `size` are the caller's duty.
 * Returns `count`, or -1 for offsets that leave the data.
 */
export function spansOfCodes(offsets: usize, offsetWidth: usize, data: usize, bytes: u32, codes: usize, count: i32, out: usize): i32 {
  const first = offsetAt(offsets, offsetWidth, 0)
  for (let i = 0; i < count; i++) {
    const code = <usize>load<u32>(codes + ((<usize>i) << 2))
    const start = offsetAt(offsets, offsetWidth, code)
    const end = offsetAt(offsets, offsetWidth, code + 1)
    if (start < first || end < start || <u64>(end - first) > <u64>bytes) return -1
    const span = out + ((<usize>i) << 3)
    store<u32>(span, <u32>(data + <usize>(start - first)))
    store<u32>(span, <u32>(end - start), 4)
  }
  return count
}

@inline
function offsetAt(offsets: usize, width: usize, i: usize): i64 {
  return width == 4 ? <i64>load<i32>(offsets + (i << 2)) : load<i64>(offsets + (i << 3))
}

/** Spans of `count` values of `width` bytes each. */
export function spansOfFixed(values: usize, width: u32, count: i32, out: usize): void {
  for (let i = 0; i < count; i++) {
    store<u32>(out, <u32>values)
    store<u32>(out, width, 4)
    out += 8
    values += <usize>width
  }
}

/** Total length; a float, because values of a dictionary can repeat beyond 4 GiB. */
export function spanBytes(spans: usize, count: i32): f64 {
  let total: u64 = 0
  for (let i = 0; i < count; i++) total += <u64>spanLength(spans, i)
  return <f64>total
}

/** Lengths as 32-bit numbers. */
export function spanLengths(spans: usize, count: i32, out: usize): void {
  for (let i = 0; i < count; i++) store<u32>(out + ((<usize>i) << 2), spanLength(spans, i))
}

/** Copies short strings without the cost of a call, never touching a byte beyond them. */
@inline
export function copyShort(out: usize, source: usize, length: usize): void {
  if (length > 32) memory.copy(out, source, length)
  else if (length >= 16) {
    const tail = v128.load(source + length - 16)
    v128.store(out, v128.load(source))
    v128.store(out + length - 16, tail)
  } else if (length >= 8) {
    const tail = load<u64>(source + length - 8)
    store<u64>(out, load<u64>(source))
    store<u64>(out + length - 8, tail)
  } else if (length >= 4) {
    const tail = load<u32>(source + length - 4)
    store<u32>(out, load<u32>(source))
    store<u32>(out + length - 4, tail)
  } else if (length > 0) {
    store<u8>(out, load<u8>(source))
    if (length > 1) store<u16>(out + length - 2, load<u16>(source + length - 2))
  }
}

/** The values' bytes one after the other; returns how many. */
export function copySpans(spans: usize, count: i32, out: usize): u32 {
  const start = out
  for (let i = 0; i < count; i++) {
    const length = <usize>spanLength(spans, i)
    copyShort(out, spanAt(spans, i), length)
    out += length
  }
  return <u32>(out - start)
}

/** PLAIN encoding of BYTE_ARRAY: a 32-bit length before each value. Returns the number of bytes. */
export function encodePlainSpans(spans: usize, count: i32, out: usize): u32 {
  const start = out
  for (let i = 0; i < count; i++) {
    const length = <usize>spanLength(spans, i)
    store<u32>(out, <u32>length)
    copyShort(out + 4, spanAt(spans, i), length)
    out += 4 + length
  }
  return <u32>(out - start)
}

/**
 * How many bytes each value shares with the one before it (0 for the first), and spans of what is left:
 * the two streams of DELTA_BYTE_ARRAY.
 */
export function splitPrefixes(spans: usize, count: i32, prefixes: usize, suffixes: usize): void {
  let previous: usize = 0
  let previousLength: u32 = 0
  for (let i = 0; i < count; i++) {
    const value = spanAt(spans, i)
    const length = spanLength(spans, i)
    const most = min(length, previousLength)
    let shared: u32 = 0
    while (shared + 8 <= most && load<u64>(value + <usize>shared) == load<u64>(previous + <usize>shared)) shared += 8
    while (shared < most && load<u8>(value + <usize>shared) == load<u8>(previous + <usize>shared)) shared++
    store<u32>(prefixes + ((<usize>i) << 2), shared)
    store<u32>(suffixes + ((<usize>i) << 3), <u32>value + shared)
    store<u32>(suffixes + ((<usize>i) << 3), length - shared, 4)
    previous = value
    previousLength = length
  }
}
