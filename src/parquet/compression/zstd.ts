// Not by name: a Node without zstd has to load this module to be told, by `node-version.ts`, that it is too old.
import zlib from 'node:zlib'
import type { Region } from '../../core/arena.ts'
import type { PageCodec } from './codec.ts'
import { checkLength, chunkSize, intoArena, malformed } from './output.ts'
import { isFrameOf } from './zstd-frame.ts'
import { compressBound, type NativeZstd, openNativeZstd } from './zstd-native.ts'

/** Zstandard (RFC 8878): straight from and to the arena where Node lets us, else by its public functions. */
export const zstd: PageCodec = {
  decompress: (input, size, region) => best().decompress(input, size, region),
  compress: (input, region, level) => best().compress(input, region, level),
}

let opened: PageCodec | undefined

function best(): PageCodec {
  if (opened === undefined) {
    const native = openNativeZstd(zlib)
    opened = native === undefined ? publicZstd : nativeZstd(native)
  }
  return opened
}

/** On kept contexts. What they have no answer to is up to the public functions: mostly the error. */
export function nativeZstd(native: NativeZstd): PageCodec {
  return {
    decompress(input: Uint8Array, size: number, region: Region): number {
      if (isFrameOf(input, size)) {
        const address = region.alloc(size)
        if (native.decompress(input, region.arena.u8(address, size))) return address
      }
      return publicZstd.decompress(input, size, region)
    },
    compress(input: Uint8Array, region: Region, level = 3): Uint8Array {
      const room = compressBound(input.length)
      const address = region.alloc(room)
      const size = native.compress(input, region.arena.u8(address, room), level)
      return size < 0 ? publicZstd.compress(input, region, level) : region.arena.u8(address, size)
    },
  }
}

/** By public functions only. Before Node 26 they read the first frame alone, without a word: the length tells. */
export const publicZstd: PageCodec = {
  decompress(input: Uint8Array, size: number, region: Region): number {
    let output: Uint8Array
    try {
      output = zlib.zstdDecompressSync(input, {
        chunkSize: chunkSize(input.length, size, region),
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
