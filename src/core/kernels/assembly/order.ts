// The order of two values: 0 if the first is less, 1 if they are equal, 2 if it is greater.

/** Signed 128-bit integers, the low half first. */
@inline
export function orderI128(a: usize, b: usize): u32 {
  const aHigh = load<i64>(a, 8)
  const bHigh = load<i64>(b, 8)
  if (aHigh != bHigh) return aHigh < bHigh ? 0 : 2
  const aLow = load<u64>(a)
  const bLow = load<u64>(b)
  return aLow < bLow ? 0 : aLow == bLow ? 1 : 2
}

/** Unsigned bytes, a shorter string before those that it begins. */
@inline
export function orderBytes(a: usize, aLength: i32, b: usize, bLength: i32): u32 {
  const shared = min(aLength, bLength)
  let i = 0
  while (i + 8 <= shared) {
    const x = load<u64>(a + <usize>i)
    const y = load<u64>(b + <usize>i)
    if (x != y) return bswap(x) < bswap(y) ? 0 : 2
    i += 8
  }
  while (i < shared) {
    const x = load<u8>(a + <usize>i)
    const y = load<u8>(b + <usize>i)
    if (x != y) return x < y ? 0 : 2
    i++
  }
  return aLength < bLength ? 0 : aLength == bLength ? 1 : 2
}
