import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { parsePartitionPath, partitionPath } from '../../src/dataset/hive.ts'
import { openDuckDB, quote } from '../support/duckdb.ts'
import { noPython, python } from '../support/python.ts'
import { tempFolder } from '../support/temp.ts'

const values = [
  ...[
    'a b',
    'a/b',
    'a=b',
    'a%b',
    'a:b',
    '"q"',
    "'",
    'é',
    'e\u0301',
    '😀',
    'a+b',
    'a&b',
    '#',
    '?',
    '*',
    '[x]',
    '{x}',
  ],
  ...['^', '<>|', '\\', '\x01', '\n', '\x7f', '\x85', '\u2028', '\uffff', '~', '-_.!()', 'a.', '.', '..'],
  ...[';,@$', '`', '', ' x ', '%20', '%zz', 'null', 'NULL', '_x', '.x', null],
]

/** A dataset with a row in a partition of each value, whose column `v` is the value's ordinal. */
async function writeDataset(t: TestContext, name: string): Promise<string> {
  const duckdb = await openDuckDB(t)
  const folder = tempFolder(t)
  for (const [index, value] of values.entries()) {
    const partition = join(folder, partitionPath([name], [value]))
    mkdirSync(partition, { recursive: true })
    await duckdb.query(`COPY (SELECT ${index} AS v) TO ${quote(join(folder, '_one'))} (FORMAT parquet)`)
    copyFileSync(join(folder, '_one'), join(partition, 'f.parquet'))
  }
  return folder
}

test('DuckDB reads the values that we write, and we read those that it writes', async t => {
  const duckdb = await openDuckDB(t)
  const folder = await writeDataset(t, 'k')
  const glob = quote(`${folder}/**/*.parquet`)
  const rows = await duckdb.query(`SELECT k FROM read_parquet(${glob}, hive_partitioning = true) ORDER BY v`)
  assert.deepEqual(
    rows.map(row => row['k']),
    values,
  )

  const theirs = join(tempFolder(t), 'theirs')
  await duckdb.query(
    `COPY (SELECT k FROM read_parquet(${glob}, hive_partitioning = true)) TO ${quote(theirs)} (FORMAT parquet, PARTITION_BY (k), WRITE_PARTITION_COLUMNS true)`,
  )
  const files = await duckdb.query(
    `SELECT k, filename FROM read_parquet(${quote(`${theirs}/**/*.parquet`)}, hive_partitioning = false, filename = true)`,
  )
  assert.equal(files.length, values.length)
  for (const { k, filename } of files) {
    const key = String(filename).slice(theirs.length + 1)
    assert.deepEqual(parsePartitionPath(key).keys, [['k', k]])
  }
})

for (const [engine, program] of Object.entries({
  Polars: `
import polars as pl
frame = pl.scan_parquet(input, hive_partitioning=True).sort('v').collect()
result = frame.get_column(frame.columns[1]).to_list()`,
  PyArrow: `
import pyarrow.dataset as ds
table = ds.dataset(input, partitioning='hive').to_table().sort_by('v')
result = table.column(1).to_pylist()`,
})) {
  test(`${engine} opens the folder by its name and reads the values that we write`, {
    skip: noPython,
  }, async t => {
    const folder = await writeDataset(t, 'é b')
    rmSync(join(folder, '_one'))
    assert.deepEqual(await python(program, folder), values)
  })
}
