import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { Field, Float64, Int64, Struct, Uint64, Utf8 } from 'apache-arrow'
import { lastValueFrom, toArray } from 'rxjs'
import { batchOf, type Row, rowsOf } from '../../src/core/rows.ts'
import {
  aggregate,
  col,
  count,
  derive,
  type ErrorCode,
  filter,
  fromBatches,
  limit,
  map,
  max,
  mean,
  min,
  type Pipeline,
  parquetFile,
  project,
  RequestCounts,
  repartition,
  type SluiceError,
  source,
  sum,
  tap,
  throttle,
  withObserver,
} from '../../src/index.ts'
import { openWorkspace } from '../pipeline/support.ts'
import { onOneNode } from '../support/cases.ts'
import { quote } from '../support/duckdb.ts'

const { folder, store, duckdb } = await openWorkspace({ after })
const SEVERAL_LANES = 2_000_000
await duckdb.query(
  `COPY (SELECT i AS id, (hash(i) % 100000)::INTEGER AS account, 'shop ' || hash(i, 1) % 1000 AS shop,
     (hash(i, 2) % 10000) / 8 AS amount, hash(i, 3)::DOUBLE AS noise FROM range(${SEVERAL_LANES}) AS t(i))
   TO ${quote(join(folder, 'large.parquet'))} (FORMAT parquet, ROW_GROUP_SIZE 100_000)`,
)

const fields = [
  new Field('k', new Utf8(), true),
  new Field('n', new Int64(), true),
  new Field('u', new Uint64(), true),
  new Field('x', new Float64(), true),
]

function of(...rows: Row[]): Pipeline {
  const batches = rows.map(row => batchOf([row], fields))
  return fromBatches(batchOf([], fields).schema, batches)
}

async function rowsFrom(pipeline: Pipeline): Promise<Row[]> {
  const rows: Row[] = []
  for await (const batch of pipeline) rows.push(...rowsOf(batch))
  return rows
}

async function fails(pipeline: Pipeline, code: ErrorCode, shown: RegExp): Promise<void> {
  await assert.rejects(pipeline.collect(), (error: SluiceError) => {
    assert.equal(error.code, code)
    assert.match(error.message, shown)
    return true
  })
}

describe('of no rows', () => {
  const everything = { n: count(), k: count('k'), total: sum('n'), x: mean('x'), first: min('k') }
  test('there is one row without keys, and none with keys', async () => {
    const nothing = { n: 0n, k: 0n, total: null, x: null, first: null }
    assert.deepEqual(await rowsFrom(of().pipe(aggregate(everything))), [nothing])
    assert.deepEqual(await rowsFrom(source(store).pipe(filter('id < 0'), aggregate({ n: count() }))), [
      { n: 0n },
    ])
    const some = of({ k: 'a' })
    assert.deepEqual(await rowsFrom(some.pipe(limit(0), aggregate(everything))), [nothing])
    const mapped = some.pipe(
      map(() => null),
      aggregate(everything),
    )
    assert.deepEqual(await rowsFrom(mapped as Pipeline), [nothing])
    assert.deepEqual(await rowsFrom(of().pipe(aggregate({ by: ['u'], ...everything }))), [])
  })

  test('the columns have their types all the same', async () => {
    const { schema } = await of()
      .pipe(limit(0), aggregate({ n: count(), total: sum('u'), k: max('k') }))
      .collect()
    assert.deepEqual(
      schema.fields.map(field => `${field.name} ${field.type} ${field.nullable}`),
      ['n Int64 false', 'total Uint64 true', 'k Utf8 true'],
    )
  })
})

