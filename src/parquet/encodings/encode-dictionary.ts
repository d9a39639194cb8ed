import type { Arena } from '../../core/arena.ts'
import type { ValueEncoder } from './encoder.ts'

/** RLE_DICTIONARY: the bit width of the codes in a byte, then the codes as RLE/bit-packed hybrid. */
export function encodeDictionary(arena: Arena, codes: number, width: number): ValueEncoder {
  return {
    encoding: 'RLE_DICTIONARY',
    bound: (_from, count) => Math.ceil(count / 8) * (width + 1) + 17,
    encode(from, count, out) {
      arena.u8(out, 1)[0] = width
      return 1 + arena.kernels.encodeHybrid(codes + 4 * from, count, width, out + 1)
    },
  }
}
