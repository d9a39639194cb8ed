import type { Region } from '../../core/arena.ts'
import { type DenseBytes, type Encoded, malformedValues } from './encoded.ts'

/** Values one after the other, little-endian. */
export function plainFixed(encoded: Encoded, width: number, target: number, region: Region): void {
  const bytes = encoded.count * width
  if (bytes > encoded.end - encoded.values) throw malformedValues('PLAIN')
  region.arena.kernels.copy(encoded.values, target, bytes)
}

/** One bit a value, least significant bit first. */
export function plainBits({ values, end, count }: Encoded): number {
  if (count > (end - values) * 8) throw malformedValues('PLAIN')
  return values
}

/** A length of 4 bytes before every value. */
export function plainBytes({ values, end, count }: Encoded, region: Region): DenseBytes {
  if (count > (end - values) / 4) throw malformedValues('PLAIN')
  const offsets = region.alloc((count + 1) * 4)
  if (region.arena.kernels.plainOffsets(values, end, count, offsets) < 0) throw malformedValues('PLAIN')
  return { offsets, data: values, end, gap: 4 }
}
