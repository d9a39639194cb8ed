import type { RecordBatch } from 'apache-arrow'
import type { Arena, Region } from '../core/arena.ts'
import { batchBytes, makeBatch } from '../core/batch.ts'
import { concatBatches } from '../core/concat.ts'
import { sliceRows } from '../core/slice.ts'
import { type PartitionedBatch, partitionBatch, withOwnDictionary } from './partition-batch.ts'

/** When a partition's rows become a row group. */
export interface RowGroupSize {
  rows: number
  /** Bytes of Arrow data. */
  bytes: number
}

/** A batch ordered by partition, alive until all of its parts have left. */
interface Block {
  region: Region
  batch: RecordBatch
  parts: number
  paths: string[]
}

interface Slice {
  block: Block
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
  path: string
  rows: number
  batches: RecordBatch[]
  release(): void
}

/**
 * A lane's rows on their way into row groups, by partition. Every batch added becomes a block of the arena,
 * its rows ordered by partition; a partition is a list of slices of blocks. Taking a partition's rows frees
 * the blocks that nobody else has a slice of.
 */
export class PartitionBuffers {
  readonly #arena: Arena
  readonly #keys: readonly string[]
  readonly #size: RowGroupSize
  readonly #maxPartitions: number
  readonly #partitions = new Map<string, Partition>()
  /** In order of arrival. */
  readonly #blocks = new Set<Block>()

  constructor(arena: Arena, keys: readonly string[], size: RowGroupSize, maxPartitions: number) {
    this.#arena = arena
    this.#keys = keys
    this.#size = size
    this.#maxPartitions = maxPartitions
  }

  /**
   * Adds a batch whose columns lie in `region`, and disposes of the region.
   *
   * @param borrowed the columns may lie elsewhere, and have to be copied
   * @returns the paths of partitions that have enough rows for a row group
   */
  add(batch: RecordBatch, region: Region, borrowed: boolean): string[] {
    if (batch.numRows === 0) {
      region.free()
      return []
    }
    const { block, parts } = this.#block(batch, region, borrowed)
    const perRow = batchBytes(block.batch) / batch.numRows
    const full: string[] = []
    for (const { path, start, end } of parts) {
      let partition = this.#partitions.get(path)
      if (partition === undefined) this.#partitions.set(path, (partition = { slices: [], rows: 0, bytes: 0 }))
      partition.slices.push({ block, start, end })
      partition.rows += end - start
      partition.bytes += (end - start) * perRow
      if (
        (partition.rows >= this.#size.rows || partition.bytes >= this.#size.bytes) &&
        !full.includes(path)
      ) {
        full.push(path)
      }
    }
    return full
  }

  /**
   * Takes rows of a partition for one row group: at most `rows` of the size, and all that is left if `rest`;
   * undefined if there are not enough.
   */
  take(path: string, rest: boolean): TakenRows | undefined {
    const partition = this.#partitions.get(path)
    if (partition === undefined) return undefined
    const full = partition.rows >= this.#size.rows || partition.bytes >= this.#size.bytes
    if (!full && !rest) return undefined
    const slices: Slice[] = []
    let rows = 0
    while (partition.slices.length > 0 && rows < this.#size.rows) {
      const slice = partition.slices[0]!
      const count = Math.min(slice.end - slice.start, this.#size.rows - rows)
      rows += count
      if (count === slice.end - slice.start) slices.push(partition.slices.shift()!)
      else {
        slices.push({ block: slice.block, start: slice.start, end: slice.start + count })
        slice.block.parts++
        slice.start += count
      }
    }
    partition.bytes -= (partition.bytes * rows) / partition.rows
    partition.rows -= rows
    if (partition.slices.length === 0) this.#partitions.delete(path)
    return {
      path,
      rows,
      batches: slices.map(({ block, start, end }) => sliceRows(block.batch, start, end)),
      release: () => {
        for (const { block } of slices) this.#release(block)
      },
    }
  }

  /** The partitions with rows in the oldest block: what to write when memory is short. */
  oldest(): string[] {
    const [block] = this.#blocks
    return block === undefined ? [] : [...new Set(block.paths)].filter(path => this.#partitions.has(path))
  }

  /** The partitions that have rows, and how many. */
  partitions(): { path: string; rows: number }[] {
    return Array.from(this.#partitions, ([path, { rows }]) => ({ path, rows }))
  }

  #block(
    batch: RecordBatch,
    region: Region,
    borrowed: boolean,
  ): { block: Block; parts: PartitionedBatch['parts'] } {
    const whole = { path: '', start: 0, end: batch.numRows }
    // Without keys the region itself becomes the block, unless most of it is something else.
    const adopt = !borrowed && this.#keys.length === 0 && region.bytes <= 3 * batchBytes(batch)
    const into = adopt ? region : this.#arena.region()
    try {
      const { batch: ordered, parts } = adopt
        ? { batch, parts: [whole] }
        : this.#keys.length === 0
          ? { batch: copyInto(batch, into), parts: [whole] }
          : partitionBatch(batch, this.#keys, this.#maxPartitions, region, into)
      const block: Block = {
        region: into,
        batch: ordered,
        parts: parts.length,
        paths: parts.map(p => p.path),
      }
      this.#blocks.add(block)
      return { block, parts }
    } catch (error) {
      into.free()
      throw error
    } finally {
      if (!adopt) region.free()
    }
  }

  #release(block: Block): void {
    if (--block.parts > 0) return
    this.#blocks.delete(block)
    block.region.free()
  }
}

function copyInto(batch: RecordBatch, region: Region): RecordBatch {
  const copy = concatBatches([batch, sliceRows(batch, 0, 0)], region)
  const columns = copy.data.children.map(column => withOwnDictionary(column, region))
  return makeBatch(copy.schema.fields, columns, copy.numRows)
}
