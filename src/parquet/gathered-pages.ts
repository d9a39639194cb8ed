import type { Field } from 'apache-arrow'
import type { Arena, Region } from '../core/arena.ts'
import type { EncodedPage } from './column-writer.ts'
import { codeWidth } from './dictionary-builder.ts'
import { dictionaryCodes, isDictionaryEncoding } from './encodings/dictionary.ts'
import { encodeDictionary } from './encodings/encode-dictionary.ts'
import { malformedValues } from './encodings/encoded.ts'
import type { ValueEncoder } from './encodings/encoder.ts'
import { plainBytes } from './encodings/plain.ts'
import { flatLevels } from './leaf-levels.ts'
import type { LeafType } from './leaf-type.ts'
import type { PageWriter } from './page-writer.ts'
import type { OpenPage, Page, PageOpener } from './pages.ts'
import { joinBounds, type ValueBounds } from './statistics.ts'

/** The numbers, 32 bits each, that the `count` values of a dictionary have got in another one. */
export interface Numbers {
  address: number
  count: number
}

/** The most that a page has, unless one alone has more. */
export interface PageLimits {
  pageRows: number
  pageBytes: number
}

/** Pages below both are gathered: left as they are, readers would take longer for the pages than for the values. */
const SMALL_ROWS = 2048
const SMALL_BYTES = 1 << 16

/**
 * Pages whose values are put into new pages, of as many rows as a page may have: dictionary codes that get other
 * numbers, and what would otherwise be many small pages. Of plain values the bytes are moved, none is decoded.
 */
export class GatheredPages {
  readonly #region: Region
  readonly #scratch: Region
  readonly #field: Field
  readonly #leaf: LeafType
  readonly #writer: PageWriter
  readonly #width: number
  readonly #limits: PageLimits
  /** What waits: the validity of rows, and the values among them as codes or as plain bytes. */
  #validity = 0
  #rows = 0
  #roomForRows = 0
  #values = 0
  #count = 0
  #bytes = 0
  #roomForBytes = 0
  #isCoded = false
  #bounds: ValueBounds | undefined
  #isBounded = true

  /** @param entries of the dictionary that codes are numbers of */
  constructor(
    region: Region,
    field: Field,
    leaf: LeafType,
    entries: number,
    limits: PageLimits,
    writer: PageWriter,
  ) {
    this.#region = region
    this.#scratch = region.arena.region()
    this.#field = field
    this.#leaf = leaf
    this.#writer = writer
    this.#width = codeWidth(Math.max(1, entries))
    this.#limits = limits
  }

