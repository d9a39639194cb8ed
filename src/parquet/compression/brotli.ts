import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib'
import type { Region } from '../../core/arena.ts'
import type { PageCodec } from './codec.ts'
import { checkLength, chunkSize, intoArena, malformed } from './output.ts'

/** Brotli (RFC 7932). */
export const brotli: PageCodec = {
  decompress(input: Uint8Array, size: number, region: Region): number {
    let output: Uint8Array
    try {
      output = brotliDecompressSync(input, {
        chunkSize: chunkSize(input.length, size, region),
        maxOutputLength: Math.max(size, 1),
      })
    } catch (error) {
      throw malformed('brotli', error)
    }
    checkLength(output.length, size)
    return intoArena(output, region)
  },
  compress: (input, _region, level = 4) =>
    brotliCompressSync(input, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: level,
        [constants.BROTLI_PARAM_SIZE_HINT]: input.length,
      },
    }),
}
