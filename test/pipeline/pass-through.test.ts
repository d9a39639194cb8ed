import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import {
  derive,
  filter,
  type Mode,
  mapBatches,
  type PartitionedParquetOptions,
  type Pipeline,
  parquetFile,
  partitionedParquet,
  project,
  RequestCounts,
  type RunReport,
  repartition,
  source,
  sql,
  withObserver,
} from '../../src/index.ts'
import { quote } from '../support/duckdb.ts'
import { noPython, python } from '../support/python.ts'
import { assertSameRows, datasetSql, openWorkspace } from './support.ts'

const { folder, store, duckdb } = await openWorkspace({ after })
const ROWS = 24_000
/** Three files of two row groups. Days are apart, `few` repeats, `real` has nulls. */
const TABLE = `SELECT i::BIGINT AS id, DATE '2024-01-01' + (i // 4000)::INT AS day, 'name ' || i % 50 AS few,
  CASE WHEN i % 10 > 0 THEN i / 8 END AS real, 'text ' || hash(i) AS text FROM range(${ROWS}) AS t(i)`
const COLUMNS = ['id', 'day', 'few', 'real', 'text']
/** No pages were decoded where bytes passed through. */
const NONE = { total: 0, pruned: 0 }

const copyTo = (name: string, query: string, options = ''): Promise<unknown> =>
  duckdb.query(`COPY (${query}) TO ${quote(join(folder, name))} (FORMAT parquet, ${options})`)

before(async () => {
  for (const part of [0, 1, 2]) {
    await copyTo(
      `large-${part}.parquet`,
      `${TABLE} WHERE i >= ${part * 8000} AND i < ${part * 8000 + 8000}`,
      'ROW_GROUP_SIZE 4096, COMPRESSION zstd',
    )
  }
  for (let part = 0; part < 24; part++) {
    await copyTo(
      `small-${part}.parquet`,
      `${TABLE} WHERE i >= ${part * 1000} AND i < ${part * 1000 + 1000}`,
      'COMPRESSION snappy',
    )
  }
  const all = source(store, { files: 'large-*.parquet', mode: 'batch' })
  await all.to(
    parquetFile(store, 'indexed.parquet', {
      rowGroupRows: 4000,
      pageRows: 500,
      bloomFilters: ['few', 'text'],
    }),
  )
  await all.to(parquetFile(store, 'by-day.parquet', { rowGroupRows: 4000 }))
})

let outputs = 0
/** Runs a pipeline into a dataset of its own. */
async function write(
  pipeline: Pipeline,
  options: PartitionedParquetOptions = {},
): Promise<{ report: RunReport; path: string }> {
  const name = `out-${outputs++}`
  const report = await pipeline.to(partitionedParquet(store.child(name), options))
  return { report, path: join(folder, name) }
}

const large = (mode: Mode = 'streaming') => source(store, { files: 'large-*.parquet', mode })
const small = () => source(store, { files: 'small-*.parquet', mode: 'streaming' })

/** Half of what a row group may have: none is small. */
const NOT_SMALL = { passThrough: true, rowGroupRows: 8192 } as const

