import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import {
  derive,
  drop,
  filter,
  limit,
  mapBatches,
  type Operator,
  type Pipeline,
  parquetFile,
  partitionedParquet,
  project,
  rename,
  repartition,
  type SluiceError,
  source,
  sql,
} from '../../src/index.ts'
import { cases } from '../support/cases.ts'
import { quote } from '../support/duckdb.ts'
import { noPython, python } from '../support/python.ts'
import { assertSameRows, datasetSql, ident, openWorkspace } from './support.ts'

const { folder, store, duckdb } = await openWorkspace({ after })
const ROWS = 12_000
const TABLE = `SELECT i::BIGINT AS id, i // 4000 AS part, 'name ' || i % 50 AS few, 'text ' || hash(i) AS text,
  CASE WHEN i % 10 > 0 THEN i / 8 END AS real, CASE WHEN i % 5 > 0 THEN {'a': i, 'few': [i, NULL]} END AS nest
  FROM range(${ROWS}) AS t(i)`
/** No pages were decoded where bytes passed through. */
const NONE = { total: 0, pruned: 0 }
/** Half of what a row group may have: none is small. */
const NOT_SMALL = { passThrough: true, rowGroupRows: 6000 } as const

before(async () => {
  await duckdb.query(`COPY (${TABLE}) TO ${quote(join(folder, 'plain.parquet'))} (FORMAT parquet)`)
  const plain = source(store, { files: 'plain.parquet' })
  await plain.to(
    parquetFile(store, 'all.parquet', { rowGroupRows: 3000, pageRows: 500, bloomFilters: ['few', 'text'] }),
  )
  await plain
    .pipe(repartition({ by: ['part'], maxRowsPerFile: 2000 }))
    .to(partitionedParquet(store.child('hive'), { rowGroupRows: 2000 }))
})

const all = () => source(store, { files: 'all.parquet', mode: 'streaming' })
const hive = () => source(store.child('hive'), { mode: 'streaming' })

let outputs = 0
async function toFile(pipeline: Pipeline, options = {}) {
  const name = `out-${outputs++}.parquet`
  const report = await pipeline.to(parquetFile(store, name, options))
  const path = join(folder, name)
  return { report, name, path, sql: `SELECT * FROM read_parquet(${quote(path)})` }
}

const namesOf = async (pipeline: Pipeline) => (await pipeline.schema()).fields.map(({ name }) => name)

