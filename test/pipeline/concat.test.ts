import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Field, Int64, Schema } from 'apache-arrow'
import {
  aggregate,
  concat,
  count,
  derive,
  drop,
  filter,
  fromBatches,
  limit,
  type Mode,
  mapBatches,
  openStore,
  type PartitionedParquetOptions,
  type Pipeline,
  partitionedParquet,
  project,
  rename,
  repartition,
  retry,
  type SluiceError,
  source,
  sql,
  sum,
  tap,
  throttle,
} from '../../src/index.ts'
import { quote } from '../support/duckdb.ts'
import { noPython, python } from '../support/python.ts'
import { assertSameRows, datasetSql, openWorkspace } from './support.ts'

const { folder, store, duckdb } = await openWorkspace({ after })
/** Two datasets with the same file names, other names and another order of columns: 3 files of 2,000 rows each. */
const ROWS = 6000
const LEFT = `SELECT i::BIGINT AS id, i // 2000 AS part, 'name ' || i % 50 AS few, i / 8 AS real FROM range(${ROWS}) AS t(i)`
const RIGHT = `SELECT 'name ' || i % 60 AS word, i::BIGINT + ${ROWS} AS key, CASE WHEN i % 9 > 0 THEN i / 4 END AS real,
  true AS extra, i // 2000 + 2 AS part FROM range(${ROWS}) AS t(i)`
const BOTH = `SELECT id, part, few, real FROM (${LEFT}) UNION ALL SELECT key, part, word, real FROM (${RIGHT})`
const NAMES = { word: 'few', key: 'id' } as const
/** No pages were decoded where bytes passed through. */
const NONE = { total: 0, pruned: 0 }
/** Half of what a row group may have: none is small. */
const NOT_SMALL = { passThrough: true, rowGroupRows: 4000 } as const

before(async () => {
  for (const [name, query] of Object.entries({ left: LEFT, right: RIGHT })) {
    mkdirSync(join(folder, name))
    for (const part of [0, 1, 2]) {
      const path = join(folder, name, `data-${part}.parquet`)
      const rows = `SELECT * FROM (${query}) LIMIT 2000 OFFSET ${part * 2000}`
      await duckdb.query(`COPY (${rows}) TO ${quote(path)} (FORMAT parquet, COMPRESSION zstd)`)
    }
  }
})

const left = (mode: Mode = 'streaming') => source(store.child('left'), { mode, batchRows: 700 })
/** A store of its own. */
const elsewhere = await openStore(join(folder, 'right'))
const right = () => source(elsewhere)
const both = (mode?: Mode) => concat(left(mode), right().pipe(drop('extra'), rename(NAMES)))

let outputs = 0
async function write(pipeline: Pipeline, options: PartitionedParquetOptions = {}) {
  const name = `out-${outputs++}`
  const report = await pipeline.to(partitionedParquet(store.child(name), options))
  return { report, path: join(folder, name), sql: datasetSql(join(folder, name), undefined) }
}

const idsOf = async (pipeline: Pipeline) => Array.from((await pipeline.collect()).getChild('id')!, Number)
const upTo = (end: number, start = 0) => Array.from({ length: end - start }, (_, i) => start + i)

