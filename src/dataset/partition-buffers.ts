import { type Data, DataType, type RecordBatch } from 'apache-arrow'
import type { Arena, Region } from '../core/arena.ts'
import { batchBytes, makeBatch } from '../core/batch.ts'
import { concatBatches } from '../core/concat.ts'
import { sliceRows } from '../core/slice.ts'
import { takeBatch } from '../core/take.ts'
import type { BatchRows } from '../parquet/row-group-writer.ts'
import { type Part, Partitioning, withOwnDictionary, withoutKeys } from './partition-batch.ts'
import { SharedDictionaries, type SharedDictionary } from './shared-dictionary.ts'

/** When a partition's rows become a row group. */
export interface RowGroupSize {
  rows: number
  /** Bytes of Arrow data. */
  bytes: number
}

/** Rows of a batch in which those of a partition lie side by side, alive until all of them have left. */
interface Block {
  /** In order of arrival. */
  readonly ordinal: number
  region: Region
  batch: RecordBatch
  bytesPerRow: number
  /** What is waiting. */
  readonly slices: Set<Slice>
  rows: number
  /** Slices that have been taken and not released. */
  taken: number
  /** Those that its columns use. */
  dictionaries: SharedDictionary[]
}

interface Slice {
  readonly block: Block
  readonly path: string
  start: number
  end: number
}

interface Partition {
  slices: Slice[]
  rows: number
  bytes: number
}

/** Rows taken out of the buffers: to be encoded, then released. */
export interface TakenRows {
  count: number
  /** About what they take. */
  bytes: number
  rows: BatchRows[]
  release(): void
}

/** A region that has more than this for each byte of the batch is not kept for it. */
const WASTE = 1.75
/** A block is copied together once less than this share of its rows is left. */
const SPARSE = 1 / 8
/** Blocks that are not worth copying together. */
const SMALL_BLOCK = 1 << 16
/** What is worth a row group before memory is short. */
const WORTH = { rows: 4096, bytes: 1 << 18 }
/** Blocks without a row of a partition, at least, until it counts as quiet. */
const QUIET_BLOCKS = 2

/**
 * A lane's rows on their way into row groups, by partition. Every batch added becomes a block of the arena in
 * which the rows of a partition lie side by side; a partition is a list of slices of blocks. Taking a
 * partition's rows frees the blocks that nobody else has a slice of.
 */
export class PartitionBuffers {
  readonly #arena: Arena
  readonly #keys: readonly string[]
  readonly #size: RowGroupSize
  readonly #maxPartitions: number
  /** Those that have gone without a new row for longest come first. */
  readonly #partitions = new Map<string, Partition>()
  /** In order of arrival. */
  readonly #blocks = new Set<Block>()
  readonly #shared: SharedDictionaries
  #added = 0

  constructor(arena: Arena, keys: readonly string[], size: RowGroupSize, maxPartitions: number) {
    this.#arena = arena
    this.#keys = keys
    this.#size = size
    this.#maxPartitions = maxPartitions
    this.#shared = new SharedDictionaries(arena)
  }

