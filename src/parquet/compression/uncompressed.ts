import type { Region } from '../../core/arena.ts'
import type { PageCodec } from './codec.ts'
import { checkLength, intoArena } from './output.ts'

/** Bytes as they are; those in the arena stay where they are. */
export const uncompressed: PageCodec = {
  decompress(input: Uint8Array, size: number, region: Region): number {
    checkLength(input.length, size)
    return intoArena(input, region)
  },
  compress: input => input,
}
