import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { DateDay, Field, Int32, Utf8 } from 'apache-arrow'
import fc from 'fast-check'
import type { Stage } from '../../src/core/stages.ts'
import { isDataFile } from '../../src/dataset/hive.ts'
import { type ListedBy, listDataset } from '../../src/dataset/partition-listing.ts'
import { discoverPartitions } from '../../src/dataset/partition-types.ts'
import {
  col,
  concat,
  type Expr,
  filter,
  openStore,
  type SourceOptions,
  type Store,
  source,
  sql,
  withObserver,
} from '../../src/index.ts'
import { openDuckDB, quote } from '../support/duckdb.ts'
import { tempFolder } from '../support/temp.ts'

const NOTHING = new Uint8Array(0)

/** 3 years of 4 months of 250 files, each of one row; and what DuckDB has to say of them. */
async function lake(t: Parameters<typeof tempFolder>[0]) {
  const duckdb = await openDuckDB(t)
  const file = join(tempFolder(t), 'one.parquet')
  await duckdb.connection.run(`COPY (SELECT 7 AS x) TO ${quote(file)}`)
  const bytes = readFileSync(file)
  const store = await openStore('memory:')
  for (const year of [2023, 2024, 2025]) {
    for (let month = 1; month <= 4; month++) {
      for (let part = 100; part < 350; part++)
        await store.put(`year=${year}/month=${month}/${part}.parquet`, bytes)
    }
  }
  await duckdb.connection.run(`CREATE TABLE lake AS SELECT 7 AS x, year, month, part
    FROM range(2023, 2026) y(year), range(1, 5) m(month), range(100, 350) p(part)`)
  return { ...duckdb, store }
}

/** The keys that are listed for a condition, the requests for them, and how it was done. */
async function listed(store: Store, stages: readonly Stage[], declared: Field[] = []) {
  const requests: string[] = []
  const observed = withObserver(store, ({ method, key }) => void requests.push(`${method} ${key}`))
  let by: ListedBy | undefined
  const keys: string[] = []
  const listing = listDataset(
    observed,
    { stages, declared },
    new AbortController().signal,
    told => (by = told),
  )
  for await (const { key } of listing) keys.push(key)
  return { keys, requests: requests.sort(), by: by! }
}

const int = (name: string) => new Field(name, new Int32(), true)
const where = (condition: string): Stage => ({ op: 'filter', predicate: sql(condition).node })

test('partitions that the filter rules out are not listed, where that takes fewer requests', async t => {
  const { store } = await lake(t)
  const months = (year: number, ...numbers: number[]) =>
    numbers.map(month => `list year=${year}/month=${month}/`)
  const years = [2023, 2024, 2025].map(year => `listLevel year=${year}/`)
  const declared = [int('year'), int('month')]
  const cases: [Stage[], Field[], string[]][] = [
    [[where('year = 2024 and month < 3')], [], ['list ', 'listLevel ', ...years, ...months(2024, 1, 2)]],
    [
      [where('year = 2024 and month < 3')],
      declared,
      ['list ', 'listLevel ', years[1]!, ...months(2024, 1, 2)],
    ],
    [
      [where('year = 2023 and month = 1 and x > 1')],
      declared,
      ['list ', 'listLevel ', years[0]!, ...months(2023, 1)],
    ],
    [
      [where('x > 1'), where('year = 2023'), where('month = 1')],
      declared,
      ['list ', 'listLevel ', years[0]!, ...months(2023, 1)],
    ],
    [[where('year > 2030')], declared, ['list ', 'listLevel ']],
    [[where('year >= 2023')], [], ['list ', 'listLevel ', ...years]],
    [[where('x = 7')], declared, ['list ']],
    [[where('x = 7 or year = 2024')], declared, ['list ']],
    [[{ op: 'derive', columns: [['year', col('x').node]] }, where('year = 2024')], declared, ['list ']],
    [
      [{ op: 'rename', columns: [['year', 'y']] }, where('y = 2024 and month = 1')],
      declared,
      ['list ', 'listLevel ', years[1]!, ...months(2024, 1)],
    ],
  ]
  for (const [stages, types, requests] of cases) {
    const found = await listed(store, stages, types)
    assert.deepEqual(found.requests, requests.sort(), JSON.stringify(stages))
    const byFolders = requests.some(request => request.startsWith('list year')) || requests.length === 2
    assert.equal(found.by.by, byFolders ? 'folders' : 'keys', found.by.because)
    if (!byFolders) assert.equal(found.keys.length, 3000)
  }
})

test('the rows are those that DuckDB finds, as of a listing of all keys; explain() tells', async t => {
  const { store, query } = await lake(t)
  const condition = 'year = 2024 and month = 4'
  const found = async (options: SourceOptions) => {
    const table = await source(store, options)
      .pipe(filter(sql(condition)))
      .collect()
    return {
      rows: Array.from(table, row => row.toArray().map(Number)),
      types: table.schema.fields.map(({ name, type, nullable }) => `${name} ${type} ${nullable}`),
    }
  }
  const rows = await query(`SELECT x, year, month FROM lake WHERE ${condition}`)
  const pruned = await found({})
  assert.deepEqual(
    pruned.rows,
    rows.map(row => Object.values(row).map(Number)),
  )
  assert.deepEqual(pruned, await found({ files: '**/*.parquet' }))
  const explained = await source(store)
    .pipe(filter(sql(condition)))
    .explain()
  assert.match(String(explained), /^ {2}listed by folders: the filter leaves 1 of them, and rules out 11$/m)
  assert.deepEqual(explained.source.listing?.[0]?.folders, { listed: 1, pruned: 11 })
})

