import { Data, DataType, type RecordBatch, Vector } from 'apache-arrow'
import type { Region } from '../core/arena.ts'
import { columnOf, dictionaryData, makeBatch, valueType } from '../core/batch.ts'
import { concatColumns } from '../core/concat.ts'
import { type Numbering, numberPairs, numberRows } from '../core/distinct.ts'
import { SluiceError } from '../core/errors.ts'
import { addressIn, takeBatch, takeColumn } from '../core/take.ts'
import { partitionPath } from './hive.ts'
import { checkPartitionType, formatPartitionValue, type PartitionValue } from './partition-types.ts'

/** Rows of a partition that lie side by side. */
export interface Part {
  path: string
  start: number
  end: number
}

/** The values of the partition keys that one bucket of rows shares. */
type Tuple = (string | null)[]

/** Rows in a run on average from which on runs are left where they are. */
const LONG_RUN = 1024
const SHORT_RUN = 32

/** The rows of a batch by partition. */
export class Partitioning {
  readonly #batch: RecordBatch
  readonly #keys: readonly string[]
  readonly #codes: number
  readonly #tuples: Tuple[]
  readonly #scratch: Region

  /**
   * @param batch columns in `scratch` or anywhere
   * @param keys names of the key columns, outermost first
   * @param maxPartitions more than this in one batch is a `schema` error
   * @param scratch what is needed on the way
   */
  constructor(batch: RecordBatch, keys: readonly string[], maxPartitions: number, scratch: Region) {
    const { codes, tuples } = numberPartitions(batch, keys, maxPartitions, scratch)
    this.#batch = batch
    this.#keys = keys
    this.#codes = codes
    this.#tuples = tuples
    this.#scratch = scratch
  }

