import type { Region } from '../../core/arena.ts'
import { SluiceError } from '../../core/errors.ts'
import { deltaLengthByteArray } from './delta-length-byte-array.ts'
import { type DenseBytes, type Encoded, malformedValues } from './encoded.ts'

/** How many bytes each value shares with the one before, delta-packed, then the rest of each. */
export function deltaByteArray({ values, end, count }: Encoded, region: Region): DenseBytes {
  const { kernels } = region.arena
  const prefixes = region.alloc(count * 4)
  const used = kernels.deltaToI32(values, end, count, prefixes)
  if (used < 0) throw malformedValues('DELTA_BYTE_ARRAY')
  const suffixes = deltaLengthByteArray({ values: values + used, end, count }, region)
  const offsets = region.alloc((count + 1) * 4)
  const total = kernels.prefixedOffsets(prefixes, suffixes.offsets, count, offsets)
  if (total === -1) throw malformedValues('DELTA_BYTE_ARRAY')
  if (total === -2) throw new SluiceError('budget', 'the values of a page do not fit in 2 GiB')
  const data = region.alloc(total)
  kernels.joinPrefixed(prefixes, suffixes.offsets, suffixes.data, count, data)
  return { offsets, data, end: data + total, gap: 0 }
}

/** The same for values that must all have `width` bytes. */
export function deltaByteArrayFixed(encoded: Encoded, width: number, target: number, region: Region): void {
  const { arena } = region
  const { count } = encoded
  const { offsets, data } = deltaByteArray(encoded, region)
  const lengths = arena.i32(offsets, count + 1)
  for (let i = 0; i <= count; i++) if (lengths[i] !== i * width) throw malformedValues('DELTA_BYTE_ARRAY')
  arena.kernels.copy(data, target, count * width)
}
