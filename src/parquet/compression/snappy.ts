import type { Region } from '../../core/arena.ts'
import type { PageCodec } from './codec.ts'
import { checkLength, intoArena, malformed } from './output.ts'

/** Three bytes of input make 64 of output at most. */
const MAX_RATIO = 22

/** Snappy's raw format, by our own kernels. */
export const snappy: PageCodec = {
  decompress(input: Uint8Array, size: number, region: Region): number {
    if (size > input.length * MAX_RATIO) checkLength(input.length * MAX_RATIO, size)
    const source = intoArena(input, region)
    const target = region.alloc(size)
    if (region.arena.kernels.snappyDecompress(source, source + input.length, target, target + size) < 0) {
      throw malformed('snappy')
    }
    return target
  },
  compress: input => input,
}
