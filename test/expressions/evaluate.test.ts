import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Data,
  DateDay,
  Dictionary,
  Field,
  Float64,
  Int32,
  Int64,
  makeData,
  type RecordBatch,
  Timestamp,
  TimestampNanosecond,
  TimeUnit,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'
import fc from 'fast-check'
import { Arena } from '../../src/core/arena.ts'
import { makeBatch } from '../../src/core/batch.ts'
import { bind } from '../../src/core/expressions/bind.ts'
import { evaluate, select } from '../../src/core/expressions/evaluate.ts'
import { col, type Expr, lit, sql } from '../../src/core/expressions/expr.ts'
import { cases } from '../support/cases.ts'
import { shown } from './table.ts'

const arena = new Arena(1 << 24)

function batchOf(columns: Record<string, Data>): RecordBatch {
  const data = Object.values(columns)
  const fields = Object.keys(columns).map((name, index) => new Field(name, data[index]!.type, true))
  return makeBatch(fields, data, data[0]!.length)
}

function values(expr: Expr, batch: RecordBatch): string[] {
  const region = arena.region()
  try {
    const bound = bind(expr, batch.schema)
    const data = evaluate(bound, batch, region)
    return Array.from({ length: batch.numRows }, (_, row) => shown(bound.type, data, row))
  } finally {
    region.free()
  }
}

function chosen(expr: Expr, batch: RecordBatch): number {
  const region = arena.region()
  try {
    return select(bind(expr, batch.schema), batch, region).count
  } finally {
    region.free()
  }
}

const COMPARISONS = ['eq', 'ne', 'lt', 'lte', 'gt', 'gte'] as const
const int64s = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n), 0n),
)
const doubles = fc.oneof(
  fc.double(),
  fc.constantFrom(2 ** 53, 2 ** 53 + 2, 2 ** 63, -(2 ** 63), 0.5, -0.5, -0, Number.NaN, Infinity, -Infinity),
  int64s.map(Number),
)

/** The order of an integer and a double as rational numbers, a NaN being above all. JavaScript compares them exactly. */
function order(a: bigint, b: number): number {
  return Number.isNaN(b) ? -1 : a < b ? -1 : a > b ? 1 : 0
}

function holds(comparison: (typeof COMPARISONS)[number], ordered: number): boolean {
  const { eq, ne, lt, lte, gt, gte } = {
    eq: ordered === 0,
    ne: ordered !== 0,
    lt: ordered < 0,
    lte: ordered <= 0,
    gt: ordered > 0,
    gte: ordered >= 0,
  }
  return { eq, ne, lt, lte, gt, gte }[comparison]
}

test('int64 and float64 compare exactly, columns and constants alike', () => {
  fc.assert(
    fc.property(int64s, doubles, fc.constantFrom(...COMPARISONS), (a, b, comparison) => {
      const batch = batchOf({
        a: vectorFromArray([a], new Int64()).data[0]!,
        b: vectorFromArray([b], new Float64()).data[0]!,
      })
      const expected = holds(comparison, order(a, b)) ? 1 : 0
      assert.equal(chosen(col('a')[comparison](col('b')), batch), expected, 'columns')
      assert.equal(chosen(lit(a)[comparison](col('b')), batch), expected, 'constant integer')
      assert.equal(chosen(lit(a).cast('int64')[comparison](col('b')), batch), expected, 'cast integer')
      assert.equal(
        chosen(col('b')[comparison](lit(a)), batch),
        holds(comparison, -order(a, b)) ? 1 : 0,
        'swapped',
      )
      assert.equal(chosen(col('a')[comparison](b), batch), expected, 'constant double')
    }),
    { numRuns: cases(1000) },
  )
})

test('a constant finer than the unit of its column is compared as it is', () => {
  const at = vectorFromArray([0n, 1n].map(BigInt), new Int64()).data[0]!
  const type = new Timestamp(TimeUnit.MILLISECOND, null)
  const batch = batchOf({ at: at.clone(type as never) as Data })
  for (const [condition, rows] of [
    ["at = '1970-01-01 00:00:00.0005'", 0],
    ["at <> '1970-01-01 00:00:00.0005'", 2],
    ["at < '1970-01-01 00:00:00.0005'", 1],
    ["at >= '1970-01-01 00:00:00.0005'", 1],
    ["at < '1970-01-01T02:00:00+01:59'", 2],
    ["at < '1970-01-01T02:00:00+02:00'", 0],
  ] as const) {
    assert.equal(chosen(sql(condition), batch), rows, condition)
  }
})

test('an overflow and a cast that fails name the values', () => {
  const batch = batchOf({
    n: vectorFromArray([1n, null, 2n ** 62n], new Int64()).data[0]!,
    s: vectorFromArray(['1', 'x7', null], new Utf8()).data[0]!,
  })
  const fails = (text: string, message: RegExp) =>
    assert.throws(
      () => values(sql(text), batch),
      error => {
        assert.match(String(error), message)
        return (error as { code?: unknown }).code === 'invalid-argument'
      },
    )
  fails('n + n', /n \+ n leaves int64: 4611686018427387904 \+ 4611686018427387904/)
  fails('n * 3', /n \* 3 leaves int64: 4611686018427387904 \* 3/)
  fails('0 - n - n - n', /leaves int64/)
  fails('cast(s as bigint)', /column 's': s: 'x7' cannot be cast to int64.*tryCast/)
  fails('cast(n as tinyint)', /column 'n': n: 4611686018427387904 cannot be cast to int8/)
  assert.deepEqual(values(sql('try_cast(s as bigint)'), batch), ['1', 'null', 'null'])
  assert.deepEqual(values(sql('try_cast(n as tinyint)'), batch), ['1', 'null', 'null'])
})

