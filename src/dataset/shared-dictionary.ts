import { Data, DataType, type Dictionary, Vector } from 'apache-arrow'
import type { Arena, Region } from '../core/arena.ts'
import { dictionaryData } from '../core/batch.ts'
import { SluiceError } from '../core/errors.ts'
import { addressIn } from '../core/take.ts'

/** Dictionaries beyond this are not worth sharing: their values hardly repeat from batch to batch. */
const MAX_ENTRIES = 1 << 16
const MAX_BYTES = 1 << 20
/** Room for more than the first batch brings. */
const GROWTH = 4

/** The dictionaries that the batches of a lane share, by column. */
export class SharedDictionaries {
  readonly #arena: Arena
  readonly #current = new Map<string, SharedDictionary>()

  constructor(arena: Arena) {
    this.#arena = arena
  }

  /**
   * The column with a shared dictionary instead of its own, where that is worth it; the codes, which must be
   * nobody else's, are changed where they are. The caller has to release the dictionary.
   */
  adopt(name: string, column: Data): { column: Data; shared: SharedDictionary } | undefined {
    if (!isShareable(column)) return undefined
    const before = this.#current.get(name)
    const adopted = before?.adopt(column)
    if (adopted !== undefined) return { column: adopted, shared: before! }
    before?.release()
    const shared = new SharedDictionary(this.#arena, dictionaryData(column))
    this.#current.set(name, shared)
    return { column: shared.adopt(column)!, shared }
  }

  /** Begins anew. */
  clear(): void {
    for (const dictionary of this.#current.values()) dictionary.release()
    this.#current.clear()
  }
}

/** Text without nulls, of values that repeat. */
function isShareable(column: Data): boolean {
  const { type, length } = column
  if (!DataType.isDictionary(type) || type.indices.bitWidth !== 32) return false
  const { values, nullCount, length: entries } = dictionaryData(column)
  const text = DataType.isUtf8(type.dictionary) || DataType.isBinary(type.dictionary)
  return (
    text && nullCount === 0 && entries <= Math.min(MAX_ENTRIES, length / 2) && values.byteLength <= MAX_BYTES
  )
}

/**
 * One dictionary for a text column of many batches, so that a row group made of them finds one and has nothing to
 * join. It grows at its end only: each batch sees it as long as it was then, and all these views begin at the same
 * address. Freed when its last user has released it.
 */
export class SharedDictionary {
  readonly #arena: Arena
  readonly #region: Region
  readonly #limit: number
  readonly #room: number
  readonly #tableBits: number
  readonly #table: number
  readonly #spans: number
  readonly #offsets: number
  readonly #values: number
  #count = 0
  #bytes = 0
  #users = 1

  /** @param like the dictionary that there is to be room for, several times over */
  constructor(arena: Arena, like: Data) {
    this.#arena = arena
    this.#limit = GROWTH * like.length
    this.#room = GROWTH * like.values.byteLength
    this.#tableBits = 33 - Math.clz32(this.#limit)
    this.#region = arena.region(1024)
    this.#table = this.#region.zeroed(8 * 2 ** this.#tableBits)
    this.#spans = this.#region.alloc(8 * this.#limit)
    this.#offsets = this.#region.zeroed(4 * (this.#limit + 1))
    this.#values = this.#region.alloc(this.#room)
  }

  /**
   * The column with this dictionary instead of its own, the codes changed where they are; undefined if there is no
   * room for its values. Who gets one is a user from here on.
   */
  adopt(column: Data): Data | undefined {
    const scratch = this.#arena.region(1024)
    try {
      const { kernels } = this.#arena
      const map = this.#add(dictionaryData(column), scratch)
      if (map === 0) return undefined
      const { type, offset, length, nullCount, nullBitmap, values: codes, buffers } = column
      const size = dictionaryData(column).length
      const bits = nullCount === 0 ? 0 : addressIn(scratch, nullBitmap)
      const at = addressIn(scratch, codes)
      if (kernels.translateCodes(at, bits, offset, map, size, length, at) < 0) {
        throw new SluiceError('schema', 'a code lies outside its dictionary')
      }
      const values = this.#arena.u8(this.#values, this.#bytes)
      const offsets = this.#arena.i32(this.#offsets, this.#count + 1)
      const own = new Data((type as Dictionary).dictionary, 0, this.#count, 0, {
        0: offsets,
        1: values,
      } as never)
      this.#users++
      return new Data(type, offset, length, nullCount, buffers, [], new Vector([own]))
    } finally {
      scratch.free()
    }
  }

  release(): void {
    if (--this.#users === 0) this.#region.free()
  }

  /** Adds the values that are new; returns the address of every value's number, or 0 if there is no room. */
  #add(dictionary: Data, scratch: Region): number {
    const { kernels } = this.#arena
    const { length, values } = dictionary
    const spans = scratch.alloc(8 * length)
    const map = scratch.alloc(4 * length)
    const offsets = addressIn(scratch, dictionary.valueOffsets)
    const bytes = addressIn(scratch, values)
    if (kernels.spansOfOffsets(offsets, bytes, 0, values.byteLength, 0, 0, length, spans) < 0) {
      throw new SluiceError('schema', "the column's offsets do not ascend")
    }
    const [table, from] = [this.#table, this.#count]
    const count = kernels.buildDictionarySpans(
      spans,
      length,
      table,
      this.#tableBits,
      from,
      this.#limit,
      this.#spans,
      map,
    )
    // What was put into the table refers to the batch: it is of no more use after a failure.
    if (count < 0) return 0
    const fresh = this.#spans + 8 * from
    const size = kernels.spanBytes(fresh, count - from)
    if (this.#bytes + size > this.#room) return 0
    kernels.copySpans(fresh, count - from, this.#values + this.#bytes)
    const ends = this.#offsets + 4 * from
    kernels.spanLengths(fresh, count - from, ends + 4)
    const numbers = this.#arena.i32(ends, count - from + 1)
    for (let i = 1; i < numbers.length; i++) numbers[i]! += numbers[i - 1]!
    this.#bytes += size
    this.#count = count
    kernels.spansOfOffsets(ends, this.#values, 0, this.#bytes, 0, 0, count - from, fresh)
    return map
  }
}
