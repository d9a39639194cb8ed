import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Worker } from 'node:worker_threads'
import {
  aggregate,
  count,
  isSluiceError,
  type Mode,
  mapBatches,
  max,
  parquetFile,
  partitionedParquet,
  repartition,
  retry,
  type SluiceError,
  source,
  sum,
} from '../../src/index.ts'
import { cases } from '../support/cases.ts'
import { type Cleanup, quote } from '../support/duckdb.ts'
import { assertSameRows, datasetSql, fingerprint, openWorkspace } from './support.ts'

const { folder, store, duckdb } = await openWorkspace({ after })
const rows = 600_000
const groups = 12
for (const name of ['a', 'b']) {
  await duckdb.query(
    `COPY (SELECT i AS id, i % 3 AS key, hash(i) AS value FROM range(${rows}) AS t(i))
     TO ${quote(join(folder, `${name}.parquet`))} (FORMAT parquet, COMPRESSION uncompressed, ROW_GROUP_SIZE 51_200)`,
  )
}
const modes: readonly Mode[] = ['streaming', 'fragment', 'batch']
const files = ['a.parquet', 'b.parquet']
const expected = `SELECT id, value, key FROM read_parquet([${files.map(file => quote(join(folder, file)))}])`
const read = (mode: Mode) => source(store, { files, mode, memory: '256MiB', lanes: 2 })

type Thread = Pick<Worker, 'terminate' | 'postMessage'>

/** How a thread can end. */
const ENDS: Record<string, (thread: Thread) => void> = {
  'is terminated': thread => void thread.terminate(),
  'throws where nobody catches': thread => thread.postMessage(null),
}

/** Ends the thread of a lane that is sent the n-th call of a method, counting those of all; then after n more. */
function killAt(t: Cleanup, method: string, call: number, deaths: number, end: (thread: Thread) => void) {
  const killed = { deaths: 0, workers: 0 }
  let calls = 0
  const arm = (worker: Worker): void => {
    killed.workers++
    const post = worker.postMessage.bind(worker)
    worker.postMessage = (message: { method?: string }, transfer) => {
      if (message?.method === method && killed.deaths < deaths && ++calls % call === 0) {
        killed.deaths++
        end({ terminate: () => worker.terminate(), postMessage: post })
      }
      post(message, transfer as never)
    }
  }
  process.on('worker', arm)
  t.after(() => void process.off('worker', arm))
  return killed
}

function assertDeath(error: unknown, unit: boolean): true {
  assert.ok(isSluiceError(error), String(error))
  assert.equal(error.code, 'lane')
  assert.match(error.message, /a lane died/)
  assert.match(String(error.file), /[ab]\.parquet$/)
  if (unit) assert.ok(error.rowGroup !== undefined && error.rowGroup < groups)
  return true
}

for (const [name, end] of Object.entries(ENDS)) {
  for (const mode of name === 'is terminated'
    ? modes.slice(0, cases(modes.length))
    : (['streaming'] as const)) {
    test(`reading: a thread that ${name} fails its unit alone, by name; mode ${mode}`, async t => {
      killAt(t, 'next', mode === 'fragment' ? 1 : 9, 1, end)
      let seen = 0
      const reading = async () => {
        for await (const batch of read(mode)) seen += batch.numRows
      }
      await assert.rejects(reading(), error => assertDeath(error, mode !== 'fragment'))
      // What came before it is delivered.
      assert.ok(mode === 'fragment' || seen > 0)
      const totals = 'SELECT count(*) AS n, sum(id) AS ids'
      const [total] = await duckdb.query(`${totals} FROM (${expected})`)
      const table = await read(mode)
        .pipe(aggregate({ by: [], n: count(), ids: sum('id') }))
        .collect()
      assert.deepEqual(total, { n: table.getChild('n')!.get(0), ids: table.getChild('ids')!.get(0) })
    })

    test(`reading: retry() has a new lane do what a thread that ${name} was at; mode ${mode}`, async t => {
      const killed = killAt(t, 'next', mode === 'fragment' ? 1 : 5, 2, end)
      const pipeline = read(mode).pipe(retry({ minDelayMs: 0 }))
      const table = await pipeline.collect()
      assert.equal(killed.deaths, 2)
      assert.ok(killed.workers > 2)
      assert.equal(table.numRows, 2 * rows)
      const ids = table.getChild('id')!.toArray() as BigInt64Array
      assert.ok(ids.every((id, i) => id === BigInt(i % rows)))
    })

    test(`rewriting: a thread that ${name} leaves nothing half written; mode ${mode}`, async t => {
      const target = `dead-${name}-${mode}`
      const write = () =>
        read(mode)
          .pipe(repartition({ by: ['key'] }))
          .to(partitionedParquet(store.child(target)))
      const killed = killAt(t, 'rewrite', mode === 'fragment' ? 1 : 7, 1, end)
      await assert.rejects(write(), error => assertDeath(error, mode !== 'fragment'))
      assert.equal(killed.deaths, 1)
      assert.ok(!existsSync(join(folder, target)))
      await write()
      await assertSameRows(
        duckdb,
        datasetSql(join(folder, target), ['id', 'value', 'key'], { key: 'BIGINT' }),
        expected,
      )
    })

    test(`rewriting: retry() begins the task anew when a thread ${name}; mode ${mode}`, async t => {
      const target = `retried-${name}-${mode}`
      const killed = killAt(t, 'rewrite', mode === 'fragment' ? 1 : 7, 2, end)
      const report = await read(mode)
        .pipe(repartition({ by: ['key'], maxRowsPerFile: 20_000 }), retry({ minDelayMs: 0 }))
        .to(partitionedParquet(store.child(target)))
      assert.equal(killed.deaths, 2)
      assert.equal(report.retries, 2)
      assert.equal(report.rowsIn, 2 * rows)
      const found = datasetSql(join(folder, target), ['id', 'value', 'key'], { key: 'BIGINT' })
      await assertSameRows(duckdb, found, expected)
      const written = Object.keys(fingerprint(join(folder, target))).filter(name => name.endsWith('.parquet'))
      assert.equal(written.length, report.files)
      // Nothing of the tries before is left, staged or not.
      for await (const { upload } of store.listStaged(target)) assert.fail(`staged: ${upload.key}`)
    })
  }
}

test('rows that wait in a lane are lost with it: the groups of an aggregate, the batches of a function', async t => {
  killAt(t, 'next', 3, 1, ENDS['is terminated']!)
  const grouped = read('streaming').pipe(
    retry({ minDelayMs: 0 }),
    aggregate({ by: ['key'], n: count(), most: max('value') }),
  )
  await assert.rejects(grouped.collect(), error => isLaneDeath(error))
  killAt(t, 'ingest', 3, 1, ENDS['is terminated']!)
  const piped = read('streaming').pipe(mapBatches(batch => batch))
  await assert.rejects(piped.to(parquetFile(store, 'never.parquet')), error => isLaneDeath(error))
  assert.equal((await grouped.collect()).numRows, 3)
})

test('a lane that is out of memory ends alone, not the process', async () => {
  const module = fileURLToPath(new URL('./lane-out-of-memory.ts', import.meta.url))
  const child = spawn(process.execPath, [...process.execArgv, '--max-old-space-size=96', module, folder])
  let said = ''
  for await (const text of child.stdout.setEncoding('utf8')) said += text
  assert.match(said, /lane: .*a\.parquet.*row group \d+.*memory/)
  assert.match(said, new RegExp(`then ${rows} rows`))
})

function isLaneDeath(error: unknown): error is SluiceError {
  return isSluiceError(error) && error.code === 'lane'
}
