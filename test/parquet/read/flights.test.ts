import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Data, DataType } from 'apache-arrow'
import { columnOf } from '../../../src/core/batch.ts'
import { openDuckDB } from '../../support/duckdb.ts'
import { root } from '../../support/root.ts'
import { footerOf, readRowGroup } from './support.ts'

test('three million real flights add up as in DuckDB', async t => {
  const { query } = await openDuckDB(t)
  const path = join(root, 'node_modules/vega-datasets/data/flights-3m.parquet')
  const file = readFileSync(path)
  const metadata = footerOf(file, path)
  const sums = { rows: 0, delays: 0n, distances: 0n, late: 0, origins: new Map<string, number>() }
  for (let rowGroup = 0; rowGroup < metadata.rowGroups.length; rowGroup++) {
    await readRowGroup(file, metadata, rowGroup, batch => {
      sums.rows += batch.numRows
      sums.delays += total(columnOf(batch, 'delay')!)
      sums.distances += total(columnOf(batch, 'distance')!)
      sums.late += countAbove(columnOf(batch, 'delay')!, 60)
      const origin = columnOf(batch, 'origin')!
      assert.ok(DataType.isDictionary(origin.type), 'dictionaries are kept')
      const counts = new Array<number>(origin.dictionary!.length).fill(0)
      for (const code of origin.values as Int32Array) counts[code]!++
      for (const [code, count] of counts.entries()) {
        const name = String(origin.dictionary!.get(code))
        sums.origins.set(name, (sums.origins.get(name) ?? 0) + count)
      }
    })
  }
  const [expected] = await query(`
    SELECT count(*) AS rows, sum(delay) AS delays, sum(distance) AS distances,
      count(*) FILTER (delay > 60) AS late
    FROM '${path}'`)
  const { origins, ...totals } = sums
  assert.deepEqual(
    Object.values(totals).map(String),
    ['rows', 'delays', 'distances', 'late'].map(name => String(expected![name])),
  )
  const counts = await query(`SELECT origin, count(*) AS n FROM '${path}' GROUP BY ALL`)
  assert.deepEqual(
    new Map([...origins].sort()),
    new Map(counts.map(row => [String(row['origin']), Number(row['n'])] as const).sort()),
  )
})

function total(column: Data): bigint {
  let sum = 0n
  for (const value of column.values as BigInt64Array | Int32Array) sum += BigInt(value)
  return sum
}

function countAbove(column: Data, limit: number): number {
  let count = 0
  for (const value of column.values as BigInt64Array | Int32Array) if (value > limit) count++
  return count
}
