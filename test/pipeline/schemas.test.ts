import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import {
  type DataType,
  Decimal,
  Field,
  Float64,
  Int16,
  Int32,
  Int64,
  List,
  Struct,
  Uint64,
  Utf8,
} from 'apache-arrow'
import {
  concat,
  drop,
  filter,
  type Mode,
  openStore,
  type PartitionedParquetOptions,
  type Pipeline,
  parquetFile,
  partitionedParquet,
  project,
  repartition,
  type SluiceError,
  source,
  sql,
} from '../../src/index.ts'
import { onOneNode } from '../support/cases.ts'
import { corpus, noCorpus } from '../support/corpus.ts'
import { quote } from '../support/duckdb.ts'
import { noPython, python } from '../support/python.ts'
import { assertSameRows, datasetSql, openWorkspace } from './support.ts'

const { folder, store, duckdb } = await openWorkspace({ after })
const modes: readonly Mode[] = ['streaming', 'fragment', 'batch']
const ROWS = 9000
let outputs = 0
/** Half of what a row group may have: none is small. */
const NOT_SMALL = { passThrough: true, rowGroupRows: 4 } as const

/** Writes a file of each query, in this order, and gives the glob that matches them. */
async function files(queries: readonly string[], options = ''): Promise<string> {
  const name = `in-${outputs++}`
  for (const [i, query] of queries.entries()) {
    const path = join(folder, `${name}-${i}.parquet`)
    await duckdb.query(`COPY (${query}) TO ${quote(path)} (FORMAT parquet, ROW_GROUP_SIZE 2048 ${options})`)
  }
  return `${name}-*.parquet`
}

async function write(pipeline: Pipeline, options: PartitionedParquetOptions = {}) {
  const name = `out-${outputs++}`
  const report = await pipeline.to(partitionedParquet(store.child(name), options))
  return { report, sql: datasetSql(join(folder, name), undefined) }
}

const refused = (pipeline: Pipeline, column: string, ...shown: string[]) =>
  assert.rejects(pipeline.collect(), (error: SluiceError) => {
    assert.deepEqual([error.code, error.column], ['schema', column])
    for (const text of shown) assert.ok(error.message.includes(text), error.message)
    return true
  })

/** Widths in SQL: a value of row `i` and its narrow and wide types; the Arrow type that is declared. */
const widths: [value: string, narrow: string, wide: string, type: DataType][] = [
  ['i % 256 - 128', 'TINYINT', 'SMALLINT', new Int16()],
  ['i % 200 - 100', 'TINYINT', 'BIGINT', new Int64()],
  ['i - 4000', 'SMALLINT', 'INTEGER', new Int32()],
  ['(i - 4500) * 400000', 'INTEGER', 'BIGINT', new Int64()],
  ['i % 256', 'UTINYINT', 'SMALLINT', new Int16()],
  ['i * 477218', 'UINTEGER', 'BIGINT', new Int64()],
  ['i * 477218', 'UINTEGER', 'UBIGINT', new Uint64()],
  [
    "CASE i % 50 WHEN 0 THEN 'nan' WHEN 1 THEN '-inf' ELSE (i / 7)::VARCHAR END",
    'FLOAT',
    'DOUBLE',
    new Float64(),
  ],
  ['(i - 4500) / 16', 'DECIMAL(7, 3)', 'DECIMAL(16, 3)', new Decimal(3, 16)],
  ['(i - 4500) / 16', 'DECIMAL(9, 3)', 'DECIMAL(38, 3)', new Decimal(3, 38)],
]

