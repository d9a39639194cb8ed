import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { filter, partitionedParquet, repartition, source, sql } from '../../src/index.ts'
import { cases } from '../support/cases.ts'
import { quote } from '../support/duckdb.ts'
import { assertSameRows, datasetSql, openWorkspace } from './support.ts'

const { folder, store, duckdb } = await openWorkspace({ after })
let runs = 0

/** Columns by name: SQL for the value of row `i`, and the type. */
const columns: Record<string, [value: string, type: string]> = {
  whole: ['(i * 7919) % 13 - 6', 'BIGINT'],
  small: ['i % 5', 'TINYINT'],
  real: ["CASE i % 4 WHEN 0 THEN 'nan'::DOUBLE WHEN 1 THEN -0.0 ELSE i / 3 END", 'DOUBLE'],
  word: ["['', 'a', 'b c', 'é', '50%'][1 + i % 5]", 'VARCHAR'],
  day: ["DATE '2024-12-30' + (i % 6)::INTEGER", 'DATE'],
  flag: ['i % 3 = 0', 'BOOLEAN'],
  price: ['(i % 40) / 8 - 2', 'DECIMAL(7, 3)'],
  moment: ['make_timestamp(i * 86399000001)', 'TIMESTAMP'],
}
const keys = Object.keys(columns).filter(name => name !== 'real' && name !== 'moment')
const predicates = [
  'true',
  'whole > 0',
  "word like '%c' or flag",
  "day >= '2025-01-01' and not (small in (1, 3))",
  'real > 3 or price is null',
  'whole is null',
  'false',
]

const job = fc.record({
  rows: fc.integer({ min: 0, max: 3000 }),
  nulls: fc.constantFrom(2, 3, 17, 1_000_000),
  rowGroupRows: fc.constantFrom(2048, 100_000),
  by: fc.uniqueArray(fc.constantFrom(...keys), { maxLength: 3 }),
  predicate: fc.constantFrom(...predicates),
  mode: fc.constantFrom('streaming' as const, 'fragment' as const, 'batch' as const, 'auto' as const),
  batchRows: fc.constantFrom(1, 100, 65_536),
  maxRowsPerFile: fc.option(fc.constantFrom(10, 1000), { nil: undefined }),
  dictionary: fc.boolean(),
  pageVersion: fc.constantFrom(1 as const, 2 as const),
})

test('any small job gives the rows that DuckDB gives', async () => {
  await fc.assert(
    fc.asyncProperty(job, async options => {
      const { rows, nulls, rowGroupRows, by, predicate, mode, dictionary, pageVersion } = options
      // One value a batch is slow: only where there are few.
      const batchRows = rows > 200 ? Math.max(100, options.batchRows) : options.batchRows
      const maxRowsPerFile = rows > 200 && options.maxRowsPerFile === 10 ? 1000 : options.maxRowsPerFile
      const name = `job-${runs++}`
      const select = Object.entries(columns).map(
        ([column, [value, type]], n) =>
          `CASE WHEN (i + ${n}) % ${nulls} > 0 THEN ${value} END::${type} AS ${column}`,
      )
      const file = join(folder, `${name}.parquet`)
      await duckdb.query(
        `COPY (SELECT i AS id, ${select} FROM range(${rows}) AS t(i)) TO ${quote(file)}
         (FORMAT parquet, ROW_GROUP_SIZE ${rowGroupRows}, DICTIONARY_SIZE_LIMIT ${dictionary ? 10_000 : 1})`,
      )
      const expected = `SELECT * FROM read_parquet(${quote(file)}) WHERE ${predicate}`
      const report = await source(store, { files: `${name}.parquet`, mode, batchRows })
        .pipe(filter(sql(predicate)), repartition({ by, ...(maxRowsPerFile && { maxRowsPerFile }) }))
        .to(partitionedParquet(store.child(name), { pageVersion, dictionary }))
      if (report.files === 0) {
        await assertSameRows(duckdb, `SELECT * FROM (${expected}) LIMIT 0`, expected)
        return
      }
      const types = Object.fromEntries(by.map(key => [key, columns[key]![1]]))
      const found = datasetSql(join(folder, name), ['id', ...Object.keys(columns)], types)
      await assertSameRows(duckdb, found, expected)
    }),
    { numRuns: cases(100), seed: 20260101 },
  )
})
