import type { Region } from '../../core/arena.ts'
import { SluiceError } from '../../core/errors.ts'
import type { Encoding } from '../metadata.ts'
import { plainBits, plainBytes, plainFixed } from './plain.ts'
import { rleBits } from './rle.ts'

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

const FIXED: ReadonlyMap<Encoding, FixedDecoder> = new Map([['PLAIN', plainFixed]])

const BITS: ReadonlyMap<Encoding, BitsDecoder> = new Map([
  ['PLAIN', plainBits],
  ['RLE', rleBits],
])

const BYTES: ReadonlyMap<Encoding, BytesDecoder> = new Map([['PLAIN', plainBytes]])

export function fixedDecoder(encoding: Encoding): FixedDecoder {
  return FIXED.get(encoding) ?? unsupported(encoding, 'values of a fixed size')
}

export function bitsDecoder(encoding: Encoding): BitsDecoder {
  return BITS.get(encoding) ?? unsupported(encoding, 'booleans')
}

export function bytesDecoder(encoding: Encoding): BytesDecoder {
  return BYTES.get(encoding) ?? unsupported(encoding, 'byte arrays')
}

/** The error of values that end before all of them have been read, or that contradict themselves. */
export function malformedValues(encoding: string): SluiceError {
  return new SluiceError('corrupt', `the ${encoding} values of a page are malformed`)
}

function unsupported(encoding: Encoding, what: string): never {
  throw new SluiceError('unsupported', `${what} encoded as ${encoding} are not supported`)
}