describe('a file with a narrower column', { skip: onOneNode }, () => {
  for (const [value, narrow, wide, type] of widths) {
    test(`is read as ${wide} where it has ${narrow}, and passes its siblings through`, async () => {
      const table = (as: string, offset: number) => `SELECT ${offset} + i AS id,
        CASE WHEN i % 9 > 0 THEN (${value})::${narrow}::${as} END AS v FROM range(${ROWS}) AS t(i)`
      const glob = await files([table(narrow, 0), table(wide, ROWS)])
      const expected = `${table(wide, 0)} UNION ALL ${table(wide, ROWS)}`
      const all = (mode: Mode = 'streaming', batchRows = 500) =>
        source(store, { files: glob, schema: { v: type }, mode, batchRows })
      const copied = await write(all(), { passThrough: true, rowGroupRows: 4096 })
      const groups = Math.ceil(ROWS / 2048)
      assert.deepEqual(copied.report.rowGroups, { total: 2 * groups, pruned: 0, copied: groups, joined: 0 })
      await assertSameRows(duckdb, copied.sql, expected)
      const [half] = await duckdb.query(
        `SELECT quantile_disc(v, 0.9)::VARCHAR AS v FROM (${expected}) WHERE v = v`,
      )
      for (const mode of modes) {
        for (const condition of [
          `v >= cast('${half!['v']}' as ${wide})`,
          'v is null',
          'id = 3 and v is not null',
        ]) {
          const { sql: found } = await write(all(mode).pipe(filter(sql(condition))))
          await assertSameRows(duckdb, found, `SELECT * FROM (${expected}) WHERE ${condition}`)
        }
      }
    })
  }

  test('has its statistics, page index and bloom filters asked', { skip: noPython }, async () => {
    await python(
      `
      import pyarrow as pa, pyarrow.parquet as pq
      n = 8000
      values = [4294967295 - n + i for i in range(n)]
      table = lambda type: pa.table({'v': pa.array(values, type), 'id': pa.array(range(n), pa.int64())})
      pages = dict(row_group_size=2000, max_rows_per_page=100, write_batch_size=100, use_dictionary=False, write_page_index=True)
      pq.write_table(table(pa.uint32()), f'{input}/narrow.parquet', **pages)
      pq.write_table(table(pa.int64()), f'{input}/wide.parquet', **pages)
      `,
      folder,
    )
    await source(store, { files: 'narrow.parquet' }).to(
      parquetFile(store, 'bloomed.parquet', { bloomFilters: ['v'], rowGroupRows: 2000 }),
    )
    const found = async (name: string, condition: string) => {
      const pipeline = source(store, { files: name, schema: { v: new Int64() } }).pipe(filter(sql(condition)))
      const { report, sql: out } = await write(pipeline)
      const [{ ids }] = (await duckdb.query(`SELECT list(id ORDER BY id)::VARCHAR AS ids FROM (${out})`)) as [
        { ids: string },
      ]
      return { ids, pruned: [report.rowGroups.pruned, report.pages, report.bloomFilters.pruned] }
    }
    for (const condition of [
      'v > 4294967292',
      'v between 4294960000 and 4294960002',
      'v < 0',
      'v = 4294967296',
    ]) {
      assert.deepEqual(await found('narrow.parquet', condition), await found('wide.parquet', condition))
    }
    const { ids } = await found('bloomed.parquet', 'v in (4294967294, 4294967296)')
    assert.equal(ids, '[7999]')
    assert.equal((await found('bloomed.parquet', 'v in (-1, 4294967294)')).ids, '[7999]')
  })

  test('is told how to be declared where a later file is wider, and refused where no type has both', async () => {
    const cases: [first: string, later: string, shown: string][] = [
      ['1::INTEGER', '1::BIGINT', 'schema: { v: new Int64() }'],
      ['1::UINTEGER', '1::INTEGER', 'schema: { v: new Int64() }'],
      ['1::UTINYINT', '1::TINYINT', 'schema: { v: new Int16() }'],
      ['1::FLOAT', '1::DOUBLE', 'schema: { v: new Float64() }'],
      ['1::DECIMAL(5, 2)', '1::DECIMAL(9, 2)', 'schema: { v: new Decimal(2, 9) }'],
      ['1::DECIMAL(5, 2)', '1::DECIMAL(9, 3)', 'as sources of their own'],
      ['1::UBIGINT', '1::BIGINT', 'as sources of their own'],
      ['1::INTEGER', `'a'`, 'as sources of their own'],
      ['1::INTEGER', '1::DOUBLE', 'as sources of their own'],
    ]
    for (const [first, later, shown] of cases) {
      const glob = await files([`SELECT ${first} AS v`, `SELECT ${later} AS v`])
      await refused(source(store, { files: glob }), 'v', glob.replace('*', '1'), shown)
    }
    const declared = await files(['SELECT 1::BIGINT AS "v w"'])
    await refused(
      source(store, { files: declared, schema: { 'v w': new Int32() } }),
      'v w',
      'declared as Int32',
    )
  })
})

