import type { Data } from 'apache-arrow'
import type { Region } from '../core/arena.ts'
import { SluiceError } from '../core/errors.ts'
import type { PageCounts } from './column-reader.ts'
import type { LeafShape } from './column-shape.ts'
import type { PageCodec } from './compression/codec.ts'
import { pageCodec } from './compression/codecs.ts'
import type { ColumnChunkMetadata } from './metadata.ts'
import { type NestedPage, openNestedPage } from './nested-pages.ts'
import { PageValues, RowsOutput } from './page-values.ts'
import { type ChunkPages, PageOpener, scanPages } from './pages.ts'
import { layoutOf } from './values.ts'

/** Rows of a leaf: their levels, a byte each, and the leaf's array. */
export interface LeafRows {
  slots: number
  repetition: number
  definition: number
  data: Data
}

/** Slots of an open page from `slot` up to `endSlot`, which hold `count` elements from `element` on. */
interface Piece {
  page: NestedPage
  slot: number
  endSlot: number
  element: number
  count: number
}

/** Pages are laid open one at a time: their memory comes in blocks that small pages do not waste. */
const SCRATCH = 64 * 1024

const MAX_SLOTS = 2 ** 31 - 1

/** Its values are looked up, so that two of the largest would not fit in a batch; writers stop at a megabyte or two. */
const MAX_DICTIONARY = 2 ** 29

/** Reads a leaf of a nested column of a row group from front to back. A row may begin in one page and end in another. */
export class LeafReader {
  readonly #shape: LeafShape
  readonly #rows: number
  readonly #codec: PageCodec
  readonly #pages: ChunkPages
  readonly #values: PageValues
  readonly #counts: PageCounts
  readonly #newRegion: () => Region
  /** The level of a list's elements by depth. */
  readonly #levels: Uint8Array
  #row = 0
  #index = 0
  #open: { page: NestedPage; slot: number; element: number } | undefined
  /** Definition level of the slot before the next page; -1: there is none. */
  #before = -1

  constructor(
    shape: LeafShape,
    levels: Uint8Array,
    chunk: ColumnChunkMetadata,
    bytes: Uint8Array,
    rows: number,
    counts: PageCounts,
    newRegion: (chunk: number) => Region,
  ) {
    this.#shape = shape
    this.#levels = levels
    this.#rows = rows
    this.#codec = pageCodec(chunk.codec)
    // Whatever lies where no value is, it is not looked at.
    const parts = chunk.numValues === 0 ? [] : [{ bytes, firstRow: 0, rows: chunk.numValues }]
    this.#pages = scanPages(parts)
    this.#counts = counts
    counts.total += this.#pages.data.length
    this.#newRegion = () => newRegion(SCRATCH)
    const dictionaryBytes = this.#pages.dictionary?.header.uncompressedSize ?? 0
    if (dictionaryBytes > MAX_DICTIONARY) {
      throw new SluiceError(
        'unsupported',
        `a dictionary of ${dictionaryBytes} bytes in a nested column is too large`,
      )
    }
    const layout = layoutOf(shape.element, shape.field.type)
    const opener = new PageOpener(chunk.codec, false)
    this.#values = new PageValues(layout, this.#pages.dictionary, opener, this.#newRegion)
  }

