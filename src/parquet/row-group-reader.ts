import type { Data, Field, RecordBatch } from 'apache-arrow'
import type { Arena, Region } from '../core/arena.ts'
import { makeBatch } from '../core/batch.ts'
import { type ErrorContext, located, SluiceError } from '../core/errors.ts'
import type { Rows } from '../core/take.ts'
import { topLevel } from './arrow-schema.ts'
import { ColumnReader, type PageCounts } from './column-reader.ts'
import { columnShape } from './column-shape.ts'
import type { FileMetadata } from './metadata.ts'
import { NestedReader } from './nested-reader.ts'
import { MAX_ROWS } from './page-header.ts'
import type { ChunkPart } from './pages.ts'
import { type SchemaNode, schemaTree } from './schema-tree.ts'

/** What a row group is read from. */
export interface RowGroupSource {
  /** For messages. */
  file: string
  metadata: FileMetadata
  rowGroup: number
  /** Top-level columns, in the order wanted. */
  columns: readonly string[]
  /**
   * The column chunk of a leaf, in any memory, until {@link RowGroupReader.close}: all of it, or its dictionary and
   * the pages of those rows that will not be skipped. Of a nested column it has to be all.
   */
  parts: (leaf: number) => readonly ChunkPart[]
  /** Where decoding happens. */
  arena: Arena
  /** Counts the pages. */
  counts?: PageCounts
}

/** A column of either kind: flat or nested. */
interface TopLevelReader {
  readonly field: Field
  readonly pageBytes: number
  read(rows: number, region: Region): Data
  take(rows: number, chosen: Rows, region: Region): Data
  skip(rows: number): void
  dictionary?(region: Region): Data | undefined
  close(): void
}

/**
 * Reads a row group's columns from front to back, in batches of any size. Dictionary-encoded strings stay so:
 * such a column of a batch is an Arrow `Dictionary`, though its field says the type of the values.
 *
 * Damage is `corrupt` and what Sluice cannot read `unsupported`; both name file, row group and column.
 */
export class RowGroupReader {
  /** The columns with the types of their values. */
  readonly fields: Field[]
  /** Rows of the row group. */
  readonly rows: number
  readonly #source: RowGroupSource
  readonly #readers: TopLevelReader[]
  #row = 0

  /** Reads the pages' headers. */
  static open(source: RowGroupSource): RowGroupReader {
    const readers: TopLevelReader[] = []
    const rows = groupOf(source).numRows
    const roots = schemaTree(source.metadata.schema).children
    try {
      for (const name of source.columns) {
        try {
          readers.push(openColumn(source, topLevel(roots, name), rows))
        } catch (error) {
          throw located(error, 'corrupt', { ...place(source), column: name })
        }
      }
    } catch (error) {
      for (const reader of readers) reader.close()
      throw error
    }
    return new RowGroupReader(source, rows, readers)
  }

  private constructor(source: RowGroupSource, rows: number, readers: TopLevelReader[]) {
    this.fields = readers.map(({ field }) => field)
    this.rows = rows
    this.#source = source
    this.#readers = readers
  }

  /** About the most memory that is kept from one read to the next where the first stops within pages. */
  get pageBytes(): number {
    return this.#readers.reduce((sum, reader) => sum + reader.pageBytes, 0)
  }

  /**
   * The next `rows` rows, or as many as are left. The columns lie in `region` and are valid until it is freed;
   * after an error, too, what they took is the region's to free.
   */
  read(rows: number, region: Region): RecordBatch {
    const count = this.#advance(rows)
    if (count > MAX_ROWS) throw tooManyRows(count, this.#source)
    const columns = this.#each(reader => reader.read(count, region))
    return makeBatch(this.fields, columns, count)
  }

  /**
   * Of the next `rows` rows those that `chosen` names, ascending and counted from the next row on. What else lies
   * in their pages is decoded only as far as the encoding demands it, and other pages are not decompressed.
   */
  take(rows: number, chosen: Rows, region: Region): RecordBatch {
    const count = this.#advance(rows)
    if (chosen.count > 0 && count > MAX_ROWS) throw tooManyRows(count, this.#source)
    const columns = this.#each(reader => reader.take(count, chosen, region))
    return makeBatch(this.fields, columns, chosen.count)
  }

  /** All values of a column but null, in `region`, if its pages are in codes of a dictionary from first to last. */
  dictionary(column: string, region: Region): Data | undefined {
    const [values] = this.#each(reader =>
      reader.field.name === column ? reader.dictionary?.(region) : undefined,
    ).filter(values => values !== undefined)
    return values
  }

  /** Passes over rows; pages that lie in them as a whole are not decompressed. */
  skip(rows: number): void {
    const count = this.#advance(rows)
    this.#each(reader => reader.skip(count))
  }

  /** Gives back what was kept between reads. Batches stay valid. */
  close(): void {
    for (const reader of this.#readers) reader.close()
  }

  #advance(rows: number): number {
    const count = Math.min(rows, this.rows - this.#row)
    this.#row += count
    return count
  }

  #each<T>(use: (reader: TopLevelReader) => T): T[] {
    return this.#readers.map(reader => {
      try {
        return use(reader)
      } catch (error) {
        throw located(error, 'corrupt', { ...place(this.#source), column: reader.field.name })
      }
    })
  }
}

function groupOf(source: RowGroupSource): FileMetadata['rowGroups'][number] {
  const group = source.metadata.rowGroups[source.rowGroup]
  if (group === undefined) throw new SluiceError('not-found', 'the file has no such row group', place(source))
  return group
}

function tooManyRows(rows: number, source: RowGroupSource): SluiceError {
  return new SluiceError('budget', `${rows} rows are too many at once`, {
    ...place(source),
    hint: "Use mode 'batch', which reads fewer rows at once.",
  })
}

function place({ file, rowGroup }: RowGroupSource): ErrorContext {
  return { file, rowGroup }
}

function openColumn(source: RowGroupSource, node: SchemaNode, rows: number): TopLevelReader {
  const { arena, parts, counts = { total: 0, opened: 0 } } = source
  const group = groupOf(source)
  const chunks = group.columns.slice(node.firstLeaf, node.endLeaf)
  for (const chunk of chunks) {
    if (chunk.encrypted === true) throw new SluiceError('unsupported', 'the column is encrypted')
    if (chunk.filePath !== undefined) throw new SluiceError('unsupported', 'the column lies in another file')
  }
  const shape = columnShape(node)
  if (shape.kind !== 'leaf') {
    return new NestedReader(shape, group.columns, leaf => parts(leaf)[0]!.bytes, rows, counts, arena)
  }
  const chunk = group.columns[shape.leaf]!
  if (chunk.numValues !== rows) {
    throw new SluiceError('corrupt', `the chunk has ${chunk.numValues} values for ${rows} rows`)
  }
  const region = (size: number) => arena.region(size)
  // A chunk without values may have no page, and bytes that are none.
  const own = rows === 0 ? [] : parts(shape.leaf)
  return new ColumnReader(shape.field, shape.element, chunk, own, counts, region)
}