  /**
   * The rows' partitions in the order that they are in, if those come in long runs or in one run each: nothing
   * needs to be moved then. A path may occur more than once.
   */
  runs(): Part[] | undefined {
    const rows = this.#batch.numRows
    const { arena } = this.#scratch
    const most = 1 + Math.floor(Math.max(rows / LONG_RUN, Math.min(this.#tuples.length, rows / SHORT_RUN)))
    const starts = this.#scratch.alloc(most * 4)
    const count = arena.kernels.codeRuns(this.#codes, rows, most, starts)
    if (count < 0) return undefined
    const codes = arena.i32(this.#codes, rows)
    const bounds = arena.i32(starts, count)
    return Array.from(bounds, (start, i) => ({
      path: this.#path(codes[start]!),
      start,
      end: bounds[i + 1] ?? rows,
    }))
  }

  /** The batch without its keys, ordered by partition in `region`; rows of a partition keep their order. */
  ordered(region: Region): { batch: RecordBatch; parts: Part[] } {
    const rows = this.#batch.numRows
    const { arena } = this.#scratch
    const buckets = this.#tuples.length
    const starts = this.#scratch.alloc((buckets + 1) * 4)
    const order = this.#scratch.alloc(rows * 4)
    arena.kernels.countingSort(this.#codes, rows, buckets, starts, order)
    const batch = takeBatch(withoutKeys(this.#batch, this.#keys), { count: rows, indices: order }, region)
    const bounds = arena.i32(starts, buckets + 1)
    const parts: Part[] = []
    for (let bucket = 0; bucket < buckets; bucket++) {
      const [start, end] = [bounds[bucket]!, bounds[bucket + 1]!]
      if (end > start) parts.push({ path: this.#path(bucket), start, end })
    }
    return { batch, parts }
  }

  #path(bucket: number): string {
    return partitionPath(this.#keys, this.#tuples[bucket]!)
  }
}

/** The columns that are written. */
export function withoutKeys(batch: RecordBatch, keys: readonly string[]): RecordBatch {
  const fields = batch.schema.fields.filter(field => !keys.includes(field.name))
  const columns = fields.map(field => columnOf(batch, field.name)!)
  return makeBatch(fields, columns, batch.numRows)
}

/**
 * A column with its dictionary copied into `region`, so that it lives as long as the codes, which lie there
 * already. Of a dictionary that is large for the column only the values that occur are kept.
 */
export function withOwnDictionary(column: Data, region: Region): Data {
  if (!DataType.isDictionary(column.type)) return column
  const dictionary = dictionaryData(column)
  if (dictionary.length > column.length / 2 && column.type.indices.bitWidth === 32) {
    return occurringValues(column, dictionary, region)
  }
  const own = concatColumns([dictionary, dictionary.slice(0, 0)], region)
  const { type, offset, length, nullCount, buffers } = column
  return new Data(type, offset, length, nullCount, buffers, [], new Vector([own]))
}

/** The column with those values of its dictionary that occur. */
function occurringValues(column: Data, dictionary: Data, region: Region): Data {
  const { arena } = region
  const { type, offset, length, nullCount, nullBitmap } = column
  const scratch = arena.regionFor(0)
  try {
    const size = dictionary.length
    const map = scratch.zeroed(size * 4)
    const used = scratch.alloc(Math.min(size, length) * 4)
    const bits = nullCount === 0 ? 0 : addressIn(scratch, nullBitmap)
    const codes = region.alloc(length * 4)
    const from = addressIn(scratch, column.values)
    const count = arena.kernels.renumberCodes(from, bits, offset, length, map, size, used, codes)
    if (count < 0) throw new SluiceError('schema', 'a code lies outside its dictionary')
    const own = takeColumn(dictionary, { count, indices: used }, region)
    const buffers = { 1: arena.i32(codes, length), 2: nullBitmap }
    return new Data(type, offset, length, nullCount, buffers as never, [], new Vector([own]))
  } finally {
    scratch.free()
  }
}

/** Numbers the rows by the values of all keys together; only combinations that occur get a number. */
function numberPartitions(
  batch: RecordBatch,
  keys: readonly string[],
  maxPartitions: number,
  scratch: Region,
): { codes: number; tuples: Tuple[] } {
  const rows = batch.numRows
  const limit = Math.min(maxPartitions, rows)
  let codes = 0
  let tuples: Tuple[] = []
  for (const [i, key] of keys.entries()) {
    const column = columnOf(batch, key)!
    checkPartitionType(valueType(column.type), key)
    const numbering = numberRows(column, limit, scratch)
    if (numbering === undefined) throw tooMany(keys, maxPartitions)
    const texts = numberingTexts(numbering, key)
    if (i === 0) {
      codes = numbering.codes
      tuples = texts.map(text => [text])
      continue
    }
    const numbers = numberPairs(codes, numbering.codes, rows, limit, scratch)
    if (numbers === undefined) throw tooMany(keys, maxPartitions)
    const { pairs } = numbers
    const outer = tuples
    codes = numbers.codes
    tuples = Array.from({ length: pairs.length / 2 }, (_, pair) => [
      ...outer[pairs[2 * pair]!]!,
      texts[pairs[2 * pair + 1]!]!,
    ])
  }
  return { codes, tuples }
}

function numberingTexts({ base, values }: Numbering, key: string): Tuple {
  const vector = new Vector([values])
  const { type } = values
  const physical = (i: number): PartitionValue => {
    if (DataType.isDecimal(type)) return integerOfWords(values.values, i * values.stride, values.stride)
    return DataType.isUtf8(type) || DataType.isBool(type) ? vector.get(i) : values.values[i]
  }
  const texts = Array.from({ length: values.length }, (_, i) => formatPartitionValue(type, physical(i), key))
  return base === 1 ? [null, ...texts] : texts
}

/** Two's complement of little-endian words. */
function integerOfWords(words: Uint32Array, at: number, count: number): bigint {
  let value = BigInt(words[at + count - 1]! | 0)
  for (let word = count - 2; word >= 0; word--) value = (value << 32n) | BigInt(words[at + word]!)
  return value
}

function tooMany(keys: readonly string[], maxPartitions: number): SluiceError {
  return new SluiceError('schema', `more than ${maxPartitions} partitions by ${keys.join(', ')}`, {
    option: 'maxPartitions',
    hint: 'Partition by a coarser key, or raise the limit.',
  })
}
