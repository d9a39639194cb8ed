import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type DuckDB, openDuckDB, quote } from '../support/duckdb.ts'
import { noPython, python } from '../support/python.ts'
import { tempFolder } from '../support/temp.ts'
import { ended, flights, output, start } from './support.ts'

/** Every type whose text or JSON DuckDB reads back exactly. */
const TYPES: [name: string, type: string, value: string][] = [
  ['flag', 'BOOLEAN', 'i % 3 = 0'],
  ['tiny', 'TINYINT', '(i % 256) - 128'],
  ['huge', 'BIGINT', '9223372036854775807 - i'],
  ['unsigned', 'UBIGINT', '18446744073709551615 - i'],
  ['single', 'FLOAT', '(i / 7)::FLOAT'],
  ['double', 'DOUBLE', 'sin(i)'],
  [
    'price',
    'DECIMAL(38, 10)',
    "('12345678901234567890123456.' || lpad(i::VARCHAR, 10, '0'))::DECIMAL(38, 10)",
  ],
  ['text', 'VARCHAR', String.raw`['', 'a"b', 'x,y', E'two\nlines', 'ž🐎', 'null', '\N'][1 + i % 7]`],
  ['day', 'DATE', "DATE '1600-01-01' + i::INTEGER"],
  ['clock', 'TIME', "TIME '00:00:00.000001' + to_microseconds(i * 1000003)"],
  ['at', 'TIMESTAMP', "TIMESTAMP '1969-12-31 23:59:59.999999' + to_microseconds(i * 86400000001)"],
  ['instant', 'TIMESTAMPTZ', "TIMESTAMPTZ '2024-02-29 12:00:00.123456Z' + to_microseconds(i)"],
  ['precise', 'TIMESTAMP_NS', 'make_timestamp_ns(1704164645123456789 + i)'],
  ['__proto__', 'UUID', "('00000000-0000-4000-8000-' || lpad(i::VARCHAR, 12, '0'))::UUID"],
  ['a.b', 'INTEGER[]', '[i::INTEGER, NULL]'],
]

/** Writes rows of all types with DuckDB, and prints them. */
async function printed(t: TestContext, db: DuckDB, format: string): Promise<{ file: string; text: string }> {
  const folder = tempFolder(t)
  const file = join(folder, 'all.parquet')
  const text = join(folder, `all.${format}`)
  const columns = TYPES.map(
    ([name, type, value]) => `CASE WHEN i % 11 = 5 THEN NULL ELSE ${value} END::${type} AS "${name}"`,
  )
  await db.connection.run(`COPY (SELECT ${columns.join(', ')} FROM range(3000) t(i)) TO ${quote(file)}`)
  assert.equal(await output('cat', file, '--format', format, '-o', text), '')
  return { file, text }
}

function typesWithout(...names: string[]): string {
  const types = TYPES.filter(([name]) => !names.includes(name)).map(([name, type]) => `'${name}': '${type}'`)
  return `{${types.join(', ')}}`
}

test('csv holds every value exactly, as DuckDB reads it', async t => {
  const db = await openDuckDB(t)
  const { file, text } = await printed(t, db, 'csv')
  const dialect = `header = true, quote = '"', escape = '"', allow_quoted_nulls = false`
  const read = `read_csv(${quote(text)}, ${dialect}, columns = ${typesWithout()})`
  assert.deepEqual(await db.multiset(`FROM ${read}`), await db.multiset(`FROM ${quote(file)}`))
})

test('jsonl holds every value exactly, as DuckDB reads it', async t => {
  const db = await openDuckDB(t)
  const { file, text } = await printed(t, db, 'jsonl')
  const read = `read_json(${quote(text)}, format = 'newline_delimited', columns = ${typesWithout('price')})`
  assert.deepEqual(
    await db.multiset(`FROM ${read}`),
    await db.multiset(`SELECT * EXCLUDE (price) FROM ${quote(file)}`),
  )
  // DuckDB takes a JSON number with a fraction for a double, so the decimals are compared as they are written.
  const prices = [...readFileSync(text, 'utf8').matchAll(/"price":([^,]*)/g)].map(([, price]) => price)
  const rows = await db.query(`SELECT coalesce(price::VARCHAR, 'null') AS price FROM ${quote(file)}`)
  assert.deepEqual(
    prices,
    rows.map(({ price }) => price),
  )
})

