import { SluiceError } from '../../core/errors.ts'
import type { Encoding, PhysicalType } from '../metadata.ts'
import { byteStreamSplit } from './byte-stream-split.ts'
import { deltaBinaryPacked } from './delta-binary-packed.ts'
import { deltaByteArray, deltaByteArrayFixed } from './delta-byte-array.ts'
import { deltaLengthByteArray } from './delta-length-byte-array.ts'
import type { BitsDecoder, BytesDecoder, FixedDecoder } from './encoded.ts'
import { plainBits, plainBytes, plainFixed } from './plain.ts'
import { rleBits } from './rle.ts'

const FIXED: ReadonlyMap<Encoding, FixedDecoder> = new Map<Encoding, FixedDecoder>([
  ['PLAIN', plainFixed],
  ['DELTA_BINARY_PACKED', deltaBinaryPacked],
  ['DELTA_BYTE_ARRAY', deltaByteArrayFixed],
  ['BYTE_STREAM_SPLIT', byteStreamSplit],
])

/** Physical types that an encoding is defined for, where it is not all of a fixed size. */
const ALLOWED: ReadonlyMap<Encoding, readonly PhysicalType[]> = new Map<Encoding, readonly PhysicalType[]>([
  ['DELTA_BINARY_PACKED', ['INT32', 'INT64']],
  ['DELTA_BYTE_ARRAY', ['FIXED_LEN_BYTE_ARRAY']],
  ['BYTE_STREAM_SPLIT', ['INT32', 'INT64', 'FLOAT', 'DOUBLE', 'FIXED_LEN_BYTE_ARRAY']],
])

const BITS: ReadonlyMap<Encoding, BitsDecoder> = new Map<Encoding, BitsDecoder>([
  ['PLAIN', plainBits],
  ['RLE', rleBits],
])

const BYTES: ReadonlyMap<Encoding, BytesDecoder> = new Map<Encoding, BytesDecoder>([
  ['PLAIN', plainBytes],
  ['DELTA_LENGTH_BYTE_ARRAY', deltaLengthByteArray],
  ['DELTA_BYTE_ARRAY', deltaByteArray],
])

export function fixedDecoder(type: PhysicalType, encoding: Encoding): FixedDecoder {
  const fits = ALLOWED.get(encoding)?.includes(type) ?? true
  return (fits ? FIXED.get(encoding) : undefined) ?? unsupported(encoding, type)
}

export function bitsDecoder(encoding: Encoding): BitsDecoder {
  return BITS.get(encoding) ?? unsupported(encoding, 'BOOLEAN')
}

export function bytesDecoder(encoding: Encoding): BytesDecoder {
  return BYTES.get(encoding) ?? unsupported(encoding, 'BYTE_ARRAY')
}

function unsupported(encoding: Encoding, type: PhysicalType): never {
  throw new SluiceError('unsupported', `${type} values encoded as ${encoding} are not supported`)
}
