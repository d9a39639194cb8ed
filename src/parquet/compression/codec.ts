import type { Region } from '../../core/arena.ts'
import { SluiceError } from '../../core/errors.ts'
import type { Codec } from '../metadata.ts'
import { brotli } from './brotli.ts'
import { gzip } from './gzip.ts'
import { lz4Hadoop, lz4Raw } from './lz4.ts'
import { snappy } from './snappy.ts'
import { uncompressed } from './uncompressed.ts'
import { zstd } from './zstd.ts'

/** One codec, both directions, for whole pages. Synchronous: it runs in a lane. */
export interface PageCodec {
  /**
   * Decompresses to exactly `size` bytes in the arena and returns their address: in `region`, or where `input`
   * lies if nothing had to be done. Anything else than `size` bytes is `corrupt`; nothing is allocated that
   * the input could not fill.
   */
  decompress(input: Uint8Array, size: number, region: Region): number
  /** Compresses to bytes of the codec's own, or in `region`. `level` as the codec counts; ignored without levels. */
  compress(input: Uint8Array, region: Region, level?: number): Uint8Array
}

/** The codec of that name; `unsupported` if there is none. */
export function pageCodec(name: Codec): PageCodec {
  const codec = CODECS.get(name)
  if (codec === undefined) {
    throw new SluiceError('unsupported', `compression with ${name} is not supported`, {
      hint: 'Write the file with ZSTD or SNAPPY.',
    })
  }
  return codec
}

const CODECS: ReadonlyMap<Codec, PageCodec> = new Map([
  ['UNCOMPRESSED', uncompressed],
  ['SNAPPY', snappy],
  ['GZIP', gzip],
  ['BROTLI', brotli],
  ['ZSTD', zstd],
  ['LZ4_RAW', lz4Raw],
  ['LZ4', lz4Hadoop],
])
