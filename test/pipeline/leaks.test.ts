import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readdirSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import type { Worker } from 'node:worker_threads'
import {
  col,
  filter,
  limit,
  mapBatches,
  parquetFile,
  partitionedParquet,
  project,
  RequestCounts,
  repartition,
  source,
  withObserver,
} from '../../src/index.ts'
import { quote } from '../support/duckdb.ts'
import { root } from '../support/root.ts'
import { openWorkspace } from './support.ts'

const { folder, store, duckdb } = await openWorkspace({ after })
const rows = 1_000_000
const large = join(folder, 'large.parquet')
await duckdb.query(
  `COPY (SELECT i AS id, i % 4 AS k, hash(i) AS a, hash(i + 1) AS b FROM range(${rows}) AS t(i)) TO ${quote(large)}
   (FORMAT parquet, COMPRESSION uncompressed, ROW_GROUP_SIZE 51_200)`,
)
let runs = 0

/** Worker threads that have not ended, and how many ever began. */
const workers = new Set<Worker>()
let started = 0
process.on('worker', worker => {
  started++
  workers.add(worker)
  worker.once('exit', () => workers.delete(worker))
})

/** Files below the folder that this process has open; Linux only. */
function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap(fd => {
    try {
      const path = readlinkSync(join('/proc/self/fd', fd))
      return path.startsWith(folder) ? [path] : []
    } catch {
      return []
    }
  })
}

const flights = () => source(store, { files: 'large.parquet', memory: '64MiB', lanes: 2 })
const into = () => partitionedParquet(store.child(`out-${runs++}`))

/** Every way in which a run can end. */
const endings: Record<string, () => Promise<unknown>> = {
  'a rewrite': () =>
    flights()
      .pipe(repartition({ by: ['k'] }))
      .to(into()),
  'a rewrite into one file': () => flights().to(parquetFile(store, `out-${runs++}.parquet`)),
  'a rewrite through a function': () =>
    flights()
      .pipe(mapBatches(batch => batch))
      .to(into()),
  'a loop to its end': async () => {
    for await (const batch of flights()) assert.ok(batch.numRows > 0)
  },
  'a loop that is left': async () => {
    for await (const batch of flights()) if (batch.numRows > 0) break
  },
  'a loop that throws': () =>
    assert.rejects(async () => {
      for await (const _ of flights()) throw new Error('mine')
    }, /mine/),
  collect: () => flights().pipe(limit(10)).collect(),
  explain: () => flights().explain(),
  'a function that throws': () =>
    assert.rejects(
      flights()
        .pipe(
          mapBatches(() => {
            throw new Error('mine')
          }),
        )
        .to(into()),
    ),
  'an abort': async () => {
    const stop = new AbortController()
    const run = flights()
      .pipe(repartition({ by: ['k'] }))
      .to(into(), { signal: stop.signal, progress: ({ rowsIn }) => rowsIn > 0 && stop.abort() })
    await run.catch(error => assert.equal(error, stop.signal.reason))
  },
  'an unknown column': () => assert.rejects(flights().pipe(project('nothing')).collect()),
}

describe('nothing is left open or running', { skip: process.platform !== 'linux' && 'needs /proc' }, () => {
  for (const [name, run] of Object.entries(endings)) {
    test(`after ${name}`, async () => {
      await run()
      assert.equal(workers.size, 0)
      assert.deepEqual(openFiles(), [])
    })
  }
})

test('those runs did start workers', () => {
  assert.ok(started >= 2)
})

