import type { Data, Field, RecordBatch, Schema } from 'apache-arrow'
import type { Arena, Region } from '../core/arena.ts'
import { makeBatch } from '../core/batch.ts'
import { isSluiceError } from '../core/errors.ts'
import { type BoundExpr, conjuncts } from '../core/expressions/bound.ts'
import { select } from '../core/expressions/evaluate.ts'
import { prune } from '../core/expressions/prune.ts'
import { filtersFirst } from '../core/pushdown.ts'
import { narrowStages, requiredColumns, type Stage } from '../core/stages.ts'
import { nullColumn, type Rows, takeBatch } from '../core/take.ts'
import { widen } from '../core/widen.ts'
import type { PageCounts } from '../parquet/column-reader.ts'
import type { ChunkPart } from '../parquet/pages.ts'
import { RowGroupReader } from '../parquet/row-group-reader.ts'
import { columnBounds } from './bounds.ts'
import { constantColumn } from './constant-column.ts'
import type { LaneFile } from './lane-messages.ts'

/** In which order the columns of a row group are read: those of the filters, then what is left of the rest. */
export interface ReadPlan {
  schema: Schema
  /** Filters on the source's columns, in order. */
  predicates: BoundExpr[]
  /** The stages behind them. */
  rest: Stage[]
  /** Columns that the filters look at, and the others that are needed. */
  tested: Field[]
  others: Field[]
  /** Those of both that are needed behind the filters, in the order of the schema. */
  output: Field[]
}

export function readPlan(stages: readonly Stage[], schema: Schema): ReadPlan {
  const { predicates, rest } = filtersFirst(stages, schema)
  const needed = requiredColumns(rest, schema)
  const looked = new Set(predicates.flatMap(({ columns }) => columns))
  return {
    schema,
    predicates,
    rest: narrowStages(rest, schema),
    tested: schema.fields.filter(({ name }) => looked.has(name)),
    others: schema.fields.filter(({ name }) => needed.includes(name) && !looked.has(name)),
    output: schema.fields.filter(({ name }) => needed.includes(name)),
  }
}

/** Rows that have been read; `chosen` are those that the filters let through, or absent if all of them are. */
export interface FilteredRows {
  batch: RecordBatch
  chosen: Rows | undefined
  /** Where the batch lies; undefined for memory that is used again. */
  region: Region | undefined
}

/** What a {@link FilteredReader} reads. */
export interface FilteredSource {
  file: LaneFile
  rowGroup: number
  plan: ReadPlan
  /** See {@link RowGroupReader}'s source. */
  parts: (leaf: number) => readonly ChunkPart[]
  arena: Arena
  counts: PageCounts
}

/** Below this share of the rows, columns are decoded for the chosen rows only; above, wholly, and then taken. */
const SPARSE = 1 / 4

/**
 * Reads a row group through the filters of a plan: their columns first, and of the others only what the filters
 * let through. Where that is most rows the others are decoded at once, which is cheaper than row by row.
 */
export class FilteredReader {
  readonly #source: FilteredSource
  readonly #predicates: readonly BoundExpr[]
  readonly #tested: RowGroupReader
  readonly #others: RowGroupReader
  /** No value that there is passes the filters. */
  readonly #none: boolean

  static open(source: FilteredSource): FilteredReader {
    const { file, rowGroup, plan, parts, arena, counts } = source
    const open = (fields: readonly Field[]) => {
      const columns = fields.map(({ name }) => name).filter(name => constantOf(file, name) === undefined)
      return RowGroupReader.open({
        file: file.name,
        metadata: file.metadata,
        rowGroup,
        columns,
        parts,
        arena,
        counts,
      })
    }
    const tested = open(plan.tested)
    let others: RowGroupReader | undefined
    try {
      others = open(plan.others)
      return new FilteredReader(source, tested, others)
    } catch (error) {
      tested.close()
      others?.close()
      throw error
    }
  }

  private constructor(source: FilteredSource, tested: RowGroupReader, others: RowGroupReader) {
    const { file, rowGroup, plan } = source
    const bounds = columnBounds(file.metadata, rowGroup, file.constants)
    this.#source = source
    this.#predicates = plan.predicates.filter(predicate => prune(predicate, bounds) !== 'all')
    this.#tested = tested
    this.#others = others
    this.#none = this.#predicates.flatMap(conjuncts).some(condition => this.#lacksAll(condition))
  }

  /** Rows of the row group. */
  get rows(): number {
    return this.#tested.rows
  }

