import type { Region } from '../../core/arena.ts'
import { type Encoded, malformedValues } from './encoded.ts'

/** Booleans as runs of one-bit values, after the 4-byte length of the runs. */
export function rleBits({ values, end, count }: Encoded, region: Region): number {
  const { kernels } = region.arena
  const bits = region.zeroed((count + 7) >> 3)
  if (end - values < 4 || kernels.rleToBits(values + 4, end, count, bits, 0) < 0) throw malformedValues('RLE')
  return bits
}
