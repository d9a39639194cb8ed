import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  col,
  derive,
  filter,
  isSluiceError,
  type Mode,
  openStore,
  parquetFile,
  partitionedParquet,
  repartition,
  source,
  sql,
} from '../../src/index.ts'
import { onOneNode } from '../support/cases.ts'
import { corpus, noCorpus } from '../support/corpus.ts'
import { quote } from '../support/duckdb.ts'
import { noPython, python } from '../support/python.ts'
import { assertSameRows, datasetSql, openWorkspace } from './support.ts'

const modes: readonly Mode[] = ['streaming', 'fragment', 'batch']
const { folder, store, duckdb } = await openWorkspace({ after })
let runs = 0

const writers = {
  polars: `
    import polars as pl
    frame = pl.DataFrame(rows).with_columns(pl.col('day').str.to_date(), pl.col('at').cast(pl.Datetime('ns')),
      pl.col('word').cast(pl.Categorical).alias('category'), pl.col('small').cast(pl.Int16))
    frame.write_parquet(path, row_group_size=3000)`,
  pyarrow: `
    import pyarrow as pa, pyarrow.parquet as pq, pyarrow.compute as pc
    table = pa.table(rows)
    table = table.set_column(table.column_names.index('day'), 'day', pc.cast(table['day'], pa.date32()))
    table = table.set_column(table.column_names.index('at'), 'at', pc.cast(table['at'], pa.timestamp('ns', tz='UTC')))
    table = table.append_column('category', pc.dictionary_encode(table['word']))
    pq.write_table(table, path, row_group_size=3000, data_page_version='2.0', compression='snappy')`,
  'pyarrow, delta encodings': `
    import pyarrow as pa, pyarrow.parquet as pq, pyarrow.compute as pc
    table = pa.table(rows)
    pq.write_table(table, path, row_group_size=3000, use_dictionary=False, compression='gzip', data_page_size=4096,
      column_encoding={'id': 'DELTA_BINARY_PACKED', 'word': 'DELTA_BYTE_ARRAY', 'day': 'DELTA_LENGTH_BYTE_ARRAY',
                       'x': 'BYTE_STREAM_SPLIT'})`,
}

describe('files of other writers', { skip: noPython }, () => {
  for (const [name, program] of Object.entries(writers)) {
    test(name, async () => {
      mkdirSync(join(folder, name))
      const path = join(folder, name, 'rows.parquet')
      await python(
        `
        path, program = input
        n = 10_000
        rows = dict(id=list(range(n)), k=[None if i % 11 == 0 else i % 4 for i in range(n)],
          x=[None if i % 7 == 0 else float('nan') if i % 7 == 1 else i / 3 for i in range(n)],
          word=[None if i % 5 == 0 else '' if i % 5 == 1 else f'Zürich {i % 90}' for i in range(n)],
          day=[f'2025-01-{1 + i % 28:02}' for i in range(n)], at=[i * 10**12 + i for i in range(n)],
          small=[i % 1000 - 500 for i in range(n)], flag=[None if i % 3 == 0 else i % 2 == 0 for i in range(n)])
        import textwrap
        exec(textwrap.dedent(program), dict(rows=rows, path=path))`,
        [path, program],
      )
      const rows = `SELECT * FROM read_parquet(${quote(path)})`
      const columns = (await duckdb.query(`DESCRIBE ${rows}`)).map(row => String(row['column_name']))
      for (const mode of modes) {
        const target = `out-${runs++}`
        await source(store.child(name), { mode })
          .pipe(filter(col('small').gt(-400)), repartition({ by: ['k'] }))
          .to(partitionedParquet(store.child(target)))
        const found = datasetSql(join(folder, target), columns, { k: 'BIGINT' })
        await assertSameRows(duckdb, found, `SELECT * FROM (${rows}) WHERE small > -400`)
      }
    })
  }
})

