import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import {
  type Aggregate,
  aggregate,
  count,
  filter,
  type Operator,
  parquetFile,
  source,
  sql,
  tap,
} from '../../src/index.ts'
import { openWorkspace } from '../pipeline/support.ts'
import { everyType } from '../pipeline/tables.ts'
import { cases } from '../support/cases.ts'
import { quote } from '../support/duckdb.ts'

const { folder, store, duckdb } = await openWorkspace({ after })
let runs = 0

const floats = ['f32', 'f64']
const summed = ['i8', 'i16', 'i32', 'u8', 'u16', 'u32', 'd4', 'd9', 'd18', 'quarter', 'constant', 'f64']
const all = [
  ...summed,
  ...['i64', 'u64', 'f32', 'd38', 'flag', 'maybe', 'word', 'text', 'bytes'],
  ...['day', 'time', 'at_us', 'at_ms', 'at_ns', 'at_tz', 'nothing'],
]
/** Those with few values, and `id`, which has a value a row. */
const keys = [
  'i8',
  'u8',
  'f32',
  'f64',
  'd4',
  'flag',
  'maybe',
  'word',
  'day',
  'nothing',
  'text',
  'bytes',
  'at_ns',
  'u64',
  'd38',
  'id',
]

/** A call of ours, and the same in SQL: zero without sign, and sums in the type that is promised. */
type Call = [ours: Aggregate<never, string | undefined> | Aggregate, sql: string]

const call: fc.Arbitrary<Call> = fc.oneof(
  fc.constant<Call>([count() as never, 'count(*)']),
  fc.constantFrom(...all).map((c): Call => [{ fn: 'count', column: c }, `count(${c})`]),
  fc.constantFrom(...all).map((c): Call => [{ fn: 'min', column: c }, plus(c, `min(${c})`)]),
  fc.constantFrom(...all).map((c): Call => [{ fn: 'max', column: c }, plus(c, `max(${c})`)]),
  fc.constantFrom(...summed).map((c): Call => [{ fn: 'sum', column: c }, sumSql(c)]),
  fc.constantFrom(...summed).map((c): Call => [{ fn: 'mean', column: c }, `avg(${c})`]),
)

function plus(column: string, text: string): string {
  return floats.includes(column) ? `${text} + 0` : text
}

function sumSql(column: string): string {
  if (column.startsWith('d') || column === 'quarter') return `sum(${column})`
  return column === 'f64' ? `sum(${column}) + 0` : `sum(${column})::BIGINT`
}

const job = fc.record({
  rows: fc.constantFrom(0, 1, 2, 17, 300, 5000),
  rowGroupRows: fc.constantFrom(2048, 100_000),
  by: fc.uniqueArray(fc.constantFrom(...keys), { maxLength: 3 }),
  calls: fc.array(call, { minLength: 1, maxLength: 6 }),
  predicate: fc.constantFrom('true', 'true', 'id % 7 = 3', "word = 'a' or maybe", 'false'),
  place: fc.constantFrom('lanes', 'lanes', 'main'),
  mode: fc.constantFrom('streaming' as const, 'fragment' as const, 'batch' as const, 'auto' as const),
  batchRows: fc.constantFrom(7, 1000, 65_536),
  dictionary: fc.boolean(),
})

test('any aggregation gives what DuckDB gives, in the order of its keys', async () => {
  await fc.assert(
    fc.asyncProperty(
      job,
      async ({ rows, rowGroupRows, by, calls, predicate, place, mode, dictionary, ...rest }) => {
        const batchRows = rows > 1000 ? Math.max(500, rest.batchRows) : rest.batchRows
        const name = `${runs++}`
        const file = join(folder, `${name}.parquet`)
        await duckdb.query(
          `COPY (SELECT *, (id % 9 / 4)::DECIMAL(3, 2) AS quarter FROM (${everyType(rows)})) TO ${quote(file)}
         (FORMAT parquet, ROW_GROUP_SIZE ${rowGroupRows}, DICTIONARY_SIZE_LIMIT ${dictionary ? 10_000 : 1})`,
        )
        const functions = Object.fromEntries(calls.map(([ours], i) => [`a${i}`, ours]))
        const before: Operator[] = [
          filter(sql(predicate)),
          ...(place === 'main' ? [tap(() => {}) as Operator] : []),
        ]
        const out = `out-${name}.parquet`
        await source(store, { files: `${name}.parquet`, mode, batchRows })
          .pipe(...before)
          .pipe(aggregate({ by, ...functions } as never))
          .to(parquetFile(store, out))
        const found = await duckdb.query(`SELECT * FROM ${quote(join(folder, out))}`)

        const results = calls.map(([, text], i) => `${text} AS a${i}`)
        const grouped =
          by.length === 0
            ? ''
            : `GROUP BY ${by.join(', ')} ORDER BY ${by.map(k => `${k} NULLS LAST`).join(', ')}`
        const wanted = await duckdb.query(
          `SELECT ${[...by.map(k => `${plus(k, k)} AS ${k}`), ...results].join(', ')} FROM ${quote(file)} WHERE ${predicate} ${grouped}`,
        )
        assert.deepEqual(found.map(rounded(calls)), wanted.map(rounded(calls)))
      },
    ),
    { numRuns: cases(200), seed: 20260102 },
  )
})

/** Zeros without a sign, and means and sums of doubles with the digits that do not depend on the order of adding. */
function rounded(calls: readonly Call[]): (row: Record<string, unknown>) => Record<string, unknown> {
  return row =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => {
        if (typeof value !== 'number') return [name, value]
        const fn = /^a\d+$/.test(name) ? calls[Number(name.slice(1))]![0].fn : ''
        return [name, fn === 'mean' || fn === 'sum' ? Number(value.toPrecision(9)) : value + 0]
      }),
    )
}