  /** See {@link RowGroupReader.pageBytes}. */
  get pageBytes(): number {
    return this.#tested.pageBytes + this.#others.pageBytes
  }

  /**
   * The next `rows` rows. Few chosen ones come by themselves, in `taken`; else all rows, in `scratch`, and which of
   * them are chosen.
   */
  read(rows: number, scratch: Region, taken: Region): FilteredRows {
    const { plan } = this.#source
    if (this.#none) {
      const none = { count: 0, indices: 0 }
      const tested = this.#columns(plan.tested, this.#tested.take(rows, none, taken), 0, taken)
      const others = this.#columns(plan.others, this.#others.take(rows, none, taken), 0, taken)
      return { batch: join(plan.output, tested, others), chosen: undefined, region: taken }
    }
    const tested = this.#columns(plan.tested, this.#tested.read(rows, scratch), rows, scratch)
    const chosen = this.#select(tested, scratch)
    if (chosen === undefined || chosen.count >= rows * SPARSE) {
      const others = this.#columns(plan.others, this.#others.read(rows, scratch), rows, scratch)
      return { batch: join(plan.output, tested, others), chosen, region: scratch }
    }
    const others = this.#others.take(rows, chosen, taken)
    const batch = join(
      plan.output,
      takeBatch(tested, chosen, taken),
      this.#columns(plan.others, others, chosen.count, taken),
    )
    return { batch, chosen: undefined, region: taken }
  }

  /** Passes over rows. */
  skip(rows: number): void {
    this.#tested.skip(rows)
    this.#others.skip(rows)
  }

  close(): void {
    this.#tested.close()
    this.#others.close()
  }

  /**
   * Whether a condition on one column is true for no value of its dictionary, nor for null. Where the dictionary is
   * not much smaller than the column that is not worth knowing.
   */
  #lacksAll(condition: BoundExpr): boolean {
    const { plan, file, arena } = this.#source
    const [name, ...more] = condition.columns
    const field = plan.tested.find(field => field.name === name)
    if (field === undefined || more.length > 0 || constantOf(file, field.name) !== undefined) return false
    const region = arena.region()
    try {
      const own = this.#tested.dictionary(field.name, region)
      if (own === undefined || own.length > this.rows * SPARSE) return false
      const values = widen(own, field.type, region)
      const passes = (column: Data) =>
        select(condition, makeBatch([field], [column], column.length), region).count > 0
      return !passes(values) && !(field.nullable && passes(nullColumn(field.type, 1, region)))
    } catch (error) {
      // Perhaps it was a value that no row has: the rows themselves will tell.
      if (!isSluiceError(error) || error.code === 'budget' || error.code === 'corrupt') throw error
      return false
    } finally {
      region.free()
    }
  }

  /** The rows that pass every filter; a later one sees only those that passed the ones before. */
  #select(batch: RecordBatch, region: Region): Rows | undefined {
    let passed = batch
    let chosen: Rows | undefined
    for (const predicate of this.#predicates) {
      if (chosen !== undefined) passed = takeBatch(batch, chosen, region)
      const selection = select(predicate, passed, region)
      if (selection.count === passed.numRows) continue
      if (chosen !== undefined && selection.count > 0) {
        const indices = region.alloc(4 * selection.count)
        region.arena.kernels.take32(chosen.indices, selection.indices, selection.count, indices)
        chosen = { count: selection.count, indices }
      } else chosen = selection
    }
    return chosen
  }

  /** The columns of a batch from the file, in the source's types, with those that have one value in all of it. */
  #columns(fields: readonly Field[], batch: RecordBatch, rows: number, region: Region): RecordBatch {
    const { file } = this.#source
    const columns = fields.map(field => {
      const constant = constantOf(file, field.name)
      if (constant !== undefined) return constantColumn(field.type, constant.value, rows, region)
      const index = batch.schema.fields.findIndex(({ name }) => name === field.name)
      return widen(batch.data.children[index]!, field.type, region)
    })
    return makeBatch(fields, columns, rows)
  }
}

function constantOf({ constants }: LaneFile, column: string): LaneFile['constants'][number] | undefined {
  return constants.find(({ name }) => name === column)
}

function join(fields: readonly Field[], ...batches: [RecordBatch, RecordBatch]): RecordBatch {
  const columns = fields.map(({ name }): Data => {
    const [batch, index] = batches
      .map((batch): [RecordBatch, number] => [batch, batch.schema.fields.findIndex(f => f.name === name)])
      .find(([, index]) => index >= 0)!
    return batch.data.children[index]!
  })
  return makeBatch(fields, columns, batches[0].numRows)
}
