import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import {
  col,
  derive,
  filter,
  type Mode,
  parquetFile,
  partitionedParquet,
  project,
  repartition,
  source,
} from '../../src/index.ts'
import { cases } from '../support/cases.ts'
import { quote } from '../support/duckdb.ts'
import { assertSameRows, datasetSql, openWorkspace } from './support.ts'
import { everyType } from './tables.ts'

const modes: readonly (Mode | 'auto')[] = ['streaming', 'fragment', 'batch', 'auto']
const { folder, store, duckdb } = await openWorkspace({ after })
let runs = 0

async function writeSource(name: string, sql: string, options: string): Promise<string> {
  const path = join(folder, name)
  await duckdb.query(`COPY (${sql}) TO ${quote(path)} (FORMAT parquet, ${options})`)
  return `SELECT * FROM read_parquet(${quote(path)})`
}

describe('every type', async () => {
  const rows = await writeSource('types.parquet', everyType(20_000), 'COMPRESSION zstd, ROW_GROUP_SIZE 4096')
  const written = `
    SELECT * EXCLUDE (day), i32::BIGINT + u8 AS sum, day, year(day) AS year FROM (${rows}) WHERE id >= 100`
  for (const mode of modes) {
    for (const memory of ['32MiB', '1GiB']) {
      test(`into partitions, mode ${mode}, memory ${memory}`, async () => {
        const target = `types-${runs++}`
        const report = await source(store, { files: 'types.parquet', mode, memory })
          .pipe(
            filter(col('id').gte(100)),
            derive({ sum: col('i32').plus(col('u8')), year: col('day').year() }),
            repartition({ by: ['year'] }),
          )
          .to(partitionedParquet(store.child(target)))
        const columns = (await duckdb.query(`DESCRIBE ${written}`)).map(row => String(row['column_name']))
        const found = datasetSql(join(folder, target), columns, { year: 'BIGINT' })
        await assertSameRows(duckdb, found, written)
        assert.equal(report.rowsIn, 20_000)
        assert.equal(report.rowsOut, 19_900)

        // And back through our own reader, with the partition key as a column.
        await source(store.child(target), { mode: mode === 'fragment' ? 'auto' : mode, memory })
          .pipe(project(...columns))
          .to(parquetFile(store, `back-${target}.parquet`))
        const back = `SELECT * FROM read_parquet(${quote(join(folder, `back-${target}.parquet`))})`
        await assertSameRows(duckdb, back, written)
      })
    }
  }
})

describe('enough rows for worker threads', async () => {
  const settings = [
    [2, '32MiB'],
    [1, '64MiB'],
    [2, '1GiB'],
  ] as const
  const columns = 'id, key, word, noise, maybe, moment'
  const rows = await writeSource(
    'large.parquet',
    `SELECT i AS id, (i * 7919) % 40 AS key, 'word ' || (i % 1000) AS word, (hash(i) / 3)::DOUBLE AS noise,
       CASE WHEN i % 9 > 0 THEN (hash(i + 1) % 1000000)::BIGINT END AS maybe, make_timestamp(i * 1000003) AS moment
     FROM range(1_200_000) AS t(i)`,
    'COMPRESSION uncompressed, ROW_GROUP_SIZE 100_000',
  )
  for (const mode of modes) {
    for (const [lanes, memory] of settings.slice(0, cases(settings.length))) {
      test(`mode ${mode}, ${lanes} lanes, memory ${memory}`, async () => {
        const target = `large-${runs++}`
        const report = await source(store, { files: 'large.parquet', mode, memory, lanes })
          .pipe(filter(col('word').like('%3').not()), repartition({ by: ['key'] }))
          .to(partitionedParquet(store.child(target)))
        const found = datasetSql(join(folder, target), columns.split(', '), { key: 'BIGINT' })
        await assertSameRows(duckdb, found, `SELECT ${columns} FROM (${rows}) WHERE word NOT LIKE '%3'`)
        if (mode !== 'fragment') assert.equal(report.lanes, lanes)
      })
    }
  }
})