describe('row groups are copied', () => {
  test('with their statistics, page indexes and bloom filters, as a full rewrite has them', async () => {
    const name = 'copied.parquet'
    const report = await source(store, { files: 'indexed.parquet' })
      .pipe(project('text', 'id', 'few', 'real'))
      .to(parquetFile(store, name, NOT_SMALL))
    assert.deepEqual(report.rowGroups, { total: 6, pruned: 0, copied: 6, joined: 0 })
    assert.deepEqual([report.pages, report.rowsIn, report.rowsOut, report.lanes], [NONE, ROWS, ROWS, 0])
    const read = `FROM read_parquet(${quote(join(folder, name))})`
    const columns = 'text, id, few, real'
    await assertSameRows(duckdb, read, `SELECT ${columns} FROM (${TABLE})`)
    for (const where of [`text = 'text ' || hash(7777)`, 'id BETWEEN 4000 AND 4002', 'real IS NULL']) {
      await assertSameRows(
        duckdb,
        `${read} WHERE ${where}`,
        `SELECT ${columns} FROM (${TABLE}) WHERE ${where}`,
      )
    }
    const described = (file: string) =>
      duckdb.query(`SELECT path_in_schema, row_group_id, num_values, stats_null_count, stats_distinct_count, stats_min_value,
        stats_max_value, compression, encodings, total_compressed_size, bloom_filter_length
        FROM parquet_metadata(${quote(join(folder, file))}) WHERE path_in_schema != 'day' ORDER BY ALL`)
    assert.deepEqual(await described(name), await described('indexed.parquet'))
    const reached = async (file: string) => {
      const pages = await source(store, { files: file })
        .pipe(filter(sql('id between 9000 and 9010')))
        .to(parquetFile(store, `found-${file}`))
      const bloom = await source(store, { files: file })
        .pipe(filter(sql(`few = 'name x'`)))
        .to(parquetFile(store, `bloomed-${file}`))
      return [pages.rowsOut, pages.rowGroups.pruned, pages.pages.pruned > 0, bloom.bloomFilters]
    }
    assert.deepEqual(await reached(name), await reached('indexed.parquet'))
  })

  test('into the partition that all of their rows are in', async () => {
    const { report, path } = await write(
      source(store, { files: 'by-day.parquet' }).pipe(
        filter(sql('id >= 4000')),
        repartition({ by: ['day'] }),
      ),
      { passThrough: true, rowGroupRows: 4000 },
    )
    assert.deepEqual(report.rowGroups, { total: 6, pruned: 1, copied: 5, joined: 0 })
    assert.deepEqual([report.pages, report.partitions], [NONE, 5])
    await assertSameRows(
      duckdb,
      `SELECT id, day, few, real, text FROM (${datasetSql(path, undefined, { day: 'DATE' })})`,
      `${TABLE} WHERE i >= 4000`,
    )
  })

  test('and those that have to be changed are decoded beside them', async () => {
    const byDay = await write(
      large().pipe(filter(sql('id >= 5000')), repartition({ by: ['day'] })),
      NOT_SMALL,
    )
    // The first of each file has rows of two days.
    assert.deepEqual(byDay.report.rowGroups, { total: 6, pruned: 1, copied: 2, joined: 0 })
    const flat = await write(large().pipe(filter(sql('id >= 5000'))), NOT_SMALL)
    assert.deepEqual(flat.report.rowGroups, { total: 6, pruned: 1, copied: 4, joined: 0 })
    assert.equal(flat.report.rowsOut, ROWS - 5000)
    const expected = `${TABLE} WHERE i >= 5000`
    await assertSameRows(duckdb, datasetSql(flat.path, COLUMNS), expected)
    await assertSameRows(
      duckdb,
      `SELECT id, day, few, real, text FROM (${datasetSql(byDay.path, undefined, { day: 'DATE' })})`,
      expected,
    )
  })

  test('with nested columns', async () => {
    const query = `SELECT *, CASE WHEN id % 5 > 0 THEN [id, NULL, 1] END AS list, {'a': few, 'b': [real]} AS struct FROM (${TABLE})`
    await copyTo('nested.parquet', query, 'ROW_GROUP_SIZE 6144')
    const { report, path } = await write(
      source(store, { files: 'nested.parquet' }).pipe(project('struct', 'id', 'list')),
      NOT_SMALL,
    )
    assert.deepEqual(report.rowGroups, { total: 4, pruned: 0, copied: 4, joined: 0 })
    await assertSameRows(duckdb, datasetSql(path, undefined), `SELECT struct, id, list FROM (${query})`)
  })
})

describe('row groups larger than the budget', () => {
  const table = `SELECT i AS id, hash(i) AS noise, hash(i, 1) AS other FROM range(2048000) AS t(i)`
  const memory = '32MiB'

  test('are copied within it', async () => {
    await copyTo('huge.parquet', table, 'ROW_GROUP_SIZE 2048000, COMPRESSION uncompressed')
    const { report, path } = await write(source(store, { files: 'huge.parquet', memory, mode: 'streaming' }))
    assert.deepEqual(report.rowGroups, { total: 1, pruned: 0, copied: 1, joined: 0 })
    assert.ok(report.bytesWritten > 40 * 2 ** 20)
    assert.ok(report.budgetHighWaterBytes <= 32 * 2 ** 20, `${report.budgetHighWaterBytes} bytes`)
    await assertSameRows(duckdb, datasetSql(path, undefined), table)
  })

  test('of several partitions at once, beside others that are decoded', async () => {
    const keyed = `SELECT *, id // 409600 AS part FROM (${table})`
    await copyTo('parts.parquet', keyed, 'ROW_GROUP_SIZE 204800, COMPRESSION uncompressed')
    const { report, path } = await write(
      source(store, { files: 'parts.parquet', memory, mode: 'streaming' }).pipe(
        filter(sql('id < 2000000')),
        repartition({ by: ['part'] }),
      ),
    )
    assert.deepEqual(report.rowGroups, { total: 10, pruned: 0, copied: 9, joined: 0 })
    await assertSameRows(
      duckdb,
      datasetSql(path, ['id', 'noise', 'other', 'part'], { part: 'BIGINT' }),
      `SELECT * FROM (${keyed}) WHERE id < 2000000`,
    )
  })
})