describe('columns', () => {
  test('get other names in their places, all at once', async () => {
    assert.deepEqual(await namesOf(all().pipe(drop('nest', 'few'))), ['id', 'part', 'text', 'real'])
    const pipeline = all().pipe(drop('nest'), rename({ id: 'text', text: 'id', real: 'number' }))
    assert.deepEqual(await namesOf(pipeline), ['text', 'part', 'few', 'id', 'number'])
    const expected = `SELECT id AS text, part, few, text AS id, real AS number FROM (${TABLE})`
    await assertSameRows(duckdb, (await toFile(pipeline)).sql, expected)
    const main = pipeline.pipe(mapBatches(batch => batch))
    const again = main.pipe(rename({ id: 'x' }), drop('number', 'few'))
    await assertSameRows(
      duckdb,
      (await toFile(again)).sql,
      `SELECT id AS text, part, text AS x FROM (${TABLE})`,
    )
  })

  test('that are projected one after the other', async () => {
    const { sql: found } = await toFile(all().pipe(project('id', 'few', 'real'), project('real', 'id')))
    await assertSameRows(duckdb, found, `SELECT real, id FROM (${TABLE})`)
  })

  test('that are computed without the one that they replace keep its place', async () => {
    const operators = [filter('part < 2'), derive({ few: 'id * 2' }), drop('part')] as const
    const computed = project('id', 'few', 'part')
    const expected = `SELECT id, id * 2 AS few FROM (${TABLE}) WHERE part < 2`
    const lanes = all().pipe(computed, ...operators)
    const main = all().pipe(
      computed,
      mapBatches(batch => batch),
      ...operators,
    )
    for (const pipeline of [lanes, main, main.pipe(limit(ROWS))]) {
      await assertSameRows(duckdb, (await toFile(pipeline)).sql, expected)
    }
    const constant = all().pipe(filter('part < 2'), drop('part'), derive({ one: '1' }), project('one'))
    await assertSameRows(duckdb, (await toFile(constant)).sql, `SELECT 1::BIGINT AS one FROM range(8000)`)
  })

  const mistakes: [name: string, operator: Operator, column: string | undefined, shown: string][] = [
    ['no column to rename', rename({ fwe: 'x' }), 'fwe', "Did you mean 'few'?"],
    ['no column to drop', drop('rael'), 'rael', "Did you mean 'real'?"],
    ['none left', drop('id', 'part', 'few', 'text', 'real', 'nest'), undefined, 'no column would be left'],
    ['two with one name', rename({ id: 'x', part: 'x' }), 'id', "renamed to 'x'"],
    ['a name that another has', rename({ id: 'few' }), 'id', "the column 'few'"],
  ]
  for (const [name, operator, column, shown] of mistakes) {
    test(`fail before anything is read: ${name}`, async () => {
      await assert.rejects(all().pipe(operator).collect(), (error: SluiceError) => {
        assert.deepEqual([error.code, error.column], ['schema', column])
        assert.ok(error.message.includes(shown), error.message)
        return true
      })
    })
  }

  test('are shown by explain() and part of what a job is', async () => {
    const plan = await all()
      .pipe(rename({ id: 'key', few: 'id' }), drop('nest', 'text'), filter(sql('key < 100')))
      .explain()
    assert.deepEqual(plan.pushed, ['rename id to key, few to id', 'drop nest, text', 'filter key < 100'])
    assert.deepEqual(plan.source.columns, ['id', 'part', 'few', 'real'])
    const run = (to: string) =>
      all()
        .pipe(rename({ id: to }))
        .to(partitionedParquet(store.child('job')), { job: 'rename' })
    await run('a')
    await assert.rejects(run('b'), { code: 'conflict' })
  })
})

describe('a filter behind a rename', () => {
  test('prunes files, row groups, pages and by bloom filters', async () => {
    const filters: [condition: string, original: string][] = [
      ['few between 4100 and 4110', 'id between 4100 and 4110'],
      [`id = 'name x'`, `few = 'name x'`],
      [`id in ('name 7', 'name 8') and not few < 11000`, `few in ('name 7', 'name 8') and not id < 11000`],
    ]
    for (const [condition, original] of filters) {
      const renamed = await toFile(all().pipe(rename({ id: 'few', few: 'id' }), filter(sql(condition))))
      const plain = await toFile(all().pipe(filter(sql(original))))
      const counted = ({ report }: typeof plain) => [
        report.rowsIn,
        report.rowGroups,
        report.pages,
        report.bloomFilters,
        report.bytesRead,
      ]
      assert.deepEqual(counted(renamed), counted(plain))
      await assertSameRows(
        duckdb,
        renamed.sql,
        `SELECT id AS few, part, few AS id, * EXCLUDE (id, few, part) FROM (${TABLE}) WHERE ${original}`,
      )
    }
    const { report } = await toFile(hive().pipe(rename({ part: 'third' }), filter(sql('third = 1'))))
    assert.deepEqual([report.fragments, report.rowsIn], [{ total: 6, pruned: 4 }, 4000])
  })

  test('is not mistaken for one on a column that is computed', async () => {
    const { sql: found } = await toFile(
      all().pipe(
        project('id', 'real'),
        derive({ twice: 'id * 2' }),
        rename({ id: 'old', twice: 'id' }),
        filter(sql('id < 100')),
      ),
    )
    await assertSameRows(
      duckdb,
      found,
      `SELECT id AS old, real, id * 2 AS id FROM (${TABLE}) WHERE id * 2 < 100`,
    )
  })
})

