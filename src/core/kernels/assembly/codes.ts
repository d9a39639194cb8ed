// Dictionary codes (int32). `size` is the number of values that a code may name; codes are checked against it
// once, by `checkCodes`, and every other kernel here is given checked ones. Sources hold at least `size` values.

/**
 * Copies `n` codes of `width` bytes, `size` standing in for null ones. Returns the first row whose code is out
 * of range, or -1.
 */
export function checkCodes(codes: usize, width: i32, valid: usize, n: i32, size: i32, out: usize): i32 {
  for (let i = 0; i < n; i++) {
    let code: u32 = size
    if (valid == 0 || ((load<u8>(valid + ((<usize>i) >> 3)) >> (<u8>(i & 7))) & 1)) {
      if (width == 4) code = load<u32>(codes + ((<usize>i) << 2))
      else if (width == 2) code = load<u16>(codes + ((<usize>i) << 1))
      else code = load<u8>(codes + <usize>i)
      if (code >= <u32>size) return i
    }
    store<u32>(out + ((<usize>i) << 2), code)
  }
  return -1
}

/** The rows whose code is flagged, as int32; how many there are. */
export function selectCodes(codes: usize, n: i32, flags: usize, out: usize): i32 {
  const start = out
  for (let i = 0; i < n; i++) {
    store<i32>(out, i)
    out += (<usize>load<u8>(flags + <usize>load<u32>(codes + ((<usize>i) << 2)))) << 2
  }
  return <i32>((out - start) >> 2)
}

/** The number of rows whose code is flagged. */
export function countCodes(codes: usize, n: i32, flags: usize): i32 {
  let count = 0
  for (let i = 0; i < n; i++) count += <i32>load<u8>(flags + <usize>load<u32>(codes + ((<usize>i) << 2)))
  return count
}

/** A bit for each row: its code's flag, a byte of 0 or 1. */
export function flagCodes(codes: usize, n: i32, flags: usize, out: usize): void {
  let byte: u32 = 0
  for (let i = 0; i < n; i++) {
    byte |= (<u32>load<u8>(flags + <usize>load<u32>(codes + ((<usize>i) << 2)))) << (i & 7)
    if ((i & 7) == 7) {
      store<u8>(out++, byte)
      byte = 0
    }
  }
  if (n & 7) store<u8>(out, byte)
}

/** Values of `width` 1, 2, 4, 8 or 16 bytes by code. */
export function lookUp(codes: usize, n: i32, values: usize, width: i32, out: usize): void {
  if (width == 8) {
    for (let i = 0; i < n; i++) store<u64>(out + ((<usize>i) << 3), load<u64>(values + ((<usize>load<u32>(codes + ((<usize>i) << 2))) << 3)))
  } else if (width == 4) {
    for (let i = 0; i < n; i++) store<u32>(out + ((<usize>i) << 2), load<u32>(values + ((<usize>load<u32>(codes + ((<usize>i) << 2))) << 2)))
  } else if (width == 16) {
    for (let i = 0; i < n; i++) v128.store(out + ((<usize>i) << 4), v128.load(values + ((<usize>load<u32>(codes + ((<usize>i) << 2))) << 4)))
  } else if (width == 2) {
    for (let i = 0; i < n; i++) store<u16>(out + ((<usize>i) << 1), load<u16>(values + ((<usize>load<u32>(codes + ((<usize>i) << 2))) << 1)))
  } else {
    for (let i = 0; i < n; i++) store<u8>(out + <usize>i, load<u8>(values + <usize>load<u32>(codes + ((<usize>i) << 2))))
  }
}

/** The offsets that looking up text by code makes: `n` + 1 of them. Returns the bytes needed, which may exceed int32. */
export function lookUpOffsets(codes: usize, n: i32, offsets: usize, out: usize): f64 {
  let total: i64 = 0
  for (let i = 0; i < n; i++) {
    store<i32>(out + ((<usize>i) << 2), <i32>total)
    const code = (<usize>load<u32>(codes + ((<usize>i) << 2))) << 2
    total += <i64>(load<i32>(offsets + code, 4) - load<i32>(offsets + code))
  }
  store<i32>(out + ((<usize>n) << 2), <i32>total)
  return <f64>total
}

export function lookUpBytes(codes: usize, n: i32, offsets: usize, bytes: usize, out: usize): void {
  for (let i = 0; i < n; i++) {
    const code = (<usize>load<u32>(codes + ((<usize>i) << 2))) << 2
    const start = load<i32>(offsets + code)
    const length = <usize>(load<i32>(offsets + code, 4) - start)
    memory.copy(out, bytes + <usize>start, length)
    out += length
  }
}
