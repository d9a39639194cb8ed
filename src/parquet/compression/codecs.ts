import { SluiceError } from '../../core/errors.ts'
import type { Codec } from '../metadata.ts'
import { brotli } from './brotli.ts'
import type { PageCodec } from './codec.ts'
import { gzip } from './gzip.ts'
import { lz4Hadoop, lz4Raw } from './lz4.ts'
import { snappy } from './snappy.ts'
import { uncompressed } from './uncompressed.ts'
import { zstd } from './zstd.ts'

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
