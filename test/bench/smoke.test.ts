import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runChild } from '../../bench/child.ts'
import { contestants } from '../../bench/contestants.ts'
import { jobs } from '../../bench/jobs.ts'
import type { Results } from '../../bench/results.ts'
import { onOneNode } from '../support/cases.ts'
import { openDuckDB } from '../support/duckdb.ts'
import { noPython } from '../support/python.ts'
import { root } from '../support/root.ts'
import { tempFolder } from '../support/temp.ts'

test('a smoke run of the harness gives complete results and a page of them', { skip: onOneNode }, t => {
  const folder = tempFolder(t)
  const places = [
    '--disk',
    join(folder, 'data'),
    '--ramdisk',
    join(folder, 'memory'),
    '--ramdisk-jobs',
    'drop',
  ]
  const options = ['--smoke', ...places, '--output', folder]
  const run = spawnSync(process.execPath, ['--import', 'tsx', 'bench/main.ts', ...options], {
    cwd: root,
    encoding: 'utf8',
  })
  assert.equal(run.status, 0, run.stderr + run.stdout)
  const output = (end: string) => {
    const [name, ...more] = readdirSync(folder).filter(file => file.endsWith(end))
    assert.deepEqual(more, [])
    return readFileSync(join(folder, name!), 'utf8')
  }
  const results = JSON.parse(output('.json')) as Results
  const html = output('.html')

  assert.deepEqual(
    results.jobs.map(({ name, place, rows }) => [name, place, rows]),
    [
      ['decode-all', 'disk', 16_000],
      ['rewrite-month', 'disk', 16_000],
      ['project', 'disk', 16_000],
      ['compact-64', 'disk', 16_000],
      ['compact', 'disk', 32_000],
      ['rename', 'disk', 16_000],
      ['drop', 'disk', 16_000],
      ['drop', 'ramdisk', 16_000],
      ['concat', 'disk', 16_000],
    ],
  )
  for (const job of results.jobs) {
    const names = job.contestants.map(({ name }) => name)
    const maintains = job.name !== 'decode-all' && job.name !== 'rewrite-month'
    const wanted = maintains
      ? ['sluice', 'sluice-decoded', 'sluice-fsync', 'copy']
      : ['sluice', 'sluice-streaming', 'sluice-fragment', 'sluice-batch', 'sluice-one-lane']
    // Packages of the tests, which are installed; the others are Python's.
    wanted.push('duckdb-node', ...(noPython ? [] : ['polars', 'duckdb', 'pyarrow']))
    for (const name of wanted) assert.ok(names.includes(name), `${job.name}: no ${name}`)
    for (const contestant of job.contestants) {
      const { name, failed, seconds, processSeconds, peakRssBytes, ratio, copyRatio } = contestant
      const { files, bytes, budgetHighWaterBytes, pagesDecoded } = contestant
      assert.equal(failed, undefined, `${job.name}, ${name}: ${failed}`)
      for (const value of [seconds, processSeconds, peakRssBytes, ratio]) {
        assert.ok(Number.isFinite(value) && value! > 0, `${job.name}, ${name}: ${value}`)
      }
      if (job.name === 'rewrite-month') assert.ok(files! >= 10, `${name}: ${files} files`)
      if (maintains) assert.ok(files! > 0 && bytes! > 0 && copyRatio! > 0, `${job.name}, ${name}`)
      const ours = name.startsWith('sluice')
      if (ours) assert.ok(budgetHighWaterBytes! > 0, name)
      if (ours)
        assert.equal(pagesDecoded === 0, maintains && name !== 'sluice-decoded', `${job.name}, ${name}`)
      if (process.platform === 'linux') assert.ok(contestant.samples.length > 0, `${name}: no samples`)
      assert.ok(new RegExp(`>${name}[,<]`).test(html) || name === 'sluice', `${name} is not in the page`)
      assert.ok(results.versions[name] !== undefined, `no version of ${name}`)
    }
    assert.ok(run.stdout.includes(`\n${job.name}: `))
    assert.ok(html.includes(`<h2 id="${job.place === 'disk' ? job.name : 'drop-ramdisk'}">`))
  }
  assert.ok(html.split('<svg').length - 1 >= 1 + 3 * results.jobs.length, 'charts are missing')
  assert.ok(!/NaN|undefined|Infinity/.test(html), 'a number is missing in the page')
  assert.ok(!/\b(src|href)=|@import|url\(/.test(html), 'the page needs something else')
  for (const place of ['data', 'memory']) {
    assert.deepEqual(readdirSync(join(folder, place, 'outputs')), [], 'output is left behind')
  }
})

test('Sluice fails where it decodes what it need not', async t => {
  const { connection } = await openDuckDB(t)
  const data = join(tempFolder(t), 'data')
  mkdirSync(data)
  await connection.run(`COPY (SELECT i AS id, i AS ts, i AS amount, i AS tip FROM range(100) AS source(i))
    TO '${data}/part.parquet'`)
  const job = jobs.find(({ name }) => name === 'project')!
  const place = { data: [data], threads: 1, memory: '64MiB', check: false }
  const [auto] = contestants
  await runChild(auto!, job, { ...place, out: join(data, '../passed') })
  // A mode that decodes.
  const decoding = { ...auto!, settings: { mode: 'fragment' } as const }
  await assert.rejects(runChild(decoding, job, { ...place, out: join(data, '../decoded') }), {
    message: /decoded 3 pages, where none had to be/,
  })
})

test('a wrong command line says what there is', { skip: onOneNode }, () => {
  for (const [option, value, message] of [
    ['--jobs', 'decode-al', /no decode-al; there is decode-all, /],
    ['--peers', 'pandas', /no pandas; there is polars, /],
    ['--runs', '0', /--runs: cannot be 0/],
    ['--wrong', '1', /Unknown option '--wrong'/],
  ] as const) {
    const run = spawnSync(process.execPath, ['--import', 'tsx', 'bench/main.ts', option, value], {
      cwd: root,
      encoding: 'utf8',
    })
    assert.equal(run.status, 2)
    assert.match(run.stderr, message)
  }
})
