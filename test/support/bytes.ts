export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** Offsets of values that lie one after the other, the first of them at `start`. */
export function offsetsOf(values: readonly Uint8Array[], start = 0): Int32Array {
  let end = start
  return Int32Array.from([start, ...values.map(value => (end += value.length))])
}

/** Bits, least significant first, as bytes, after `skip` ones; the rest of the last byte is ones, too. */
export function packBits(bits: readonly (boolean | number)[], skip = 0): Uint8Array {
  const bytes = new Uint8Array((skip + bits.length + 7) >> 3).fill(skip > 0 ? 255 : 0)
  bits.forEach((bit, i) => {
    const mask = 1 << ((skip + i) & 7)
    if (bit) bytes[(skip + i) >> 3]! |= mask
    else bytes[(skip + i) >> 3]! &= ~mask
  })
  return bytes
}

export function bitsOf(bytes: Uint8Array, from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => (bytes[(from + i) >> 3]! >> ((from + i) & 7)) & 1)
}

/** The bytes of any typed array. */
export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}

/** Two's complement, little-endian. */
export function littleEndian(value: bigint, width: number): Uint8Array {
  const unsigned = BigInt.asUintN(width * 8, value)
  return Uint8Array.from({ length: width }, (_, i) => Number((unsigned >> BigInt(8 * i)) & 255n))
}

/** Two's complement, little-endian, of `width` bytes each. */
export function packIntegers(values: readonly bigint[], width: number): Uint8Array {
  return concat(values.map(value => littleEndian(value, width)))
}

/** Signed integers of `width` bytes each, little-endian. */
export function integersIn(bytes: Uint8Array, width: number): bigint[] {
  return Array.from({ length: bytes.length / width }, (_, i) => {
    const value = bytes.subarray(i * width, (i + 1) * width)
    return BigInt.asIntN(
      8 * width,
      value.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n),
    )
  })
}

/** Values of `width` bits one after the other, least significant first, padded to whole bytes. */
export function packValues(values: readonly bigint[], width: number): Uint8Array {
  const bits: number[] = []
  for (const value of values) for (let i = 0n; i < width; i++) bits.push(Number((value >> i) & 1n))
  return packBits(bits)
}

/** ULEB128. */
export function varint(value: bigint): number[] {
  const bytes: number[] = []
  while (value >= 128n) {
    bytes.push(Number(value & 127n) | 128)
    value >>= 7n
  }
  return [...bytes, Number(value)]
}

export function concat(parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts.map(part => Uint8Array.from(part))))
}