describe('sums of integers', () => {
  const most = 2n ** 63n - 1n
  test('may leave int64 on the way, not in the end', async () => {
    const within = of({ n: most }, { n: most }, { n: -most }, { n: -most }, { n: most })
    assert.deepEqual(await rowsFrom(within.pipe(aggregate({ n: sum('n') }))), [{ n: most }])
    const beyond = of({ n: most }, { n: 1n })
    await fails(
      beyond.pipe(aggregate({ t: sum('n') })),
      'invalid-argument',
      /column 'n': a sum leaves int64.*double/,
    )
    const doubles = beyond.pipe(derive({ n: 'cast(n as double)' }), aggregate({ t: sum('n') }))
    assert.deepEqual(await rowsFrom(doubles), [{ t: 2 ** 63 }])
    assert.deepEqual(await rowsFrom(beyond.pipe(aggregate({ m: mean('n') }))), [{ m: 2 ** 62 }])
  })

  test('of uint64 are uint64', async () => {
    const large = 2n ** 64n - 2n
    assert.deepEqual(await rowsFrom(of({ u: large }, { u: 1n }).pipe(aggregate({ u: sum('u') }))), [
      { u: large + 1n },
    ])
    await fails(
      of({ u: large }, { u: 2n }).pipe(aggregate({ u: sum('u') })),
      'invalid-argument',
      /leaves uint64/,
    )
  })

  test('of decimals have 38 digits, and fail beyond', async () => {
    await duckdb.query(
      `COPY (SELECT 6e37::DECIMAL(38, 0) AS d FROM range(3)) TO ${quote(join(folder, 'wide.parquet'))}`,
    )
    const wide = (rows: number) =>
      source(store, { files: 'wide.parquet' }).pipe(limit(rows), aggregate({ d: sum('d') }))
    assert.equal((await wide(1).schema()).fields[0]!.type.toString(), 'Decimal[38e0]')
    assert.equal((await wide(1).collect()).numRows, 1)
    await fails(wide(2), 'invalid-argument', /column 'd': a sum leaves decimal\(38, 0\)/)
    // Nor does 128 bits hold this one.
    await fails(wide(3), 'invalid-argument', /column 'd': a sum leaves decimal\(38\)/)
  })
})

test('a mean leaves nulls out; NaN is above all numbers, and one key with itself', async () => {
  const rows = [Number.NaN, 1, null, -0, Number.NaN, 0].map(x => ({ x }))
  const grouped = of(...rows).pipe(aggregate({ by: ['x'], n: count(), v: count('x') }))
  assert.deepEqual(await rowsFrom(grouped), [
    { x: 0, n: 2n, v: 2n },
    { x: 1, n: 1n, v: 1n },
    { x: Number.NaN, n: 2n, v: 2n },
    { x: null, n: 1n, v: 0n },
  ])
  const whole = of(...rows, { x: 5 }).pipe(aggregate({ least: min('x'), most: max('x') }))
  assert.deepEqual(await rowsFrom(whole.pipe(derive({ least: 'least + 0' }))), [
    { least: 0, most: Number.NaN },
  ])
  const few = of({ x: 1 }, { x: null }, { x: 2 }).pipe(aggregate({ m: mean('x') }))
  assert.deepEqual(await rowsFrom(few), [{ m: 1.5 }])
})

describe('in one lane, in several, and in slices', { skip: onOneNode }, () => {
  for (const [name, options] of Object.entries({
    one: { lanes: 1 },
    two: { lanes: 2 },
    fragment: { lanes: 2, mode: 'fragment' as const },
    batch: { lanes: 2, mode: 'batch' as const, batchRows: 10_000 },
    // Groups outgrow the lanes' share, and are handed over.
    small: { lanes: 2, memory: '64MiB' },
  })) {
    test(name, async () => {
      const out = `out-${name}.parquet`
      const report = await source(store, { files: 'large.parquet', ...options })
        .pipe(
          filter(col('id').gte(10)),
          aggregate({
            by: ['account'],
            n: count(),
            total: sum('amount'),
            shop: max('shop'),
            average: mean('amount'),
          }),
        )
        .to(parquetFile(store, out))
      assert.ok(
        report.budgetHighWaterBytes <= report.memoryBytes,
        `${report.budgetHighWaterBytes} bytes held`,
      )
      assert.deepEqual(
        await duckdb.query(`SELECT * FROM ${quote(join(folder, out))} ORDER BY account`),
        await duckdb.query(
          `SELECT account, count(*) AS n, sum(amount) AS total, max(shop) AS shop, avg(amount) AS average
           FROM ${quote(join(folder, 'large.parquet'))} WHERE id >= 10 GROUP BY account ORDER BY account`,
        ),
      )
    })
  }
})