test('an Arrow stream is what PyArrow reads from the file', { skip: noPython }, async t => {
  const folder = tempFolder(t)
  const stream = join(folder, 'flights.arrows')
  await output('cat', flights, '--format', 'arrow', '-o', stream)
  const [rows, equal, ends] = await python<[number, boolean, boolean]>(
    `
    import pyarrow, pyarrow.parquet
    table = pyarrow.ipc.open_stream(input['stream']).read_all()
    other = pyarrow.parquet.read_table(input['file'])
    with open(input['stream'], 'rb') as file: end = file.read()[-8:]
    result = [table.num_rows, table.cast(other.schema).equals(other), end == b'\\xff\\xff\\xff\\xff\\0\\0\\0\\0']
    `,
    { stream, file: flights },
  )
  assert.deepEqual([rows, equal, ends], [3_000_000, true, true])
})

test('rows and columns are chosen, and the report says what was done', async t => {
  const folder = tempFolder(t)
  const report = join(folder, 'report.json')
  const { query } = await openDuckDB(t)
  const where = "origin = 'JFK' and delay > 600"
  const text = await output(
    'cat',
    flights,
    '--where',
    where,
    '--columns',
    'delay,date',
    '--format',
    'jsonl',
    '--report',
    report,
  )
  const found = text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
  const expected = await query(
    `SELECT delay::INT AS delay, strftime(date, '%Y-%m-%dT%H:%M:%S') AS date FROM ${quote(flights)} WHERE ${where}`,
  )
  assert.deepEqual(found, expected)
  const { rowsIn, rowsOut, seconds, peakRssBytes, mode } = JSON.parse(readFileSync(report, 'utf8'))
  assert.ok(rowsIn <= 3_000_000 && rowsIn >= expected.length)
  assert.equal(rowsOut, expected.length)
  assert.ok(seconds > 0 && peakRssBytes > 2 ** 20)
  assert.equal(mode, 'streaming')
})

test('a table', async () => {
  assert.equal(
    await output('cat', flights, '--limit', '2', '--columns', 'date,delay,origin'),
    [
      'date                 delay  origin',
      '───────────────────  ─────  ──────',
      '2001-01-01T00:01:00     33  LAS',
      '2001-01-01T00:01:00     19  ATL',
      '',
    ].join('\n'),
  )
})

test('none decodes everything and prints nothing', async t => {
  const report = join(tempFolder(t), 'report.json')
  assert.equal(await output('cat', flights, '--format', 'none', '--report', report), '')
  assert.equal(JSON.parse(readFileSync(report, 'utf8')).rowsOut, 3_000_000)
})

test('parquet goes to a file, which is replaced', async t => {
  const { query } = await openDuckDB(t)
  const file = join(tempFolder(t), 'late.parquet')
  for (const where of ['delay > 1000', 'delay > 900']) {
    await output('cat', flights, '--where', where, '--format', 'parquet', '--output', file)
  }
  assert.deepEqual(
    await query(`SELECT count(*) AS n, sum(delay) AS s FROM ${quote(file)}`),
    await query(`SELECT count(*) AS n, sum(delay) AS s FROM ${quote(flights)} WHERE delay > 900`),
  )
})

test('a reader that stops early is no failure', async () => {
  const child = start('cat', flights, '--format', 'jsonl')
  const end = ended(child)
  child.stdout!.once('data', () => child.stdout!.destroy())
  const { code, stderr } = await end
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
})

test('an interrupt ends a run whose output nobody reads, and leaves no file', async () => {
  const child = start('cat', flights, '--format', 'jsonl')
  // Its first piece is there, so it is running; nobody takes the rest, so it cannot end by itself.
  await new Promise(resolve => child.stdout!.once('readable', resolve))
  child.kill('SIGINT')
  const { code, stderr } = await ended(child)
  assert.equal(code, 130)
  assert.match(stderr, /^\nsluice: stopping; once more to stop at once\n$/)
})

test('the same command gives the same bytes in every mode', async () => {
  const hashes = new Set<string>()
  for (const mode of ['streaming', 'fragment', 'batch', 'auto']) {
    const text = await output('cat', flights, '--where', 'delay > 400', '--format', 'csv', '--mode', mode)
    hashes.add(createHash('sha256').update(text).digest('hex'))
  }
  assert.equal(hashes.size, 1)
})
