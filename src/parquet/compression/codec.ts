import type { Region } from '../../core/arena.ts'

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
