// Not by name: a Node without zstd has to load this module to be told, by `node-version.ts`, that it is too old.
import zlib from 'node:zlib'
import type { Region } from '../../core/arena.ts'
import type { PageCodec } from './codec.ts'
import { checkLength, chunkSize, intoArena, malformed } from './output.ts'

/**
 * Zstandard (RFC 8878). Before Node 26 zlib reads the first frame only, without a word: the length tells.
 */
export const zstd: PageCodec = {
  decompress(input: Uint8Array, size: number, region: Region): number {
    let output: Uint8Array
    try {
      output = zlib.zstdDecompressSync(input, {
        chunkSize: chunkSize(input.length, size),
        maxOutputLength: Math.max(size, 1),
      })
    } catch (error) {
      throw malformed('zstd', error)
    }
    checkLength(output.length, size)
    return intoArena(output, region)
  },
  compress: (input, _region, level = 3) =>
    zlib.zstdCompressSync(input, {
      params: { [zlib.constants.ZSTD_c_compressionLevel]: level },
      pledgedSrcSize: input.length,
    }),
}