describe('small row groups are joined', () => {
  test('of many files to one, without a page of plain values decoded', async () => {
    const { report, path } = await write(small())
    assert.deepEqual(report.rowGroups, { total: 24, pruned: 0, copied: 0, joined: 24 })
    assert.deepEqual([report.pages, report.files], [NONE, 1])
    await assertSameRows(duckdb, datasetSql(path, undefined), TABLE)
    const [{ groups }] = (await duckdb.query(
      `SELECT count(DISTINCT row_group_id)::INT AS groups FROM parquet_metadata(${quote(join(path, '*.parquet'))})`,
    )) as [{ groups: number }]
    assert.equal(groups, 1)
  })

  test('each to those of its partition', async () => {
    const { report, path } = await write(small().pipe(repartition({ by: ['day'] })))
    assert.deepEqual(report.rowGroups, { total: 24, pruned: 0, copied: 0, joined: 24 })
    assert.deepEqual([report.partitions, report.files], [6, 6])
    await assertSameRows(
      duckdb,
      `SELECT id, day, few, real, text FROM (${datasetSql(path, undefined, { day: 'DATE' })})`,
      TABLE,
    )
  })

  test('unless they are compressed differently: then they are decoded', async () => {
    await copyTo('mixed-0.parquet', `${TABLE} WHERE i < 1000`, 'COMPRESSION zstd')
    await copyTo('mixed-1.parquet', `${TABLE} WHERE i BETWEEN 1000 AND 1999`, 'COMPRESSION gzip')
    const { report, path } = await write(source(store, { files: 'mixed-*.parquet' }))
    assert.deepEqual(report.rowGroups, { total: 2, pruned: 0, copied: 0, joined: 0 })
    await assertSameRows(duckdb, datasetSql(path, undefined), `${TABLE} WHERE i < 2000`)
  })

  test('where files have their columns in other orders', async () => {
    await copyTo(
      'order-0.parquet',
      `SELECT id, real, few FROM (${TABLE}) WHERE id < 1000`,
      'COMPRESSION zstd',
    )
    await copyTo(
      'order-1.parquet',
      `SELECT few, id, text, real FROM (${TABLE}) WHERE id BETWEEN 1000 AND 1999`,
      'COMPRESSION zstd',
    )
    const { report, path } = await write(source(store, { files: 'order-*.parquet' }))
    assert.deepEqual(report.rowGroups, { total: 2, pruned: 0, copied: 0, joined: 2 })
    await assertSameRows(
      duckdb,
      datasetSql(path, undefined),
      `SELECT id, real, few FROM (${TABLE}) WHERE id < 2000`,
    )
  })
})

describe('small files are read whole', () => {
  test('in one request each', async () => {
    const counts = new RequestCounts()
    const observed = withObserver(store, counts.add)
    const { path } = await write(source(observed, { files: 'small-*.parquet', mode: 'streaming' }))
    // The footer of the first one tells the schema.
    assert.equal(counts.requests.getRanges, 25)
    await assertSameRows(duckdb, datasetSql(path, undefined), TABLE)
  })

  test('unless little of them is wanted', async () => {
    const counts = new RequestCounts()
    const observed = withObserver(store, counts.add)
    const input = source(observed, { files: 'small-*.parquet', mode: 'streaming' })
    const { path } = await write(input.pipe(project('id')))
    assert.equal(counts.requests.getRanges, 48)
    await assertSameRows(duckdb, datasetSql(path, undefined), `SELECT id FROM (${TABLE})`)
  })

  test('and what is kept of them outlives the memory that they were in', async () => {
    for (let part = 0; part < 12; part++) {
      await source(store, { files: 'large-*.parquet', mode: 'batch' })
        .pipe(filter(sql(`id >= ${part * 2000} and id < ${part * 2000 + 2000}`)))
        .to(parquetFile(store, `piece-${String(part).padStart(2, '0')}.parquet`, { pageRows: 100 }))
    }
    const report = await source(store, { files: 'piece-*.parquet' }).to(
      parquetFile(store, 'pieces.parquet', { passThrough: true, rowGroupRows: 4000 }),
    )
    assert.equal(report.rowGroups.copied, 12)
    const found = await write(source(store, { files: 'pieces.parquet' }).pipe(filter(sql('id % 1000 = 7'))))
    await assertSameRows(duckdb, datasetSql(found.path, undefined), `${TABLE} WHERE i % 1000 = 7`)
    for (const id of [50, 7777, 23_999]) {
      const one = await write(source(store, { files: 'pieces.parquet' }).pipe(filter(sql(`id = ${id}`))))
      assert.deepEqual([one.report.rowsOut, one.report.rowsIn], [1, 100])
    }
  })
})

