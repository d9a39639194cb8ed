import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { openDuckDB } from '../support/duckdb.ts'
import { noPython, python } from '../support/python.ts'
import { tempFolder } from '../support/temp.ts'

test('DuckDB answers with exact values', async t => {
  const { query } = await openDuckDB(t)
  const [row] = await query(`SELECT 9007199254740993 AS big, 1.50::DECIMAL(9, 2) AS fare, 'x'::BLOB AS bytes,
    TIMESTAMP_NS '2024-01-02 03:04:05.123456789' AS at, {'a': [1, NULL]} AS nested, 2 AS "__proto__"`)
  assert.deepEqual(Object.entries(row!), [
    ['big', 9007199254740993n],
    ['fare', '1.50'],
    ['bytes', new Uint8Array([120])],
    ['at', '2024-01-02 03:04:05.123456789'],
    ['nested', { a: [1, null] }],
    ['__proto__', 2],
  ])
})

test('a multiset ignores order and nothing else', async t => {
  const { multiset } = await openDuckDB(t)
  const of = async (type: string, ...values: string[]) =>
    multiset(values.map(value => `SELECT 1 AS k, ${value}::${type} AS v`).join(' UNION ALL '))
  assert.deepEqual(await of('DOUBLE', "'nan'", '1', 'NULL'), await of('DOUBLE', 'NULL', "'nan'", '1'))

  const different: [string, string[], string[]][] = [
    ['DOUBLE', ['0.0'], ["'-0.0'"]],
    ['DOUBLE', ["'nan'"], ['NULL']],
    ['INT', ['1', '1'], ['1']],
    ['INT', ['1', '1', '2'], ['1', '2', '2']],
    ['INT[]', ['NULL'], ['[]']],
    ['INT[]', ['[]'], ['[NULL]']],
    ['VARCHAR[]', ['[NULL]'], ["['NULL']"]],
    ['STRUCT(a INT)', ['NULL'], ["{'a': NULL}"]],
    ['DECIMAL(9, 2)', ['1.01'], ['1.02']],
    ['VARCHAR', ["''"], ['NULL']],
  ]
  for (const [type, left, right] of different) {
    assert.notDeepEqual(await of(type, ...left), await of(type, ...right), `${type} ${left} and ${right}`)
  }
  assert.notDeepEqual(await multiset('SELECT 1 AS a, 2 AS b'), await multiset('SELECT 2 AS a, 1 AS b'))
  assert.notDeepEqual(await multiset('SELECT 1 AS a'), await multiset('SELECT 1::BIGINT AS a'))
})

test('Python gets and gives JSON', { skip: noPython }, async () => {
  const answer = await python(
    `
      import polars, duckdb, pyarrow, dask.dataframe
      result = [input['n'] + 1, datetime.date(2024, 1, 2), decimal.Decimal('1.50'), b'x']
    `,
    { n: 1 },
  )
  assert.deepEqual(answer, [2, '2024-01-02', '1.50', 'eA=='])
  await assert.rejects(python('1/0'), /ZeroDivisionError/)
})

test('a temporary folder lives as long as its test', async t => {
  let folder = ''
  await t.test('inside', inner => {
    folder = tempFolder(inner)
    assert.ok(existsSync(folder))
  })
  assert.ok(!existsSync(folder))
})
