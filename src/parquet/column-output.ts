import type { Data, DataType, Vector } from 'apache-arrow'
import type { Region } from '../core/arena.ts'
import { makeColumn } from '../core/batch.ts'
import { SluiceError } from '../core/errors.ts'
import { bitsDecoder } from './encodings/decoder.ts'
import type { DenseBytes } from './encodings/encoded.ts'
import type { OpenPage } from './pages.ts'

/** An open page with what was decoded of it so far, kept while rows of it are still to be read. */
export interface PageInUse extends OpenPage {
  /** Holds everything of the page. */
  region: Region
  /** Address of all rows' values, and who decoded them: a page may be asked for codes first, then for values. */
  decoded: { by: DecodePage | undefined; address: number } | undefined
  bytes: DenseBytes | undefined
}

/** Writes the values of all rows of a page to `target`. */
export type DecodePage = (page: PageInUse, target: number) => void

/** Length and nulls of a column, decided beside its values. */
export interface Shape {
  length: number
  nullCount: number
  nullBitmap: Uint8Array | undefined
  /** Where the values are codes. */
  dictionary: Vector | undefined
}

/** Collects the values of one column of one batch, page by page. */
export interface Output {
  /** Whether pages have to stay until `finish`. */
  readonly retains: boolean
  /** Takes `count` rows of the page from row `from` of it on. */
  append(page: PageInUse, from: number, count: number): void
  finish(type: DataType, shape: Shape): Data
}

/** Values of a fixed width, codes of a dictionary among them. Whole pages are decoded where they belong. */
export class FixedOutput implements Output {
  readonly retains = false
  readonly #rows: number
  readonly #width: number
  readonly #decode: DecodePage
  readonly #region: Region
  readonly #start: number
  #next: number

  constructor(rows: number, width: number, decode: DecodePage, region: Region) {
    this.#rows = rows
    this.#width = width
    this.#decode = decode
    this.#region = region
    this.#start = this.#next = region.alloc(rows * width)
  }

  append(page: PageInUse, from: number, count: number): void {
    const width = this.#width
    if (count === page.rows) this.#decode(page, this.#next)
    else {
      if (page.decoded?.by !== this.#decode) {
        const address = page.region.alloc(page.rows * width)
        this.#decode(page, address)
        page.decoded = { by: this.#decode, address }
      }
      page.region.arena.kernels.copy(page.decoded.address + from * width, this.#next, count * width)
    }
    this.#next += count * width
  }

  finish(type: DataType, shape: Shape): Data {
    const data = this.#region.arena.u8(this.#start, this.#rows * this.#width)
    return makeColumn({ type, ...shape, data })
  }
}

/** Booleans, as a bitmap. */
export class BitsOutput implements Output {
  readonly retains = false
  readonly #rows: number
  readonly #region: Region
  readonly #start: number
  #row = 0

  constructor(rows: number, region: Region) {
    this.#rows = rows
    this.#region = region
    this.#start = region.zeroed((rows + 7) >> 3)
  }

  append(page: PageInUse, from: number, count: number): void {
    const { region, rows, dense, validity, encoding, values, end } = page
    const { kernels } = region.arena
    if (page.decoded === undefined) {
      let address = dense === 0 ? 0 : bitsDecoder(encoding)({ values, end, count: dense }, region)
      if (validity !== 0) {
        const bits = region.zeroed((rows + 7) >> 3)
        if (dense > 0) kernels.spreadBits(address, validity, rows, bits, 0)
        address = bits
      }
      page.decoded = { by: undefined, address }
    }
    kernels.copyBits(page.decoded.address, from, this.#start, this.#row, count)
    this.#row += count
  }

  finish(type: DataType, shape: Shape): Data {
    return makeColumn({ type, ...shape, data: this.#region.arena.u8(this.#start, (this.#rows + 7) >> 3) })
  }
}

/** Byte arrays: offsets at once, the bytes in the end, when it is known how many they are. */
export class BytesOutput implements Output {
  readonly retains = true
  readonly #rows: number
  readonly #utf8: boolean
  readonly #decode: (page: PageInUse) => DenseBytes
  readonly #region: Region
  readonly #offsets: number
  readonly #pieces: { bytes: DenseBytes; first: number; count: number; length: number }[] = []
  #row = 0
  #total = 0

  constructor(rows: number, utf8: boolean, decode: (page: PageInUse) => DenseBytes, region: Region) {
    this.#rows = rows
    this.#utf8 = utf8
    this.#decode = decode
    this.#region = region
    this.#offsets = region.alloc((rows + 1) * 4)
  }

  append(page: PageInUse, from: number, count: number): void {
    const { arena } = this.#region
    const { kernels } = arena
    const bytes = (page.bytes ??= this.#decode(page))
    const { validity, dense } = page
    const first = validity === 0 ? from : kernels.popcount(validity, from)
    const last = validity === 0 ? from + count : kernels.popcount(validity, from + count)
    const offsets = arena.i32(bytes.offsets, dense + 1)
    const length = offsets[last]! - offsets[first]!
    if (this.#total + length > MAX_OFFSET) {
      throw new SluiceError('budget', 'the values of a batch do not fit in 2 GiB', {
        hint: "Use mode 'batch', which reads fewer rows at once.",
      })
    }
    const source = bytes.offsets + first * 4
    const target = this.#offsets + this.#row * 4
    if (validity === 0) kernels.shiftOffsets(source, count + 1, this.#total - offsets[first]!, target)
    else kernels.spreadOffsets(source, validity, from, count, target, this.#total)
    this.#pieces.push({ bytes, first, count: last - first, length })
    this.#row += count
    this.#total += length
  }

  finish(type: DataType, shape: Shape): Data {
    const { arena } = this.#region
    const { kernels } = arena
    const rows = this.#rows
    const data = this.#region.alloc(this.#total)
    const end = data + this.#total
    let target = data
    for (const { bytes, first, count, length } of this.#pieces) {
      const { offsets, gap } = bytes
      const source = bytes.data + arena.i32(offsets, first + 1)[first]! + gap * (first + 1)
      if (gap === 0) kernels.copy(source, target, length)
      else kernels.copyBytes(source, bytes.end, gap, offsets + first * 4, count, target, end)
      target += length
    }
    const valueOffsets = arena.i32(this.#offsets, rows + 1)
    if (rows === 0) valueOffsets[0] = 0
    if (this.#utf8 && kernels.invalidUtf8(data, this.#offsets, rows) >= 0) {
      throw new SluiceError('corrupt', 'a text is not UTF-8')
    }
    return makeColumn({ type, ...shape, data: arena.u8(data, this.#total), valueOffsets })
  }
}

/** A column that holds nothing but nulls, whatever its pages say. */
export class NullOutput implements Output {
  readonly retains = false
  append(): void {}

  finish(type: DataType, { length }: Shape): Data {
    return makeColumn({ type, length, nullCount: length })
  }
}

const MAX_OFFSET = 2 ** 31 - 1