describe('real data', { skip: onOneNode }, () => {
  const vega = join(dirname(fileURLToPath(import.meta.resolve('vega-datasets'))), '..', 'data')

  for (const mode of modes) {
    test(`3,000,000 flights, mode ${mode}`, async () => {
      const target = `out-${runs++}`
      await source(await openStore(vega), { files: 'flights-3m.parquet', mode, memory: '256MiB' })
        .pipe(
          filter(col('distance').gt(100).and(col('delay').isNotNull())),
          derive({ month: sql("strftime(date, '%Y-%m')"), late: col('delay').gt(15) }),
          repartition({ by: ['month'] }),
        )
        .to(partitionedParquet(store.child(target)))
      const flights = `SELECT *, strftime(date, '%Y-%m') AS month, delay > 15 AS late
        FROM read_parquet(${quote(join(vega, 'flights-3m.parquet'))}) WHERE distance > 100 AND delay IS NOT NULL`
      const columns = (await duckdb.query(`DESCRIBE ${flights}`)).map(row => String(row['column_name']))
      await assertSameRows(
        duckdb,
        datasetSql(join(folder, target), columns, { month: 'VARCHAR' }),
        `SELECT ${columns} FROM (${flights})`,
      )
    })

    test(`covid-nyt by state, mode ${mode}`, { skip: noCorpus }, async () => {
      const target = `out-${runs++}`
      const path = join(corpus, 'covid-nyt')
      const report = await source(await openStore(path), { mode })
        .pipe(repartition({ by: ['state'] }))
        .to(partitionedParquet(store.child(target)))
      assert.equal(report.rowsOut, 1_111_930)
      const columns = ['date', 'county', 'state', 'fips', 'cases', 'deaths']
      const found = datasetSql(join(folder, target), columns, { state: 'VARCHAR' })
      const [sums] = await duckdb.query(`SELECT sum(cases)::BIGINT AS cases FROM (${found})`)
      assert.equal(sums!['cases'], 3_549_814_734n)
      await assertSameRows(
        duckdb,
        found,
        `SELECT ${columns} FROM read_parquet(${quote(join(path, '*.parquet'))})`,
      )
    })
  }
})

describe('partitioned folders of DuckDB', { skip: noCorpus }, () => {
  const readable = ['simple', 'different_order', 'duplicate_names', 'missing', 'hive_col_also_in_file']
  for (const name of readable) {
    test(`${name} reads as DuckDB reads it`, async () => {
      const path = join(corpus, 'duckdb-hive-partitioning', name)
      const expected = `SELECT * FROM read_parquet(${quote(join(path, '**/*.parquet'))}, hive_partitioning = true)`
      const back = `back-${runs++}.parquet`
      await source(await openStore(path)).to(parquetFile(store, back))
      const columns = (await duckdb.query(`DESCRIBE ${expected}`)).map(row => `"${row['column_name']}"`)
      const found = `SELECT ${columns} FROM read_parquet(${quote(join(folder, back))})`
      await assertSameRows(duckdb, found, expected)
    })
  }
  test('empty_string reads as DuckDB reads it, but for the text NULL, which stays text', async () => {
    const path = join(corpus, 'duckdb-hive-partitioning/empty_string')
    const back = `back-${runs++}.parquet`
    await source(await openStore(path)).to(parquetFile(store, back))
    await assertSameRows(
      duckdb,
      `SELECT col, key FROM read_parquet(${quote(join(folder, back))})`,
      `SELECT col, coalesce(key, 'NULL') AS key
       FROM read_parquet(${quote(join(path, '**/*.parquet'))}, hive_partitioning = true)`,
    )
  })
  for (const name of ['mismatching_count', 'mismatching_names']) {
    test(`${name} is refused, as by DuckDB`, async () => {
      const path = join(corpus, 'duckdb-hive-partitioning', name)
      const glob = `read_parquet(${quote(join(path, '**/*.parquet'))}, hive_partitioning = true)`
      await assert.rejects(duckdb.query(`SELECT * FROM ${glob}`))
      await assert.rejects(
        source(await openStore(path)).collect(),
        error => isSluiceError(error) && error.code === 'schema',
      )
    })
  }
})