test('a unit that starts before the first time there is fails', () => {
  const batchWith = (nullCount: number) => {
    const nulls = { nullCount, nullBitmap: Uint8Array.of(nullCount === 0 ? 0b11 : 0b10) }
    return batchOf({
      t: makeData({ type: new TimestampNanosecond(), data: BigInt64Array.of(-(2n ** 63n), 0n), ...nulls }),
      d: makeData({ type: new DateDay(), data: Int32Array.of(-(2 ** 31), 0), ...nulls }),
    })
  }
  for (const [text, message] of [
    ["date_trunc('year', t)", /date_trunc\('year', t\): the year of 1677-09-21.* starts before the first/],
    ["date_trunc('day', t)", /the day of 1677-09-21/],
    ["date_trunc('month', d)", /the month of -5877641-06-23 starts before the first date/],
  ] as const) {
    assert.throws(() => values(sql(text), batchWith(0)), message)
    assert.deepEqual(values(sql(`year(${text})`), batchWith(1)), ['null', '1970'])
  }
})

test('a branch that is not taken does not fail', () => {
  const batch = batchOf({
    n: vectorFromArray([1n, null, 2n ** 62n], new Int64()).data[0]!,
    s: vectorFromArray(['1', 'x7', null], new Utf8()).data[0]!,
  })
  assert.deepEqual(values(sql('case when n < 10 then n * 4 else n end'), batch), [
    '4',
    'null',
    String(2n ** 62n),
  ])
  assert.deepEqual(values(sql("case when s = 'x7' then -1 else cast(s as bigint) end"), batch), [
    '1',
    '-1',
    'null',
  ])
  assert.deepEqual(values(sql('coalesce(try_cast(s as bigint), cast(substr(s, 2) as bigint))'), batch), [
    '1',
    '7',
    'null',
  ])
})

test('a dictionary value that no row has does not fail', () => {
  const type = new Dictionary(new Utf8(), new Int32())
  const batch = batchOf({ s: vectorFromArray(['1', 'x', '2', null], type).data[0]! })
  assert.deepEqual(values(sql('cast(s as bigint)'), batch.slice(2, 4)), ['2', 'null'])
  assert.throws(() => values(sql('cast(s as bigint)'), batch), /'x' cannot be cast/)
})

test('a dictionary stays one, computed once a value', () => {
  const type = new Dictionary(new Utf8(), new Int32())
  const batch = batchOf({ s: vectorFromArray(['a', 'b', null, 'a', 'b', 'a'], type).data[0]! })
  const region = arena.region()
  const data = evaluate(bind(sql('upper(s)'), batch.schema), batch, region)
  assert.deepEqual([...(data.dictionary?.data[0]?.valueOffsets ?? [])].length - 1 <= 3, true)
  assert.deepEqual([data.nullCount, data.dictionary?.data[0]?.nullCount], [1, 0])
  region.free()
  assert.equal(arena.used, 0)
})

test('a code beyond its dictionary is an error, not a read beyond it', () => {
  const type = new Dictionary(new Utf8(), new Int32())
  const data = vectorFromArray(['a', 'b'], type).data[0]!
  ;(data.values as Int32Array)[1] = 5
  assert.throws(() => values(sql('upper(s)'), batchOf({ s: data })), { code: 'corrupt', column: 's' })
})

test('times before 1970 fall into the period that holds them, at any unit', () => {
  const ticks = vectorFromArray([-1n], new Int64()).data[0]!
  for (const unit of [TimeUnit.SECOND, TimeUnit.MILLISECOND, TimeUnit.MICROSECOND, TimeUnit.NANOSECOND]) {
    const batch = batchOf({ at: ticks.clone(new Timestamp(unit, null) as never) as Data })
    assert.deepEqual(values(sql("strftime(at, '%Y-%m-%d %H:%M:%S')"), batch), ["'1969-12-31 23:59:59'"])
    assert.deepEqual(values(sql("date_trunc('week', at)"), batch), ['1969-12-29'])
    assert.deepEqual(values(sql('cast(at as date)'), batch), ['1969-12-31'])
    assert.deepEqual(values(sql('second(at)'), batch), ['59'])
  }
})

test('no rows, no trouble', () => {
  const batch = batchOf({
    n: vectorFromArray([] as bigint[], new Int64()).data[0]!,
    s: vectorFromArray([] as string[], new Utf8()).data[0]!,
  })
  for (const text of [
    'n + 1',
    'upper(s)',
    "s || 'x'",
    'cast(n as varchar)',
    '1',
    'case when n > 1 then s end',
  ]) {
    assert.deepEqual(values(sql(text), batch), [], text)
  }
  assert.equal(chosen(sql("n > 1 and s like '%a'"), batch), 0)
})
