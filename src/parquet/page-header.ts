import { SluiceError } from '../core/errors.ts'
import type { Encoding } from './metadata.ts'
import { ENCODINGS } from './thrift-enums.ts'
import { ThriftReader, ThriftType } from './thrift-reader.ts'

/** Most rows at once: bitmaps of them, padded, are counted in 31 bits. */
export const MAX_ROWS: number = 2 ** 31 - 64

/** Was never defined; what there is of it is passed over. */
const INDEX_PAGE = 1

/** A page's header; counts are checked to be there and not negative. */
export interface PageHeader {
  type: 'data' | 'data-v2' | 'dictionary' | 'other'
  /** Bytes after the header, as stored. */
  compressedSize: number
  /** Bytes after the header, decompressed. */
  uncompressedSize: number
  /** CRC-32 of the bytes as stored. */
  crc: number | undefined
  /** Values including nulls; of a dictionary, its entries. */
  numValues: number
  encoding: Encoding
  /** v1 only: the levels' encodings. */
  levelEncoding: Encoding
  repetitionEncoding: Encoding
  /** v2 only: bytes of levels before the values, never compressed. */
  repetitionBytes: number
  definitionBytes: number
  /** v2 only: whether the values are compressed. */
  isCompressed: boolean
}

/** Reads the header at `position`; `end` is where it ends. */
export function readPageHeader(bytes: Uint8Array, position: number): { header: PageHeader; end: number } {
  const reader = new ThriftReader(bytes, position)
  const header: PageHeader = {
    type: 'other',
    compressedSize: -1,
    uncompressedSize: -1,
    crc: undefined,
    numValues: -1,
    encoding: 'PLAIN',
    levelEncoding: 'RLE',
    repetitionEncoding: 'RLE',
    repetitionBytes: 0,
    definitionBytes: 0,
    isCompressed: true,
  }
  let kind = -1
  reader.struct((id, type) => {
    if (type === ThriftType.I32) {
      if (id === 1) kind = reader.i32()
      else if (id === 2) header.uncompressedSize = reader.i32()
      else if (id === 3) header.compressedSize = reader.i32()
      else if (id === 4) header.crc = reader.i32() >>> 0
      else return false
    } else if (type === ThriftType.STRUCT && (id === 5 || id === 7)) dataPageHeader(reader, header)
    else if (type === ThriftType.STRUCT && id === 8) dataPageHeaderV2(reader, header)
    else return false
  })
  if (kind === 0) header.type = 'data'
  else if (kind === 2) header.type = 'dictionary'
  else if (kind === 3) header.type = 'data-v2'
  else if (kind !== INDEX_PAGE) throw new SluiceError('unsupported', `page type ${kind} is not known`)
  const { compressedSize, uncompressedSize, numValues, repetitionBytes, definitionBytes } = header
  if (compressedSize < 0 || uncompressedSize < 0 || compressedSize > bytes.length - reader.position) {
    const left = bytes.length - reader.position
    throw new SluiceError('corrupt', `a page claims ${compressedSize} bytes where ${left} are left`)
  }
  if (header.type !== 'other' && numValues < 0) {
    throw new SluiceError('corrupt', `a page claims ${numValues} values`)
  }
  if (numValues > MAX_ROWS)
    throw new SluiceError('budget', `a page claims ${numValues} values, which is too many`)
  const levels = repetitionBytes + definitionBytes
  if (repetitionBytes < 0 || definitionBytes < 0 || levels > Math.min(compressedSize, uncompressedSize)) {
    throw new SluiceError('corrupt', `a page claims ${levels} bytes of levels in ${compressedSize}`)
  }
  return { header, end: reader.position }
}

/** Data page v1 and dictionary page have their first two fields in common. */
function dataPageHeader(reader: ThriftReader, header: PageHeader): void {
  reader.struct((id, type) => {
    if (type !== ThriftType.I32) return false
    if (id === 1) header.numValues = reader.i32()
    else if (id === 2) header.encoding = encoding(reader)
    else if (id === 3) header.levelEncoding = encoding(reader)
    else if (id === 4) header.repetitionEncoding = encoding(reader)
    else return false
  })
}

function dataPageHeaderV2(reader: ThriftReader, header: PageHeader): void {
  reader.struct((id, type) => {
    if (id === 7) header.isCompressed = reader.bool(type)
    else if (type !== ThriftType.I32) return false
    else if (id === 1) header.numValues = reader.i32()
    else if (id === 4) header.encoding = encoding(reader)
    else if (id === 5) header.definitionBytes = reader.i32()
    else if (id === 6) header.repetitionBytes = reader.i32()
    else return false
  })
}

function encoding(reader: ThriftReader): Encoding {
  const value = reader.i32()
  const name = ENCODINGS[value]
  if (name === undefined) throw new SluiceError('unsupported', `encoding ${value} is not known`)
  return name
}
