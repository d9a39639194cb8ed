import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { col, filter, openStore, partitionedParquet, source } from '../../src/index.ts'
import { sluice } from '../cli/support.ts'
import { type HttpServer, noNginx, startHttp } from '../servers/http.ts'
import { openDuckDB, quote } from '../support/duckdb.ts'
import { tempFolder } from '../support/temp.ts'

let server: HttpServer
before(async () => {
  if (!noNginx) server = await startHttp()
})
after(() => server?.stop())

test('a dataset that an index lists is read like any other', { skip: noNginx }, async t => {
  const duckdb = await openDuckDB(t)
  const lake = join(server.folder, 'lake')
  await duckdb.query(
    `copy (select i, i % 7 as k, 'text ' || (i % 100) as s, 'ä=' || (i % 3) as part from range(200000) t(i))
     to ${quote(lake)} (format parquet, partition_by part, row_group_size 10000)`,
  )
  const keys = readdirSync(lake, { recursive: true, encoding: 'utf8' }).filter(key =>
    key.endsWith('.parquet'),
  )
  assert.ok(keys.length >= 3)
  server.put('lake/index.json', JSON.stringify(keys))
  const output = tempFolder(t)
  const report = await source(await openStore(`${server.url}lake`, { index: 'index.json' }))
    .pipe(filter(col('k').eq(3).and(col('part').ne('ä=1'))))
    .to(partitionedParquet(await openStore(output)))
  assert.ok(report.rowsOut > 0)
  const read = (folder: string) =>
    `select i, k, s, part from read_parquet(${quote(join(folder, '**/*.parquet'))}, hive_partitioning = true)`
  assert.deepEqual(
    await duckdb.multiset(read(output)),
    await duckdb.multiset(`from (${read(lake)}) where k = 3 and part <> 'ä=1'`),
  )
})

test('the command reads a file by its URL', { skip: noNginx }, async t => {
  const duckdb = await openDuckDB(t)
  await duckdb.query(
    `copy (select i, 'x' || i as s from range(5) t(i)) to ${quote(join(server.folder, 'a b.parquet'))}`,
  )
  const url = `${server.url}a%20b.parquet`
  const schema = await sluice('schema', '--json', url)
  assert.equal(schema.code, 0, schema.stderr)
  const { columns, rows } = JSON.parse(String(schema.stdout))
  assert.deepEqual([rows, columns.map(({ name }: { name: string }) => name)], [5, ['i', 's']])
  const cat = await sluice('cat', '--format', 'csv', '--where', 'i >= 3', url)
  assert.equal(cat.code, 0, cat.stderr)
  assert.equal(String(cat.stdout), 'i,s\n3,x3\n4,x4\n')
  const folder = await sluice('ls', server.url)
  assert.equal(folder.code, 1)
  assert.match(folder.stderr, /option 'index'/)
})