describe('row groups of which columns are dropped and renamed are passed on', () => {
  const pipeline = () =>
    all().pipe(
      rename({ id: 'few', few: 'id', nest: 'inner', real: 'number' }),
      drop('number'),
      rename({ text: 'real' }),
    )
  const expected = `SELECT id AS few, part, few AS id, text AS real, nest AS inner FROM (${TABLE})`

  test('whole, with what is known of them under the new names', async () => {
    const { report, name, path, sql: found } = await toFile(pipeline(), NOT_SMALL)
    assert.deepEqual(report.rowGroups, { total: 4, pruned: 0, copied: 4, joined: 0 })
    assert.deepEqual([report.pages, report.lanes], [NONE, 0])
    await assertSameRows(duckdb, found, expected)
    const described = (file: string, columns: string) =>
      duckdb.query(`SELECT row_group_id, num_values, stats_null_count, stats_min_value, stats_max_value, encodings,
        total_compressed_size, bloom_filter_length FROM parquet_metadata(${quote(file)})
        WHERE path_in_schema IN (${columns}) ORDER BY ALL`)
    assert.deepEqual(
      await described(path, `'few', 'part', 'id', 'real', 'inner, a', 'inner, few, list, element'`),
      await described(
        join(folder, 'all.parquet'),
        `'id', 'part', 'few', 'text', 'nest, a', 'nest, few, list, element'`,
      ),
    )
    const written = () => source(store, { files: name })
    const pages = await toFile(written().pipe(filter(sql('few between 4100 and 4110'))))
    assert.deepEqual([pages.report.rowsIn, pages.report.rowGroups.pruned], [500, 3])
    const bloomed = await toFile(written().pipe(filter(sql(`real = 'text 5'`))))
    assert.deepEqual(bloomed.report.bloomFilters, { read: 4, pruned: 4 })
  })

  test('joined where they are small', async () => {
    const { report, sql: found } = await toFile(
      hive().pipe(drop('nest', 'part'), rename({ id: 'few', few: 'x' })),
    )
    assert.deepEqual(report.rowGroups, { total: 6, pruned: 0, copied: 0, joined: 6 })
    assert.deepEqual(report.pages, NONE)
    await assertSameRows(duckdb, found, `SELECT id AS few, few AS x, text, real FROM (${TABLE})`)
  })

  test('into the partitions of a renamed key', async () => {
    for (const from of [hive(), all()]) {
      const name = `keyed-${outputs++}`
      const report = await from
        .pipe(
          filter(sql('part <> 1 or part is null')),
          rename({ part: 'id', id: 'part' }),
          repartition({ by: ['id'] }),
        )
        .to(partitionedParquet(store.child(name), { ...NOT_SMALL, rowGroupRows: 4000 }))
      const { copied } = report.rowGroups
      assert.equal(report.partitions, 2)
      assert.ok(copied > 0)
      await assertSameRows(
        duckdb,
        `SELECT id, part, few, text, real, nest FROM (${datasetSql(join(folder, name), undefined, { id: 'BIGINT' })})`,
        `SELECT part AS id, id AS part, few, text, real, nest FROM (${TABLE}) WHERE part <> 1`,
      )
    }
  })

  test('and not where a partition key becomes a column of the file', async () => {
    const { report, sql: found } = await toFile(
      hive().pipe(project('id', 'part'), rename({ part: 'third' })),
      NOT_SMALL,
    )
    assert.deepEqual([report.rowGroups.copied, report.rowGroups.joined], [0, 0])
    await assertSameRows(duckdb, found, `SELECT id, part AS third FROM (${TABLE})`)
  })

  test('also where a computed column is dropped again', async () => {
    const computed = all().pipe(derive({ few: 'id + 1', more: 'id / 0' }), drop('few', 'more'))
    const { report, sql: found } = await toFile(computed, NOT_SMALL)
    assert.equal(report.rowGroups.copied, 4)
    await assertSameRows(duckdb, found, `SELECT * EXCLUDE (few) FROM (${TABLE})`)
  })

  test('and are the same to Polars and PyArrow', { skip: noPython }, async () => {
    const { path } = await toFile(pipeline(), NOT_SMALL)
    const answers = await python(
      `
      import polars as pl, pyarrow.parquet as pq
      want = pl.read_parquet(input['from']).select(
          pl.col('id').alias('few'), 'part', pl.col('few').alias('id'), pl.col('text').alias('real'), pl.col('nest').alias('inner'))
      result = [want.equals(pl.read_parquet(input['path'])), want.equals(pl.from_arrow(pq.read_table(input['path'])))]
      `,
      { from: join(folder, 'all.parquet'), path },
    )
    assert.deepEqual(answers, [true, true])
  })
})

