import assert from 'node:assert/strict'
import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { filter, openStore, source, sql } from '../../../src/index.ts'
import { bloomFilterSize, openBloomFilter } from '../../../src/parquet/bloom-filter.ts'
import { xxh64 } from '../../../src/parquet/xxh64.ts'
import { onOneNode } from '../../support/cases.ts'
import { corpus, noCorpus } from '../../support/corpus.ts'
import { openDuckDB, quote } from '../../support/duckdb.ts'
import { noPython, python } from '../../support/python.ts'
import { tempFolder } from '../../support/temp.ts'

const folder = tempFolder({ after })
const store = await openStore(folder)
const duckdb = await openDuckDB({ after })

test('XXH64 of texts of all lengths is that of other implementations', () => {
  // Test vectors of the hash's reference implementation for seed 0.
  const vectors: [string, bigint][] = [
    ['', 0xef46db3751d8e999n],
    ['a', 0xd24ec4f1a98c6e5bn],
    ['abc', 0x44bc2cf5ad770999n],
    ['Nobody inspects the spammish repetition', 0xfbcea83c8a378bf1n],
  ]
  for (const [text, hash] of vectors) assert.equal(xxh64(new TextEncoder().encode(text)), hash, text)
})

describe('filters of the corpus', { skip: noCorpus }, () => {
  for (const name of ['data_index_bloom_encoding_stats', 'data_index_bloom_encoding_with_length']) {
    test(name, async () => {
      copyFileSync(join(corpus, 'parquet-testing/data', `${name}.parquet`), join(folder, `${name}.parquet`))
      const path = quote(join(folder, `${name}.parquet`))
      const texts = (await duckdb.query(`SELECT DISTINCT "String" AS s FROM ${path}`)).map(row =>
        String(row['s']),
      )
      assert.ok(texts.length > 3)
      for (const text of texts) {
        const found = source(store, { files: `${name}.parquet` }).pipe(
          filter(sql(`"String" = ${quote(text)}`)),
        )
        const [expected] = await duckdb.query(
          `SELECT count(*) AS n FROM ${path} WHERE "String" = ${quote(text)}`,
        )
        assert.equal(BigInt((await found.collect()).numRows), expected!['n'])
      }
      // Between the least and the greatest text, so that statistics cannot tell.
      const lacking = source(store, { files: `${name}.parquet` }).pipe(filter(sql(`"String" = 'Hellp'`)))
      const { source: plan } = await lacking.explain()
      assert.deepEqual(plan.bloomFilters, { read: 1, pruned: 1 })
      assert.equal(plan.rowGroups.pruned, 1)
    })
  }
})

/** SQL for 600 values by number, none of which is odd or what an odd number gives; and one that is lacking. */
const types: Record<string, [value: string, lacking: string]> = {
  i32: ['(2 * i)::INTEGER', '601'],
  i64: ['(2 * i)::BIGINT * 10000000000', '10000000000'],
  i16: ['(2 * i)::SMALLINT', '601'],
  u32: ['(2 * i)::UINTEGER + 4000000000::UINTEGER', '4000000601'],
  f32: ['(i / 2)::FLOAT', '10.25'],
  f64: ['(i / 2)::DOUBLE', '10.25'],
  text: ["'text ' || (2 * i)", "'text 601'"],
  day: ["DATE '2024-01-01' + (2 * i)::INTEGER", "'2024-01-02'"],
  at: ["TIMESTAMP '2024-01-01' + INTERVAL (2 * i) MINUTE", "'2024-01-01 00:01:00'"],
  price: ['(2 * i)::DECIMAL(9, 2)', '601'],
  wide: ['(2 * i)::DECIMAL(18, 2)', '601'],
  widest: ['(2 * i)::DECIMAL(30, 2)', '601'],
}

