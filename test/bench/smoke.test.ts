import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Results } from '../../bench/results.ts'
import { noPython } from '../support/python.ts'
import { root } from '../support/root.ts'
import { tempFolder } from '../support/temp.ts'

test('a smoke run of the harness gives complete results and a page of them', t => {
  const folder = tempFolder(t)
  const options = ['--smoke', '--disk', join(folder, 'data'), '--output', folder]
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
    results.jobs.map(({ name, rows }) => [name, rows]),
    [
      ['decode-all', 16_000],
      ['rewrite-month', 16_000],
    ],
  )
  for (const job of results.jobs) {
    const names = job.contestants.map(({ name }) => name)
    const wanted = ['sluice', 'sluice-streaming', 'sluice-fragment', 'sluice-batch', 'sluice-one-lane']
    // Packages of the tests, which are installed; the others are Python's.
    wanted.push('duckdb-node', ...(noPython ? [] : ['polars', 'duckdb', 'pyarrow']))
    for (const name of wanted) assert.ok(names.includes(name), `${job.name}: no ${name}`)
    for (const contestant of job.contestants) {
      const { name, failed, seconds, processSeconds, peakRssBytes, ratio, files, budgetHighWaterBytes } =
        contestant
      assert.equal(failed, undefined, `${job.name}, ${name}: ${failed}`)
      for (const value of [seconds, processSeconds, peakRssBytes, ratio]) {
        assert.ok(Number.isFinite(value) && value! > 0, `${job.name}, ${name}: ${value}`)
      }
      if (job.name === 'rewrite-month') assert.ok(files! >= 10, `${name}: ${files} files`)
      if (!contestant.peer) assert.ok(budgetHighWaterBytes! > 0, name)
      if (process.platform === 'linux') assert.ok(contestant.samples.length > 0, `${name}: no samples`)
      assert.ok(html.includes(`>${name}</th>`) || name === 'sluice', `${name} is not in the page`)
      assert.ok(results.versions[name] !== undefined, `no version of ${name}`)
    }
    assert.ok(run.stdout.includes(`\n${job.name}: `))
    assert.ok(html.includes(`<h2 id="${job.name}">`))
  }
  assert.ok(html.split('<svg').length - 1 >= 1 + 3 * results.jobs.length, 'charts are missing')
  assert.ok(!/NaN|undefined|Infinity/.test(html), 'a number is missing in the page')
  assert.ok(!/\b(src|href)=|@import|url\(/.test(html), 'the page needs something else')
  assert.deepEqual(readdirSync(join(folder, 'data/outputs')), [], 'output is left behind')
})

test('a wrong command line says what there is', () => {
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