describe('everything is decoded', () => {
  for (const [name, options] of [
    ['passThrough is off', { passThrough: false }],
    ['an option says how columns are stored', { compression: 'gzip' }],
  ] as const) {
    test(`where ${name}`, async () => {
      const { report, path } = await write(small(), options)
      assert.deepEqual(report.rowGroups, { total: 24, pruned: 0, copied: 0, joined: 0 })
      assert.ok(report.pages.total > 0)
      await assertSameRows(duckdb, datasetSql(path, undefined), TABLE)
    })
  }

  test('where a column is computed', async () => {
    const { report, path } = await write(small().pipe(derive({ id: sql('id + 1') })))
    assert.deepEqual([report.rowGroups.copied, report.rowGroups.joined], [0, 0])
    await assertSameRows(
      duckdb,
      datasetSql(path, COLUMNS),
      `SELECT id + 1 AS id, day, few, real, text FROM (${TABLE})`,
    )
  })
})

describe('explain() tells before what the report tells after', () => {
  const byDay = () => source(store, { files: 'by-day.parquet' })
  for (const [name, pipeline, options] of [
    ['copied', large(), NOT_SMALL],
    ['joined', small(), {}],
    ['copied, and decoded where a filter is in doubt', large().pipe(filter(sql('id >= 5000'))), NOT_SMALL],
    [
      'copied into partitions',
      byDay().pipe(repartition({ by: ['day'] })),
      { ...NOT_SMALL, rowGroupRows: 4000 },
    ],
    ['decoded: small, and of more than one partition', large().pipe(repartition({ by: ['few'] })), {}],
    ['decoded: an option says how', small(), { compression: 'gzip' }],
    ['decoded: a column is computed', small().pipe(derive({ id: sql('id + 1') })), {}],
    ['decoded: a function of the user', small().pipe(mapBatches(batch => batch)), {}],
    ['decoded: file by file', large('fragment'), NOT_SMALL],
  ] as [string, Pipeline, PartitionedParquetOptions][]) {
    test(name, async () => {
      const sink = partitionedParquet(store.child(`out-${outputs++}`), options)
      const plan = await pipeline.explain({ sink })
      const { rowGroups, lanes } = await pipeline.to(sink)
      const { total, pruned, copied, joined } = rowGroups
      const counts = { copied, joined, decoded: total - pruned - copied - joined }
      assert.deepEqual(plan.source.passThrough, counts)
      assert.equal(plan.source.lanes, lanes)
      assert.equal(
        plan.toString().match(/^pass .*$/m)?.[0],
        `pass through ${copied} row groups as bytes, join ${joined}, decode ${counts.decoded}`,
      )
    })
  }

  test('without a sink it says nothing of that', async () => {
    const plan = await large().explain()
    assert.equal(plan.source.passThrough, undefined)
    assert.doesNotMatch(plan.toString(), /pass through/)
  })
})

test('what passed through is the same to Polars and PyArrow', { skip: noPython }, async () => {
  const joined = await write(small())
  const copied = await write(source(store, { files: 'indexed.parquet' }), NOT_SMALL)
  assert.equal(copied.report.rowGroups.copied, 6)
  const answers = await python(
    `
    import glob, polars as pl, pyarrow.parquet as pq
    want = pl.read_parquet(input['from']).sort('id')
    result = []
    for path in input['paths']:
        files = glob.glob(path + '/*.parquet')
        for table in (pl.read_parquet(files), pl.from_arrow(pq.read_table(files[0]))):
            result.append(want.equals(table.sort('id')))
    `,
    { from: join(folder, 'large-*.parquet'), paths: [joined.path, copied.path] },
  )
  assert.deepEqual(answers, [true, true, true, true])
})