describe('filters of DuckDB', { skip: onOneNode }, () => {
  for (const [name, [value, lacking]] of Object.entries(types)) {
    test(`${name}: of the values there are none is lacking, and one that is not there is`, async () => {
      const file = `duckdb-${name}.parquet`
      const path = quote(join(folder, file))
      await duckdb.query(
        `COPY (SELECT ${value} AS v FROM range(600) t(i), range(3)) TO ${path} (FORMAT parquet)`,
      )
      const text = name === 'day' || name === 'at' ? "strftime(v, '%Y-%m-%d %H:%M:%S')" : 'v::VARCHAR'
      const values = await duckdb.query(`SELECT DISTINCT ${text} AS v FROM ${path} LIMIT 100`)
      for (const { v } of values) {
        const literal = /^(text|day|at)$/.test(name) ? quote(String(v)) : String(v)
        const condition = name === 'day' ? `v = cast(${literal.slice(0, 11)}' as date)` : `v = ${literal}`
        const table = await source(store, { files: file })
          .pipe(filter(sql(condition)))
          .collect()
        assert.equal(table.numRows, 3, condition)
      }
      const none = source(store, { files: file }).pipe(filter(sql(`v in (${lacking}, ${lacking})`)))
      const { source: plan } = await none.explain()
      const [chunk] = await duckdb.query(`SELECT bloom_filter_offset AS o FROM parquet_metadata(${path})`)
      const has = chunk!['o'] !== null ? 1 : 0
      assert.deepEqual(plan.bloomFilters, { read: has, pruned: has })
    })
  }

  test('zero is found whatever its sign, and NaN whatever its bits', async () => {
    const file = 'floats.parquet'
    await duckdb.query(
      `COPY (SELECT unnest([-0.0, 1.5, 'nan'::DOUBLE, 1.5, -0.0, 3]) AS v) TO ${quote(join(folder, file))} (FORMAT parquet)`,
    )
    const count = async (condition: string) =>
      (
        await source(store, { files: file })
          .pipe(filter(sql(condition)))
          .collect()
      ).numRows
    assert.deepEqual([await count('v = 0'), await count('v = -0.0'), await count('v = 1.5')], [2, 2, 2])
    assert.equal(await count("v = 'NaN'::double"), 1)
    assert.equal(await count('v <> 2'), 6)
  })
})

describe('filters of PyArrow', { skip: noPython }, () => {
  before(async () => {
    await python(
      `
      import pyarrow as pa, pyarrow.parquet as pq, decimal
      n = 3000
      t = pa.table({
          'i': pa.array([None if i % 7 == 0 else 2 * i for i in range(n)], pa.int64()),
          's': pa.array([None if i % 5 == 0 else f'{2 * i:05}' * (1 + i % 9) for i in range(n)]),
          'f': pa.array([i / 2 for i in range(n)], pa.float32()),
          'd': pa.array([decimal.Decimal(2 * i) / 100 for i in range(n)], pa.decimal128(25, 2)),
          'b': pa.array([bytes([i % 200, i // 200, 5]) for i in range(n)], pa.binary(3)),
      })
      pq.write_table(t, f'{input}/pyarrow.parquet', row_group_size=500, use_dictionary=False,
        bloom_filter_options={name: True for name in t.column_names})
      `,
      folder,
    )
  })

  const conditions = [
    'i = 2004',
    'i = 2003',
    "s = '020020200202002'",
    "s in ('02002020020200202002', '02003')",
    'f = 10.5 or f = 10.25',
    'd = 20.02',
    'd = 20.03',
    "i = 2003 and s <> 'x'",
    'not (i <> 2004)',
  ]
  for (const condition of conditions) {
    test(condition, async () => {
      const path = quote(join(folder, 'pyarrow.parquet'))
      const [expected] = await duckdb.query(`SELECT count(*) AS n FROM ${path} WHERE ${condition}`)
      const pipeline = source(store, { files: 'pyarrow.parquet' }).pipe(filter(sql(condition)))
      assert.equal(BigInt((await pipeline.collect()).numRows), expected!['n'])
      const { source: plan } = await pipeline.explain()
      assert.ok(plan.bloomFilters.read > 0)
      // Few values are taken to be there that are not: one in a hundred.
      assert.ok(plan.rowGroups.pruned >= 5, `${plan.rowGroups.pruned}`)
    })
  }
})

describe('a filter that is damaged as far as can be seen is none', { skip: noCorpus }, () => {
  test('the standard one is one', () => {
    const bytes = readFileSync(join(corpus, 'parquet-testing/data/bloom_filter.xxhash.bin'))
    assert.equal(bloomFilterSize(bytes), bytes.length)
    const open = openBloomFilter(bytes)!
    for (const text of ['hello', 'parquet', 'bloom', 'filter']) {
      assert.ok(open.mayHold(xxh64(new TextEncoder().encode(text))), text)
    }
    assert.equal(openBloomFilter(bytes.subarray(0, -1)), undefined)
    assert.equal(openBloomFilter(bytes.subarray(0, 3)), undefined)
    assert.equal(openBloomFilter(new Uint8Array(200).fill(0xff)), undefined)
    // Another hash: field 2 of the union.
    const other = Uint8Array.from(bytes)
    for (let i = 0; i < 16; i++) if (other[i] === 0x1c) other[i] = 0x2c
    assert.equal(openBloomFilter(other), undefined)
  })
})
