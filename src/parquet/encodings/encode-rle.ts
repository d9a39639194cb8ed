import type { Arena } from '../../core/arena.ts'
import type { ValueEncoder } from './encoder.ts'

/** RLE of booleans: a length in four bytes, then the RLE/bit-packed hybrid of one bit a value. */
export function encodeRle(arena: Arena, values: number): ValueEncoder {
  return {
    encoding: 'RLE',
    bound: (_from, count) => 4 + hybridBitsBound(count),
    encode(from, count, out) {
      const scratch = arena.regionFor(0)
      const bits = scratch.alloc(Math.ceil(count / 8))
      arena.kernels.packBits(values + from, count, bits)
      const bytes = arena.kernels.encodeHybridBits(bits, 0, count, out + 4)
      scratch.free()
      writeLength(arena, out, bytes)
      return 4 + bytes
    },
  }
}

/** See the kernel. */
export function hybridBitsBound(count: number): number {
  return Math.ceil(count / 8) * 2 + 16
}

/** A length in four bytes, little-endian. */
export function writeLength(arena: Arena, out: number, bytes: number): void {
  new DataView(arena.buffer, out, 4).setUint32(0, bytes, true)
}
