import type { Arena } from '../../core/arena.ts'
import type { ValueEncoder } from './encoder.ts'

/** BYTE_STREAM_SPLIT: the first bytes of all values, then their second bytes, and so on. */
export function encodeByteStreamSplit(arena: Arena, width: number, values: number): ValueEncoder {
  return {
    encoding: 'BYTE_STREAM_SPLIT',
    bound: (_from, count) => count * width,
    encode(from, count, out) {
      arena.kernels.splitStreams(values + from * width, width, count, out)
      return count * width
    },
  }
}
