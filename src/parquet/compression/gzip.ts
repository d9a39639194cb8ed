import { gunzipSync, gzipSync } from 'node:zlib'
import type { Region } from '../../core/arena.ts'
import type { PageCodec } from './codec.ts'
import { checkLength, chunkSize, intoArena, malformed } from './output.ts'

/** GZIP (RFC 1952), several members in a row included. */
export const gzip: PageCodec = {
  decompress(input: Uint8Array, size: number, region: Region): number {
    let output: Uint8Array
    try {
      output = gunzipSync(input, {
        chunkSize: chunkSize(input.length, size, region),
        maxOutputLength: Math.max(size, 1),
      })
    } catch (error) {
      throw malformed('gzip', error)
    }
    checkLength(output.length, size)
    return intoArena(output, region)
  },
  compress: (input, _region, level = 6) => gzipSync(input, { level }),
}
