import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { filter, partitionedParquet, source, sql } from '../../src/index.ts'
import { cases } from '../support/cases.ts'
import { quote } from '../support/duckdb.ts'
import { noPython, python } from '../support/python.ts'
import { assertSameRows, datasetSql, openWorkspace } from './support.ts'

const { folder, store, duckdb } = await openWorkspace({ after })
let runs = 0

/** Ways in which PyArrow is told to write the same rows. */
const layouts: Record<string, string> = {
  'one page a chunk': "compression='zstd'",
  'many pages': "data_page_size=2000, write_batch_size=50, write_page_index=True, compression='snappy'",
  'many pages, no index': "data_page_size=2000, write_batch_size=50, compression='none'",
  'page v2': "data_page_size=1500, write_batch_size=30, write_page_index=True, data_page_version='2.0'",
  'dictionaries given up':
    'dictionary_pagesize_limit=700, data_page_size=3000, write_batch_size=50, write_page_index=True',
  'no dictionaries': 'use_dictionary=False, data_page_size=4000, write_batch_size=100, write_page_index=True',
  'no dictionaries, page v2, no index':
    "use_dictionary=False, data_page_size=4000, write_batch_size=100, data_page_version='2.0'",
  'other encodings': `use_dictionary=False, data_page_size=2000, write_batch_size=50, write_page_index=True,
    column_encoding={'id': 'DELTA_BINARY_PACKED', 'key': 'DELTA_BINARY_PACKED', 'word': 'DELTA_BYTE_ARRAY',
      'text': 'DELTA_LENGTH_BYTE_ARRAY', 'real': 'BYTE_STREAM_SPLIT', 'flag': 'RLE'}`,
  'bloom filters':
    "write_page_index=True, bloom_filter_options={'key': True, 'word': True, 'text': True, 'day': True}",
  'no statistics': 'write_statistics=False, data_page_size=2000, write_batch_size=50, write_page_index=True',
}

before(async () => {
  if (noPython) return
  await python(
    `
    import pyarrow as pa, pyarrow.parquet as pq, decimal, random
    random.seed(7)
    n = 6000
    def some(value, share=0.1): return None if random.random() < share else value
    t = pa.table({
        'id': pa.array(range(n), pa.int64()),
        'key': pa.array([some(random.randrange(1000) * 3) for i in range(n)], pa.int32()),
        # Pages and row groups of nothing but nulls.
        'gaps': pa.array([None if i % 2000 < 700 or i > 4000 else i // 10 for i in range(n)], pa.int32()),
        'word': pa.array([some(f'word {i // 500}') for i in range(n)]),
        # Bounds of more than 64 bytes, alike in the beginning.
        'text': pa.array([some('x' * 70 + chr(0x4e00 + random.randrange(300)) + str(i // 100)) for i in range(n)]),
        'real': pa.array([some([float('nan'), -0.0, 0.0, i / 8][min(3, random.randrange(12))]) for i in range(n)]),
        'single': pa.array([some(float(random.randrange(50)) / 2) for i in range(n)], pa.float32()),
        'flag': pa.array([some(i // 900 % 2 == 0) for i in range(n)]),
        'day': pa.array([some(i // 30) for i in range(n)], pa.int32()).cast(pa.date32()),
        'moment': pa.array([i * 1_000_003 for i in range(n)], pa.timestamp('us')),
        'price': pa.array([some(decimal.Decimal(random.randrange(4000)) / 100) for i in range(n)], pa.decimal128(20, 2)),
        'fixed': pa.array([some(bytes([65 + i // 300] * 4)) for i in range(n)], pa.binary(4)),
    })
    for name, options in input['layouts'].items():
        pq.write_table(t, f"{input['folder']}/{name}.parquet", row_group_size=2000, **eval(f'dict({options})'))
    `,
    { folder, layouts },
  )
  // A table, since DuckDB takes no NaN to be where a file's statistics speak of none.
  await duckdb.query(`CREATE TABLE rows AS SELECT * FROM ${quote(join(folder, 'one page a chunk.parquet'))}`)
})

const constants = {
  id: ['0', '1999', '2000', '3456', '-1', '9000'],
  key: ['0', '3', '1', '1500', '2997', '2998'],
  gaps: ['70', '199', '270', '350', '9999'],
  word: ["'word 3'", "'word 11'", "'word 99'", "''"],
  text: [`'${'x'.repeat(70)}三0'`, "'x'", `'${'x'.repeat(70)}\u5000'`, "'y'"],
  real: ['0', '-0.0', "'NaN'::double", '375.125', '100', '1e9'],
  single: ['0.5', '24.5', '25', '3'],
  day: ["'1970-03-01'", "'1970-07-19'", "'1971-01-01'"],
  moment: ["'1970-01-01 01:00:00'", "'1970-01-01 00:30:00.09'"],
  price: ['0.01', '12.34', '39.99', '40'],
}
const comparison = fc
  .constantFrom(...(Object.keys(constants) as (keyof typeof constants)[]))
  .chain(column => {
    const value = fc.constantFrom(...constants[column])
    return fc.oneof(
      fc
        .tuple(fc.constantFrom('=', '=', '=', '<>', '<', '<=', '>', '>='), value)
        .map(([op, v]) => `${column} ${op} ${v}`),
      fc.array(value, { minLength: 1, maxLength: 3 }).map(values => `${column} in (${values.join(', ')})`),
      fc.constantFrom(`${column} is null`, `${column} is not null`),
    )
  })
const single = fc.oneof(
  { weight: 6, arbitrary: comparison },
  fc.constantFrom(
    'flag',
    'not flag',
    "word like 'word 1%'",
    `text like '${'x'.repeat(70)}三%'`,
    'id % 997 = 3',
    'length(word) = 7',
  ),
)
const predicate = fc.oneof(
  single,
  fc.tuple(single, single).map(([a, b]) => `${a} and ${b}`),
  fc.tuple(single, single).map(([a, b]) => `(${a} or ${b})`),
  fc.tuple(single, single, single).map(([a, b, c]) => `${a} and not (${b} and ${c})`),
)

describe('filters give the rows that DuckDB gives', { skip: noPython }, () => {
  for (const layout of Object.keys(layouts)) {
    test(layout, async () => {
      await fc.assert(
        fc.asyncProperty(
          predicate,
          fc.constantFrom('streaming' as const, 'fragment' as const, 'batch' as const),
          fc.constantFrom(70, 1000, 65_536),
          async (condition, mode, batchRows) => {
            const file = `${layout}.parquet`
            const out = `out-${runs++}`
            const report = await source(store, { files: file, mode, batchRows })
              .pipe(filter(sql(condition)))
              .to(partitionedParquet(store.child(out)))
            const expected = `SELECT * FROM rows WHERE ${condition}`
            const found =
              report.files === 0
                ? `SELECT * FROM (${expected}) LIMIT 0`
                : datasetSql(join(folder, out), undefined)
            await assertSameRows(duckdb, found, expected)
            assert.ok(report.rowsIn <= 6000)
          },
        ),
        { numRuns: cases(40), seed: 20260101 },
      )
    })
  }
})
