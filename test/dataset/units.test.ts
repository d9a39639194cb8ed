import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { RowGroupPlan } from '../../src/dataset/units.ts'
import { laneFile } from '../../src/dataset/units.ts'
import { openStore } from '../../src/index.ts'
import { readFooter } from '../../src/parquet/footer.ts'
import { readAll } from '../../src/storage/read.ts'
import { openDuckDB, quote } from '../support/duckdb.ts'
import { tempFolder } from '../support/temp.ts'

test('a lane is told of what it reads, in its place, and of nothing else', async t => {
  const folder = tempFolder(t)
  const duckdb = await openDuckDB(t)
  await duckdb.query(
    `COPY (SELECT i AS a, i::VARCHAR AS b, i % 7 AS c FROM range(10_000) AS t(i)) TO ${quote(join(folder, 'x.parquet'))}
     (FORMAT parquet, ROW_GROUP_SIZE 2048, KV_METADATA {notes: '${'long '.repeat(1000)}'})`,
  )
  const store = await openStore(folder)
  const bytes = await readAll(store, 'x.parquet')
  const footer = readFooter(bytes, bytes.length, 'x.parquet')
  assert.ok('metadata' in footer)
  const { metadata } = footer
  assert.ok(metadata.rowGroups.length > 3 && metadata.keyValueMetadata.length > 0)
  const plan = (rowGroup: number): RowGroupPlan => ({
    rowGroup,
    ranges: [{ start: 0, end: 1 }],
    chunks: [{ leaf: 2, runs: [] }],
    pagesPruned: 0,
    certain: false,
  })
  const object = await store.head('x.parquet')
  const file = { id: 5, key: object.key, part: 0, store, object, constants: [] }
  const told = laneFile({ file, name: 'x', metadata, rowGroups: [plan(1), plan(3)] })
  const arrived = structuredClone(told).metadata
  assert.deepEqual(Object.keys(arrived.rowGroups), ['1', '3'])
  for (const rowGroup of [1, 3]) {
    const { columns, ...group } = metadata.rowGroups[rowGroup]!
    const { columns: arrivedColumns, ...arrivedGroup } = arrived.rowGroups[rowGroup]!
    assert.deepEqual(arrivedGroup, group)
    assert.deepEqual(Object.keys(arrivedColumns), ['2'])
    assert.deepEqual(arrivedColumns[2], columns[2])
  }
  assert.deepEqual(arrived.schema, metadata.schema)
  assert.ok(JSON.stringify(arrived).length < 3000)
  // The footer itself is as it was.
  assert.ok(metadata.rowGroups.every(({ columns }) => columns.length === 3 && columns[0] !== undefined))
})
