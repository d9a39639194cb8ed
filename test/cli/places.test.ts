import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { openDuckDB, quote } from '../support/duckdb.ts'
import { tempFolder } from '../support/temp.ts'
import { output } from './support.ts'

test('a source is a file, a folder, a glob or a URL, whatever its name', async t => {
  const { connection } = await openDuckDB(t)
  const folder = tempFolder(t)
  const odd = join(folder, 'a [1] ž %41')
  for (const sub of ['k=1', 'k=2']) mkdirSync(join(odd, sub), { recursive: true })
  await connection.run(`COPY (SELECT 1 AS x) TO ${quote(join(odd, 'k=1/one {a}.parquet'))}`)
  await connection.run(`COPY (SELECT 2 AS x) TO ${quote(join(odd, 'k=2/two.parquet'))}`)
  symlinkSync(odd, join(folder, 'link'))

  const places: [string, string][] = [
    [odd, '1,1 2,2'],
    [`${odd}/`, '1,1 2,2'],
    [join(odd, 'k=1/one {a}.parquet'), '1'],
    [join(odd, 'k=2'), '2'],
    [join(odd, '*/t*.parquet'), '2,2'],
    [join(odd, '**/*.parquet'), '1,1 2,2'],
    [join(folder, 'a*/k=1/*.parquet'), '1,1'],
    [join(folder, 'link'), '1,1 2,2'],
    [pathToFileURL(odd).href, '1,1 2,2'],
    [pathToFileURL(join(odd, 'k=1/one {a}.parquet')).href, '1'],
    [`${pathToFileURL(odd).href}/k=*/*.parquet`, '1,1 2,2'],
  ]
  for (const [place, rows] of places) {
    const [, ...lines] = (await output('cat', place, '--format', 'csv')).trimEnd().split('\n')
    assert.equal(lines.join(' '), rows, place)
  }
})

test('ls lists folders and files, and everything below', async t => {
  const { connection } = await openDuckDB(t)
  const folder = tempFolder(t)
  mkdirSync(join(folder, 'sub'))
  await connection.run(`COPY (SELECT 1 AS x) TO ${quote(join(folder, 'top.parquet'))}`)
  await connection.run(`COPY (SELECT 2 AS x) TO ${quote(join(folder, 'sub/deep.parquet'))}`)
  assert.match(
    await output('ls', folder),
    /^ {37}sub\/\n +\d+ {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}top\.parquet\n$/,
  )
  const keys = async (...args: string[]) => {
    const lines = (await output('ls', '--json', ...args)).trimEnd().split('\n')
    return lines.map(line => JSON.parse(line).key)
  }
  assert.deepEqual(await keys(folder), ['sub/', 'top.parquet'])
  assert.deepEqual(await keys(folder, '--recursive'), ['sub/deep.parquet', 'top.parquet'])
  assert.deepEqual(await keys(folder, '--depth', '1'), ['sub/', 'top.parquet'])
  assert.deepEqual(await keys(folder, '--depth', '2'), ['sub/deep.parquet', 'top.parquet'])
  assert.deepEqual(await keys(join(folder, '*.parquet')), ['top.parquet'])
  assert.deepEqual(await keys(join(folder, 'top.parquet')), ['top.parquet'])
})

test('schema counts what DuckDB counts', async t => {
  const { connection, query } = await openDuckDB(t)
  const folder = tempFolder(t)
  await connection.run(`COPY (SELECT i AS n, CASE WHEN i % 3 = 0 THEN NULL ELSE i::VARCHAR END AS text, [i] AS list,
    i % 2 AS k FROM range(300000) t(i)) TO ${quote(folder)} (FORMAT parquet, PARTITION_BY k, OVERWRITE_OR_IGNORE)`)
  const found = JSON.parse(await output('schema', folder, '--json'))
  const [groups] = await query(
    `SELECT count(DISTINCT (file_name, row_group_id))::INT AS n FROM parquet_metadata(${quote(`${folder}/**/*.parquet`)})`,
  )
  assert.deepEqual(
    { files: found.files, rows: found.rows, rowGroups: found.rowGroups },
    { files: 2, rows: 300_000, rowGroups: groups!['n'] },
  )
  const columns = found.columns.map(({ name, type, nulls, partitionKey }: Record<string, unknown>) => {
    return [name, type, nulls, partitionKey]
  })
  assert.deepEqual(columns.slice(0, 2), [
    ['n', 'Int64', 0, false],
    ['text', 'Utf8', 100_000, false],
  ])
  assert.deepEqual(columns[3], ['k', 'Int64', undefined, true])
  assert.match(
    await output('schema', folder),
    /^column .*\nn +Int64 +0 [\s\S]*\n300,000 rows, \d+ row groups, 2 files, /,
  )
})
