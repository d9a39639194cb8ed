import type { Arena } from '../../core/arena.ts'
import type { ValueEncoder } from './encoder.ts'

/** DELTA_BINARY_PACKED, of INT32 and INT64. */
export function encodeDeltaBinary(arena: Arena, width: number, values: number): ValueEncoder {
  const { kernels } = arena
  const encode = width === 4 ? kernels.encodeDelta32 : kernels.encodeDelta64
  return {
    encoding: 'DELTA_BINARY_PACKED',
    bound: (_from, count) => deltaBound(width, count),
    encode: (from, count, out) => encode(values + from * width, count, out),
  }
}

/** See the kernel. */
export function deltaBound(width: number, count: number): number {
  return 32 + Math.ceil(count / 128) * (14 + 128 * width)
}
