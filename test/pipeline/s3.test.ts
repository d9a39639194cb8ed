import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, createWriteStream, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
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
import { noS3, type S3Server, startS3 } from '../servers/s3.ts'
import { onOneNode } from '../support/cases.ts'
import { openDuckDB, quote } from '../support/duckdb.ts'
import { root } from '../support/root.ts'
import { tempFolder } from '../support/temp.ts'

const vega = dirname(fileURLToPath(import.meta.resolve('vega-datasets')))
const flights = join(vega, '..', 'data', 'flights-3m.parquet')

let server: S3Server
before(async () => {
  if (!noS3) server = await startS3()
})
after(() => server?.stop())

/** The objects below a folder of a store as files. */
async function download(store: Store, folder: string): Promise<void> {
  for await (const { key } of store.list()) {
    mkdirSync(dirname(join(folder, key)), { recursive: true })
    await pipeline(Readable.from((await store.get(key)).body), createWriteStream(join(folder, key)))
  }
}

test('the quickstart from one bucket into another', { skip: noS3 }, async t => {
  const { endpoint, region, credentials } = server
  for (const bucket of ['bronze', 'silver']) server.createBucket(bucket)
  const bronze = await openStore('s3://bronze/raw', { endpoint, region, credentials })
  const silver = await openStore('s3://silver', { endpoint, region, credentials })
  await bronze.put('flights-3m.parquet', createReadStream(flights))
  const run = () =>
    source(bronze, { files: '*.parquet' })
      .pipe(
        filter(col('distance').gt(100).and(col('delay').isNotNull())),
        derive({ month: sql("strftime(date, '%Y-%m')"), late: col('delay').gt(15) }),
        repartition({ by: ['month'] }),
      )
      .to(partitionedParquet(silver.child('flights'), { existing: 'overwrite' }))
  const first = await run()
  assert.equal(first.rowsIn, 3_000_000)
  const before = await keysOf(silver, { prefix: 'flights/' })
  // A second run replaces the files of the first.
  const report = await run()
  const keys = await keysOf(silver, { prefix: 'flights/' })
  assert.equal(keys.length, before.length)
  assert.deepEqual(
    keys.filter(key => before.includes(key)),
    ['flights/_SUCCESS'],
  )
  assert.equal(keys.length, report.files + 1)
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
  assert.equal(report.rowsOut, 2_946_774)
})

test('a job that was killed goes on in another process, with its staged uploads', {
  skip: noS3 || onOneNode,
}, async t => {
  const { endpoint, region, credentials } = server
  for (const bucket of ['many', 'killed']) server.createBucket(bucket)
  const many = await openStore('s3://many', { endpoint, region, credentials })
  const killed = await openStore('s3://killed', { endpoint, region, credentials })
  // The same flights five times: five tasks.
  for (let i = 0; i < 5; i++) await many.put(`${i}.parquet`, createReadStream(flights))
  const start = () =>
    spawn(process.execPath, [...process.execArgv, join(root, 'test/pipeline/s3-job.ts')], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        AWS_ENDPOINT_URL: endpoint,
        AWS_REGION: region,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      },
    })
  const jobs = '_sluice/flights/jobs/nightly/'
  const tasks = async () => (await keysOf(killed, { prefix: `${jobs}task-` })).length
  const first = start()
  const ended = once(first, 'exit')
  while ((await tasks()) < 2 && first.exitCode === null) await sleep(20)
  first.kill('SIGKILL')
  await ended
  const done = await tasks()
  assert.ok(done >= 2 && done < 5, `${done} of 5 tasks were done`)
  assert.deepEqual(await keysOf(killed, { prefix: 'flights/' }), [])
  assert.ok((await collect(killed.listStaged('flights/'))).length > 0)

  const folder = tempFolder(t)
  const duckdb = await openDuckDB(t)
  const far = `read_parquet(${quote(flights)}) where distance > 2000`
  const [{ rows }] = (await duckdb.query(`select count(*)::int as rows from ${far}`)) as [{ rows: number }]
  const second = start()
  assert.equal(await text(second.stdout), `${(5 - done) * rows}\n`, 'what was done is not done again')
  await download(killed.child('flights'), folder)
  const columns = 'date, delay, distance, destination, origin'
  const written = `read_parquet(${quote(join(folder, '**/*.parquet'))}, hive_partitioning = true, hive_types = {origin: VARCHAR})`
  assert.deepEqual(
    await duckdb.multiset(`select ${columns} from ${written}`),
    await duckdb.multiset(`select ${columns} from (select * from ${far}) cross join range(5)`),
  )
  const left = await keysOf(killed, { prefix: jobs })
  assert.deepEqual(
    left.map(key => key.replace(/-[^-]+$/, '')),
    [`${jobs}done`],
  )
})
