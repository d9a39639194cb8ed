import type { Arena, Region } from '../arena.ts'
import { SluiceError } from '../errors.ts'
import { bitmapBytes } from '../expressions/column.ts'
import type { BoundGroups } from '../kernels/aggregate.ts'
import type { Kernels } from '../kernels/kernels.ts'
import { Block, ByteHeap } from './block.ts'
import { type Form, type Formed, widthOf } from './form.ts'
import type { Accumulation } from './plan.ts'

/** Rows whose text is looked at together: the heap has room for all of it. */
const CHUNK = 16_384
const SMALLEST = 16

/** One state for each group: a count, a sum or a bound, in arrays that grow with the number of groups. */
export class Accumulator {
  readonly #arena: Arena
  readonly #accumulation: Accumulation
  readonly #states: Block
  /** Where bounds that are byte strings have their bytes. */
  #heap: ByteHeap
  #groups = 0

  constructor(arena: Arena, accumulation: Accumulation) {
    this.#arena = arena
    this.#accumulation = accumulation
    this.#states = new Block(arena)
    this.#heap = new ByteHeap(arena)
  }

  get bytes(): number {
    return this.#states.bytes + this.#heap.bytes
  }

  /** Makes room for groups below `groups`. */
  grow(groups: number): void {
    if (groups <= this.#groups) return
    const known = this.#groups
    this.#groups = Math.max(SMALLEST, 2 ** Math.ceil(Math.log2(groups)))
    const { op, form } = this.#accumulation
    const width = widthOf(form)
    this.#states.grow(this.#groups * width)
    if (op !== 'min' && op !== 'max') return
    const start = this.#states.address + known * width
    const [low, high] = NEUTRAL[op][form]
    const { kernels } = this.#arena
    if (form === 'i128') kernels.fill128(start, this.#groups - known, low, high)
    else kernels.fill64(start, this.#groups - known, low)
  }

  /**
   * @param groups address of the rows' groups, or 0 if all are in group 0
   * @param input the column, or nothing to count rows
   */
  add(groups: number, rows: number, input: Formed | undefined): void {
    const { kernels } = this.#arena
    const { address } = this.#states
    const { op, form } = this.#accumulation
    if (op === 'count') kernels.countGroups(groups, input?.validity ?? 0, rows, address)
    else if (op === 'total') kernels.addCounts(groups, input!.values, rows, address)
    else if (op === 'sum') this.#sum(groups, input!)
    else if (form === 'bytes') this.#boundText(groups, input!)
    else boundKernel(kernels, form)(groups, input!.values, input!.validity, rows, op === 'max', address)
  }

  /** The states of some groups. Only of text it is known whether there is a bound. */
  take(groups: number, count: number, region: Region): Formed {
    const { kernels } = this.#arena
    const { form } = this.#accumulation
    const values = region.alloc(count * widthOf(form))
    const take = form === 'i128' ? kernels.take128 : kernels.take64
    take(this.#states.address, groups, count, values)
    if (form !== 'bytes') return { form, rows: count, values, validity: 0 }
    const [addresses, lengths] = [region.alloc(count * 4), region.alloc(count * 4)]
    kernels.splitPairs(values, count, addresses, lengths)
    const validity = region.alloc(bitmapBytes(count))
    kernels.validCodes(addresses, count, validity)
    return { form, rows: count, values, validity }
  }

  /** Of counts: the groups above 0, ascending. */
  live(region: Region): { groups: number; count: number } {
    const groups = region.alloc(this.#groups * 4)
    return { groups, count: this.#arena.kernels.liveGroups(this.#states.address, this.#groups, groups) }
  }

  clear(): void {
    this.#states.free()
    this.#heap.free()
    this.#groups = 0
  }

  #sum(groups: number, { form, rows, values, validity }: Formed): void {
    const { kernels } = this.#arena
    const { address } = this.#states
    if (form === 'f64') kernels.sumF64(groups, values, validity, rows, address)
    else if (form !== 'i128') kernels.sumI64(groups, values, validity, rows, form === 'u64', address)
    else if (kernels.sumI128(groups, values, validity, rows, address) >= 0) {
      throw sumOverflow(this.#accumulation.name.slice('sum '.length), 'decimal(38)')
    }
  }

  #boundText(groups: number, { rows, values, validity }: Formed): void {
    const { kernels } = this.#arena
    const greatest = this.#accumulation.op === 'max'
    for (let at = 0; at < rows; at += CHUNK) {
      const count = Math.min(CHUNK, rows - at)
      const spans = values + at * 8
      const bytes = kernels.spanBytes(spans, count)
      if (this.#heap.isFull(bytes)) this.#compact(bytes)
      const heap = this.#heap.room(bytes)
      const own = groups === 0 ? 0 : groups + at * 4
      const valid = validity === 0 ? 0 : validity + at / 8
      const { address } = this.#states
      this.#heap.take(kernels.boundGroupsSpans(own, spans, valid, count, greatest, address, heap))
    }
  }

  /** Moves the bounds together where most of the heap is those that were replaced. */
  #compact(more: number): void {
    const { kernels } = this.#arena
    const { address } = this.#states
    const live = kernels.spanBytes(address, this.#groups)
    if (this.#heap.bytes < 2 * (live + more)) return
    const old = this.#heap
    this.#heap = new ByteHeap(this.#arena)
    this.#heap.take(kernels.moveSpans(address, this.#groups, this.#heap.room(live + more)))
    old.free()
  }
}

export function sumOverflow(column: string, type: string): SluiceError {
  return new SluiceError('invalid-argument', `a sum leaves ${type}`, {
    column,
    hint: `Sum doubles: derive({ ${column}: 'cast(${column} as double)' }).`,
  })
}

/** What every value replaces, low half first; bounds that are text begin at address 0. */
const NEUTRAL: Readonly<Record<'min' | 'max', Record<Form, [low: bigint, high: bigint]>>> = {
  min: {
    i64: [2n ** 63n - 1n, 0n],
    u64: [2n ** 64n - 1n, 0n],
    // NaN, which is above all other numbers.
    f64: [0x7ff8n << 48n, 0n],
    i128: [2n ** 64n - 1n, 2n ** 63n - 1n],
    bytes: [0n, 0n],
  },
  max: {
    i64: [2n ** 63n, 0n],
    u64: [0n, 0n],
    // Minus infinity.
    f64: [0xfff0n << 48n, 0n],
    i128: [0n, 2n ** 63n],
    bytes: [0n, 0n],
  },
}

function boundKernel(kernels: Kernels, form: Form): BoundGroups {
  if (form === 'i128') return kernels.boundGroupsI128
  if (form === 'f64') return kernels.boundGroupsF64
  return form === 'u64' ? kernels.boundGroupsU64 : kernels.boundGroupsI64
}