/** Stages in SQL and as operators, over the columns that there are. */
type Step = (columns: string[]) => { columns: string[]; operator: Operator; query: (from: string) => string }

const names = ['id', 'few', 'real', 'a', 'b', 'c']
const step = fc.oneof(
  fc.tuple(fc.constantFrom(...names), fc.constantFrom(...names)).map(
    ([from, to]): Step =>
      columns => {
        const at = columns.includes(from) ? from : columns[0]!
        // A name that is taken is swapped.
        const pairs = Object.fromEntries(
          columns.includes(to) && to !== at
            ? [
                [at, to],
                [to, at],
              ]
            : [[at, to]],
        )
        return {
          columns: columns.map(name => pairs[name] ?? name),
          operator: rename(pairs),
          query: from =>
            `SELECT ${columns.map(name => `${ident(name)} AS ${ident(pairs[name] ?? name)}`).join(', ')} FROM (${from})`,
        }
      },
  ),
  fc.constantFrom(...names).map(
    (name): Step =>
      columns => {
        const left =
          columns.length > 1 && columns.includes(name) ? columns.filter(other => other !== name) : columns
        return {
          columns: left,
          operator: left === columns ? project(...columns) : drop(name),
          query: from => `SELECT ${left.map(ident).join(', ')} FROM (${from})`,
        }
      },
  ),
  fc.shuffledSubarray(names, { minLength: 1 }).map(
    (some): Step =>
      columns => {
        const kept = some.filter(name => columns.includes(name))
        const chosen = kept.length > 0 ? kept : columns
        return {
          columns: chosen,
          operator: project(...chosen),
          query: from => `SELECT ${chosen.map(ident).join(', ')} FROM (${from})`,
        }
      },
  ),
  fc.constantFrom(...names).map(
    (name): Step =>
      columns => {
        const condition = `${columns.includes(name) ? name : columns[0]!} is not null`
        return {
          columns,
          operator: filter(condition),
          query: from => `SELECT * FROM (${from}) WHERE ${condition}`,
        }
      },
  ),
  fc.constantFrom(...names).map(
    (name): Step =>
      columns => {
        const value = `coalesce(${columns[0]!}, ${columns[0]!})`
        const known = columns.includes(name)
        return {
          columns: known ? columns : [...columns, name],
          operator: derive({ [name]: value }),
          query: from =>
            known
              ? `SELECT * REPLACE (${value} AS ${ident(name)}) FROM (${from})`
              : `SELECT *, ${value} AS ${ident(name)} FROM (${from})`,
        }
      },
  ),
)

test('any stages give the rows that DuckDB gives', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 6 }), async steps => {
      let query = `SELECT id, few, real FROM (${TABLE})`
      let columns = ['id', 'few', 'real']
      const operators: Operator[] = [project(...columns)]
      for (const step of steps) {
        const made = step(columns)
        columns = made.columns
        operators.push(made.operator)
        query = made.query(query)
      }
      const pipeline: Pipeline = operators.reduce((sum: Pipeline, operator) => sum.pipe(operator), all())
      await assertSameRows(duckdb, (await toFile(pipeline, NOT_SMALL)).sql, query)
    }),
    { numRuns: cases(60), seed: 20261121 },
  )
})