describe('scans', () => {
  test('pass their row groups through, each with its names', async () => {
    const { report, sql: found } = await write(both(), NOT_SMALL)
    assert.deepEqual(report.rowGroups, { total: 6, pruned: 0, copied: 6, joined: 0 })
    assert.deepEqual([report.pages, report.lanes, report.rowsOut], [NONE, 0, 2 * ROWS])
    await assertSameRows(duckdb, found, BOTH)
    assert.deepEqual(
      (await both().explain({ sink: partitionedParquet(store.child('no'), NOT_SMALL) })).source.passThrough,
      {
        ...{ copied: 6, joined: 0, decoded: 0 },
      },
    )
  })

  test('have their small row groups joined across stores', async () => {
    const { report, sql: found } = await write(both())
    assert.deepEqual(report.rowGroups, { total: 6, pruned: 0, copied: 0, joined: 6 })
    assert.deepEqual([report.pages, report.files], [NONE, 1])
    await assertSameRows(duckdb, found, BOTH)
    const keyed = await write(both().pipe(rename({ part: 'p' }), repartition({ by: ['p'] })))
    assert.deepEqual(keyed.report.rowGroups, { total: 6, pruned: 0, copied: 4, joined: 2 })
    await assertSameRows(
      duckdb,
      `SELECT id, p AS part, few, real FROM (${datasetSql(keyed.path, undefined, { p: 'BIGINT' })})`,
      BOTH,
    )
  })

  test('come in order, in every mode', async () => {
    for (const mode of ['streaming', 'fragment', 'batch'] as const) {
      assert.deepEqual(await idsOf(both(mode)), upTo(2 * ROWS))
      const { sql: found } = await write(both(mode), { passThrough: false })
      await assertSameRows(duckdb, found, BOTH)
    }
    assert.deepEqual(await idsOf(concat(left(), left().pipe(filter('id < 3'))).pipe(limit(ROWS + 2))), [
      ...upTo(ROWS),
      ...upTo(2),
    ])
  })

  test('have filters pushed down, one’s own and those behind', async () => {
    const own = right().pipe(filter('key >= 10000'), project('real', 'part', 'word', 'key'), rename(NAMES))
    const pipeline = concat(left().pipe(filter('part > 0')), own).pipe(
      filter(sql('id < 2500 or id >= 11000')),
    )
    const { report, sql: found } = await write(pipeline)
    assert.deepEqual([report.rowGroups.total, report.rowGroups.pruned], [6, 4])
    const expected = `SELECT * FROM (${BOTH}) WHERE id BETWEEN 2000 AND 2499 OR id >= 11000`
    await assertSameRows(duckdb, found, expected)
    const { source: plan, pushed } = await pipeline.explain()
    assert.deepEqual([plan.rowGroups.pruned, pushed], [4, ['filter id < 2500 OR id >= 11000']])
    assert.ok(plan.source.includes(store.child('left').url) && plan.source.includes(elsewhere.url))
  })

  test('are aggregated in the lanes', async () => {
    const {
      source: plan,
      pushed,
      main,
    } = await both()
      .pipe(aggregate({ by: ['few'], n: count() }))
      .explain()
    assert.deepEqual([plan.rows, pushed.length, main], [2 * ROWS, 2, ['merge groups']])
    const { sql: found } = await write(
      both().pipe(aggregate({ by: ['few'], n: count('real'), total: sum('id') })),
    )
    await assertSameRows(
      duckdb,
      found,
      `SELECT few, count(real) AS n, sum(id)::BIGINT AS total FROM (${BOTH}) GROUP BY few`,
    )
  })

  test('of other widths: those that are narrower are decoded, the others pass', async () => {
    await duckdb.query(
      `COPY (SELECT -i::INTEGER AS id, i::FLOAT AS real FROM range(3000) AS t(i)) TO ${quote(join(folder, 'narrow.parquet'))} (FORMAT parquet)`,
    )
    const narrow = source(store, { files: 'narrow.parquet' })
    const wide = left().pipe(project('real', 'id'))
    const expected = `SELECT -i AS id, i::DOUBLE AS real FROM range(3000) AS t(i) UNION ALL SELECT id, real FROM (${LEFT})`
    const { report, sql: found } = await write(concat(narrow, wide), NOT_SMALL)
    assert.deepEqual(report.rowGroups, { total: 4, pruned: 0, copied: 3, joined: 0 })
    await assertSameRows(duckdb, found, expected)
    const filtered = await write(concat(narrow, wide).pipe(filter('id between -5 and 5')))
    await assertSameRows(duckdb, filtered.sql, `SELECT * FROM (${expected}) WHERE id BETWEEN -5 AND 5`)
  })

  test('of which one knows no type of a column, as pandas writes it', { skip: noPython }, async () => {
    await python(
      `
      import pyarrow as pa, pyarrow.parquet as pq
      known = pa.table({'few': ['a', None], 'at': pa.array([1, None], pa.timestamp('us')), 'day': pa.array([None, 2], pa.date32()), 'id': [1, 2]})
      pq.write_table(known, f'{input}/known.parquet')
      nulls = {name: pa.nulls(1) for name in ('few', 'at', 'day')}
      pq.write_table(pa.table({**nulls, 'id': [3]}), f'{input}/nulls.parquet')
      pq.write_table(pa.table({'l': [[1]]}), f'{input}/list.parquet')
      pq.write_table(pa.table({'l': pa.nulls(1)}), f'{input}/no-list.parquet')
      `,
      folder,
    )
    const file = (name: string) => source(store, { files: `${name}.parquet` })
    const known = `SELECT * FROM read_parquet(${quote(join(folder, 'known.parquet'))})`
    for (const pipeline of [concat(file('known'), file('nulls')), concat(file('nulls'), file('known'))]) {
      const { report, sql: found } = await write(pipeline, { passThrough: true, rowGroupRows: 4 })
      assert.equal(report.rowGroups.copied, 1)
      await assertSameRows(duckdb, found, `${known} UNION ALL SELECT NULL, NULL, NULL, 3`)
      assert.equal((await pipeline.pipe(filter('few is null')).collect()).numRows, 2)
    }
    await assert.rejects(concat(file('list'), file('no-list')).collect(), { code: 'schema', column: 'l' })
  })

  test('with computed columns, beside such as pass', async () => {
    const computed = right().pipe(
      project('key', 'part', 'real'),
      derive({ few: `'x'` }),
      rename({ key: 'id' }),
    )
    const { report, sql: found } = await write(concat(left(), computed, left()), NOT_SMALL)
    assert.deepEqual(report.rowGroups, { total: 9, pruned: 0, copied: 6, joined: 0 })
    await assertSameRows(
      duckdb,
      found,
      `SELECT * FROM (${LEFT}) UNION ALL SELECT key, part, 'x', real FROM (${RIGHT}) UNION ALL SELECT * FROM (${LEFT})`,
    )
  })

  test('of which one is itself made of several', async () => {
    const three = concat(both(), left()).pipe(drop('part'))
    const { report, sql: found } = await write(concat(three, three.pipe(filter('id < 10'))), NOT_SMALL)
    assert.deepEqual(report.rowGroups, { total: 18, pruned: 7, copied: 9, joined: 0 })
    const all = `SELECT id, few, real FROM (${BOTH} UNION ALL ${LEFT})`
    await assertSameRows(duckdb, found, `${all} UNION ALL SELECT * FROM (${all}) WHERE id < 10`)
    const derived = concat(both().pipe(derive({ id: 'id + 1' })), left())
    await assertSameRows(
      duckdb,
      (await write(derived)).sql,
      `SELECT * REPLACE (id + 1 AS id) FROM (${BOTH}) UNION ALL ${LEFT}`,
    )
  })

  test('in a job of several tasks that is resumed', async () => {
    const target = store.child('resumed')
    let files = 0
    const run = (stop: boolean, pipeline = both()) =>
      pipeline.to(
        partitionedParquet(target, {
          taskBytes: 1,
          fileName: ({ task, tag }) => {
            if (stop && ++files === 5) throw new Error('stop')
            return `task-${task}-${tag}.parquet`
          },
        }),
        { job: 'concat' },
      )
    await assert.rejects(run(true), /stop/)
    await assert.rejects(run(false, concat(both(), left())), { code: 'conflict' })
    const report = await run(false)
    assert.equal(report.files, 6)
    await assertSameRows(duckdb, datasetSql(join(folder, 'resumed'), undefined), BOTH)
  })

  test('are the same to Polars and PyArrow', { skip: noPython }, async () => {
    const paths = [(await write(both(), NOT_SMALL)).path, (await write(both())).path]
    const answers = await python(
      `
      import glob, polars as pl, pyarrow.parquet as pq
      right = pl.read_parquet(input['right']).select(pl.col('key').alias('id'), 'part', pl.col('word').alias('few'), 'real')
      want = pl.concat([pl.read_parquet(input['left']), right]).sort('id')
      result = []
      for path in input['paths']:
          files = glob.glob(path + '/*.parquet')
          for table in (pl.read_parquet(files), pl.from_arrow(pq.read_table(files[0]))):
              result.append(want.equals(table.sort('id')))
      `,
      { left: join(folder, 'left/*.parquet'), right: join(folder, 'right/*.parquet'), paths },
    )
    assert.deepEqual(answers, [true, true, true, true])
  })

  test('large enough for worker threads', async () => {
    const query = (
      offset: number,
    ) => `SELECT ${offset} + i AS id, (hash(i) // 2)::BIGINT AS noise, 'word ' || i % 1000 AS few
      FROM range(400_000) AS t(i)`
    for (const [name, offset] of [
      ['big-0', 0],
      ['big-1', 400_000],
    ] as const) {
      const path = quote(join(folder, `${name}.parquet`))
      await duckdb.query(`COPY (${query(offset)}) TO ${path} (FORMAT parquet, ROW_GROUP_SIZE 50_000)`)
    }
    const big = (files: string) => source(store, { files, lanes: 2 })
    const pipeline = concat(
      big('big-0.parquet').pipe(rename({ few: 'word' })),
      big('big-1.parquet').pipe(rename({ few: 'word' })),
    )
    const { report, sql: found } = await write(pipeline.pipe(filter('noise % 3 = 0')))
    assert.equal(report.lanes, 2)
    await assertSameRows(
      duckdb,
      found,
      `SELECT id, noise, few AS word FROM (${query(0)} UNION ALL ${query(400_000)}) WHERE noise % 3 = 0`,
    )
  })
})

