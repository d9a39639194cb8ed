import type { Data, DataType, Field, Vector } from 'apache-arrow'
import type { Region } from '../core/arena.ts'
import { SluiceError } from '../core/errors.ts'
import {
  type ColumnDictionary,
  dictionaryData,
  emptyDictionary,
  readDictionary,
} from './column-dictionary.ts'
import {
  BitsOutput,
  BytesOutput,
  FixedOutput,
  NullOutput,
  type Output,
  type PageInUse,
} from './column-output.ts'
import { bytesDecoder } from './encodings/decoder.ts'
import { dictionaryCodes, isDictionaryEncoding } from './encodings/dictionary.ts'
import type { DenseBytes } from './encodings/encoded.ts'
import type { Page, PageOpener } from './pages.ts'
import type { Layout } from './values.ts'

/** Decodes the values of one chunk's pages, with its dictionary, which is read when it is first needed. */
export class PageValues {
  readonly #layout: Layout
  readonly #page: Page | undefined
  readonly #opener: PageOpener
  readonly #newRegion: () => Region
  #dictionary: ColumnDictionary | undefined

  /** @param page that of the dictionary; a chunk of nulls may be dictionary-encoded and have none */
  constructor(layout: Layout, page: Page | undefined, opener: PageOpener, newRegion: () => Region) {
    this.#layout = layout
    this.#page = page
    this.#opener = opener
    this.#newRegion = newRegion
  }

  /** Collects `rows` values in `region`, as codes if `coded`. */
  output(rows: number, region: Region, coded: boolean): Output {
    const layout = this.#layout
    if (coded) return new FixedOutput(rows, 4, this.#decodeCodes, region)
    if (layout.kind === 'fixed') return new FixedOutput(rows, layout.width, this.#decodeFixed, region)
    if (layout.kind === 'bytes') return new BytesOutput(rows, layout.utf8, this.#decodeBytes, region)
    return layout.kind === 'bits' ? new BitsOutput(rows, region) : new NullOutput()
  }

  /** A copy of the dictionary in `region`. */
  dictionary(type: DataType, region: Region): Data {
    return dictionaryData(this.#dictionaryOf(), type, region)
  }

  close(): void {
    this.#dictionary?.region.free()
    this.#dictionary = undefined
  }

  #dictionaryOf(): ColumnDictionary {
    if (this.#dictionary === undefined) {
      const region = this.#newRegion()
      this.#dictionary =
        this.#page === undefined
          ? emptyDictionary(region)
          : readDictionary(this.#page, this.#opener, this.#layout, region)
    }
    return this.#dictionary
  }

  #decodeCodes = (page: PageInUse, target: number): void => {
    dictionaryCodes(encodedOf(page), this.#dictionaryOf().entries, target, page.region)
    spread(page, target, 4)
  }

  #decodeFixed = (page: PageInUse, target: number): void => {
    if (this.#layout.kind !== 'fixed') return
    const { decode, width } = this.#layout
    if (page.dense > 0) {
      if (isDictionaryEncoding(page.encoding)) {
        const { entries, values } = this.#dictionaryOf()
        const codes = page.region.alloc(page.dense * 4)
        dictionaryCodes(encodedOf(page), entries, codes, page.region)
        page.region.arena.kernels.gatherValues(codes, page.dense, values, width, target)
      } else decode(encodedOf(page), page.encoding, target, page.region)
    }
    spread(page, target, width)
  }

  #decodeBytes = (page: PageInUse): DenseBytes => {
    const { region, dense } = page
    if (!isDictionaryEncoding(page.encoding)) {
      return bytesDecoder(dense === 0 ? 'PLAIN' : page.encoding)(encodedOf(page), region)
    }
    const { entries, offsets: entryOffsets, values, end: dictionaryEnd } = this.#dictionaryOf()
    const { kernels } = region.arena
    const codes = region.alloc(dense * 4)
    dictionaryCodes(encodedOf(page), entries, codes, region)
    const offsets = region.alloc((dense + 1) * 4)
    const total = kernels.gatherOffsets(codes, dense, entryOffsets, offsets)
    if (total < 0) throw new SluiceError('budget', 'the text of a page does not fit in 2 GiB')
    const data = region.alloc(total)
    const end = data + total
    kernels.gatherBytes(codes, dense, entryOffsets, values, dictionaryEnd, data, end)
    return { offsets, data, end, gap: 0 }
  }
}

/** Collects the rows of a column: the values in an output of their own, and which of them are null. */
export class RowsOutput {
  readonly #output: Output
  readonly #rows: number
  readonly #region: Region
  /** 0: no row may be null. */
  readonly #validity: number
  #nullCount = 0
  #row = 0

  constructor(output: Output, field: Field, rows: number, region: Region) {
    this.#output = output
    this.#rows = rows
    this.#region = region
    this.#validity = field.nullable ? region.zeroed((rows + 7) >> 3) : 0
  }

  /** Whether pages have to stay until `finish`. */
  get retains(): boolean {
    return this.#output.retains
  }

  /** Takes `count` rows of the page from row `from` of it on. */
  append(page: PageInUse, from: number, count: number): void {
    const { kernels } = this.#region.arena
    if (this.#validity !== 0) {
      if (page.validity !== 0) {
        const before = kernels.popcount(page.validity, from)
        this.#nullCount += count - (kernels.popcount(page.validity, from + count) - before)
        kernels.copyBits(page.validity, from, this.#validity, this.#row, count)
      } else kernels.fillBits(this.#validity, this.#row, count, 1)
    }
    this.#output.append(page, from, count)
    this.#row += count
  }

  finish(type: DataType, dictionary?: Vector): Data {
    const { arena } = this.#region
    const length = this.#rows
    const nullCount = this.#nullCount
    const nullBitmap = nullCount === 0 ? undefined : arena.u8(this.#validity, (length + 7) >> 3)
    return this.#output.finish(type, { length, nullCount, nullBitmap, dictionary })
  }
}

function encodedOf({ values, end, dense }: PageInUse): { values: number; end: number; count: number } {
  return { values, end, count: dense }
}

/** Moves dense values to their rows. */
function spread({ region, validity, rows, dense }: PageInUse, values: number, width: number): void {
  if (validity !== 0) region.arena.kernels.spreadValues(values, width, validity, rows, dense)
}
