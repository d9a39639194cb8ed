import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  col,
  derive,
  filter,
  mapBatches,
  partitionedParquet,
  type RunReport,
  repartition,
  source,
} from '../../src/index.ts'
import { cases } from '../support/cases.ts'
import { quote } from '../support/duckdb.ts'
import { assertSameRows, datasetSql, openWorkspace } from './support.ts'

const { folder, store, duckdb } = await openWorkspace({ after })
const memory = 32 * 2 ** 20
let runs = 0

async function writeSource(name: string, sql: string, options: string): Promise<string> {
  const path = join(folder, name)
  await duckdb.query(`COPY (${sql}) TO ${quote(path)} (FORMAT parquet, ${options})`)
  return `SELECT * FROM read_parquet(${quote(path)})`
}

function assertBounded({ budgetHighWaterBytes, memoryBytes }: RunReport): void {
  assert.equal(memoryBytes, memory)
  assert.ok(budgetHighWaterBytes > 0)
  assert.ok(budgetHighWaterBytes <= memory, `${budgetHighWaterBytes} bytes held of a budget of ${memory}`)
}

describe('many times the budget', async () => {
  // 64 bytes a row and a few for the text: of all of them more than 380 MiB.
  const count = cases(6_000_000)
  const rows = await writeSource(
    'large.parquet',
    `SELECT i AS id, i % 12 AS month, (hash(i) % 1000000)::BIGINT AS a, i / 7 AS b, i * 3 AS c, i % 1000 / 8 AS d,
       make_timestamp(i * 1000003) AS moment, 'word ' || i % 500 AS word, hash(i + 1) % 65536 AS e
     FROM range(${count}) AS t(i)`,
    'COMPRESSION snappy, ROW_GROUP_SIZE 122_880',
  )
  const columns = ['id', 'a', 'b', 'c', 'd', 'moment', 'word', 'e', 'month']

  for (const mode of ['streaming', 'batch', 'auto'] as const) {
    test(`rewritten into partitions, mode ${mode}`, async t => {
      const target = `large-${runs++}`
      const report = await source(store, { files: 'large.parquet', memory, mode, lanes: 2 })
        .pipe(filter(col('a').gte(100_000)), repartition({ by: ['month'] }))
        .to(partitionedParquet(store.child(target)))
      t.diagnostic(`budget ${report.budgetHighWaterBytes}, peak of the process ${report.peakRssBytes}`)
      assertBounded(report)
      const found = datasetSql(join(folder, target), columns, { month: 'BIGINT' })
      await assertSameRows(duckdb, found, `SELECT ${columns} FROM (${rows}) WHERE a >= 100000`)
    })
  }

  test('through a function on the main thread', async t => {
    const target = `large-${runs++}`
    let largest = 0
    const report = await source(store, { files: 'large.parquet', memory, lanes: 2 })
      .pipe(
        filter(col('id').lt(3_000_000)),
        mapBatches(batch => {
          largest = Math.max(largest, batch.numRows)
          return batch
        }),
        derive({ twice: col('a').times(2) }),
        repartition({ by: ['month'] }),
      )
      .to(partitionedParquet(store.child(target)))
    t.diagnostic(`budget ${report.budgetHighWaterBytes}, batches of up to ${largest} rows`)
    assertBounded(report)
    const found = datasetSql(join(folder, target), [...columns, 'twice'], { month: 'BIGINT' })
    await assertSameRows(duckdb, found, `SELECT ${columns}, a * 2 AS twice FROM (${rows}) WHERE id < 3000000`)
  })

  test('iterated by a slow consumer', async () => {
    let read = 0
    let held = 0
    let seen = 0
    const batches = source(store, { files: 'large.parquet', memory, lanes: 2 }).batches({
      progress: progress => {
        read = progress.rowsIn
      },
    })
    for await (const batch of batches) {
      seen += batch.numRows
      if (seen % 50 === 0) await sleep(1)
      held = Math.max(held, read - seen)
    }
    assert.equal(seen, count)
    assert.ok(held * 64 <= memory, `${held} rows were read ahead`)
  })
})

test('row groups larger than the read-ahead has room for are read one by one', async () => {
  await writeSource(
    'wide.parquet',
    'SELECT hash(i) AS a, hash(i + 1) AS b, hash(i + 2) AS c FROM range(2_000_000) AS t(i)',
    'COMPRESSION uncompressed, ROW_GROUP_SIZE 1_000_000',
  )
  let rows = 0
  for await (const batch of source(store, { files: 'wide.parquet', memory })) rows += batch.numRows
  assert.equal(rows, 2_000_000)
})
