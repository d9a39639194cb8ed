/** Number of set bits among the first `count` bits of the bitmap at `bits`, least significant bit first. */
export function popcount(bits: usize, count: i32): i32 {
  let total: i32 = 0
  const words = count >> 6
  for (let i = 0; i < words; i++) total += <i32>popcnt<u64>(load<u64>(bits + ((<usize>i) << 3)))
  for (let i = words << 6; i < count; i++) total += bitAt(bits, i)
  return total
}

/** Copies `count` bits from bit `from` of `source` to bit `to` of `target`; other bits of `target` stay. */
export function copyBits(source: usize, from: i32, target: usize, to: i32, count: i32): void {
  while (count > 0 && (to & 7) != 0) {
    putBit(target, to++, bitAt(source, from++))
    count--
  }
  let input = source + ((<usize>from) >> 3)
  let output = target + ((<usize>to) >> 3)
  const shift = <u64>(from & 7)
  if (shift == 0) {
    const bytes = (<usize>count) >> 3
    memory.copy(output, input, bytes)
    input += bytes
    output += bytes
    count &= 7
  } else {
    // 64 bits that begin within a byte lie in nine bytes.
    while (count >= 64) {
      store<u64>(output, (load<u64>(input) >> shift) | ((<u64>load<u8>(input, 8)) << (64 - shift)))
      input += 8
      output += 8
      count -= 64
    }
  }
  for (let i = 0; i < count; i++) putBit(output, i, bitAt(input, <i32>shift + i))
}

/** Sets (`value` 1) or clears (0) `count` bits from bit `to` of `target` on; other bits stay. */
export function fillBits(target: usize, to: i32, count: i32, value: i32): void {
  while (count > 0 && (to & 7) != 0) {
    putBit(target, to++, value)
    count--
  }
  const output = target + ((<usize>to) >> 3)
  const bytes = (<usize>count) >> 3
  memory.fill(output, value ? 255 : 0, bytes)
  for (let i = 0; i < (count & 7); i++) putBit(output + bytes, i, value)
}

// @ts-ignore: decorator
@inline
export function bitAt(bits: usize, index: i32): i32 {
  return (load<u8>(bits + ((<usize>index) >> 3)) >> (<u8>(index & 7))) & 1
}

// @ts-ignore: decorator
@inline
export function putBit(bits: usize, index: i32, value: i32): void {
  const address = bits + ((<usize>index) >> 3)
  const mask = 1 << (index & 7)
  store<u8>(address, value ? load<u8>(address) | mask : load<u8>(address) & ~mask)
}
