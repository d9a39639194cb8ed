import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import {
  filter,
  isSluiceError,
  openStore,
  parquetFile,
  partitionedParquet,
  source,
  sql,
} from '../../../src/index.ts'
import { onOneNode } from '../../support/cases.ts'
import { openDuckDB, quote } from '../../support/duckdb.ts'
import { noPython, python } from '../../support/python.ts'
import { tempFolder } from '../../support/temp.ts'

const folder = tempFolder({ after })
const store = await openStore(folder)
const duckdb = await openDuckDB({ after })
const ROWS = 5000

/** What is in each column: SQL for row `i`, and whether the writer's choice is a dictionary or not matters little. */
const columns: Record<string, string> = {
  i32: '(i * 7 % 2000)::INTEGER',
  i64: '(i * 7919 % 100003)::BIGINT * 1000000007',
  i8: '(i % 100)::TINYINT',
  f32: 'CASE WHEN i % 3 > 0 THEN i / 4 END::FLOAT',
  f64: "CASE i % 4 WHEN 0 THEN -0.0 WHEN 1 THEN 'nan'::DOUBLE ELSE i / 8 END",
  text: "CASE WHEN i % 5 > 0 THEN repeat('long ', (i % 12)::INTEGER) || i END",
  few: "'word ' || i % 40",
  day: "DATE '2024-01-01' + (i % 900)::INTEGER",
  moment: 'make_timestamp(i * 1000003)',
  price: '(i / 100)::DECIMAL(9, 2)',
  wide: '(i / 100)::DECIMAL(30, 2)',
  flag: 'i % 2 = 0',
}
await duckdb.query(
  `COPY (SELECT i AS id, ${Object.entries(columns).map(([name, value]) => `${value} AS ${name}`)}
   FROM range(${ROWS}) t(i)) TO ${quote(join(folder, 'plain.parquet'))} (FORMAT parquet)`,
)
const plain = quote(join(folder, 'plain.parquet'))

describe('filters written', { skip: onOneNode }, () => {
  for (const dictionary of [true, false]) {
    const path = join(folder, `bloom-${dictionary}.parquet`)
    test(`are where the footer says, and DuckDB finds every value in them; dictionaries ${dictionary}`, async () => {
      await source(store, { files: 'plain.parquet' }).to(
        parquetFile(store, `bloom-${dictionary}.parquet`, {
          bloomFilters: true,
          dictionary,
          rowGroupRows: 2000,
        }),
      )
      const chunks = await duckdb.query(
        `SELECT path_in_schema AS name, bloom_filter_offset AS o, bloom_filter_length AS n
         FROM parquet_metadata(${quote(path)})`,
      )
      assert.equal(chunks.length, 3 * (Object.keys(columns).length + 1))
      for (const { name, o, n } of chunks)
        assert.equal(o !== null && n !== null, name !== 'flag', String(name))
      for (const name of Object.keys(columns)) {
        if (name === 'flag') continue
        const values = await duckdb.query(
          `SELECT DISTINCT ${name}::VARCHAR AS v FROM ${plain} WHERE ${name} IS NOT NULL USING SAMPLE 40 (reservoir, 5)`,
        )
        for (const { v } of values) {
          await duckdb.query(
            `SET VARIABLE value = (SELECT any_value(${name}) FROM ${plain} WHERE ${name}::VARCHAR = ${quote(String(v))})`,
          )
          const probe = `SELECT bool_and(bloom_filter_excludes) AS out
            FROM parquet_bloom_probe(${quote(path)}, '${name}', getvariable('value'))`
          const [found] = await duckdb.query(probe)
          assert.equal(found!['out'], false, `${name} ${v}`)
        }
      }
    })

    test(`leave out what is not there, for DuckDB and for us; dictionaries ${dictionary}`, async () => {
      const lacking = Array.from({ length: 300 }, (_, i) => `no such ${i}`)
      let excluded = 0
      for (const text of lacking) {
        const rows = await duckdb.query(
          `SELECT bloom_filter_excludes AS out FROM parquet_bloom_probe(${quote(path)}, 'text', ${quote(text)})`,
        )
        excluded += rows.filter(row => row['out'] === true).length
      }
      assert.ok(excluded > 0.95 * 3 * lacking.length, `${excluded}`)
      const none = source(store, { files: `bloom-${dictionary}.parquet` }).pipe(
        filter(sql("text = 'long 5x'")),
      )
      const { source: plan } = await none.explain()
      assert.equal(plan.bloomFilters.read, 3)
      assert.ok(plan.bloomFilters.pruned >= 2)
    })
  }

  test('give the same rows as without, in DuckDB, Polars and PyArrow', { skip: noPython }, async () => {
    const path = join(folder, 'bloom-true.parquet')
    const conditions = [
      "text = '4001'",
      "few = 'word 7'",
      'f64 = 0',
      'i64 = 5',
      'i32 in (7, 1999)',
      'price = 12.34',
    ]
    const counts = async (from: string) => {
      const found: number[] = []
      for (const condition of conditions) {
        const [row] = await duckdb.query(`SELECT count(*)::INTEGER AS n FROM ${from} WHERE ${condition}`)
        found.push(row!['n'] as number)
      }
      return found
    }
    const expected = await counts(`(SELECT * FROM ${plain})`)
    assert.deepEqual(await counts(`read_parquet(${quote(path)})`), expected)
    const theirs = await python<{ polars: number[]; rows: number }>(
      `
      import polars as pl, pyarrow.parquet as pq
      frame = pl.scan_parquet(input['path'])
      result = {
          'polars': [frame.filter(pl.sql_expr(c)).select(pl.len()).collect().item() for c in input['conditions']],
          'rows': pq.read_table(input['path']).num_rows,
      }`,
      { path, conditions },
    )
    assert.deepEqual(theirs, { polars: expected, rows: ROWS })
  })

  test('are of the size that the share of false positives asks for', async () => {
    const sizes: number[] = []
    for (const fpp of [0.1, 0.01, 0.0001]) {
      const name = `fpp-${fpp}.parquet`
      await source(store, { files: 'plain.parquet' }).to(
        parquetFile(store, name, { bloomFilters: { i64: { fpp } }, dictionary: false }),
      )
      const [chunk] = await duckdb.query(
        `SELECT bloom_filter_length AS n FROM parquet_metadata(${quote(join(folder, name))}) WHERE path_in_schema = 'i64'`,
      )
      sizes.push(Number(chunk!['n']))
    }
    assert.ok(sizes[0]! < sizes[1]! && sizes[1]! < sizes[2]!, String(sizes))
  })

  test('are asked for by names that there are, of types that have them', () => {
    const wrong: Parameters<typeof partitionedParquet>[1][] = [
      { bloomFilters: { i64: { fpp: 0 } } },
      { bloomFilters: { i64: { fpp: 1 } } },
    ]
    for (const options of wrong)
      assert.throws(() => partitionedParquet(store.child('x'), options), /bloomFilters.*fpp/)
  })

  for (const [bloomFilters, column] of [
    [['nothing'], 'nothing'],
    [['flag'], 'flag'],
  ] as const) {
    test(`'${column}' is refused`, async () => {
      await assert.rejects(
        source(store, { files: 'plain.parquet' }).to(parquetFile(store, 'refused.parquet', { bloomFilters })),
        error =>
          isSluiceError(error) &&
          error.code === 'invalid-argument' &&
          error.option === 'bloomFilters' &&
          error.column === column,
      )
    })
  }
})
