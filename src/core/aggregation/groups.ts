import { type Data, DataType, Field, type RecordBatch } from 'apache-arrow'
import type { Arena, Region } from '../arena.ts'
import { columnOf, dictionaryData, makeBatch } from '../batch.ts'
import { isCoded, loadColumn } from '../expressions/column.ts'
import { sliceRows } from '../slice.ts'
import { materialise } from '../take.ts'
import { Accumulator } from './accumulator.ts'
import { dataOfForm, type Formed, formed, typeOfForm } from './form.ts'
import type { GroupPlan } from './plan.ts'
import { ValueTable } from './value-table.ts'

/** Some groups: their keys and states, in the order of the plan, in a region that the consumer may free. */
export interface GroupSlice {
  rows: number
  keys: Formed[]
  states: Formed[]
  region: Region
}

/** Rows worked on at once: what is needed on the way is a few bytes for each. */
const CHUNK = 65_536

/** Rows by group: the values of keys numbered, the tuples of them that occur numbered, and a state for each of those. */
export class Groups {
  readonly #arena: Arena
  readonly #plan: GroupPlan
  readonly #keys: ValueTable[]
  /** Table `i` numbers the tuples of the first `i` + 2 keys, as pairs of a shorter tuple and a value. */
  readonly #tuples: ValueTable[]
  readonly #states: Accumulator[]

  constructor(arena: Arena, plan: GroupPlan) {
    this.#arena = arena
    this.#plan = plan
    this.#keys = plan.keys.map(({ form }) => new ValueTable(arena, form))
    this.#tuples = plan.keys.slice(1).map(() => new ValueTable(arena, 'i64'))
    this.#states = plan.accumulations.map(accumulation => new Accumulator(arena, accumulation))
  }

  /** Bytes of the arena that are held until {@link clear}. */
  get bytes(): number {
    return [...this.#keys, ...this.#tuples, ...this.#states].reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** Adds the rows of a batch, one of {@link chunksOf} a larger one. */
  add(batch: RecordBatch): void {
    const region = this.#arena.region()
    try {
      const groups = this.#number(batch, region)
      const size = (this.#tuples.at(-1) ?? this.#keys.at(-1))?.size ?? 1
      const columns = new Map<string, Formed>()
      this.#plan.accumulations.forEach(({ column }, i) => {
        if (column !== undefined && !columns.has(column)) {
          columns.set(column, formed(loadColumn(region, columnOf(batch, column)!, column), region))
        }
        const state = this.#states[i]!
        state.grow(size)
        state.add(groups, batch.numRows, column === undefined ? undefined : columns.get(column))
      })
    } finally {
      region.free()
    }
  }

  /** All groups, `rows` at a time; `sorted` by their keys, the first one first, nulls last. */
  *slices(rows: number, sorted: boolean): Generator<GroupSlice, void, void> {
    const whole = this.#arena.region()
    try {
      const { groups, count } = sorted ? this.#sorted(whole) : this.#states[0]!.live(whole)
      for (let at = 0; at < count; at += rows) {
        const region = this.#arena.region()
        try {
          yield this.#take(groups + at * 4, Math.min(rows, count - at), region)
        } finally {
          region.free()
        }
      }
    } finally {
      whole.free()
    }
  }

  /** A slice as the columns that merging takes. */
  partialBatch({ rows, keys, states, region }: GroupSlice): RecordBatch {
    const fields = [...this.#plan.keys, ...this.#plan.accumulations].map(
      ({ name, form }) => new Field(name, typeOfForm(form), true),
    )
    const columns = [...keys, ...states].map((column, i) => dataOfForm(fields[i]!.type, column, region))
    return makeBatch(fields, columns, rows)
  }

  clear(): void {
    for (const part of [...this.#keys, ...this.#tuples, ...this.#states]) part.clear()
  }

  /** The address of the rows' groups; 0 without keys. */
  #number(batch: RecordBatch, region: Region): number {
    const { kernels } = this.#arena
    const rows = batch.numRows
    let groups = 0
    this.#plan.keys.forEach(({ column }, i) => {
      const numbers = numberColumn(this.#keys[i]!, columnOf(batch, column)!, column, region)
      if (i === 0) {
        groups = numbers
        return
      }
      const pairs = region.alloc(rows * 8)
      kernels.pairCodes(groups, numbers, rows, pairs)
      groups = this.#tuples[i - 1]!.number({ form: 'i64', rows, values: pairs, validity: 0 }, region)
    })
    return groups
  }

  #sorted(region: Region): { groups: number; count: number } {
    const { kernels } = this.#arena
    // Without keys there is one group, even of no rows.
    if (this.#keys.length === 0) {
      for (const state of this.#states) state.grow(1)
      return { groups: region.zeroed(4), count: 1 }
    }
    let { groups, count } = this.#states[0]!.live(region)
    for (let key = this.#keys.length - 1; key >= 0; key--) {
      const scratch = this.#arena.region()
      const table = this.#keys[key]!
      const codes = scratch.alloc(count * 4)
      kernels.lookUp(this.#keyNumbers(groups, count, scratch)[key]!, count, table.ranks(scratch), 4, codes)
      const starts = scratch.alloc((table.size + 1) * 4)
      const order = scratch.alloc(count * 4)
      kernels.countingSort(codes, count, table.size, starts, order)
      const sorted = region.alloc(count * 4)
      kernels.take32(groups, order, count, sorted)
      scratch.free()
      groups = sorted
    }
    return { groups, count }
  }

  /** For each key the numbers of the groups' values. */
  #keyNumbers(groups: number, count: number, region: Region): number[] {
    const numbers: number[] = []
    let rest = groups
    for (let key = this.#keys.length - 1; key > 0; key--) {
      const [shorter, value] = this.#tuples[key - 1]!.pairs(rest, count, region)
      numbers.unshift(value)
      rest = shorter
    }
    return [rest, ...numbers]
  }

  #take(groups: number, rows: number, region: Region): GroupSlice {
    const numbers = this.#keyNumbers(groups, rows, region)
    const keys = this.#keys.map((table, i) => table.take(numbers[i]!, rows, region))
    const states = this.#states.map(state => state.take(groups, rows, region))
    return { rows, keys, states, region }
  }
}

/** A batch in parts that take little memory on the way. */
export function* chunksOf(batch: RecordBatch): Generator<RecordBatch> {
  for (let at = 0; at < batch.numRows; at += CHUNK) {
    yield sliceRows(batch, at, Math.min(at + CHUNK, batch.numRows))
  }
}

/** A dictionary's values are numbered once, unless there are more of them than rows. */
function numberColumn(table: ValueTable, data: Data, name: string, region: Region): number {
  const few = DataType.isDictionary(data.type) && data.length < dictionaryData(data).length
  const column = loadColumn(region, few ? materialise(data, region) : data, name)
  if (!isCoded(column)) return table.number(formed(column, region), region)
  const { codes, rows, dictionary } = column
  const numbers = table.number(formed(dictionary, region), region)
  const out = region.alloc(rows * 4)
  region.arena.kernels.lookUp(codes, rows, numbers, 4, out)
  return out
}
