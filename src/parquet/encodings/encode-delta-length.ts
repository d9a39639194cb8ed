import type { Region } from '../../core/arena.ts'
import { deltaBound } from './encode-delta-binary.ts'
import type { ValueEncoder } from './encoder.ts'

/** DELTA_LENGTH_BYTE_ARRAY: all lengths, DELTA_BINARY_PACKED, then all bytes. */
export function encodeDeltaLength(region: Region, spans: number): ValueEncoder {
  const { arena } = region
  return {
    encoding: 'DELTA_LENGTH_BYTE_ARRAY',
    bound: (from, count) => deltaBound(4, count) + arena.kernels.spanBytes(spans + 8 * from, count),
    encode: (from, count, out) => writeDeltaLength(region, spans + 8 * from, count, out),
  }
}

/** The two streams at `out`; returns their bytes. */
export function writeDeltaLength({ arena }: Region, spans: number, count: number, out: number): number {
  const scratch = arena.regionFor(0)
  const lengths = scratch.alloc(4 * count)
  arena.kernels.spanLengths(spans, count, lengths)
  const bytes = arena.kernels.encodeDelta32(lengths, count, out)
  scratch.free()
  return bytes + (arena.kernels.copySpans(spans, count, out + bytes) >>> 0)
}
