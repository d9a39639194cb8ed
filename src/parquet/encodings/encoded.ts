import type { Region } from '../../core/arena.ts'
import { SluiceError } from '../../core/errors.ts'

/** `count` encoded values, none of them null, at [values, end) of the arena. */
export interface Encoded {
  values: number
  end: number
  count: number
}

/** Byte arrays, decoded as far as needed to copy them once. */
export interface DenseBytes {
  /** Address of `count` + 1 offsets from 0. */
  offsets: number
  /** The first value lies `gap` bytes after this, and every other one `gap` bytes after the one before. */
  data: number
  end: number
  gap: number
}

/** Writes `count` values of `width` bytes to `target`. */
export type FixedDecoder = (encoded: Encoded, width: number, target: number, region: Region) => void

/** Yields the address of `count` bits. */
export type BitsDecoder = (encoded: Encoded, region: Region) => number

export type BytesDecoder = (encoded: Encoded, region: Region) => DenseBytes

/** The error of values that end before all of them have been read, or that contradict themselves. */
export function malformedValues(encoding: string): SluiceError {
  return new SluiceError('corrupt', `the ${encoding} values of a page are malformed`)
}
