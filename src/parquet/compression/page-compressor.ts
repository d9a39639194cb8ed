import type { Region } from '../../core/arena.ts'
import type { Codec } from '../metadata.ts'
import { pageCodec } from './codecs.ts'
import { zstd } from './zstd.ts'
import { storedFrame } from './zstd-frame.ts'

/** Compresses a page, to bytes of the codec's own or in `region`. */
export type PageCompressor = (page: Uint8Array, region: Region) => Uint8Array

/** What compresses the pages of one column chunk. Without a level zstd is as thorough as the pages are worth. */
export function pageCompressor(name: Codec, level: number | undefined): PageCompressor {
  if (name === 'ZSTD' && level === undefined) return adaptiveZstd()
  const codec = pageCodec(name)
  return (page, region) => codec.compress(page, region, level)
}

const FAST = 1
const THOROUGH = 3
/** The share of a page that has to be saved for a level to be worth its time, compared with the one below it. */
const WORTH = 0.08
/** Pages that are stored untried after one that was not worth it. */
const UNTRIED = 7
/** The compressed page of a chunk at which the thorough level is tried, and the bytes from its middle for that. */
const TRIED_PAGE = 4
const TRIED_BYTES = 4096

/**
 * A page that level 1 does not shrink by {@link WORTH} is stored, as are those behind it for a while. Where the
 * fourth page that shrinks tells that level 3 would save as much again, the pages behind it get that. It all depends
 * on nothing but the pages: the same chunk is always the same bytes.
 */
function adaptiveZstd(): PageCompressor {
  let level = FAST
  let untried = 0
  let compressed = 0
  return (page, region) => {
    if (untried > 0) {
      untried--
      return storedFrame(page, region)
    }
    const output = zstd.compress(page, region, level)
    if (page.length - output.length < WORTH * page.length) {
      untried = UNTRIED
      return storedFrame(page, region)
    }
    if (++compressed === TRIED_PAGE) level = levelFor(page, region)
    return output
  }
}

function levelFor(page: Uint8Array, region: Region): number {
  const start = Math.max(0, (page.length - TRIED_BYTES) >> 1)
  const sample = page.subarray(start, start + TRIED_BYTES)
  const sizeAt = (level: number): number => zstd.compress(sample, region, level).length
  return sizeAt(FAST) - sizeAt(THOROUGH) >= WORTH * sample.length ? THOROUGH : FAST
}
