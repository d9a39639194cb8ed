import type { Arena } from '../../core/arena.ts'
import type { LeafType } from '../leaf-type.ts'
import type { ValueEncoder } from './encoder.ts'

/** PLAIN: values side by side; booleans as bits, byte arrays each after its length. */
export function encodePlain(arena: Arena, leaf: LeafType, values: number): ValueEncoder {
  const { kernels } = arena
  const { width, layout } = leaf
  if (layout === 'boolean') {
    return {
      encoding: 'PLAIN',
      bound: (_from, count) => Math.ceil(count / 8),
      encode(from, count, out) {
        kernels.packBits(values + from, count, out)
        return Math.ceil(count / 8)
      },
    }
  }
  if (layout === 'bytes') {
    return {
      encoding: 'PLAIN',
      bound: (from, count) => kernels.spanBytes(values + 8 * from, count) + 4 * count,
      encode: (from, count, out) => kernels.encodePlainSpans(values + 8 * from, count, out) >>> 0,
    }
  }
  return {
    encoding: 'PLAIN',
    bound: (_from, count) => count * width,
    encode(from, count, out) {
      const bytes = count * width
      arena.u8(out, bytes).set(arena.u8(values + from * width, bytes))
      return bytes
    },
  }
}
