import { crc32 } from 'node:zlib'
import type { Arena, Region } from '../core/arena.ts'
import { SluiceError } from '../core/errors.ts'
import type { ByteOutput } from './byte-output.ts'
import { type PageCompressor, pageCompressor } from './compression/page-compressor.ts'
import { isDictionaryEncoding } from './encodings/dictionary.ts'
import { writeLength } from './encodings/encode-rle.ts'
import type { ValueEncoder } from './encodings/encoder.ts'
import { flatLevels, type LeafLevels } from './leaf-levels.ts'
import type { Encoding, PageEncodingStats } from './metadata.ts'
import type { PageHeader } from './page-header.ts'
import type { Page } from './pages.ts'
import { ENCODINGS, PAGE_TYPES, type PageType } from './thrift-enums.ts'
import { ThriftWriter } from './thrift-writer.ts'
import type { ResolvedWriteOptions } from './write-options.ts'

/** Sizes in page headers are signed 32-bit numbers. */
const MAX_PAGE = 2 ** 31 - 1

/** The rows of one data page and the non-null values among them. */
export interface PageRows {
  firstRow: number
  rows: number
  firstValue: number
  values: number
}

/** Makes the pages of one column chunk: levels, values, compression, checksum, header. */
export class PageWriter {
  /** Bytes so far, had nothing been compressed. */
  uncompressed = 0
  readonly #pages = new Map<string, PageEncodingStats>()
  #arena: Arena
  #options: ResolvedWriteOptions
  #compressData: PageCompressor
  #output: ByteOutput
  #scratch: Region
  #buffer = 0
  #capacity = 0

  constructor(arena: Arena, options: ResolvedWriteOptions, output: ByteOutput) {
    this.#arena = arena
    this.#options = options
    this.#output = output
    this.#compressData = pageCompressor(options.codec, options.level)
    this.#scratch = arena.regionFor(0)
  }

  /** Where the next page begins. */
  get offset(): number {
    return this.#output.length
  }