describe('a column that a file lacks', () => {
  const nested = `SELECT i AS id, 'word ' || i AS word, [i, NULL] AS list, {'a': i, 'b': ['x']} AS struct
    FROM range(100) AS t(i)`
  const bare = 'SELECT 1000 + i AS id FROM range(100) AS t(i)'

  test('is an error, or null', async () => {
    const glob = await files([nested, bare])
    await refused(source(store, { files: glob }), 'word', glob.replace('*', '1'), "missingColumns: 'null'")
    const expected = `SELECT * FROM (${nested}) UNION ALL BY NAME ${bare}`
    for (const mode of modes) {
      const all = () => source(store, { files: glob, missingColumns: 'null', mode, batchRows: 30 })
      await assertSameRows(duckdb, (await write(all())).sql, expected)
      const some = await write(all().pipe(filter(sql(`word > 'word 50'`))))
      assert.deepEqual(some.report.fragments, { total: 2, pruned: 1 })
      await assertSameRows(duckdb, some.sql, `SELECT * FROM (${expected}) WHERE word > 'word 50'`)
      const none = await write(all().pipe(filter('word is null'), project('id', 'word')))
      await assertSameRows(duckdb, none.sql, `SELECT id, NULL::VARCHAR AS word FROM (${bare})`)
    }
    // What is not needed is not missed.
    await assertSameRows(
      duckdb,
      (await write(source(store, { files: glob }).pipe(drop('word', 'list', 'struct')))).sql,
      `SELECT id FROM (${expected})`,
    )
  })

  test('may be declared, and be a key of which row groups pass through', async () => {
    const glob = await files([bare, nested])
    const item = new Field('element', new Int64(), true)
    const all: Pipeline = source(store, {
      files: glob,
      missingColumns: 'null',
      schema: { word: new Utf8(), list: new List(item) },
      mode: 'streaming',
    })
    await assertSameRows(
      duckdb,
      (await write(all)).sql,
      `SELECT id, word, list FROM (SELECT * FROM (${nested}) UNION ALL BY NAME ${bare})`,
    )
    await refused(source(store, { files: glob, schema: { wrod: new Utf8() } }), 'wrod', 'no such column')
    const target = `keyed-${outputs++}`
    const { rowGroups } = await all
      .pipe(project('id', 'word'), filter('word is null'), repartition({ by: ['word'] }))
      .to(partitionedParquet(store.child(target)))
    assert.equal(rowGroups.copied, 1)
    await assertSameRows(
      duckdb,
      `SELECT id, word FROM (${datasetSql(join(folder, target), undefined, { word: 'VARCHAR' })})`,
      `SELECT id, NULL::VARCHAR AS word FROM (${bare})`,
    )
  })

  test('or knows no type of, as pandas writes it', { skip: noPython }, async () => {
    await python(
      `
      import pyarrow as pa, pyarrow.parquet as pq
      pq.write_table(pa.table({'id': [1, 2], 'word': ['a', None]}), f'{input}/null-0.parquet')
      pq.write_table(pa.table({'id': [3, 4], 'word': pa.nulls(2)}), f'{input}/null-1.parquet')
      pq.write_table(pa.table({'id': [5], 'word': pa.nulls(1)}), f'{input}/first-0.parquet')
      pq.write_table(pa.table({'id': [6], 'word': ['b']}), f'{input}/first-1.parquet')
      `,
      folder,
    )
    const { sql: found } = await write(source(store, { files: 'null-*.parquet' }))
    await assertSameRows(
      duckdb,
      found,
      `SELECT * FROM (VALUES (1::BIGINT, 'a'), (2, NULL), (3, NULL), (4, NULL)) t(id, word)`,
    )
    await refused(source(store, { files: 'first-*.parquet' }), 'word', 'schema: { word: new Utf8() }')
    const declared = source(store, { files: 'first-*.parquet', schema: { word: new Utf8() } })
    await assertSameRows(
      duckdb,
      (await write(declared)).sql,
      `SELECT * FROM (VALUES (5::BIGINT, NULL), (6, 'b')) t(id, word)`,
    )
  })
})