describe('pipelines of other kinds', () => {
  const schema = new Schema([new Field('id', new Int64(), false)])

  test('come one after another, with operators that run on the main thread', async () => {
    let seen = 0
    const pipeline = concat(
      fromBatches(schema, left().pipe(project('id'), filter('id < 5'))),
      left().pipe(
        project('id'),
        limit(3),
        tap(batch => void (seen += batch.numRows)),
      ),
      right().pipe(
        throttle({ rowsPerSecond: 1e9 }),
        retry(),
        project('key'),
        rename({ key: 'id' }),
        filter('id < 6004'),
      ),
      left().pipe(aggregate({ id: count() })),
    )
    const expected = [...upTo(5), ...upTo(3), ...upTo(6004, 6000), ROWS]
    assert.deepEqual(await idsOf(pipeline), expected)
    assert.equal(seen, 3)
    assert.deepEqual(await idsOf(pipeline.pipe(filter('id >= 3'), limit(4))), [3, 4, 6000, 6001])
    const { sql: found, report } = await write(pipeline.pipe(filter('id <> 1')))
    assert.deepEqual([report.rowsOut, report.rowGroups.copied], [expected.length - 2, 0])
    await assertSameRows(
      duckdb,
      found,
      `SELECT id FROM (VALUES ${expected.filter(id => id !== 1).map(id => `(${id}::BIGINT)`)}) t(id)`,
    )
    const { source: plan } = await pipeline.explain()
    assert.deepEqual([plan.fragments.total, plan.rows], [9, undefined])
  })

  test('prune what they read', async () => {
    const pipeline = concat(left().pipe(limit(1)), right().pipe(drop('extra'), rename(NAMES))).pipe(
      filter('id >= 11000'),
    )
    assert.deepEqual(await idsOf(pipeline), upTo(12_000, 11_000))
    assert.equal((await pipeline.explain()).source.rowGroups.pruned, 2)
  })
})

