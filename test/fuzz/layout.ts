import { concat } from '../support/bytes.ts'
import {
  fieldOf,
  intAt,
  parseStruct,
  setInt,
  structAt,
  structsAt,
  type ThriftStruct,
  TYPE,
  writeStruct,
} from './thrift.ts'

const MAGIC = [0x50, 0x41, 0x52, 0x31]

/** A Parquet file taken apart: what lies before the footer, and the footer. */
export interface FileParts {
  body: Uint8Array
  footer: ThriftStruct
}

/** A page taken out of its chunk. */
export interface PageParts {
  header: ThriftStruct
  body: Uint8Array
}

export function takeApart(file: Uint8Array): FileParts {
  const length = new DataView(file.buffer, file.byteOffset).getUint32(file.length - 8, true)
  const start = file.length - 8 - length
  if (start < 4) throw new RangeError('the footer is longer than the file')
  return { body: file.slice(0, start), footer: parseStruct(file, start).struct }
}

export function putTogether({ body, footer }: FileParts): Uint8Array {
  return withFooter(body, writeStruct(footer))
}

/** A file whose footer is any bytes, of any claimed length. */
export function withFooter(body: Uint8Array, footer: Uint8Array, claimed = footer.length): Uint8Array {
  const length = new Uint8Array(4)
  new DataView(length.buffer).setUint32(0, claimed, true)
  return concat([body, footer, length, MAGIC])
}

/** All column chunks of a footer: `ColumnChunk` with its `ColumnMetaData`. */
export function chunksOf(footer: ThriftStruct): { chunk: ThriftStruct; meta: ThriftStruct }[] {
  return structsAt(footer, 4).flatMap(group =>
    structsAt(group, 1).flatMap(chunk => {
      const meta = structAt(chunk, 3)
      return meta === undefined ? [] : [{ chunk, meta }]
    }),
  )
}

/** The pages of a sound chunk. */
export function pagesOf(body: Uint8Array, meta: ThriftStruct): PageParts[] {
  const data = intAt(meta, 9)!
  const start = Math.min(data, intAt(meta, 11) || data)
  const end = start + intAt(meta, 7)!
  const pages: PageParts[] = []
  for (let at = start; at < end; ) {
    const { struct: header, end: bodyStart } = parseStruct(body, at)
    const size = intAt(header, 3)
    if (size === undefined || size < 0) throw new RangeError('a page is of no size')
    at = bodyStart + size
    pages.push({ header, body: body.slice(bodyStart, at) })
  }
  return pages
}

/**
 * Puts pages behind everything else and has a chunk begin there; its offset index follows them. Where the pages are
 * as many as before, nothing but what was changed in them is wrong then.
 */
export function replacePages(
  parts: FileParts,
  { chunk, meta }: { chunk: ThriftStruct; meta: ThriftStruct },
  pages: readonly PageParts[],
): void {
  const index = indexOf(parts.body, chunk, 'offset')
  const locations = index === undefined ? [] : structsAt(index, 1)
  const start = parts.body.length
  const pieces: Uint8Array[] = [parts.body]
  let at = start
  let dictionary: number | undefined
  let data: number | undefined
  for (const { header, body } of pages) {
    const bytes = writeStruct(header)
    pieces.push(bytes, body)
    if (fieldOf(header, 7) !== undefined && data === undefined) dictionary = at
    else {
      data ??= at
      const location = locations.shift()
      if (location !== undefined) {
        setInt(location, 1, TYPE.i64, at)
        setInt(location, 2, TYPE.i32, bytes.length + body.length)
      }
    }
    at += bytes.length + body.length
  }
  parts.body = concat(pieces)
  setInt(meta, 7, TYPE.i64, at - start)
  setInt(meta, 9, TYPE.i64, data ?? start)
  setInt(meta, 11, TYPE.i64, dictionary)
  if (index !== undefined) appendIndex(parts, chunk, 'offset', writeStruct(index))
}

const INDEX = { offset: [4, 5], column: [6, 7] } as const

/** The offset or column index of a chunk, if it has one. */
export function indexOf(
  body: Uint8Array,
  chunk: ThriftStruct,
  kind: keyof typeof INDEX,
): ThriftStruct | undefined {
  const at = intAt(chunk, INDEX[kind][0])
  return at === undefined ? undefined : parseStruct(body, at).struct
}

/** Puts an index behind everything else and has the chunk name it. */
export function appendIndex(
  parts: FileParts,
  chunk: ThriftStruct,
  kind: keyof typeof INDEX,
  bytes: Uint8Array,
): void {
  setInt(chunk, INDEX[kind][0], TYPE.i64, parts.body.length)
  setInt(chunk, INDEX[kind][1], TYPE.i32, bytes.length)
  parts.body = concat([parts.body, bytes])
}

/** The header of a chunk's bloom filter and the bits, if it has one. */
export function bloomOf(
  body: Uint8Array,
  meta: ThriftStruct,
): { header: ThriftStruct; bits: Uint8Array } | undefined {
  const at = intAt(meta, 14)
  if (at === undefined) return undefined
  const { struct: header, end } = parseStruct(body, at)
  return { header, bits: body.slice(end, end + intAt(header, 1)!) }
}

/** Puts a bloom filter behind everything else; `sized`: the footer says how long it is. */
export function appendBloom(parts: FileParts, meta: ThriftStruct, bytes: Uint8Array, sized: boolean): void {
  setInt(meta, 14, TYPE.i64, parts.body.length)
  setInt(meta, 15, TYPE.i32, sized ? bytes.length : undefined)
  parts.body = concat([parts.body, bytes])
}