test('a process whose runs have ended ends by itself', async () => {
  const script = `
    import { mapBatches, openStore, partitionedParquet, source } from '${join(root, 'dist/index.js')}'
    const store = await openStore('${folder}')
    const from = () => source(store, { files: 'large.parquet', memory: '64MiB', lanes: 2 })
    await from().to(partitionedParquet(store.child('own-process')))
    for await (const batch of from()) break
    await from().pipe(mapBatches(() => { throw new Error('mine') })).collect().catch(() => {})
    console.log('done')`
  const file = join(folder, 'own-process.mjs')
  writeFileSync(file, script)
  const child = spawn(process.execPath, [file], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', text => (output += text))
  const code = await new Promise(resolve => child.once('exit', resolve))
  assert.deepEqual([code, output], [0, 'done\n'])
})

describe('only what is needed is read', () => {
  test('row groups that statistics rule out are not requested', async () => {
    const run = async (pipeline: (counts: RequestCounts) => Promise<{ rowsIn: number; pruned: number }>) => {
      const counts = new RequestCounts()
      return { counts, ...(await pipeline(counts)) }
    }
    const read = (from: number, to: number) =>
      run(async counts => {
        const report = await source(withObserver(store, counts.add), { files: 'large.parquet' })
          .pipe(filter(col('id').between(from, to)), project('id', 'a'))
          .to(parquetFile(store, `out-${runs++}.parquet`))
        assert.equal(report.rowsOut, to - from + 1)
        return { rowsIn: report.rowsIn, pruned: report.rowGroups.pruned }
      })
    const all = await read(0, rows - 1)
    assert.deepEqual([all.rowsIn, all.pruned], [rows, 0])
    const one = await read(60_000, 60_010)
    assert.deepEqual([one.rowsIn, one.pruned], [51_200, 19])
    assert.ok(one.counts.bytesRead < all.counts.bytesRead / 8)
    assert.ok(one.counts.requests.getRanges! < all.counts.requests.getRanges! / 5)
  })

  test('columns that are not needed are not requested', async () => {
    const bytes = async (...columns: string[]) => {
      const counts = new RequestCounts()
      await source(withObserver(store, counts.add), { files: 'large.parquet' })
        .pipe(project(...columns))
        .to(parquetFile(store, `out-${runs++}.parquet`))
      return counts.bytesRead
    }
    const whole = await bytes('id', 'k', 'a', 'b')
    assert.ok((await bytes('a')) < whole * 0.4)
  })

  test('partitions that the filter rules out are not requested', async () => {
    await duckdb.query(
      `COPY (SELECT i AS id, i % 10 AS k, DATE '2025-01-01' + (i % 3)::INTEGER AS day FROM range(3000) AS t(i))
       TO ${quote(join(folder, 'parts'))} (FORMAT parquet, PARTITION_BY (k, day))`,
    )
    const keys = new Set<string>()
    const observed = withObserver(store, ({ method, key }) => method === 'getRanges' && keys.add(key))
    const report = await source(observed.child('parts'))
      .pipe(filter(col('k').eq(7).and(col('day').gte('2025-01-02'))))
      .to(parquetFile(store, `out-${runs++}.parquet`))
    assert.deepEqual(report.fragments, { total: 30, pruned: 28 })
    assert.equal(report.rowsOut, 200)
    // The first file's footer gives the schema.
    assert.deepEqual(
      [...keys].filter(key => !key.includes('k=7')).map(key => key.split('/').slice(0, 3).join('/')),
      ['parts/k=0/day=2025-01-01'],
    )
  })

  test('bounds that the writer cut off are no values', async () => {
    const long = 'x'.repeat(2000)
    const sql = `SELECT '${long}' || i AS text, i AS id FROM range(3000) AS t(i)`
    await duckdb.query(`COPY (${sql}) TO ${quote(join(folder, 'long.parquet'))} (FORMAT parquet)`)
    // Our own writer cuts bounds off, too: its files are pruned by them in the second round.
    await source(store, { files: 'long.parquet' }).to(
      parquetFile(store, 'cut.parquet', { rowGroupRows: 1000 }),
    )
    for (const files of ['long.parquet', 'cut.parquet']) {
      const count = async (text: string) =>
        (
          await source(store, { files })
            .pipe(filter(col('text').eq(text)))
            .collect()
        ).numRows
      assert.equal(await count(`${long}2999`), 1)
      assert.equal(await count(`${long}0`), 1)
      assert.equal(await count(long.slice(0, 64)), 0)
      const above = source(store, { files }).pipe(filter(col('text').gt(long)))
      assert.equal((await above.collect()).numRows, 3000)
    }
  })
})