test('a column that the source lacks is ignored, or an error', async () => {
  const glob = await files(['SELECT 1 AS id', `SELECT 2 AS id, 'x' AS "odd name"`])
  await assertSameRows(
    duckdb,
    (await write(source(store, { files: glob }))).sql,
    'SELECT * FROM (VALUES (1), (2)) t(id)',
  )
  const strict = source(store, { files: glob, extraColumns: 'error' })
  await refused(strict.pipe(project('id')), 'odd name', glob.replace('*', '1'), '{ "odd name": new Utf8() }')
  const declared = source(store, {
    files: glob,
    extraColumns: 'error',
    missingColumns: 'null',
    schema: { 'odd name': new Utf8() },
  })
  await assertSameRows(
    duckdb,
    (await write(declared)).sql,
    `SELECT * FROM (VALUES (1, NULL), (2, 'x')) t(id, "odd name")`,
  )
})

test('other words than those are refused', () => {
  for (const option of ['missingColumns', 'extraColumns']) {
    assert.throws(() => source(store, { [option]: 'maybe' }), { code: 'invalid-argument', option })
  }
})

test('a nested column has one type', async () => {
  const glob = await files([`SELECT {'a': 1::INTEGER} AS s`, `SELECT {'a': 1::BIGINT} AS s`])
  const type = new Struct([new Field('a', new Int64(), true)])
  await refused(source(store, { files: glob }), 's', 'as sources of their own')
  await refused(source(store, { files: glob, schema: { s: type } }), 's', 'is declared as')
})

test('a nested column may have nulls within in some files only', { skip: noPython }, async () => {
  await python(
    `
    import pyarrow as pa, pyarrow.parquet as pq
    def table(nullable, rows):
        item = pa.field('element', pa.int64(), nullable=nullable)
        type = pa.struct([pa.field('a', pa.int64(), nullable=nullable), pa.field('l', pa.list_(item), nullable=nullable)])
        return pa.table({'s': pa.array(rows, type), 'm': pa.array([[('k', 1)], None], pa.map_(pa.string(), pa.field('value', pa.int64(), nullable=nullable)))})
    pq.write_table(table(False, [{'a': 1, 'l': [1, 2]}, None]), f'{input}/required-0.parquet')
    pq.write_table(table(True, [{'a': None, 'l': None}, {'a': 3, 'l': [None, 4]}]), f'{input}/required-1.parquet')
    `,
    folder,
  )
  const expected = `SELECT * FROM read_parquet(${quote(join(folder, 'required-*.parquet'))})`
  const [strict, loose] = ['required-0.parquet', 'required-1.parquet'] as const
  await refused(
    source(store, { files: [strict, loose] }),
    's',
    loose,
    'new Field("element", new Int64(), true)',
  )
  const schema = await source(store, { files: loose }).schema()
  for (const pipeline of [
    source(store, { files: [loose, strict] }),
    source(store, { files: [strict, loose], schema }),
    concat(source(store, { files: strict }), source(store, { files: loose })),
  ]) {
    const { report, sql: found } = await write(pipeline, NOT_SMALL)
    assert.deepEqual(report.rowGroups, { total: 2, pruned: 0, copied: 1, joined: 0 })
    await assertSameRows(duckdb, found, expected)
    assert.equal((await pipeline.collect()).numRows, 4)
  }
})

describe('folders of DuckDB', { skip: noCorpus }, () => {
  const open = (name: string) => openStore(join(corpus, 'duckdb-hive-partitioning', name))

  test('union_by_name', async () => {
    const path = join(corpus, 'duckdb-hive-partitioning/union_by_name')
    const all: Pipeline = source(await open('union_by_name'), {
      missingColumns: 'null',
      schema: { k: new Int32(), x: new Int64() },
    })
    await assertSameRows(
      duckdb,
      (await write(all.pipe(project('i', 'j', 'k', 'x')))).sql,
      `SELECT i, j, k, x::BIGINT AS x FROM
       read_parquet(${quote(join(path, '**/*.parquet'))}, hive_partitioning = true, union_by_name = true)`,
    )
  })

  test('ci-column-names, where names that differ in case are different names', async () => {
    const all = source(await open('ci-column-names'))
    const rows = (await all.collect()).toArray().map(row => ({ ...row?.toJSON() }))
    assert.deepEqual(rows, [
      { col1: 'Hannes', col2: 2, COL1: 'Hannes' },
      { col1: 'Mark', col2: 1, COL1: 'Mark' },
    ])
    await refused(all.pipe(project('COL2')), 'COL2', "Did you mean 'col2'?")
  })
})
