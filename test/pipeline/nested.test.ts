import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import {
  filter,
  fromBatches,
  isSluiceError,
  type Mode,
  parquetFile,
  partitionedParquet,
  repartition,
  source,
} from '../../src/index.ts'
import { quote } from '../support/duckdb.ts'
import { assertSameRows, datasetSql, openWorkspace } from './support.ts'

const modes: readonly Mode[] = ['streaming', 'fragment', 'batch']
const { folder, store, duckdb } = await openWorkspace({ after })
const file = join(folder, 'in.parquet')
const columns = ['id', 'list', 'struct', 'map', 'deep']
await duckdb.query(`COPY (
  SELECT i AS id, 'k' || (hash(i) % 5) AS key, (hash(i * 7) % 40)::INT AS pick,
    CASE WHEN i % 7 > 0 THEN [x FOR x IN range(i % 4)] END AS list,
    CASE WHEN i % 5 > 0 THEN {'a': i, 'b': CASE WHEN i % 3 > 0 THEN 'text ' || i % 10 END} END AS struct,
    CASE WHEN i % 6 > 0 THEN MAP {'first ' || i: [i / 2, NULL], 'second': []} END AS map,
    CASE WHEN i % 9 > 0 THEN [{'x': [[i], NULL, []], 'y': i % 2 = 0}, NULL] END AS deep
  FROM range(12000) AS t(i)
) TO ${quote(file)} (FORMAT parquet, ROW_GROUP_SIZE 2048)`)

const read = (path: string) => `SELECT ${columns.join(', ')} FROM read_parquet(${quote(path)})`

// Of few rows nested columns are read and then chosen from; most rows are filtered later.
const filters = [
  ['pick > 9', 'most'],
  ['pick = 7', 'few'],
] as const

for (const mode of modes) {
  for (const [predicate, amount] of filters) {
    test(`${amount} rows with nested columns are filtered and partitioned, mode ${mode}`, async () => {
      const target = `out-${mode}-${amount}`
      await source(store, { files: 'in.parquet', mode, memory: '48MiB', batchRows: 1000 })
        .pipe(filter(predicate), repartition({ by: ['key'] }))
        .to(partitionedParquet(store.child(target), { rowGroupRows: 700, pageRows: 100 }))
      const out = datasetSql(join(folder, target), columns)
      await assertSameRows(duckdb, out, `${read(file)} WHERE ${predicate}`)
    })
  }
}

test('batches of the user with nested columns become a file', async () => {
  const table = await source(store, { files: 'in.parquet' }).collect()
  await fromBatches(table.schema, table.batches).to(parquetFile(store, 'copy.parquet'))
  await assertSameRows(duckdb, read(join(folder, 'copy.parquet')), read(file))
})

test('a nested column cannot be a partition key', async () => {
  for (const key of columns.slice(1)) {
    const run = source(store, { files: 'in.parquet' })
      .pipe(repartition({ by: [key] }))
      .to(partitionedParquet(store.child('never')))
    await assert.rejects(run, error => {
      assert.ok(isSluiceError(error), String(error))
      assert.deepEqual([error.code, error.column], ['schema', key])
      return true
    })
  }
})
