import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { parquetMetadata } from 'hyparquet'
import { type Contestant, contestants } from '../../bench/contestants.ts'
import type { Dataset } from '../../bench/data.ts'
import { type Job, jobs } from '../../bench/jobs.ts'
import { type Conditions, measureJob } from '../../bench/measure.ts'
import { jobResult } from '../../bench/results.ts'
import { jobTable, modesTable } from '../../bench/table.ts'
import { openDuckDB } from '../support/duckdb.ts'
import { tempFolder } from '../support/temp.ts'

/** Gives the source's own files as what it has decoded, and says that it took so many seconds. */
function contestant(name: string, seconds: number, variant = false): Contestant {
  const program = `const task = JSON.parse(process.argv[2])
    for (const [i, from] of task.data.entries()) require('fs').copyFileSync(from + '/part.parquet', task.out + '/' + i + '.parquet')
    const report = { mode: 'streaming', lanes: 1, pages: { total: 3, pruned: 1 }, budgetHighWaterBytes: 1e6, memoryBytes: 2e6 }
    console.log(JSON.stringify({ version: '1', startedAt: Date.now(), seconds: ${seconds}, peakRssBytes: 1e6, report }))`
  const command = (script: string) => [process.execPath, '-e', program, script]
  const peer = !name.startsWith('sluice')
  return { name, peer, reference: false, variant, comparesMode: false, command, script: '', can: () => true }
}

/** Folders of one file of three columns, 100 rows in each, and what it takes to measure a job on them. */
async function setUp(
  t: TestContext,
  folders: string[],
): Promise<{ data: Dataset; conditions: Conditions; rounds: Record<string, number[]>; slow: string[] }> {
  const { connection } = await openDuckDB(t)
  const root = tempFolder(t)
  const data: Dataset = { folders: [], files: folders.length, rows: folders.length * 100, bytes: 1000 }
  for (const [i, name] of folders.entries()) {
    const folder = join(root, name)
    mkdirSync(folder)
    data.folders.push(folder)
    await connection.run(`COPY (SELECT i + ${i} AS id, i % 7 AS shop, hash(i)::VARCHAR AS note
      FROM range(100) AS source(i)) TO '${folder}/part.parquet'`)
  }
  const slow: string[] = []
  const rounds: Record<string, number[]> = {}
  const conditions: Conditions = {
    connection,
    outputs: join(root, 'outputs'),
    threads: 1,
    memory: '64MiB',
    runs: 3,
    variantRuns: 2,
    versions: {},
    onRun: ({ name }, round) => void (rounds[name] ??= []).push(round),
    onSlow: ({ name }) => void slow.push(name),
  }
  return { data, conditions, rounds, slow }
}

const jobOf = (wanted: string) => jobs.find(({ name }) => name === wanted)!
const copy = contestants.find(({ reference }) => reference)!

test('variants run less often; who is ten times as slow is run once, and the tables say so', async t => {
  const { data, conditions, rounds, slow } = await setUp(t, ['data'])
  const job = jobOf('decode-all')
  const taking = [
    contestant('sluice', 0.5),
    contestant('sluice-batch', 0.75, true),
    contestant('fast', 0.25),
    contestant('slow', 5),
  ]
  const measured = await measureJob(job, data, taking, conditions)
  assert.deepEqual(slow, ['slow'])
  assert.deepEqual(rounds, {
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
  const result = jobResult(job, 'disk', data, measured)
  assert.match(jobTable(result), /\n {2}slow, run once +5\.000 +0\.05 /)
  assert.match(
    modesTable([result]),
    /\n {2}decode-all +auto \(streaming\) +0\.500 +200 +1\.0 +1\.0\n +batch +0\.750 +133 +1\.0 +1\.0$/,
  )
})

test('a peer is slow by the fastest peer, however fast Sluice and a copy are', async t => {
  const { data, conditions, rounds, slow } = await setUp(t, ['first', 'second'])
  const job = jobOf('concat')
  const taking = [contestant('sluice', 0.01), copy, contestant('fast', 0.4), contestant('slower', 3)]
  const measured = await measureJob(job, data, taking, { ...conditions, runs: 1 })
  assert.deepEqual(slow, [])
  assert.deepEqual(rounds, { sluice: [0, 1], copy: [0, 1], fast: [0, 1], slower: [0, 1] })

  const result = jobResult(job, 'ramdisk', data, measured)
  const [sluice, copied, fast] = result.contestants
  assert.deepEqual([result.fastestPeer, sluice!.ratio, sluice!.pagesDecoded], ['fast', 40, 2])
  assert.deepEqual([copied!.reference, copied!.copyRatio, sluice!.reference], [true, 1, undefined])
  assert.equal(fast!.copyRatio, copied!.seconds! / 0.4)
  assert.match(
    jobTable(result),
    /on memory disk: 200 rows, 2 files, .*; to reach: 10 × the fastest peer\n(?:.*\n)+ {2}copy, for reference +\d/,
  )
})

test('a copy moves the bytes that the kept columns have, and fails if it did not', async t => {
  const { data, conditions } = await setUp(t, ['first', 'second'])
  const stored = (columns: string[]) =>
    data.folders
      .map(folder => new Uint8Array(readFileSync(join(folder, 'part.parquet'))).buffer)
      .flatMap(file => parquetMetadata(file).row_groups.flatMap(({ columns }) => columns))
      .filter(({ meta_data }) => columns.includes(meta_data!.path_in_schema[0]!))
      .reduce((sum, { meta_data }) => sum + Number(meta_data!.total_compressed_size), 0)
  const cases: [Job, string[]][] = [
    [jobOf('concat'), ['id', 'shop', 'note']],
    [jobOf('rename'), ['id', 'shop', 'note']],
    [jobOf('drop'), ['id', 'shop']],
    [{ ...jobOf('project'), columns: ['note'] }, ['note']],
  ]
  for (const [job, columns] of cases) {
    const [copied] = await measureJob(job, data, [copy], { ...conditions, runs: 0 })
    assert.deepEqual([job.name, copied!.failed, copied!.bytes], [job.name, undefined, stored(columns)])
  }
  const short = { ...contestant('copy', 1), reference: true }
  const [failed] = await measureJob(jobOf('drop'), data, [short], { ...conditions, runs: 0 })
  assert.match(failed!.failed!, /^copied \d+ bytes instead of \d+$/)
})
