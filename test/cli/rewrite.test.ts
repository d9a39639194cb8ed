import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openDuckDB, quote } from '../support/duckdb.ts'
import { tempFolder } from '../support/temp.ts'
import { flights, output, sluice } from './support.ts'

const QUERY = `SELECT strftime(date, '%Y-%m') AS month, origin, delay, distance / 2 AS half
  FROM ${quote(flights)} WHERE distance > 1000 AND delay IS NOT NULL`

test('one line of shell rewrites a dataset as DuckDB would', async t => {
  const { multiset } = await openDuckDB(t)
  const folder = tempFolder(t)
  const out = join(folder, 'out')
  const report = join(folder, 'report.json')
  const job = ['--job', 'monthly', '--report', report]
  const args = ['--where', 'distance > 1000 and delay is not null']
  args.push('--derive', "month=format(date, '%Y-%m')", '--derive', 'half=cast(distance as double) / 2')
  args.push(
    '--columns',
    'month,origin,delay,half',
    '--partition-by',
    'month,origin',
    '--compression',
    'snappy',
  )
  args.push('--memory', '512MiB', '--lanes', '2', '--max-rows-per-file', '2000', ...job)
  const text = await output('rewrite', flights, out, ...args)
  const read = (order: string) =>
    `SELECT ${order} FROM read_parquet(${quote(`${out}/**/*.parquet`)}, hive_partitioning = true, hive_types_autocast = false)`
  const columns = 'month, origin, delay, half'
  assert.deepEqual(await multiset(read(columns)), await multiset(QUERY))

  const files = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter(name =>
    name.endsWith('.parquet'),
  )
  const { rows } = await multiset(QUERY)
  const done = JSON.parse(readFileSync(report, 'utf8'))
  assert.equal(done.rowsOut, Number(rows))
  assert.equal(done.files, files.length)
  assert.match(text, new RegExp(`^3,000,000 rows in, ${Number(rows).toLocaleString('en-US')} rows out, `))
  const { query } = await openDuckDB(t)
  const [largest] = await query(
    `SELECT max(n) AS n FROM (SELECT count(*) AS n FROM ${quote(`${out}/**/*.parquet`)} GROUP BY filename)`,
  )
  assert.ok((largest!['n'] as bigint) <= 2000n)

  assert.match(
    await output('rewrite', flights, out, ...args),
    /^job 'monthly' was done before: nothing to do\n$/,
  )
  assert.deepEqual(await multiset(read(columns)), await multiset(QUERY))
})

test('what is there is kept, extended or replaced as --existing says', async t => {
  const { query } = await openDuckDB(t)
  const out = join(tempFolder(t), 'out')
  const write = (where: string, ...more: string[]) =>
    sluice(
      'rewrite',
      flights,
      out,
      '--where',
      where,
      '--columns',
      'origin,delay',
      '--partition-by',
      'origin',
      ...more,
    )
  const counted = async () => {
    const rows = await query(
      `SELECT origin, count(*)::INT AS n FROM ${quote(`${out}/**/*.parquet`)} GROUP BY ALL`,
    )
    return Object.fromEntries(rows.map(({ origin, n }) => [origin, n]))
  }
  const [{ jfk, lax } = {}] = await query(
    `SELECT (count(*) FILTER (origin = 'JFK'))::INT AS jfk, (count(*) FILTER (origin = 'LAX'))::INT AS lax FROM ${quote(flights)}`,
  )
  assert.equal((await write("origin = 'JFK'")).code, 0)
  const refused = await write("origin = 'LAX'")
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /'existing': the destination already holds data/)
  assert.deepEqual(await counted(), { JFK: jfk })
  assert.equal((await write("origin = 'LAX'", '--existing', 'append')).code, 0)
  assert.deepEqual(await counted(), { JFK: jfk, LAX: lax })
  assert.equal((await write("origin = 'LAX'", '--existing', 'overwrite-partitions')).code, 0)
  assert.deepEqual(await counted(), { JFK: jfk, LAX: lax })
  assert.equal((await write("origin = 'LAX'", '--existing', 'overwrite')).code, 0)
  assert.deepEqual(await counted(), { LAX: lax })
})

test('progress is shown where it is asked for', async t => {
  const args = ['--where', 'delay > 900', '--progress']
  const { code, stderr } = await sluice('rewrite', flights, join(tempFolder(t), 'out'), ...args)
  assert.equal(code, 0)
  assert.match(stderr, /^done {2}█+ 100% {2}3,000,000 rows in .*s\n$/m)
})

test('explain says what would be read', async t => {
  const out = join(tempFolder(t), 'out')
  await output('rewrite', flights, out, '--derive', "day=format(date, '%d')", '--partition-by', 'day')
  const args = ['--where', "day = '07' and delay > 10", '--columns', 'delay', '--mode', 'batch']
  const text = await output('explain', out, ...args)
  assert.match(text, /files 1 of 31/)
  assert.match(text, /mode batch/)
  const plan = JSON.parse(await output('explain', out, ...args, '--json'))
  assert.deepEqual(plan.source.fragments, { total: 31, pruned: 30 })
  assert.deepEqual([plan.source.passThrough.copied, plan.source.passThrough.joined], [0, 0])
  const whole = await output('explain', out, '--partition-by', 'day')
  assert.match(whole, /^pass through \d+ row groups as bytes, join \d+, decode 0$/m)
})