  /** About the most that is kept between reads: the largest page, plain and decoded, and the dictionary. */
  get pageBytes(): number {
    const largest = this.#pages.data.reduce((most, { header }) => Math.max(most, header.uncompressedSize), 0)
    return 2 * largest + (this.#pages.dictionary?.header.uncompressedSize ?? 0)
  }

  /** The next `rows` rows: the array in `region`, the levels in `scratch`. */
  read(rows: number, region: Region, scratch: Region): LeafRows {
    const { arena } = region
    const { field } = this.#shape
    const pieces: Piece[] = []
    const passed: NestedPage[] = []
    try {
      this.#advance(
        rows,
        piece => pieces.push(piece),
        page => passed.push(page),
      )
      const slots = pieces.reduce((sum, { slot, endSlot }) => sum + endSlot - slot, 0)
      const elements = pieces.reduce((sum, { count }) => sum + count, 0)
      if (slots > MAX_SLOTS) {
        throw new SluiceError('budget', 'the lists of a batch have more than 2^31 elements', {
          hint: "Use mode 'batch', which reads fewer rows at once.",
        })
      }
      const output = new RowsOutput(this.#values.output(elements, region, false), field, elements, region)
      const repetition = scratch.alloc(slots)
      const definition = scratch.alloc(slots)
      let at = 0
      for (const { page, slot, endSlot, element, count } of pieces) {
        if (count > 0) output.append(page, element, count)
        arena.kernels.copy(page.repetition + slot, repetition + at, endSlot - slot)
        arena.kernels.copy(page.definition + slot, definition + at, endSlot - slot)
        at += endSlot - slot
      }
      return { slots, repetition, definition, data: output.finish(field.type) }
    } finally {
      for (const page of passed) page.region.free()
    }
  }

  /** Passes over `rows` rows. Their levels have to be decoded: nothing else says where rows begin. */
  skip(rows: number): void {
    this.#advance(
      rows,
      () => {},
      page => page.region.free(),
    )
  }

  close(): void {
    this.#open?.page.region.free()
    this.#open = undefined
    this.#values.close()
  }

  /** Walks over `rows` rows in pieces of pages, and hands over the pages that have come to their end. */
  #advance(rows: number, use: (piece: Piece) => void, pass: (page: NestedPage) => void): void {
    const { depth, level } = this.#shape
    let left = rows
    // The last row goes on in the next page, unless that begins with another one.
    while (left > 0 || (depth > 0 && rows > 0)) {
      this.#open ??= this.#openNext()
      if (this.#open === undefined) break
      const { page, slot, element } = this.#open
      const { kernels } = page.region.arena
      const [endSlot, begun] = this.#passRows(page, slot, left)
      const count = kernels.countAtLeast(page.definition + slot, endSlot - slot, level)
      use({ page, slot, endSlot, element, count })
      left -= begun
      if (endSlot < page.slots) {
        this.#open = { page, slot: endSlot, element: element + count }
        break
      }
      this.#open = undefined
      pass(page)
    }
    if (left > 0)
      throw new SluiceError('corrupt', `the pages hold ${this.#row + rows - left} of ${this.#rows} rows`)
    this.#row += rows
    const isMore = this.#open !== undefined || this.#index < this.#pages.data.length
    if (this.#row === this.#rows && isMore) {
      throw new SluiceError('corrupt', `the pages hold more than ${this.#rows} rows`)
    }
  }

  /** Where the piece of a page that has `rows` rows ends, and how many of them begin in it. */
  #passRows(page: NestedPage, slot: number, rows: number): [endSlot: number, begun: number] {
    const { arena } = page.region
    const out = page.region.alloc(8)
    arena.kernels.passRows(page.repetition, slot, page.slots, rows, out)
    const [endSlot, begun] = arena.i32(out, 2)
    return [endSlot!, begun!]
  }

  #openNext(): { page: NestedPage; slot: number; element: number } | undefined {
    const next = this.#pages.data[this.#index]
    if (next === undefined) return undefined
    const region = this.#newRegion()
    try {
      const page = openNestedPage(next, this.#codec, this.#shape, region)
      this.#checkLevels(page)
      this.#index++
      this.#counts.opened++
      return { page, slot: 0, element: 0 }
    } catch (error) {
      region.free()
      throw error
    }
  }

  #checkLevels({ region, repetition, definition, slots }: NestedPage): void {
    const { arena } = region
    const levels = region.alloc(this.#levels.length)
    arena.u8(levels, this.#levels.length).set(this.#levels)
    const broken = arena.kernels.brokenSlot(repetition, definition, slots, levels, this.#before)
    if (broken === 0 && this.#before < 0) {
      throw new SluiceError('corrupt', 'the first repetition level of the column is not 0')
    }
    if (broken >= 0) {
      throw new SluiceError('corrupt', 'the repetition levels of a page go on with lists that are empty')
    }
    this.#before = arena.u8(definition, slots)[slots - 1]!
  }
}