  /**
   * Adds a batch, and disposes of the regions.
   *
   * @param region where its columns lie; undefined if they lie in memory that is not the caller's to keep
   * @param scratch where its dictionaries may lie; may be `region`
   * @param partition of all rows, if it is not for the keys to say
   * @returns the paths of partitions that have enough rows for a row group
   */
  add(batch: RecordBatch, region: Region | undefined, scratch: Region, partition?: string): Set<string> {
    const full = new Set<string>()
    let kept: Region | undefined
    try {
      if (batch.numRows === 0) return full
      const { block, parts } = this.#block(batch, region, scratch, partition)
      kept = block.region
      for (const { path, start, end } of parts) {
        const slice = { block, path, start, end }
        const waiting = this.#partitions.get(path) ?? { slices: [], rows: 0, bytes: 0 }
        this.#partitions.delete(path)
        this.#partitions.set(path, waiting)
        waiting.slices.push(slice)
        waiting.rows += end - start
        waiting.bytes += (end - start) * block.bytesPerRow
        block.slices.add(slice)
        if (this.#isFull(waiting)) full.add(path)
      }
      return full
    } finally {
      if (region !== kept) region?.free()
      if (scratch !== kept) scratch.free()
    }
  }

  /**
   * Takes rows of a partition for one row group: at most `rows` of the size, and all that is left if `rest`;
   * undefined if there are not enough.
   */
  take(path: string, rest: boolean): TakenRows | undefined {
    const partition = this.#partitions.get(path)
    if (partition === undefined || !(rest || this.#isFull(partition))) return undefined
    const blocks: Block[] = []
    const rows: BatchRows[] = []
    let count = 0
    while (partition.slices.length > 0 && count < this.#size.rows) {
      const slice = partition.slices[0]!
      const { block, start } = slice
      const end = Math.min(slice.end, start + this.#size.rows - count)
      blocks.push(block)
      rows.push({ batch: block.batch, start, end })
      count += end - start
      slice.start = end
      block.taken++
      block.rows -= end - start
      if (end === slice.end) {
        partition.slices.shift()
        block.slices.delete(slice)
      }
    }
    const bytes = (partition.bytes * count) / partition.rows
    partition.bytes -= bytes
    partition.rows -= count
    if (partition.slices.length === 0) this.#partitions.delete(path)
    const release = () => {
      for (const block of blocks) {
        block.taken--
        this.#freeEmpty(block)
      }
    }
    return { count, bytes, rows, release }
  }

  /**
   * The partitions that are worth a row group and have gone quiet: as many blocks have come without a row of them
   * as lie between their first and their last, and at least a few. Of data sorted by the key those are complete;
   * keys that are scattered all over the data hardly ever rest for as long as they have been waiting.
   */
  quiet(): string[] {
    const paths: string[] = []
    for (const [path, { slices, rows, bytes }] of this.#partitions) {
      const last = slices.at(-1)!.block.ordinal
      const age = this.#added - 1 - last
      if (age < QUIET_BLOCKS) break
      if (rows < WORTH.rows && bytes < WORTH.bytes) continue
      if (age > last - slices[0]!.block.ordinal) paths.push(path)
    }
    return paths
  }

  /** Copies together what is left of blocks that have lost most of their rows. */
  compact(): void {
    for (const block of this.#blocks) {
      const { region, batch, rows, taken, slices } = block
      if (taken > 0 || rows > batch.numRows * SPARSE || region.bytes < SMALL_BLOCK) continue
      const scratch = this.#arena.regionFor(0)
      const into = this.#arena.regionFor(rows * block.bytesPerRow)
      const indices = scratch.alloc(rows * 4)
      const numbers = this.#arena.i32(indices, rows)
      let at = 0
      for (const slice of slices) {
        const start = at
        for (let row = slice.start; row < slice.end; row++) numbers[at++] = row
        slice.start = start
        slice.end = at
      }
      const { dictionaries } = block
      const left = takeBatch(batch, { count: rows, indices }, into)
      block.batch = withDictionaries(left, column => withOwnDictionary(column, into))
      block.region = into
      block.dictionaries = []
      region.free()
      scratch.free()
      for (const dictionary of dictionaries) dictionary.release()
    }
  }

  /** The partitions with rows in the oldest block: what to write when memory is short. */
  oldest(): string[] {
    const [block] = this.#blocks
    return block === undefined ? [] : [...new Set(Array.from(block.slices, ({ path }) => path))]
  }

  /** The partitions that have rows, and how many. */
  partitions(): { path: string; rows: number }[] {
    return Array.from(this.#partitions, ([path, { rows }]) => ({ path, rows }))
  }

  #isFull({ rows, bytes }: Partition): boolean {
    return rows >= this.#size.rows || bytes >= this.#size.bytes
  }

  #block(
    batch: RecordBatch,
    region: Region | undefined,
    scratch: Region,
    partition = this.#keys.length === 0 ? '' : undefined,
  ): { block: Block; parts: Part[] } {
    const rows = batch.numRows
    const written = withoutKeys(batch, this.#keys)
    const bytes = batchBytes(written)
    const partitioning =
      partition === undefined ? new Partitioning(batch, this.#keys, this.#maxPartitions, scratch) : undefined
    const inOrder =
      partition === undefined ? partitioning?.runs() : [{ path: partition, start: 0, end: rows }]
    const keep = inOrder !== undefined && region !== undefined && region.bytes <= WASTE * bytes
    const into = keep ? region : this.#arena.regionFor(bytes)
    const dictionaries: SharedDictionary[] = []
    try {
      let placed = written
      let parts = inOrder
      if (!keep) {
        if (partitioning === undefined) placed = copyInto(written, into)
        else ({ batch: placed, parts } = partitioning.ordered(into))
        placed = withDictionaries(placed, (column, name) => {
          const adopted = this.#shared.adopt(name, column)
          if (adopted === undefined) return withOwnDictionary(column, into)
          dictionaries.push(adopted.shared)
          return adopted.column
        })
      } else if (region !== scratch)
        placed = withDictionaries(placed, column => withOwnDictionary(column, into))
      const block: Block = {
        ordinal: this.#added++,
        region: into,
        batch: placed,
        bytesPerRow: bytes / rows,
        slices: new Set(),
        rows,
        taken: 0,
        dictionaries,
      }
      this.#blocks.add(block)
      return { block, parts: parts! }
    } catch (error) {
      if (!keep) into.free()
      for (const dictionary of dictionaries) dictionary.release()
      throw error
    }
  }

  #freeEmpty(block: Block): void {
    if (block.slices.size > 0 || block.taken > 0) return
    this.#blocks.delete(block)
    block.region.free()
    for (const dictionary of block.dictionaries) dictionary.release()
    if (this.#blocks.size === 0) this.#shared.clear()
  }
}

function copyInto(batch: RecordBatch, region: Region): RecordBatch {
  return concatBatches([batch, sliceRows(batch, 0, 0)], region)
}

/** The batch with its dictionary columns changed. */
function withDictionaries(batch: RecordBatch, change: (column: Data, name: string) => Data): RecordBatch {
  const { fields } = batch.schema
  const columns = batch.data.children.map((column, i) =>
    DataType.isDictionary(column.type) ? change(column, fields[i]!.name) : column,
  )
  return makeBatch(fields, columns, batch.numRows)
}