  /** How many pages there are of each type and encoding. */
  get encodingStats(): PageEncodingStats[] {
    return [...this.#pages.values()]
  }

  /** The encodings of all pages, and that of levels. */
  get encodings(): Encoding[] {
    return [...new Set([...this.#pages.values()].map(({ encoding }) => encoding)).add('RLE')]
  }

  /** Gives the scratch memory back. */
  free(): void {
    this.#scratch.free()
  }

  /** All values of a dictionary, PLAIN. */
  dictionary(encoder: ValueEncoder, count: number): void {
    this.#reserve(encoder.bound(0, count))
    const bytes = encoder.encode(0, count, this.#buffer)
    // Of its own: how values shrink says nothing about codes.
    const compress = pageCompressor(this.#options.codec, this.#options.level)
    this.#compressed(this.#buffer, bytes, compress, body =>
      this.#write('DICTIONARY_PAGE', encoder.encoding, bytes, [body], w => {
        w.struct(7, () => {
          w.i32(1, count)
          w.i32(2, code(encoder.encoding))
        })
      }),
    )
  }

  /** A page as it lies in another file, header and all. */
  copy({ header, bytes, headerStart, start }: Page): void {
    this.#output.append(bytes.subarray(headerStart, start + header.compressedSize))
    this.uncompressed += start - headerStart + header.uncompressedSize
    this.#count(TYPES[header.type], header.encoding)
  }

  /**
   * A data page of a flat column without nulls, for one that may have them: as version 2, which has the levels
   * before what is compressed. `body` is what was stored behind `header`.
   */
  withLevels(header: PageHeader, body: Uint8Array): void {
    const rows = header.numValues
    const levels = flatLevels(this.#arena, { rows, bits: 0, valid: rows }, true)
    this.#reserve(levels.bound(0, rows))
    const before = levels.definition!(0, rows, this.#buffer)
    const own = header.repetitionBytes + header.definitionBytes
    const isCompressed = header.type === 'data' ? this.#options.codec !== 'UNCOMPRESSED' : header.isCompressed
    const encoding = isDictionaryEncoding(header.encoding) ? 'RLE_DICTIONARY' : header.encoding
    const bytes = before + header.uncompressedSize - own
    this.#write(
      'DATA_PAGE_V2',
      encoding,
      bytes,
      [this.#arena.u8(this.#buffer, before), body.subarray(own)],
      w => {
        dataHeaderV2(w, {
          slots: rows,
          nulls: 0,
          rows,
          encoding,
          definition: before,
          repetition: 0,
          isCompressed,
        })
      },
    )
  }

  /** A data page. */
  data(encoder: ValueEncoder, page: PageRows, levels: LeafLevels): void {
    const bound = encoder.bound(page.firstValue, page.values)
    this.#reserve(8 + levels.bound(page.firstRow, page.rows) + bound)
    if (this.#options.pageVersion === 1) this.#dataV1(encoder, page, levels)
    else this.#dataV2(encoder, page, levels)
  }

  #dataV1(encoder: ValueEncoder, page: PageRows, levels: LeafLevels): void {
    let bytes = 0
    for (const encode of [levels.repetition, levels.definition]) {
      if (encode === undefined) continue
      const length = encode(page.firstRow, page.rows, this.#buffer + bytes + 4)
      writeLength(this.#arena, this.#buffer + bytes, length)
      bytes += 4 + length
    }
    bytes += encoder.encode(page.firstValue, page.values, this.#buffer + bytes)
    this.#compressed(this.#buffer, bytes, this.#compressData, body =>
      this.#write('DATA_PAGE', encoder.encoding, bytes, [body], w => {
        w.struct(5, () => {
          w.i32(1, levels.slotsIn(page.firstRow, page.rows))
          w.i32(2, code(encoder.encoding))
          w.i32(3, code('RLE'))
          w.i32(4, code('RLE'))
        })
      }),
    )
  }

  #dataV2(encoder: ValueEncoder, page: PageRows, levels: LeafLevels): void {
    const { firstRow, rows } = page
    const repetition = levels.repetition?.(firstRow, rows, this.#buffer) ?? 0
    const definition = levels.definition?.(firstRow, rows, this.#buffer + repetition) ?? 0
    const before = repetition + definition
    const start = this.#buffer + before
    const bytes = encoder.encode(page.firstValue, page.values, start)
    this.#compressed(start, bytes, this.#compressData, compressed => {
      const isCompressed = this.#options.codec !== 'UNCOMPRESSED' && compressed.length < bytes
      const body = isCompressed ? compressed : this.#arena.u8(start, bytes)
      const slots = levels.slotsIn(firstRow, rows)
      const { encoding } = encoder
      this.#write(
        'DATA_PAGE_V2',
        encoding,
        before + bytes,
        [this.#arena.u8(this.#buffer, before), body],
        w => {
          const nulls = slots - page.values
          dataHeaderV2(w, { slots, nulls, rows, encoding, definition, repetition, isCompressed })
        },
      )
    })
  }

  /** Gives `use` the bytes as they are to be written. */
  #compressed(
    address: number,
    bytes: number,
    compress: PageCompressor,
    use: (body: Uint8Array) => void,
  ): void {
    if (bytes > MAX_PAGE) {
      throw new SluiceError('unsupported', `a page of ${bytes} bytes is larger than Parquet allows (2 GiB)`)
    }
    const input = this.#arena.u8(address, bytes)
    if (this.#options.codec === 'UNCOMPRESSED') {
      use(input)
      return
    }
    const scratch = this.#arena.regionFor(0)
    try {
      use(compress(input, scratch))
    } finally {
      scratch.free()
    }
  }

  #write(
    type: PageType,
    encoding: Encoding,
    bytes: number,
    body: Uint8Array[],
    specific: (w: ThriftWriter) => void,
  ): void {
    const w = new ThriftWriter(64)
    const compressed = body.reduce((sum, part) => sum + part.length, 0)
    w.i32(1, PAGE_TYPES.indexOf(type))
    w.i32(2, bytes)
    w.i32(3, compressed)
    if (this.#options.crc) w.i32(4, body.reduce((crc, part) => crc32(part, crc), 0) | 0)
    specific(w)
    const header = w.finish()
    this.#output.append(header)
    for (const part of body) this.#output.append(part)
    this.uncompressed += header.length + bytes
    this.#count(type, encoding)
  }

  #count(pageType: PageType, encoding: Encoding): void {
    const key = `${pageType} ${encoding}`
    const known = this.#pages.get(key)
    if (known === undefined) this.#pages.set(key, { pageType, encoding, count: 1 })
    else known.count++
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#capacity) return
    this.#scratch.free()
    this.#buffer = this.#scratch.alloc(bytes)
    this.#capacity = bytes
  }
}

const TYPES: Record<PageHeader['type'], PageType> = {
  data: 'DATA_PAGE',
  'data-v2': 'DATA_PAGE_V2',
  dictionary: 'DICTIONARY_PAGE',
  other: 'INDEX_PAGE',
}

interface DataHeaderV2 {
  slots: number
  nulls: number
  rows: number
  encoding: Encoding
  /** Bytes of the levels. */
  definition: number
  repetition: number
  isCompressed: boolean
}

function dataHeaderV2(w: ThriftWriter, header: DataHeaderV2): void {
  w.struct(8, () => {
    w.i32(1, header.slots)
    w.i32(2, header.nulls)
    w.i32(3, header.rows)
    w.i32(4, code(header.encoding))
    w.i32(5, header.definition)
    w.i32(6, header.repetition)
    w.bool(7, header.isCompressed)
  })
}

function code(encoding: Encoding): number {
  return ENCODINGS.indexOf(encoding)
}
