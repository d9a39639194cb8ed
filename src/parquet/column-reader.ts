import { type Data, DataType, Dictionary, type Field, Int32, Vector } from 'apache-arrow'
import type { Region } from '../core/arena.ts'
import type { Rows } from '../core/take.ts'
import type { PageInUse } from './column-output.ts'
import { isDictionaryEncoding } from './encodings/dictionary.ts'
import type { ColumnChunkMetadata, SchemaElement } from './metadata.ts'
import { choosePage } from './page-choice.ts'
import { PageValues, RowsOutput } from './page-values.ts'
import { type ChunkPages, type ChunkPart, PageOpener, scanPages } from './pages.ts'
import { layoutOf } from './values.ts'

/** Pages are laid open one at a time: their memory comes in blocks that small pages do not waste. */
const SCRATCH = 64 * 1024

/** Data pages there are, and those among them that have been decompressed. */
export interface PageCounts {
  total: number
  opened: number
}

/**
 * Reads one flat column of a row group from front to back. A page is decompressed and decoded once, even if
 * its rows are asked for in many pieces: what is left of it is kept between reads.
 */
export class ColumnReader {
  readonly field: Field
  readonly #element: SchemaElement
  readonly #pages: ChunkPages
  readonly #opener: PageOpener
  readonly #values: PageValues
  readonly #counts: PageCounts
  readonly #newRegion: () => Region
  /** Type of the batches whose pages all are dictionary-encoded; undefined where values are looked up instead. */
  readonly #dictionaryType: Dictionary | undefined
  #row = 0
  /** Index of the page that holds `#row`. */
  #index = 0
  #open: PageInUse | undefined

  constructor(
    field: Field,
    element: SchemaElement,
    chunk: ColumnChunkMetadata,
    parts: readonly ChunkPart[],
    counts: PageCounts,
    newRegion: (chunk: number) => Region,
  ) {
    this.field = field
    this.#element = element
    this.#pages = scanPages(parts)
    this.#counts = counts
    counts.total += this.#pages.data.length
    this.#opener = new PageOpener(chunk.codec, element.repetition === 'OPTIONAL')
    this.#newRegion = () => newRegion(SCRATCH)
    const layout = layoutOf(element, field.type)
    this.#values = new PageValues(layout, this.#pages.dictionary, this.#opener, this.#newRegion)
    const keeps = layout.kind === 'bytes' || DataType.isFixedSizeBinary(field.type)
    this.#dictionaryType = keeps ? new Dictionary(field.type, new Int32()) : undefined
  }

  /** About the most that is kept between reads: the largest page, plain and decoded, and the dictionary. */
  get pageBytes(): number {
    const largest = this.#pages.data.reduce((most, { header }) => Math.max(most, header.uncompressedSize), 0)
    return 2 * largest + (this.#pages.dictionary?.header.uncompressedSize ?? 0)
  }

  /** All values that occur, nulls left out, and perhaps more; undefined where a page is not dictionary-encoded. */
  dictionary(region: Region): Data | undefined {
    const coded = this.#pages.data.every(({ header }) => isDictionaryEncoding(header.encoding))
    if (!coded || this.#pages.dictionary === undefined || DataType.isNull(this.field.type)) return undefined
    return this.#values.dictionary(this.field.type, region)
  }

  /** The next `rows` rows, of which there must be as many, in `region`. */
  read(rows: number, region: Region): Data {
    return this.#collect(rows, this.#allCoded(rows), region, (scratch, retains, append) => {
      for (let left = rows; left > 0; ) {
        const page = (this.#open ??= this.#openNext(scratch))
        const from = this.#row - page.firstRow
        const count = Math.min(page.rows - from, left)
        append(page, from, count)
        left -= count
        this.#row += count
        if (from + count === page.rows) {
          this.#open = undefined
          this.#index++
          if (!retains) page.region.free()
        }
      }
    })
  }

  /**
   * Of the next `rows` rows those that `chosen` names, ascending and counted from the next row on. Pages without
   * any are not decompressed, and of the others little more than those rows is decoded.
   */
  take(rows: number, { count, indices }: Rows, region: Region): Data {
    const start = this.#row
    const wanted = new Uint32Array(region.arena.buffer, indices, count)
    // A dictionary that has more values than there are rows is not worth keeping.
    const coded = this.#allCoded(rows) && (this.#pages.dictionary?.header.numValues ?? 0) <= count
    const picked = this.#newRegion()
    try {
      return this.#collect(count, coded, region, (scratch, _, append) => {
        for (let done = 0; done < count; ) {
          this.skip(start + wanted[done]! - this.#row)
          const page = (this.#open ??= this.#openNext(scratch))
          const end = page.firstRow + page.rows - start
          let until = done + 1
          while (until < count && wanted[until]! < end) until++
          const rows = { count: until - done, indices: indices + 4 * done }
          append(choosePage(page, this.#element, rows, start, picked), 0, rows.count)
          done = until
        }
        this.skip(start + rows - this.#row)
      })
    } finally {
      picked.free()
    }
  }

  /**
   * Has `fill` append pieces of pages that make `rows` rows. It opens pages in the memory that it is given; they
   * have to stay there if the output retains them.
   */
  #collect(
    rows: number,
    coded: boolean,
    region: Region,
    fill: (scratch: Region, retains: boolean, append: AppendRows) => void,
  ): Data {
    const keepsCodes = this.#dictionaryType !== undefined && coded
    const output = new RowsOutput(this.#values.output(rows, region, keepsCodes), this.field, rows, region)
    /** Memory of the pages that are opened; the last of them may stay open. */
    const scratch = this.#newRegion()
    /** Memory of the page that the read before left open. */
    const inherited = this.#open?.region
    try {
      fill(scratch, output.retains, (page, from, count) => output.append(page, from, count))
      if (!keepsCodes) return output.finish(this.field.type)
      const dictionary = this.#values.dictionary(this.field.type, region)
      return output.finish(this.#dictionaryType!, new Vector([dictionary]))
    } finally {
      if (this.#open?.region !== inherited) inherited?.free()
      if (this.#open?.region !== scratch) scratch.free()
    }
  }

  /** Passes over `rows` rows; pages that lie in them as a whole are never decompressed. */
  skip(rows: number): void {
    this.#row += rows
    while (this.#index < this.#pages.data.length && this.#endOf(this.#index) <= this.#row) {
      this.#index++
      this.#open?.region.free()
      this.#open = undefined
    }
  }

  close(): void {
    this.#open?.region.free()
    this.#open = undefined
    this.#values.close()
  }

  #openNext(region: Region): PageInUse {
    const page = this.#opener.openData(this.#pages.data[this.#index]!, region)
    this.#counts.opened++
    return { ...page, region, decoded: undefined, bytes: undefined }
  }

  #endOf(index: number): number {
    const { firstRow, header } = this.#pages.data[index]!
    return firstRow + header.numValues
  }

  /** Whether all pages of the next `rows` rows are dictionary-encoded. */
  #allCoded(rows: number): boolean {
    const end = this.#row + rows
    for (let i = this.#index; i < this.#pages.data.length; i++) {
      const { firstRow, header } = this.#pages.data[i]!
      if (firstRow >= end) break
      if (!isDictionaryEncoding(header.encoding)) return false
    }
    return rows > 0
  }
}

type AppendRows = (page: PageInUse, from: number, count: number) => void
