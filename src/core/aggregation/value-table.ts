import type { Arena, Region } from '../arena.ts'
import { Block, ByteHeap } from './block.ts'
import type { Form, Formed } from './form.ts'

/** Values numbered at once: the table grows to have room for them all to be new ones. */
const CHUNK = 16_384
const SMALLEST = 64

/** Numbers values in order of first appearance, from 1 on; 0 is null. Numbers stay as more values come. */
export class ValueTable {
  readonly #arena: Arena
  readonly #form: Form
  readonly #slots: Block
  readonly #values: Block
  readonly #heap: ByteHeap
  #bits = 0
  #capacity = 0
  /** One more than the greatest number. */
  size = 1

  constructor(arena: Arena, form: Form) {
    this.#arena = arena
    this.#form = form
    this.#slots = new Block(arena)
    this.#values = new Block(arena)
    this.#heap = new ByteHeap(arena)
  }

  get bytes(): number {
    return this.#slots.bytes + this.#values.bytes + this.#heap.bytes
  }

  /** The address of the rows' numbers, 32 bits each. */
  number(column: Formed, region: Region): number {
    const { kernels } = this.#arena
    const { rows, validity } = column
    const keys = this.#keys(column, region)
    const numbers = region.alloc(rows * 4)
    for (let at = 0; at < rows; at += CHUNK) {
      const count = Math.min(CHUNK, rows - at)
      this.#reserve(this.size + count)
      const size = this.#build(keys + at * 8, count, numbers + at * 4)
      if (this.#hasSpans) this.#adopt(size)
      this.size = size
    }
    if (validity !== 0) kernels.clearNulls(numbers, validity, rows)
    return numbers
  }

  /** The values of `count` numbers, in their form. */
  take(numbers: number, count: number, region: Region): Formed {
    const { kernels } = this.#arena
    const taken = region.alloc(count * 8)
    kernels.take64(this.#values.address, numbers, count, taken)
    const bits = region.alloc((count + 7) >> 3)
    kernels.validCodes(numbers, count, bits)
    const validity = kernels.popcount(bits, count) === count ? 0 : bits
    if (this.#form !== 'i128') return { form: this.#form, rows: count, values: taken, validity }
    const wide = region.alloc(count * 16)
    kernels.copySpans(taken, count, wide)
    return { form: this.#form, rows: count, values: wide, validity }
  }

  /** The pairs of which `numbers` are the numbers, if pairs are what was numbered. */
  pairs(numbers: number, count: number, region: Region): [first: number, second: number] {
    const { kernels } = this.#arena
    const pairs = region.alloc(count * 8)
    kernels.take64(this.#values.address, numbers, count, pairs)
    const halves: [number, number] = [region.alloc(count * 4), region.alloc(count * 4)]
    kernels.splitPairs(pairs, count, ...halves)
    return halves
  }

  /** The place of each number in the values' ascending order, 32 bits each: NaN behind all numbers, null last. */
  ranks(region: Region): number {
    const { kernels } = this.#arena
    const count = this.size - 1
    const ranks = region.alloc(this.size * 4)
    const sorted = region.alloc(count * 8)
    kernels.copy(this.#values.address + 8, sorted, count * 8)
    if (this.#hasSpans) kernels.sortSpans(sorted, count, this.#form === 'i128', region.alloc(count * 8))
    else {
      const { buffer } = this.#arena
      if (this.#form === 'f64') new Float64Array(buffer, sorted, count).sort()
      else if (this.#form === 'u64') new BigUint64Array(buffer, sorted, count).sort()
      else new BigInt64Array(buffer, sorted, count).sort()
    }
    // All of them are known: this says which they are.
    const numbers = region.alloc(count * 4)
    this.#build(sorted, count, numbers)
    const rankOf = this.#arena.i32(ranks, this.size)
    const ordered = this.#arena.i32(numbers, count)
    for (let i = 0; i < count; i++) rankOf[ordered[i]!] = i
    rankOf[0] = count
    return ranks
  }

  /** Forgets everything. */
  clear(): void {
    this.#slots.free()
    this.#values.free()
    this.#heap.free()
    this.#capacity = this.#bits = 0
    this.size = 1
  }

  get #hasSpans(): boolean {
    return this.#form === 'bytes' || this.#form === 'i128'
  }

  /** What is hashed: 64-bit patterns that are equal where the values are, or spans. */
  #keys({ form, rows, values }: Formed, region: Region): number {
    const { kernels } = this.#arena
    if (form !== 'f64' && form !== 'i128') return values
    const keys = region.alloc(rows * 8)
    if (form === 'f64') kernels.canonicalF64(values, rows, keys)
    else kernels.spansOfFixed(values, 16, rows, keys)
    return keys
  }

  #build(keys: number, count: number, numbers: number): number {
    const { kernels } = this.#arena
    const build = this.#hasSpans ? kernels.buildDictionarySpans : kernels.buildDictionary64
    const { address } = this.#slots
    return build(keys, count, address, this.#bits, this.size, this.#capacity, this.#values.address, numbers)
  }

  /** Copies the bytes of new values, which are the batch's own. */
  #adopt(size: number): void {
    const { kernels } = this.#arena
    const spans = this.#values.address + this.size * 8
    const count = size - this.size
    const start = this.#heap.room(kernels.spanBytes(spans, count))
    this.#heap.take(kernels.moveSpans(spans, count, start))
  }

  #reserve(size: number): void {
    if (size <= this.#capacity) return
    this.#capacity = Math.max(SMALLEST, 2 ** Math.ceil(Math.log2(size)))
    this.#bits = Math.log2(this.#capacity) + 1
    this.#values.grow(this.#capacity * 8)
    this.#slots.free()
    this.#slots.grow(this.#capacity * 2 * (this.#hasSpans ? 8 : 4))
    const known = this.size - 1
    if (known === 0) {
      if (this.#form === 'i128') this.#setNull()
      return
    }
    // Every value goes into the new slots under the number that it has: none of them is there twice.
    const scratch = this.#arena.alloc(known * 4)
    this.size = 1
    this.size = this.#build(this.#values.address + 8, known, scratch)
    this.#arena.free(scratch)
  }

  /** Gives null a value of 16 bytes like the others'. */
  #setNull(): void {
    const address = this.#heap.room(16)
    this.#arena.kernels.clear(address, 16)
    this.#heap.take(address + 16)
    this.#arena.i32(this.#values.address, 2).set([address, 16])
  }
}
