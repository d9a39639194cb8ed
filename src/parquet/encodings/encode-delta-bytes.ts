import type { Region } from '../../core/arena.ts'
import { deltaBound } from './encode-delta-binary.ts'
import { writeDeltaLength } from './encode-delta-length.ts'
import type { ValueEncoder } from './encoder.ts'

/** DELTA_BYTE_ARRAY: how much each value shares with the one before, then what is left, delta length encoded. */
export function encodeDeltaBytes(region: Region, spans: number): ValueEncoder {
  const { arena } = region
  const { kernels } = arena
  return {
    encoding: 'DELTA_BYTE_ARRAY',
    bound: (from, count) => 2 * deltaBound(4, count) + kernels.spanBytes(spans + 8 * from, count),
    encode(from, count, out) {
      const scratch = arena.regionFor(0)
      const prefixes = scratch.alloc(4 * count)
      const suffixes = scratch.alloc(8 * count)
      kernels.splitPrefixes(spans + 8 * from, count, prefixes, suffixes)
      const bytes = kernels.encodeDelta32(prefixes, count, out)
      const rest = writeDeltaLength(region, suffixes, count, out + bytes)
      scratch.free()
      return bytes + rest
    },
  }
}
