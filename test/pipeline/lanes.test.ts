import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Data } from 'apache-arrow'
import { col, filter, source } from '../../src/index.ts'
import { interceptStore } from '../dataset/intercept.ts'
import { quote } from '../support/duckdb.ts'
import { openWorkspace } from './support.ts'

const { folder, store, duckdb } = await openWorkspace({ after })
const rows = 1_000_000
await duckdb.query(
  `COPY (SELECT i AS id, hash(i) AS a, hash(i + 1) AS b FROM range(${rows}) AS t(i))
   TO ${quote(join(folder, 'large.parquet'))} (FORMAT parquet, COMPRESSION uncompressed, ROW_GROUP_SIZE 51_200)`,
)

test('workers start while the first bytes are on their way', async () => {
  const worker = new Promise(resolve => process.once('worker', resolve))
  let requests = 0
  // The first request is the footer's; those for row groups wait for a worker, for ever if need be.
  const waiting = interceptStore(store, async (request, run) => {
    if (request.method === 'getRanges' && ++requests > 1) await worker
    return run()
  })
  const table = await source(waiting, { files: 'large.parquet', lanes: 2 }).collect()
  assert.equal(table.numRows, rows)
  assert.ok(requests > 2)
})

test('what is collected is shared, what is iterated belongs to the batch', async () => {
  const pipeline = source(store, { files: 'large.parquet', lanes: 2 })
  const table = await pipeline.collect()
  assert.ok(table.batches.every(batch => batch.data.children.every(isShared)))
  const [expected] = await duckdb.query(
    `SELECT sum(id) AS id, sum(a) AS a FROM read_parquet(${quote(join(folder, 'large.parquet'))})`,
  )
  const total = (name: string): bigint =>
    (table.getChild(name)!.toArray() as BigUint64Array).reduce((sum, value) => sum + value, 0n)
  assert.deepEqual({ id: total('id'), a: total('a') }, expected)
  for await (const batch of pipeline) assert.ok(!batch.data.children.some(isShared))
})

const isShared = ({ values }: Data): boolean => values.buffer instanceof SharedArrayBuffer

test('a run of which statistics leave little starts no worker', async () => {
  const failOnWorker = () => assert.fail('a worker was started')
  process.on('worker', failOnWorker)
  try {
    const few = source(store, { files: 'large.parquet', lanes: 2 }).pipe(filter(col('id').lt(60_000)))
    assert.equal((await few.collect()).numRows, 60_000)
    const none = source(store, { files: 'large.parquet', lanes: 2 }).pipe(filter(col('id').lt(0)))
    assert.equal((await none.collect()).numRows, 0)
  } finally {
    process.off('worker', failOnWorker)
  }
})

test('a failure of the first read, and leaving before it ends, leave nothing behind', async () => {
  let requests = 0
  const broken = interceptStore(store, async (request, run) => {
    if (request.method === 'getRanges' && ++requests > 1) throw new Error('mine')
    return run()
  })
  await assert.rejects(source(broken, { files: 'large.parquet', lanes: 2 }).collect(), /mine/)
  const stop = new AbortController()
  const hanging = interceptStore(store, async (request, run) => {
    if (request.method !== 'getRanges' || ++requests <= 1) return run()
    return new Promise((_, reject) => {
      request.signal!.addEventListener('abort', () => reject(request.signal!.reason))
      stop.abort(new Error('stopped'))
    })
  })
  requests = 0
  const pipeline = source(hanging, { files: 'large.parquet', lanes: 2 })
  await assert.rejects(pipeline.collect({ signal: stop.signal }), /stopped/)
})
