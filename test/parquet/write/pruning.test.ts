import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { Field, Float64, Int64, Utf8, vectorFromArray } from 'apache-arrow'
import { openDuckDB, quote } from '../../support/duckdb.ts'
import { noPython, python } from '../../support/python.ts'
import { tempFolder } from '../../support/temp.ts'
import { batchOf, parquetBytes } from './support.ts'

const rows = 4000
const groups = 8
const values = {
  id: (i: number) => (i % 11 === 0 ? null : BigInt(i * 1000 - 1_000_000)),
  // Alike in their first 64 bytes within a row group: bounds are cut there.
  long: (i: number) => `${String.fromCodePoint(0x4e00 + Math.floor(i / 500))}${'x'.repeat(70)}${i % 37}`,
  few: (i: number) => `word ${Math.floor(i / 700)}`,
  real: (i: number) => (i % 13 === 0 ? Number.NaN : i % 17 === 0 ? -0 : i / 8),
}
const columns = [
  vectorFromArray(
    Array.from({ length: rows }, (_, i) => values.id(i)),
    new Int64(),
  ),
  vectorFromArray(
    Array.from({ length: rows }, (_, i) => values.long(i)),
    new Utf8(),
  ),
  vectorFromArray(
    Array.from({ length: rows }, (_, i) => values.few(i)),
    new Utf8(),
  ),
  vectorFromArray(
    Array.from({ length: rows }, (_, i) => values.real(i)),
    new Float64(),
  ),
]
const fields = Object.keys(values).map((name, i) => new Field(name, columns[i]!.type, true))

/** A file of several row groups and many pages, to be skipped by what the footer says of them. */
function file(): Uint8Array {
  const batch = batchOf(fields, columns)
  const size = rows / groups
  const slices = Array.from({ length: groups }, (_, i) => [batch.slice(i * size, (i + 1) * size)])
  return parquetBytes(fields, slices, { pageRows: 90 }).bytes
}

/** Conditions in SQL's words, with what they select. */
const conditions: [string, (i: number) => boolean][] = [
  ['id = 1000', i => values.id(i) === 1000n],
  ['id < -900000', i => (values.id(i) ?? 0n) < -900_000n],
  ['id IS NULL', i => values.id(i) === null],
  [`long = ${quote(values.long(1234))}`, i => values.long(i) === values.long(1234)],
  [`long > ${quote(values.long(3499))}`, i => values.long(i) > values.long(3499)],
  [`few = 'word 3'`, i => values.few(i) === 'word 3'],
  ['real = 0', i => values.real(i) === 0],
  ['real = 3.125', i => values.real(i) === 3.125],
  ['real BETWEEN 100 AND 101', i => values.real(i) >= 100 && values.real(i) <= 101],
]
const expected = conditions.map(([, keeps]) => Array.from({ length: rows }, (_, i) => i).filter(keeps).length)

test('DuckDB skips by our bounds and misses nothing', async t => {
  const path = join(tempFolder(t), 'pruning.parquet')
  await writeFile(path, file())
  const { query } = await openDuckDB(t)
  const all = await query(`SELECT * FROM read_parquet(${quote(path)})`)
  assert.deepEqual(
    all,
    Array.from({ length: rows }, (_, i) =>
      Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value(i)])),
    ),
  )
  const counts: bigint[] = []
  for (const [condition] of conditions) {
    const [row] = await query(`SELECT count(*) AS n FROM read_parquet(${quote(path)}) WHERE ${condition}`)
    counts.push(row!['n'] as bigint)
  }
  assert.deepEqual(counts, expected.map(BigInt))
})

test('Polars and PyArrow skip by our bounds and miss nothing', { skip: noPython }, async t => {
  const path = join(tempFolder(t), 'pruning.parquet')
  await writeFile(path, file())
  const found = await python<Record<string, number[]>>(
    `
    import polars as pl, pyarrow.compute as pc, pyarrow.dataset as ds
    frame = pl.scan_parquet(input['path'])
    data = ds.dataset(input['path'])
    id, long, few, real = (pc.field(name) for name in ('id', 'long', 'few', 'real'))
    filters = [
        id == 1000, id < -900000, id.is_null(), long == input['one'], long > input['last'], few == 'word 3',
        real == 0.0, real == 3.125, (real >= 100.0) & (real <= 101.0),
    ]
    result = {
        'polars': [frame.filter(pl.sql_expr(text)).select(pl.len()).collect().item() for text in input['conditions']],
        'pyarrow': [data.count_rows(filter=each) for each in filters],
    }
    `,
    {
      path,
      conditions: conditions.map(([condition]) => condition),
      one: values.long(1234),
      last: values.long(3499),
    },
  )
  assert.deepEqual(found, { polars: expected, pyarrow: expected })
})
