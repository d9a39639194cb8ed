import type { Field } from 'apache-arrow'
import { SluiceError } from '../core/errors.ts'
import type { EncodedChunk } from './column-writer.ts'
import { MAGIC, writeFooter } from './footer-writer.ts'
import { hasBloomFilter, type LeafType, type ValueOrder } from './leaf-type.ts'
import type { ColumnChunkMetadata, FileMetadata, SortingColumn } from './metadata.ts'
import { writeColumnIndex, writeOffsetIndex } from './page-index-writer.ts'
import { parquetSchema } from './parquet-schema.ts'
import { type RowGroupLayout, shiftChunk } from './row-group-writer.ts'
import { checkColumns, type ResolvedWriteOptions, sortingColumns } from './write-options.ts'

/**
 * What wrote the file, in the form that readers parse: application, `version`, `build`. Some of them trust
 * statistics by it.
 */
const CREATED_BY = 'sluice version 0.1.0 (build unknown)'

/**
 * Puts a file together from encoded row groups: says which bytes come next and keeps the metadata. It writes
 * nothing itself, and holds no data but the page index.
 */
export class ParquetFileWriter {
  readonly #metadata: FileMetadata
  readonly #options: ResolvedWriteOptions
  readonly #orders: ValueOrder[]
  readonly #sortingColumns: SortingColumn[]
  /** Of each chunk, in the order of the file; as bytes, which take a fraction of what objects do. */
  readonly #indexes: {
    chunk: ColumnChunkMetadata
    columnIndex: Uint8Array | undefined
    offsetIndex: Uint8Array
  }[] = []
  #bytes = 0

  constructor(fields: readonly Field[], options: ResolvedWriteOptions) {
    const { schema, columns, leaves } = parquetSchema(fields)
    const names = columns.map(({ path }) => path.join('.'))
    checkColumns(options, names)
    this.#options = options
    this.#sortingColumns = sortingColumns(options.sortedBy, names)
    for (const [i, leaf] of leaves.entries()) checkBloomFilter(options, names[i]!, leaf)
    this.#orders = leaves.map(({ order }) => order)
    this.#metadata = {
      version: 2,
      schema,
      columns,
      numRows: 0,
      rowGroups: [],
      keyValueMetadata: [...options.keyValueMetadata],
      createdBy: CREATED_BY,
      hasColumnOrders: true,
    }
  }

  /** Rows so far. */
  get rows(): number {
    return this.#metadata.numRows
  }

  /** Bytes so far. */
  get bytes(): number {
    return this.#bytes
  }

  /** Row groups so far. */
  get rowGroups(): number {
    return this.#metadata.rowGroups.length
  }

  /** The first bytes of the file. */
  header(): Uint8Array {
    this.#bytes += MAGIC.length
    return MAGIC.slice()
  }

  /** Adds a row group, whose `length` bytes are to be written next. Its offsets become those of the file. */
  append({ rows, columns: chunks }: RowGroupLayout, length: number): void {
    for (const chunk of chunks) shiftChunk(chunk, this.#bytes)
    const columns = chunks.map(chunk => chunk.metadata)
    this.#metadata.rowGroups.push({
      columns,
      numRows: rows,
      totalByteSize: columns.reduce((sum, chunk) => sum + chunk.totalUncompressedSize, 0),
      totalCompressedSize: columns.reduce((sum, chunk) => sum + chunk.totalCompressedSize, 0),
      ...(this.#sortingColumns.length === 0 ? {} : { sortingColumns: this.#sortingColumns }),
    })
    if (this.#options.pageIndex) this.#addIndexes(chunks)
    this.#metadata.numRows += rows
    this.#bytes += length
  }

  /** The last bytes of the file, and its metadata. */
  finish(): { bytes: Uint8Array; metadata: FileMetadata } {
    const parts = this.#options.pageIndex ? this.#writePageIndex() : []
    parts.push(writeFooter(this.#metadata))
    const bytes = Buffer.concat(parts)
    this.#bytes += parts.at(-1)!.length
    return { bytes, metadata: this.#metadata }
  }

  #addIndexes(chunks: readonly EncodedChunk[]): void {
    for (const [index, { metadata, pages, columnIndex }] of chunks.entries()) {
      if (pages.length === 0) continue
      this.#indexes.push({
        chunk: metadata,
        columnIndex: columnIndex ?? writeColumnIndex(this.#orders[index]!, pages),
        offsetIndex: writeOffsetIndex(pages),
      })
    }
  }

  /** All column indexes, then all offset indexes, as PageIndex.md has it. */
  #writePageIndex(): Uint8Array[] {
    const parts: Uint8Array[] = []
    const add = (part: Uint8Array): { offset: number; length: number } => {
      const offset = this.#bytes
      parts.push(part)
      this.#bytes += part.length
      return { offset, length: part.length }
    }
    for (const { chunk, columnIndex } of this.#indexes) {
      if (columnIndex === undefined) continue
      const { offset, length } = add(columnIndex)
      chunk.columnIndexOffset = offset
      chunk.columnIndexLength = length
    }
    for (const { chunk, offsetIndex } of this.#indexes) {
      const { offset, length } = add(offsetIndex)
      chunk.offsetIndexOffset = offset
      chunk.offsetIndexLength = length
    }
    return parts
  }
}

/** Asked for by name, a filter that the format does not know is an error. */
function checkBloomFilter({ bloomFilters }: ResolvedWriteOptions, column: string, leaf: LeafType): void {
  if (typeof bloomFilters === 'number' || !bloomFilters.has(column) || hasBloomFilter(leaf)) return
  const reason = `columns of type ${leaf.element.type} have no bloom filters`
  throw new SluiceError('invalid-argument', reason, { option: 'bloomFilters', column })
}