test('a source that two parts of one pipeline share is listed for both', async t => {
  const { store } = await lake(t)
  const all = source(store)
  const parts = [1, 2].map(month => all.pipe(filter(sql(`year = 2024 and month = ${month}`))))
  assert.equal((await concat(parts[0]!, parts[1]!).collect()).numRows, 500)
})

/** A tree of partitions by `a` and `b`, of enough files, with what else may lie about. */
const value = fc.constantFrom(
  '1',
  '2',
  '3',
  '10',
  '2024-01-01',
  'x y',
  '__HIVE_DEFAULT_PARTITION__',
  '%41',
  'é',
)
const tree = fc.record({
  leaves: fc.uniqueArray(fc.tuple(value, value), {
    minLength: 4,
    maxLength: 8,
    selector: ([a, b]) => `${a}/${b}`,
  }),
  parts: fc.integer({ min: 1050, max: 1400 }),
  stray: fc.constantFrom(
    undefined,
    'z.parquet',
    'a=1/z.parquet',
    'other/z.parquet',
    'c=1/b=1/z.parquet',
    '_hidden/x',
    'a=1/.x',
  ),
})
const condition = fc.constantFrom<[Expr, (a: string | null, b: string | null) => boolean]>(
  [col('a').eq('1'), a => a === '1'],
  [col('b').eq('x y'), (_, b) => b === 'x y'],
  [col('a').isNull(), a => a === null],
  [col('a').gt('2').and(col('b').ne('10')), (a, b) => a !== null && a > '2' && b !== null && b !== '10'],
  [col('a').eq('A').or(col('b').eq('é')), (a, b) => a === 'A' || b === 'é'],
  [col('a').eq('nothing'), () => false],
)

test('whatever the tree, the files are those of a flat listing less those that are ruled out, in order', async () => {
  const seen = new Set<string>()
  await fc.assert(
    fc.asyncProperty(
      tree,
      condition,
      fc.boolean(),
      async ({ leaves, parts, stray }, [expression, wants], typed) => {
        const store = await openStore('memory:')
        const perLeaf = Math.ceil(parts / leaves.length)
        for (const [a, b] of leaves) {
          for (let i = 0; i < perLeaf; i++) await store.put(`a=${a}/b=${b}/${i}.parquet`, NOTHING)
        }
        if (stray !== undefined) await store.put(stray, NOTHING)
        const flat: string[] = []
        for await (const { key } of store.list()) if (isDataFile(key)) flat.push(key)
        // Texts, so that every value can be compared.
        const text = ['a', 'b'].map(name => new Field(name, new Utf8(), true))
        const stages = [{ op: 'filter' as const, predicate: expression.node }]
        let by: ListedBy | undefined
        const listed: string[] = []
        const signal = new AbortController().signal
        const types = typed || !flat.some(key => key.includes('x y')) ? text : []
        try {
          for await (const { key } of listDataset(
            store,
            { stages, declared: types },
            signal,
            told => (by = told),
          )) {
            if (isDataFile(key)) listed.push(key)
          }
        } catch (error) {
          // A value that is no text beside the constant.
          assert.equal((error as { code?: string }).code, 'schema')
          return
        }
        seen.add(by!.by)
        if (by!.by === 'keys') return assert.deepEqual(listed, flat)
        const decoded = (text: string) => (text.startsWith('__HIVE') ? null : decodeURIComponent(text))
        const expected = flat.filter((key, i) => {
          const [, a = '', b = ''] = /^a=([^/]*)\/b=([^/]*)/.exec(key) ?? []
          return i === 0 || wants(decoded(a), decoded(b))
        })
        assert.deepEqual(listed, expected)
        // Beside folders that are left out unseen there may be files that do not belong there.
        if (flat.some(key => !/^a=[^/]*\/b=[^/]*\/\d+\.parquet$/.test(key))) return
        assert.deepEqual(
          by!.fields!.map(({ name, type, nullable }) => [name, String(type), nullable]),
          discoverPartitions(flat, types).fields.map(({ name, type, nullable }) => [
            name,
            String(type),
            nullable,
          ]),
        )
      },
    ),
    { numRuns: 20 },
  )
  assert.ok(seen.has('folders'))
})

test('types of keys come from all values together, whatever the filter leaves', async () => {
  const store = await openStore('memory:')
  for (let i = 0; i < 400; i++) {
    for (const key of ['1/k=1', '2/k=2', '3/k=3', '4/k=01'])
      await store.put(`day=2024-01-0${key}/${i}.parquet`, NOTHING)
  }
  const stages = [where("day = '2024-01-01'")]
  const typesOf = async (declared: Field[]) => {
    const { keys, by } = await listed(store, stages, declared)
    return [keys.length, by.by, ...(by.fields ?? []).map(({ type }) => String(type))]
  }
  assert.deepEqual(await typesOf([]), [400, 'folders', 'Date32<DAY>', 'Utf8'])
  const declared = [new Field('day', new DateDay(), true), int('k')]
  assert.deepEqual(await typesOf(declared), [400, 'folders', 'Date32<DAY>', 'Int32'])
})
