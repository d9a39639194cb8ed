// Bitmaps, least significant bit first, as Arrow's validity buffers are. Kernels read and write only the bytes that
// hold the bits they are given, and of those bytes no other bit is changed.

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
  const head = min<i32>((8 - (to & 7)) & 7, count)
  if (head > 0) {
    putBits(target, to, head, bitsAt(source, from, head))
    from += head
    to += head
    count -= head
  }
  let input = source + ((<usize>from) >> 3)
  let output = target + ((<usize>to) >> 3)
  const shift = from & 7
  if (shift == 0) {
    // Runs are short more often than not, and a call of memory.copy is dear.
    if (count >= 512) {
      const bytes = (<usize>count) >> 3
      memory.copy(output, input, bytes)
      input += bytes
      output += bytes
      count &= 7
    }
    while (count >= 8) {
      store<u8>(output++, load<u8>(input++))
      count -= 8
    }
  } else {
    // 64 bits that begin within a byte lie in nine bytes.
    while (count >= 64) {
      store<u64>(output, (load<u64>(input) >> <u64>shift) | ((<u64>load<u8>(input, 8)) << <u64>(64 - shift)))
      input += 8
      output += 8
      count -= 64
    }
    while (count >= 8) {
      store<u8>(output++, (<u32>load<u8>(input) >> shift) | (<u32>load<u8>(input, 1) << (8 - shift)))
      input++
      count -= 8
    }
  }
  if (count > 0) putBits(output, 0, count, bitsAt(input, shift, count))
}

/** Sets (`value` 1) or clears (0) `count` bits from bit `to` of `target` on; other bits stay. */
export function fillBits(target: usize, to: i32, count: i32, value: i32): void {
  const byte: u8 = value ? 255 : 0
  const head = min<i32>((8 - (to & 7)) & 7, count)
  if (head > 0) putBits(target, to, head, byte)
  let output = target + ((<usize>(to + head)) >> 3)
  const end = output + ((<usize>(count - head)) >> 3)
  if (end - output >= 64) {
    memory.fill(output, byte, end - output)
    output = end
  }
  while (output < end) store<u8>(output++, byte)
  const tail = (count - head) & 7
  if (tail > 0) putBits(output, 0, tail, byte)
}

/** Up to 8 bits from bit `from` on; what lies above them is undefined. */
@inline
function bitsAt(bits: usize, from: i32, count: i32): u32 {
  const address = bits + ((<usize>from) >> 3)
  const shift = from & 7
  let value = <u32>load<u8>(address) >> shift
  if (shift + count > 8) value |= <u32>load<u8>(address, 1) << (8 - shift)
  return value
}

/** Writes the lowest `count` bits of `value` to bits of one byte. */
@inline
function putBits(bits: usize, to: i32, count: i32, value: u32): void {
  const address = bits + ((<usize>to) >> 3)
  const mask: u32 = ((1 << count) - 1) << (to & 7)
  store<u8>(address, (<u32>load<u8>(address) & ~mask) | ((value << (to & 7)) & mask))
}

@inline
export function bitAt(bits: usize, index: i32): i32 {
  return (load<u8>(bits + ((<usize>index) >> 3)) >> (<u8>(index & 7))) & 1
}

@inline
export function putBit(bits: usize, index: i32, value: i32): void {
  const address = bits + ((<usize>index) >> 3)
  const mask = 1 << (index & 7)
  store<u8>(address, value ? load<u8>(address) | mask : load<u8>(address) & ~mask)
}
