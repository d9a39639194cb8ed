import { type Data, DataType, type Field, tableFromIPC } from 'apache-arrow'
import type { Region } from '../core/arena.ts'
import { type ColumnParts, makeColumn } from '../core/batch.ts'
import { SluiceError } from '../core/errors.ts'
import { type Rows, takeColumn } from '../core/take.ts'
import { toField } from './arrow-schema.ts'
import { MAGIC, writeFooter } from './footer-writer.ts'
import { type ColumnChunkMetadata, chunkRange, type FileMetadata, type SchemaElement } from './metadata.ts'
import { checkPages } from './pages.ts'
import { columnDescriptors, type SchemaNode } from './schema-tree.ts'

/**
 * Reads a nested column through parquet-wasm: the column's chunks become a file of one row group, which its
 * synchronous reader decodes at once. The values lie in plain memory, not in the arena.
 */
export class NestedReader {
  readonly field: Field
  /** Nothing of the arena. */
  readonly pageBytes = 0
  readonly #decode: () => Data
  #data: Data | undefined
  #row = 0

  /**
   * Loads the decoder. `chunks` are those of the leaves below `node`, `bytes` gives the bytes of each by its
   * place among them.
   */
  static async open(
    node: SchemaNode,
    chunks: readonly ColumnChunkMetadata[],
    bytes: (index: number) => Uint8Array,
    rows: number,
  ): Promise<NestedReader> {
    const { readParquet } = await import('parquet-wasm')
    const field = toField(node)
    return new NestedReader(field, () => {
      if (rows === 0) return emptyColumn(field.type)
      checkSizes(chunks, bytes)
      const file = miniFile(node, chunks, bytes, rows)
      const decoded = decodeFile(() => readParquet(file, { batchSize: rows }).intoIPCStream())
      if (decoded?.length !== 1 || decoded[0]!.length !== rows) {
        throw new SluiceError('corrupt', `the column does not have ${rows} rows`)
      }
      return retype(decoded[0]!, field)
    })
  }

  private constructor(field: Field, decode: () => Data) {
    this.field = field
    this.#decode = decode
  }

  read(rows: number): Data {
    this.#data ??= this.#decode()
    const start = this.#row
    this.#row += rows
    return start === 0 && rows === this.#data.length ? this.#data : this.#data.slice(start, rows)
  }

  take(rows: number, chosen: Rows, region: Region): Data {
    if (chosen.count > 0) return takeColumn(this.read(rows), chosen, region)
    this.skip(rows)
    return emptyColumn(this.field.type)
  }

  skip(rows: number): void {
    this.#row += rows
  }

  close(): void {
    this.#data = undefined
  }
}

/** No values of a type, and none of its children's. */
function emptyColumn(type: DataType): Data {
  const children = (type.children ?? []).map((child: Field) => emptyColumn(child.type))
  const nested = DataType.isStruct(type) ? { children } : children.length > 0 ? { child: children[0]! } : {}
  return makeColumn({ type, length: 0, nullCount: 0, ...nested } as ColumnParts)
}

/** parquet-wasm has 4 GiB for the file, its decompressed pages, and the result twice. */
const MAX_BYTES = 2 ** 30

/** parquet-wasm takes sizes at their word and checks no checksums, so that is done before. */
function checkSizes(chunks: readonly ColumnChunkMetadata[], bytes: (index: number) => Uint8Array): void {
  const sizes = chunks.map(({ numValues }, index) => checkPages(bytes(index), numValues))
  const total = sizes.reduce((sum, size) => sum + size, 0)
  if (total > MAX_BYTES) {
    throw new SluiceError('unsupported', `a nested column of ${total} bytes in a row group is too large`, {
      hint: 'Nested columns are decoded as a whole, up to 1 GiB: write smaller row groups.',
    })
  }
}

function decodeFile(decode: () => Uint8Array): readonly Data[] | undefined {
  let stream: Uint8Array
  try {
    stream = decode()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new SluiceError('corrupt', `the nested column cannot be decoded: ${reason}`, { cause: error })
  }
  return tableFromIPC(stream).getChildAt(0)?.data
}

/** A Parquet file of one column and one row group, without what its reader does not need. */
function miniFile(
  node: SchemaNode,
  chunks: readonly ColumnChunkMetadata[],
  bytes: (index: number) => Uint8Array,
  rows: number,
): Uint8Array {
  const parts: Uint8Array[] = [MAGIC]
  let position = MAGIC.length
  const columns = chunks.map((chunk, index) => {
    const shift = position - chunkRange(chunk).start
    const part = bytes(index)
    parts.push(part)
    position += part.length
    const { type, encodings, path, codec, numValues, totalUncompressedSize, dictionaryPageOffset } = chunk
    const moved: ColumnChunkMetadata = {
      type,
      encodings: encodings.length === 0 ? ['PLAIN'] : encodings,
      path,
      codec,
      numValues,
      totalUncompressedSize,
      totalCompressedSize: part.length,
      dataPageOffset: chunk.dataPageOffset + shift,
    }
    // 0 is how some writers say that there is none.
    if (dictionaryPageOffset) moved.dictionaryPageOffset = dictionaryPageOffset + shift
    return moved
  })
  const schema = [{ name: 'schema', numChildren: 1 }, ...elementsOf(node)]
  const metadata: FileMetadata = {
    version: 1,
    schema,
    columns: columnDescriptors(schema),
    numRows: rows,
    rowGroups: [{ columns, totalByteSize: position, numRows: rows }],
    keyValueMetadata: [],
    hasColumnOrders: false,
  }
  return Buffer.concat([...parts, writeFooter(metadata)])
}

function elementsOf(node: SchemaNode): SchemaElement[] {
  return [node.element, ...node.children.flatMap(elementsOf)]
}

/** The same buffers under the type that the file's schema promises: it differs in names and annotations only. */
function retype(data: Data, field: Field): Data {
  const { type } = field
  const children = type.children ?? []
  const { offset, length, nullCount, buffers } = data
  if (data.children.length === children.length && layout(data.type) === layout(type)) {
    const retyped = data.children.map((child, index) => retype(child, children[index]!))
    const result: Data = data.clone(type, offset, length, nullCount, buffers, retyped)
    if (result.stride === data.stride) return result
  }
  throw new SluiceError('unsupported', `nested values of type ${data.type} cannot be read as ${type}`)
}

/** What has to agree: of nested types their kind, of leaves all but the time zone and whether bytes are text. */
function layout(type: DataType): string {
  if (type.children?.length > 0) return String(type.typeId)
  if (DataType.isUtf8(type) || DataType.isBinary(type)) return 'bytes'
  return DataType.isTimestamp(type) ? `timestamp ${type.unit}` : String(type)
}
