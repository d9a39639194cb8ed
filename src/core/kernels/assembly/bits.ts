/** Number of set bits among the first `count` bits of the bitmap at `bits`, least significant bit first. */
export function popcount(bits: usize, count: i32): i32 {
  let total: i32 = 0
  const words = count >> 6
  for (let i = 0; i < words; i++) total += <i32>popcnt<u64>(load<u64>(bits + ((<usize>i) << 3)))
  for (let i = words << 6; i < count; i++) {
    total += (load<u8>(bits + ((<usize>i) >> 3)) >> (<u8>(i & 7))) & 1
  }
  return total
}