describe('what does not fit is refused before any data is read', () => {
  const cases: [name: string, make: () => Pipeline, column: string, shown: string[]][] = [
    ['a column that one lacks', () => concat(left(), right()), 'id', ['right', 'left', 'rename()']],
    ['a column that others lack', () => concat(right().pipe(rename(NAMES)), left()), 'extra', ['left']],
    ['another case', () => concat(left(), left().pipe(rename({ id: 'ID' }))), 'id', ["Did you mean 'ID'?"]],
    [
      'another type',
      () => concat(left().pipe(project('id')), left().pipe(project('few'), rename({ few: 'id' }))),
      'id',
      ['Utf8', 'Int64', 'cast(id as int64)'],
    ],
    [
      'beside other kinds',
      () => concat(left().pipe(limit(1)), left().pipe(drop('few'))),
      'few',
      ['argument 2 of concat()'],
    ],
  ]
  for (const [name, make, column, shown] of cases) {
    test(name, async () => {
      await assert.rejects(make().collect(), (error: SluiceError) => {
        assert.deepEqual([error.code, error.column], ['schema', column])
        for (const text of shown) assert.ok(error.message.includes(text), error.message)
        return true
      })
    })
  }

  test('and what is no pipeline, or does not say its columns', () => {
    const refused = (make: () => unknown, option: string, shown: string) =>
      assert.throws(make, (error: SluiceError) => {
        assert.deepEqual([error.code, error.option], ['invalid-argument', option])
        assert.ok(error.message.includes(shown), error.message)
        return true
      })
    refused(() => concat(left(), 5 as never), 'argument 2 of concat()', 'number')
    refused(
      () => concat(left().pipe(mapBatches(batch => batch))),
      'argument 1 of concat()',
      'fromBatches(schema',
    )
    refused(
      () =>
        concat(
          left(),
          left().pipe(async function* own() {}),
        ),
      'argument 2 of concat()',
      'own',
    )
    refused(
      () => concat(left().pipe(repartition({ by: ['part'] }))),
      'argument 1 of concat()',
      'behind concat()',
    )
  })
})
