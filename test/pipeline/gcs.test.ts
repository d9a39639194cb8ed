import assert from 'node:assert/strict'
import { createReadStream, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  col,
  derive,
  filter,
  openStore,
  partitionedParquet,
  repartition,
  source,
  sql,
} from '../../src/index.ts'
import { readAll } from '../../src/storage/read.ts'
import { collect, keysOf } from '../../src/testing/conformance/context.ts'
import { type GcsServer, noGcs, startGcs } from '../servers/gcs.ts'
import { onOneNode } from '../support/cases.ts'
import { openDuckDB, quote } from '../support/duckdb.ts'
import { tempFolder } from '../support/temp.ts'

const vega = dirname(fileURLToPath(import.meta.resolve('vega-datasets')))
const flights = join(vega, '..', 'data', 'flights-3m.parquet')

let server: GcsServer
before(async () => {
  if (!noGcs) server = await startGcs()
})
after(() => server?.stop())

test('a dataset from one bucket into another', { skip: noGcs || onOneNode }, async t => {
  const { endpoint } = server
  for (const bucket of ['bronze', 'silver']) await server.createBucket(bucket)
  const bronze = await openStore('gs://bronze/raw', { endpoint })
  const silver = await openStore('gs://silver', { endpoint })
  await bronze.put('flights-3m.parquet', createReadStream(flights))
  const run = () =>
    source(bronze, { files: '*.parquet' })
      .pipe(
        filter(col('distance').gt(2000)),
        derive({ month: sql("strftime(date, '%Y-%m')") }),
        repartition({ by: ['month'] }),
      )
      .to(partitionedParquet(silver.child('flights'), { existing: 'overwrite' }))
  await run()
  const before = await keysOf(silver, { prefix: 'flights/' })
  // A second run replaces the files of the first.
  const report = await run()
  const keys = await keysOf(silver, { prefix: 'flights/' })
  assert.deepEqual(
    keys.filter(key => before.includes(key)),
    ['flights/_SUCCESS'],
  )
  assert.equal(keys.length, report.files + 1)
  for (const store of [silver, bronze]) assert.deepEqual(await collect(store.listStaged('')), [])

  const folder = tempFolder(t)
  for (const key of keys) {
    mkdirSync(dirname(join(folder, key)), { recursive: true })
    writeFileSync(join(folder, key), await readAll(silver, key))
  }
  const duckdb = await openDuckDB(t)
  const columns = 'date, delay, distance, origin, destination, month'
  const written = `read_parquet(${quote(join(folder, '**/*.parquet'))}, hive_partitioning = true, hive_types = {month: VARCHAR})`
  const expected = `select *, strftime(date, '%Y-%m') as month from read_parquet(${quote(flights)})`
  assert.deepEqual(
    await duckdb.multiset(`select ${columns} from ${written}`),
    await duckdb.multiset(`select ${columns} from (${expected}) where distance > 2000`),
  )
})
