import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Field, Int64, type RecordBatch } from 'apache-arrow'
import { batchOf } from '../../src/core/rows.ts'
import { fromBatches, openStore, type Pipeline, type Store } from '../../src/index.ts'
import { type Cleanup, openDuckDB, quote } from '../support/duckdb.ts'
import { tempFolder } from '../support/temp.ts'

/** Batches `[0, 1], [2, 3], …` of a column `n`, that tell what became of them. */
export class Tracked implements AsyncIterable<RecordBatch> {
  /** Batches given. */
  pulled = 0
  /** Iterators begun and ended, in whatever way. */
  begun = 0
  ended = 0
  readonly #batches: number
  readonly #fault: (index: number, attempt: number) => unknown

  /** @param fault what to do before a batch is given: throws, or waits */
  constructor(batches: number, fault: (index: number, attempt: number) => unknown = () => {}) {
    this.#batches = batches
    this.#fault = fault
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RecordBatch> {
    const attempt = this.begun++
    try {
      for (let i = 0; i < this.#batches; i++) {
        await this.#fault(i, attempt)
        this.pulled++
        yield numbers(2 * i, 2 * i + 1)
      }
    } finally {
      this.ended++
    }
  }

  pipeline(): Pipeline {
    return fromBatches(numbers().schema, this)
  }
}

/** A batch of 64-bit integers in a column `n`. */
export function numbers(...values: number[]): RecordBatch {
  return batchOf(
    values.map(n => ({ n: BigInt(n) })),
    [new Field('n', new Int64(), true)],
  )
}

/** All values of a column, in order. */
export async function valuesOf(batches: AsyncIterable<RecordBatch>, column = 'n'): Promise<unknown[]> {
  const values: unknown[] = []
  for await (const batch of batches) values.push(...(batch.getChild(column) ?? []))
  return values
}

export function assertNoListeners(signal: AbortSignal): void {
  assert.equal(getEventListeners(signal, 'abort').length, 0)
}

/** A store in memory with `numbers.parquet`: a column `n` of the numbers below `rows`, or of something made of each. */
export async function parquetStore(t: Cleanup, rows: number, value = 'i', rowGroup = 2048): Promise<Store> {
  const path = join(tempFolder(t), 'numbers.parquet')
  const { query } = await openDuckDB(t)
  await query(
    `COPY (SELECT ${value} AS n FROM range(${rows}) AS t(i)) TO ${quote(path)} (FORMAT parquet, ROW_GROUP_SIZE ${rowGroup})`,
  )
  const store = await openStore('memory:')
  await store.put('numbers.parquet', readFileSync(path))
  return store
}
