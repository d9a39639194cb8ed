import { Data, DataType, type RecordBatch, Vector } from 'apache-arrow'
import type { Region } from '../core/arena.ts'
import { columnOf, makeBatch } from '../core/batch.ts'
import { concatColumns } from '../core/concat.ts'
import { type Numbering, numberPairs, numberRows } from '../core/distinct.ts'
import { SluiceError } from '../core/errors.ts'
import { takeBatch } from '../core/take.ts'
import { partitionPath } from './hive.ts'
import { formatPartitionValue, type PartitionValue } from './partition-types.ts'

/** A batch's rows ordered by partition, without the key columns; `parts` says which rows are whose. */
export interface PartitionedBatch {
  batch: RecordBatch
  /** A path may occur more than once. */
  parts: { path: string; start: number; end: number }[]
}

/** The values of the partition keys that one bucket of rows shares. */
type Tuple = (string | null)[]

/**
 * Orders the rows of a batch by their partition with a counting sort; rows of a partition keep their order.
 *
 * @param batch columns in `scratch` or anywhere
 * @param keys names of the key columns, outermost first
 * @param maxPartitions more than this in one batch is a `schema` error
 * @param scratch what is needed on the way
 * @param into where the ordered columns go, dictionaries included
 */
export function partitionBatch(
  batch: RecordBatch,
  keys: readonly string[],
  maxPartitions: number,
  scratch: Region,
  into: Region,
): PartitionedBatch {
  const rows = batch.numRows
  const { arena } = scratch
  const { codes, tuples } = numberPartitions(batch, keys, maxPartitions, scratch)
  const starts = scratch.alloc((tuples.length + 1) * 4)
  const order = scratch.alloc(rows * 4)
  arena.kernels.countingSort(codes, rows, tuples.length, starts, order)

  const fields = batch.schema.fields.filter(field => !keys.includes(field.name))
  const columns = fields.map(field => columnOf(batch, field.name)!)
  const ordered = takeBatch(makeBatch(fields, columns, rows), { count: rows, indices: order }, into)
  const owned = ordered.data.children.map(column => withOwnDictionary(column, into))

  const bounds = new Uint32Array(arena.buffer, starts, tuples.length + 1)
  const parts = tuples.flatMap((tuple, i) => {
    const [start, end] = [bounds[i]!, bounds[i + 1]!]
    return end > start ? [{ path: partitionPath(keys, tuple), start, end }] : []
  })
  return { batch: makeBatch(fields, owned, rows), parts }
}

/** A dictionary column's dictionary copied into `region`, so that it lives as long as the codes. */
export function withOwnDictionary(column: Data, region: Region): Data {
  if (!DataType.isDictionary(column.type)) return column
  const dictionary = (column.dictionary as Vector).data[0]!
  const copy = concatColumns([dictionary, dictionary.slice(0, 0)], region)
  const { type, offset, length, nullCount, buffers } = column
  return new Data(type, offset, length, nullCount, buffers, [], new Vector([copy]))
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
    const numbering = numberRows(columnOf(batch, key)!, limit, scratch)
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
