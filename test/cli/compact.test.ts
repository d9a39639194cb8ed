import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openDuckDB, quote } from '../support/duckdb.ts'
import { tempFolder } from '../support/temp.ts'
import { flights, output, sluice } from './support.ts'

const QUERY = `SELECT delay, distance, origin, strftime(date, '%Y-%m') AS month FROM ${quote(flights)}
  WHERE origin IN ('JFK', 'LAX', 'SEA')`

/** Flights by month, some files in each folder. */
async function dataset(t: TestContext) {
  const { query, multiset } = await openDuckDB(t)
  const folder = tempFolder(t)
  const url = join(folder, 'lake/flights')
  mkdirSync(join(folder, 'lake'))
  for (const origin of ['JFK', 'LAX', 'SEA']) {
    await query(`COPY (FROM (${QUERY}) WHERE origin = '${origin}') TO ${quote(url)}
      (FORMAT parquet, PARTITION_BY (month), APPEND, FILENAME_PATTERN '${origin}-{uuid}')`)
  }
  const rows = (path = url) =>
    multiset(`SELECT delay, distance, origin, month FROM read_parquet(${quote(`${path}/**/*.parquet`)},
      hive_partitioning = true, hive_types_autocast = false)`)
  const files = (path = url) =>
    readdirSync(path, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.parquet')).length
  return { folder, url, rows, files, expected: await multiset(QUERY) }
}

test('one word compacts a dataset in place, and leaves it alone the next time', async t => {
  const { folder, url, rows, files, expected } = await dataset(t)
  const before = files()
  const months = readdirSync(url).length
  assert.ok(before >= 3 * months)
  const plan = await output('compact', url, '--dry-run', '--where', "month > '2001-02'")
  assert.match(plan, /^partition +files +would be +size\nmonth=2001-03\/ +3 +1 +\d/)
  assert.doesNotMatch(plan, /2001-01/)
  assert.equal(files(), before)

  const report = join(folder, 'report.json')
  const text = await output('compact', url, '--memory', '64MiB', '--lanes', '1', '--report', report)
  assert.match(
    text,
    new RegExp(
      `^${before} files, [\\d.]+ .iB, are ${months} files, .*\nrow groups: 0 copied, ${before} joined, 0 decoded\n`,
    ),
  )
  assert.equal(files(), months)
  assert.deepEqual(await rows(), expected)
  assert.equal(JSON.parse(readFileSync(report, 'utf8')).after.files, months)

  assert.match(await output('compact', url), new RegExp(`^${months} files, .*: nothing to merge\n$`))
  const json = JSON.parse(await output('compact', url, '--json'))
  assert.deepEqual([json.before.files, json.after.files, json.compacted], [months, months, []])
})

test('--to writes the merged files to another folder', async t => {
  const { folder, url, rows, files, expected } = await dataset(t)
  const before = files()
  const to = join(folder, 'lake/merged')
  await output('compact', url, '--to', to, '--target-file-size', '1MB')
  assert.deepEqual([await rows(to), files(to), files()], [expected, readdirSync(url).length, before])
  const { code, stderr } = await sluice('compact', url, '--to', to)
  assert.equal(code, 1)
  assert.match(stderr, /already holds data/)
  await output('compact', url, '--to', to, '--existing', 'overwrite-partitions')
  assert.deepEqual(await rows(to), expected)
})

test('a named job that was done is not done again', async t => {
  const { url } = await dataset(t)
  await output('compact', url, '--job', 'nightly', '--where', "month = '2001-01'")
  const again = await sluice('compact', url, '--job', 'nightly')
  assert.equal(again.code, 1)
  assert.match(again.stderr, /the name 'nightly' is that of a committed job that did something else/)
})
