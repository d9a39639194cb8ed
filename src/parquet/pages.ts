import { crc32 } from 'node:zlib'
import type { Region } from '../core/arena.ts'
import { SluiceError } from '../core/errors.ts'
import type { PageCodec } from './compression/codec.ts'
import { pageCodec } from './compression/codecs.ts'
import type { Codec, Encoding } from './metadata.ts'
import { type PageHeader, readPageHeader } from './page-header.ts'

/** Bytes of a column chunk: all of its pages, or some that follow one another. */
export interface ChunkPart {
  bytes: Uint8Array
  /** Rows of the data pages among them, counted in the row group; none for a dictionary page alone. */
  firstRow: number
  rows: number
}

/** A page and where it lies. */
export interface Page {
  header: PageHeader
  /** The bytes that hold it, where its header begins there, and where it begins itself. */
  bytes: Uint8Array
  headerStart: number
  start: number
  /** First row, counted in the row group; flat columns have one value a row. */
  firstRow: number
}

/** The pages of one flat column's chunk. */
export interface ChunkPages {
  dictionary: Page | undefined
  data: Page[]
}

/** A data page laid open: decompressed in the arena, its levels read, its values still encoded. */
export interface OpenPage {
  firstRow: number
  rows: number
  /** Rows that are not null. */
  dense: number
  /** Address of the validity bitmap of `rows` bits; 0 if no row is null. */
  validity: number
  encoding: Encoding
  /** The encoded values lie at [values, end). */
  values: number
  end: number
}

/**
 * Walks the page headers of a chunk's parts without touching the pages, and checks that the pages of each hold as
 * many values as there are rows, so that nothing is allocated for rows that no page claims.
 */
export function scanPages(parts: readonly ChunkPart[]): ChunkPages {
  const result: ChunkPages = { dictionary: undefined, data: [] }
  for (const part of parts) scanPart(part, result)
  return result
}

function scanPart({ bytes, firstRow, rows }: ChunkPart, result: ChunkPages): void {
  let position = 0
  let row = firstRow
  const end = firstRow + rows
  while (row < end || (rows === 0 && position < bytes.length)) {
    if (position >= bytes.length) {
      throw new SluiceError('corrupt', `the pages hold ${row - firstRow} of ${rows} values`)
    }
    const { header, end: start } = readPageHeader(bytes, position)
    const page = { header, bytes, headerStart: position, start, firstRow: row }
    position = start + header.compressedSize
    if (header.type === 'dictionary') {
      if (result.dictionary !== undefined || result.data.length > 0) {
        throw new SluiceError('corrupt', 'a dictionary page is not the first page')
      }
      result.dictionary = page
    } else if (header.type !== 'other') {
      if (header.numValues > end - row) {
        throw new SluiceError('corrupt', `the pages hold more than ${rows} values`)
      }
      // An empty page has nothing to say, not even a valid body.
      if (header.numValues > 0) result.data.push(page)
      row += header.numValues
    }
  }
}

/** Room for bits, from bit `from` of the bitmap at `address` on. */
export interface Bits {
  address: number
  from: number
}

/** Opens the pages of one chunk. */
export class PageOpener {
  readonly #codec: PageCodec
  readonly #nullable: boolean

  constructor(codec: Codec, nullable: boolean) {
    this.#codec = pageCodec(codec)
    this.#nullable = nullable
  }

  /** The plain bytes of a dictionary page, as an address in the arena. */
  openDictionary(page: Page, region: Region): number {
    return this.#codec.decompress(bodyOf(page), page.header.uncompressedSize, region)
  }

  /** The validity bits of a nullable column are put where `bits` says, or into the region. */
  openData(page: Page, region: Region, validity?: Bits): OpenPage {
    const { header } = page
    const rows = header.numValues
    const opened: OpenPage = {
      firstRow: page.firstRow,
      rows,
      dense: rows,
      validity: 0,
      encoding: header.encoding,
      values: 0,
      end: 0,
    }
    const bits = this.#nullable
      ? (validity ?? { address: region.zeroed((rows + 7) >> 3), from: 0 })
      : undefined
    if (header.type === 'data') this.#openV1(page, region, opened, bits)
    else this.#openV2(page, region, opened, bits)
    if (opened.dense === rows) opened.validity = 0
    return opened
  }

  /** Levels and values are compressed together; the levels' length is written before them. */
  #openV1(page: Page, region: Region, opened: OpenPage, bits: Bits | undefined): void {
    const { uncompressedSize, levelEncoding } = page.header
    opened.values = this.#codec.decompress(bodyOf(page), uncompressedSize, region)
    opened.end = opened.values + uncompressedSize
    if (bits === undefined) return
    const { kernels } = region.arena
    const { rows } = opened
    if (levelEncoding === 'RLE') {
      const start = opened.values + 4
      if (start > opened.end) throw cutLevels()
      const length = readU32(region.arena.u8(opened.values, 4))
      if (length > opened.end - start) throw cutLevels()
      opened.values = start + length
      opened.dense = kernels.rleToBits(start, opened.values, rows, bits.address, bits.from)
    } else if (levelEncoding === 'BIT_PACKED') {
      const start = opened.values
      opened.values = start + ((rows + 7) >> 3)
      opened.dense = kernels.packedToBits(start, opened.end, rows, bits.address, bits.from)
    } else throw new SluiceError('corrupt', `definition levels are encoded as ${levelEncoding}`)
    if (opened.dense < 0) throw cutLevels()
    opened.validity = bits.address
  }

  /** Levels come first, uncompressed, with their lengths in the header. */
  #openV2(page: Page, region: Region, opened: OpenPage, bits: Bits | undefined): void {
    const { uncompressedSize, repetitionBytes, definitionBytes, isCompressed } = page.header
    const body = bodyOf(page)
    const levels = repetitionBytes + definitionBytes
    const size = uncompressedSize - levels
    if (bits !== undefined) {
      const { arena } = region
      const { rows } = opened
      const start = region.alloc(definitionBytes)
      arena.u8(start, definitionBytes).set(body.subarray(repetitionBytes, levels))
      opened.validity = bits.address
      opened.dense = arena.kernels.rleToBits(start, start + definitionBytes, rows, bits.address, bits.from)
      if (opened.dense < 0) throw cutLevels()
    }
    const values = body.subarray(levels)
    // Without any value there may be nothing to decompress, not even an empty frame.
    if (size > 0) {
      const codec = isCompressed ? this.#codec : pageCodec('UNCOMPRESSED')
      opened.values = codec.decompress(values, size, region)
      opened.end = opened.values + size
    }
  }
}

/** The bytes of a page, once they have passed its checksum. */
export function bodyOf({ header, bytes, start }: Page): Uint8Array {
  const body = bytes.subarray(start, start + header.compressedSize)
  if (header.crc !== undefined && crc32(body) !== header.crc) {
    throw new SluiceError('corrupt', 'the checksum of a page does not match its bytes')
  }
  return body
}

export function readU32(bytes: Uint8Array): number {
  return (bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16) | (bytes[3]! << 24)) >>> 0
}

function cutLevels(): SluiceError {
  return new SluiceError('corrupt', 'the definition levels of a page are malformed')
}
