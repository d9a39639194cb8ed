import assert from 'node:assert/strict'
import { createReadStream, createWriteStream, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  col,
  derive,
  filter,
  openStore,
  partitionedParquet,
  repartition,
  type Store,
  source,
  sql,
} from '../../src/index.ts'
import { collect, keysOf } from '../../src/testing/conformance/context.ts'
import { type AzureServer, noAzure, startAzure } from '../servers/azure.ts'
import { onOneNode } from '../support/cases.ts'
import { openDuckDB, quote } from '../support/duckdb.ts'
import { tempFolder } from '../support/temp.ts'

const vega = dirname(fileURLToPath(import.meta.resolve('vega-datasets')))
const flights = join(vega, '..', 'data', 'flights-3m.parquet')

let server: AzureServer
before(async () => {
  if (!noAzure) server = await startAzure()
})
after(() => server?.stop())

/** The objects below a folder of a store as files. */
async function download(store: Store, folder: string): Promise<void> {
  for await (const { key } of store.list()) {
    mkdirSync(dirname(join(folder, key)), { recursive: true })
    await pipeline(Readable.from((await store.get(key)).body), createWriteStream(join(folder, key)))
  }
}

test('the quickstart from one container into another', { skip: noAzure || onOneNode }, async t => {
  for (const name of ['bronze', 'silver']) await server.createContainer(name)
  const { endpoint, account, accountKey } = server
  const bronze = await openStore('az://bronze/raw', { endpoint, account, accountKey })
  const silver = await openStore('az://silver', { endpoint, account, accountKey })
  await bronze.put('flights-3m.parquet', createReadStream(flights))
  const run = () =>
    source(bronze, { files: '*.parquet' })
      .pipe(
        filter(col('distance').gt(100).and(col('delay').isNotNull())),
        derive({ month: sql("strftime(date, '%Y-%m')"), late: col('delay').gt(15) }),
        repartition({ by: ['month'] }),
      )
      .to(partitionedParquet(silver.child('flights'), { existing: 'overwrite' }))
  await run()
  const before = await keysOf(silver, { prefix: 'flights/' })
  // A second run replaces the files of the first.
  const report = await run()
  assert.equal(report.rowsOut, 2_946_774)
  const keys = await keysOf(silver, { prefix: 'flights/' })
  assert.equal(keys.length, report.files + 1)
  assert.deepEqual(
    keys.filter(key => before.includes(key)),
    ['flights/_SUCCESS'],
  )
  for (const store of [silver, bronze]) assert.deepEqual(await collect(store.listStaged('')), [])

  const folder = tempFolder(t)
  await download(silver.child('flights'), folder)
  const duckdb = await openDuckDB(t)
  const columns = 'date, delay, distance, origin, destination, late, month'
  const written = `read_parquet(${quote(join(folder, '**/*.parquet'))}, hive_partitioning = true, hive_types = {month: VARCHAR})`
  const expected = `select *, strftime(date, '%Y-%m') as month, delay > 15 as late from read_parquet(${quote(flights)})`
  assert.deepEqual(
    await duckdb.multiset(`select ${columns} from ${written}`),
    await duckdb.multiset(`select ${columns} from (${expected}) where distance > 100 and delay is not null`),
  )
})
