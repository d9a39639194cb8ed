import type { Region } from '../../core/arena.ts'
import { type DenseBytes, type Encoded, malformedValues } from './encoded.ts'

/** All lengths, delta-packed, then all bytes. */
export function deltaLengthByteArray({ values, end, count }: Encoded, region: Region): DenseBytes {
  const { kernels } = region.arena
  const offsets = region.alloc((count + 1) * 4)
  const used = kernels.deltaToI32(values, end, count, offsets + 4)
  if (used < 0) throw malformedValues('DELTA_LENGTH_BYTE_ARRAY')
  const data = values + used
  if (kernels.lengthsToOffsets(offsets, count, end - data) < 0)
    throw malformedValues('DELTA_LENGTH_BYTE_ARRAY')
  return { offsets, data, end, gap: 0 }
}