  /** Whether a page is better gathered than copied; `isRenumbered` says that its chunk's dictionary has changed. */
  wants({ header }: Page, isRenumbered: boolean): boolean {
    const isCoded = isDictionaryEncoding(header.encoding)
    if (isCoded && isRenumbered) return true
    if (header.numValues >= SMALL_ROWS || header.uncompressedSize >= SMALL_BYTES) return false
    return isCoded || (header.encoding === 'PLAIN' && this.#leaf.layout !== 'boolean')
  }

  /**
   * Takes a page in; gives those that are written for it to fit.
   *
   * @param numbers of its codes, if the dictionary has changed; `entries` is the size of the dictionary
   * @param bounds of the page's values, if they are known
   */
  add(
    page: Page,
    opener: PageOpener,
    entries: number,
    numbers: Numbers | undefined,
    bounds: ValueBounds | undefined,
  ): EncodedPage[] {
    const { numValues: rows, encoding, uncompressedSize } = page.header
    const isCoded = isDictionaryEncoding(encoding)
    const bytes = isCoded ? 4 * rows : uncompressedSize
    const { pageRows, pageBytes } = this.#limits
    // Codes will be packed.
    const full = this.#rows + rows > pageRows || this.#bytes + bytes > (isCoded ? 4 * pageRows : pageBytes)
    const written = full || isCoded !== this.#isCoded ? this.flush() : []
    this.#isCoded = isCoded
    this.#reserve(rows, bytes)
    const { kernels } = this.#region.arena
    try {
      const bits = { address: this.#validity, from: this.#rows }
      const open = opener.openData(page, this.#scratch, bits)
      if (open.validity === 0) kernels.fillBits(bits.address, bits.from, rows, 1)
      if (isCoded) this.#addCodes(open, entries, numbers)
      else this.#addPlain(open)
      this.#rows += rows
      this.#count += open.dense
      if (open.dense > 0) {
        this.#isBounded &&= bounds !== undefined
        this.#bounds = joinBounds(this.#leaf.order, this.#bounds, bounds)
      }
    } finally {
      this.#scratch.free()
    }
    return written
  }

  #addCodes({ dense, values, end }: OpenPage, entries: number, numbers: Numbers | undefined): void {
    const codes = this.#values + this.#bytes
    dictionaryCodes({ values, end, count: dense }, entries, codes, this.#scratch)
    if (numbers !== undefined) {
      this.#region.arena.kernels.gatherValues(codes, dense, numbers.address, 4, codes)
    }
    this.#bytes += 4 * dense
  }

  /** Exactly the bytes of the page's values: whatever is missing or left over would belong to the next page's. */
  #addPlain({ dense, values, end }: OpenPage): void {
    const { arena } = this.#region
    const bytes =
      this.#leaf.layout === 'bytes'
        ? 4 * dense + textBytes(arena, { dense, values, end }, this.#scratch)
        : dense * this.#leaf.width
    if (bytes > end - values) throw malformedValues('PLAIN')
    arena.kernels.copy(values, this.#values + this.#bytes, bytes)
    this.#bytes += bytes
  }

  /** Writes what waits. */
  flush(): EncodedPage[] {
    const [rows, count] = [this.#rows, this.#count]
    if (rows === 0) return []
    const { arena } = this.#region
    const offset = this.#writer.offset
    this.#writer.data(
      this.#isCoded ? encodeDictionary(arena, this.#values, this.#width) : this.#plain(),
      { firstRow: 0, rows, firstValue: 0, values: count },
      flatLevels(
        arena,
        { rows, bits: count === rows ? 0 : this.#validity, valid: count },
        this.#field.nullable,
      ),
    )
    const page: EncodedPage = {
      offset,
      compressedPageSize: this.#writer.offset - offset,
      firstRowIndex: 0,
      rows,
      slots: rows,
      nullCount: rows - count,
      ...(this.#isBounded && this.#bounds !== undefined ? { bounds: this.#bounds } : {}),
    }
    this.#rows = this.#count = this.#bytes = 0
    this.#bounds = undefined
    this.#isBounded = true
    return [page]
  }

  /** All bytes that wait. */
  #plain(): ValueEncoder {
    const { kernels } = this.#region.arena
    const [values, bytes] = [this.#values, this.#bytes]
    return {
      encoding: 'PLAIN',
      bound: () => bytes,
      encode(_from, _count, out) {
        kernels.copy(values, out, bytes)
        return bytes
      },
    }
  }

  /** Makes room behind what waits; new memory only for what is more than a page has: nothing waits then. */
  #reserve(rows: number, bytes: number): void {
    const { pageRows, pageBytes } = this.#limits
    if (this.#rows + rows > this.#roomForRows) {
      this.#roomForRows = Math.max(rows, pageRows)
      this.#validity = this.#region.alloc(Math.ceil(this.#roomForRows / 8))
    }
    if (this.#bytes + bytes > this.#roomForBytes) {
      this.#roomForBytes = Math.max(bytes, 4 * pageRows, pageBytes)
      this.#values = this.#region.alloc(this.#roomForBytes)
    }
  }
}

function textBytes(
  arena: Arena,
  { dense, values, end }: Pick<OpenPage, 'dense' | 'values' | 'end'>,
  scratch: Region,
): number {
  const { offsets } = plainBytes({ values, end, count: dense }, scratch)
  return arena.i32(offsets, dense + 1)[dense]!
}