test('groups that do not fit are an error that says what to do', async () => {
  const large = source(store, { files: 'large.parquet', memory: '64MiB' })
  await fails(large.pipe(aggregate({ by: ['id'], n: count() })), 'budget', /option 'memory'.*fewer values/s)
})

test('only the columns named are read, and groups are all that comes out of the lanes', async () => {
  const counts = new RequestCounts()
  const { size } = await store.head('large.parquet')
  const pipeline = source(withObserver(store, counts.add), { files: 'large.parquet' }).pipe(
    aggregate({ by: ['shop'], n: count() }),
  )
  const { source: read, pushed, main } = await pipeline.explain()
  assert.deepEqual(read.columns, ['shop'])
  assert.deepEqual([pushed.at(-1), main], ['aggregate by shop: n = count()', ['merge groups']])
  assert.equal((await pipeline.collect()).numRows, 1000)
  assert.ok(counts.bytesRead < size / 4, `${counts.bytesRead} of ${size} bytes`)
})

test('before and behind other operators, and as an Observable', async () => {
  const large = source(store, { files: 'large.parquet' })
  const orders = aggregate({ by: ['shop'], total: sum('amount'), n: count() })
  const expected = await rowsFrom(large.pipe(project('shop', 'amount'), orders))
  assert.equal(expected.length, 1000)
  for (const before of [throttle({ rowsPerSecond: 1e9 }), tap(() => {}), repartition({})]) {
    assert.deepEqual(await rowsFrom(large.pipe(before as never, orders)), expected)
  }
  const batches = await lastValueFrom(large.pipe(orders).toObservable().pipe(toArray()))
  assert.deepEqual(batches.flatMap(rowsOf), expected)

  const again = large.pipe(
    orders,
    filter(col('n').gt(2000)),
    derive({ mean: col('total').dividedBy(col('n')) }),
    aggregate({ shops: count(), highest: max('mean') }),
  )
  assert.deepEqual(
    await rowsFrom(again as Pipeline),
    await duckdb.query(
      `SELECT count(*) AS shops, max(total / n) AS highest FROM (SELECT sum(amount) AS total, count(*) AS n
       FROM ${quote(join(folder, 'large.parquet'))} GROUP BY shop) WHERE n > 2000`,
    ),
  )
})

test('nested values are counted', async () => {
  await duckdb.query(
    `COPY (SELECT i % 2 AS k, CASE WHEN i % 3 > 0 THEN [i, i] END AS l, CASE WHEN i < 5 THEN {a: i} END AS s
     FROM range(9) AS t(i)) TO ${quote(join(folder, 'nested.parquet'))}`,
  )
  const nested = source(store, { files: 'nested.parquet' })
  assert.deepEqual(await rowsFrom(nested.pipe(aggregate({ by: ['k'], l: count('l'), s: count('s') }))), [
    { k: 0n, l: 3n, s: 3n },
    { k: 1n, l: 3n, s: 2n },
  ])
})

test('a column that is unknown, or whose type does not fit, is named before anything is read', async () => {
  const { schema } = batchOf([], [...fields, new Field('s', new Struct(fields), true)])
  const none = fromBatches(schema, []) as Pipeline
  await fails(none.pipe(aggregate({ by: ['kk'], n: count() })), 'schema', /column 'kk'.*Did you mean 'k'/)
  await fails(none.pipe(aggregate({ t: sum('nope') })), 'schema', /column 'nope'/)
  await fails(none.pipe(aggregate({ t: sum('k') })), 'schema', /column 'k': sum does not take .* utf8/)
  await fails(none.pipe(aggregate({ t: mean('k') })), 'schema', /mean does not take/)
  await fails(none.pipe(aggregate({ t: max('s') })), 'schema', /column 's': max does not take/)
  await fails(none.pipe(aggregate({ by: ['s'] })), 'schema', /column 's'.*grouped by/)
  assert.deepEqual(await rowsFrom(none.pipe(aggregate({ t: count('s') }))), [{ t: 0n }])
})
