import type { Region } from '../../core/arena.ts'
import { type Encoded, malformedValues } from './encoded.ts'

/** The first bytes of all values, then all second bytes, and so on. */
export function byteStreamSplit(encoded: Encoded, width: number, target: number, region: Region): void {
  const { values, end, count } = encoded
  if (count * width !== end - values) throw malformedValues('BYTE_STREAM_SPLIT')
  region.arena.kernels.joinStreams(values, count, width, target)
}
