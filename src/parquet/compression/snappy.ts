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
  compress(input: Uint8Array, region: Region): Uint8Array {
    const { arena } = region
    const source = intoArena(input, region)
    const target = region.alloc(32 + input.length + Math.ceil(input.length / 6))
    const table = region.alloc(32 * 1024)
    const size = arena.kernels.snappyCompress(source, source + input.length, target, table)
    return arena.u8(target, size)
  },
}
