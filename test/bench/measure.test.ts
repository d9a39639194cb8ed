import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Contestant } from '../../bench/contestants.ts'
import { jobs } from '../../bench/jobs.ts'
import { measureJob } from '../../bench/measure.ts'
import { jobResult } from '../../bench/results.ts'
import { jobTable, modesTable } from '../../bench/table.ts'
import { openDuckDB } from '../support/duckdb.ts'
import { tempFolder } from '../support/temp.ts'

/** Gives the source's own files as what it has decoded, and says that it took so many seconds. */
function contestant(name: string, seconds: number, variant = false): Contestant {
  const program = `const task = JSON.parse(process.argv[2])
    require('fs').cpSync(task.data, task.out, { recursive: true })
    const report = { mode: 'streaming', lanes: 1, budgetHighWaterBytes: 1e6, memoryBytes: 2e6 }
    console.log(JSON.stringify({ version: '1', startedAt: Date.now(), seconds: ${seconds}, peakRssBytes: 1e6, rows: 100, report }))`
  const command = (script: string) => [process.execPath, '-e', program, script]
  const peer = !name.startsWith('sluice')
  return { name, peer, variant, comparesMode: false, command, script: '', can: () => true }
}

test('variants run less often; who is ten times as slow is run once, and the tables say so', async t => {
  const { connection } = await openDuckDB(t)
  const folder = tempFolder(t)
  const data = join(folder, 'data')
  mkdirSync(data)
  await connection.run(`COPY (SELECT i AS id FROM range(100) AS source(i)) TO '${data}/part.parquet'`)
  const slow: string[] = []
  const rounds = new Map<string, number[]>()
  const job = jobs.find(({ name }) => name === 'decode-all')!
  const dataset = { folder: data, files: 1, rows: 100, bytes: 1000 }
  const contestants = [
    contestant('sluice', 0.5),
    contestant('sluice-batch', 0.75, true),
    contestant('fast', 0.25),
    contestant('slow', 5),
  ]
  const measured = await measureJob(job, dataset, contestants, {
    connection,
    outputs: join(folder, 'outputs'),
    threads: 1,
    memory: '64MiB',
    runs: 3,
    variantRuns: 2,
    versions: {},
    onRun: ({ name }, round) => void rounds.set(name, [...(rounds.get(name) ?? []), round]),
    onSlow: ({ name }) => void slow.push(name),
  })
  assert.deepEqual(slow, ['slow'])
  assert.deepEqual(Object.fromEntries(rounds), {
    sluice: [0, 1, 2, 3],
    'sluice-batch': [0, 1, 2],
    fast: [0, 1, 2, 3],
    slow: [0],
  })
  assert.deepEqual(
    measured.map(({ failed, seconds, once = false, runs }) => [failed, seconds, once, runs.length]),
    [
      [undefined, 0.5, false, 3],
      [undefined, 0.75, false, 2],
      [undefined, 0.25, false, 3],
      [undefined, 5, true, 1],
    ],
  )
  const result = jobResult(job, 'disk', dataset, measured)
  assert.match(jobTable(result), /\n {2}slow, run once +5\.000 +0\.05 /)
  assert.match(
    modesTable([result]),
    /\n {2}decode-all +auto \(streaming\) +0\.500 +200 +1\.0 +1\.0\n +batch +0\.750 +133 +1\.0 +1\.0$/,
  )
})
