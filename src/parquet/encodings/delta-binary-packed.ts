import type { Region } from '../../core/arena.ts'
import { type Encoded, malformedValues } from './encoded.ts'

/** Integers as bit-packed differences. */
export function deltaBinaryPacked(encoded: Encoded, width: number, target: number, region: Region): void {
  const { values, end, count } = encoded
  const { kernels } = region.arena
  const decode = width === 4 ? kernels.deltaToI32 : kernels.deltaToI64
  if (decode(values, end, count, target) < 0) throw malformedValues('DELTA_BINARY_PACKED')
}
