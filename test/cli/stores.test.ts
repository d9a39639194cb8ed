import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openDuckDB, quote } from '../support/duckdb.ts'
import { tempFolder } from '../support/temp.ts'
import { ended, startIn } from './support.ts'

test('a location may be in a named store, whose secrets are not listed', async t => {
  const { connection, query } = await openDuckDB(t)
  const folder = tempFolder(t)
  mkdirSync(join(folder, 'data/in %41 é'), { recursive: true })
  await connection.run(`COPY (SELECT 1 AS x) TO ${quote(join(folder, 'data/in %41 é/one.parquet'))}`)
  const credentials = { accessKeyId: 'marker-id', secretAccessKey: 'marker-secret' }
  writeFileSync(
    join(folder, 'sluice.config.json'),
    JSON.stringify({ stores: { lake: { url: 'data' }, s3ish: { url: 's3://bucket/x', credentials } } }),
  )
  const run = async (...args: string[]) => {
    const env = { ...process.env, SLUICE_STORE_S3ISH_REGION: 'eu-west-9' }
    const { code, stdout, stderr } = await ended(startIn({ cwd: folder, env }, ...args))
    return { code, stderr, stdout: stdout.toString() }
  }
  const output = async (...args: string[]) => {
    const { code, stderr, stdout } = await run(...args)
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
    return stdout
  }

  for (const place of [
    'lake:in %41 é',
    'lake:/in %41 é/',
    'lake:in*/*.parquet',
    'lake:in %41 é/one.parquet',
  ]) {
    assert.equal(await output('cat', place, '--format', 'csv'), 'x\n1\n', place)
  }
  assert.match(await output('ls', 'lake:'), /in %41 é\/\n$/)
  await output('rewrite', 'lake:in %41 é', 'lake:out')
  const [row] = await query(`SELECT sum(x)::INT AS n FROM ${quote(join(folder, 'data/out/*.parquet'))}`)
  assert.equal(row!['n'], 1)

  const table = await output('stores')
  assert.match(
    table,
    /^lake +\/.*\/data\ns3ish +s3:\/\/bucket\/x +credentials=\{.*\*\*\*.*\} region=eu-west-9 \(SLUICE_STORE_S3ISH_REGION\)\n$/,
  )
  const [, s3ish] = (await output('stores', '--json')).split('\n')
  assert.deepEqual(JSON.parse(s3ish!), {
    name: 's3ish',
    url: 's3://bucket/x',
    options: { credentials: { accessKeyId: '***', secretAccessKey: '***' }, region: 'eu-west-9' },
    variables: ['SLUICE_STORE_S3ISH_REGION'],
  })
  const unknown = await run('ls', 'lako:x')
  assert.equal(unknown.code, 2)
  assert.match(unknown.stderr, /there is no store 'lako'\. Did you mean 'lake'\?/)
  assert.ok(!(table + unknown.stderr).includes('marker'))
})
