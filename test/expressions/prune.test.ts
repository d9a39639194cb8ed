import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  Binary,
  Bool,
  DateDay,
  Decimal,
  Field,
  Float64,
  Int32,
  Int64,
  Schema,
  Timestamp,
  TimeUnit,
  Utf8,
} from 'apache-arrow'
import fc from 'fast-check'
import { Arena } from '../../src/core/arena.ts'
import { bind } from '../../src/core/expressions/bind.ts'
import { boundFromBytes } from '../../src/core/expressions/bounds.ts'
import { select } from '../../src/core/expressions/evaluate.ts'
import { type Expr, sql } from '../../src/core/expressions/expr.ts'
import { type ColumnBounds, prune } from '../../src/core/expressions/prune.ts'
import type { Value } from '../../src/core/expressions/types.ts'
import { cases } from '../support/cases.ts'
import { expressions } from './generate.ts'
import { type Cell, COLUMNS, cellAt, plainBatch, ROWS, SCHEMA } from './table.ts'

test('pruning never drops a row that matches, nor keeps all where one does not', () => {
  const batch = plainBatch()
  const arena = new Arena(1 << 24)
  const found = { none: 0, some: 0, all: 0 }
  const windows = fc.tuple(fc.nat(ROWS - 1), fc.integer({ min: 1, max: 6 }), fc.nat(2))

  const check = (expr: Expr, [start, length, blur]: [number, number, number]) => {
    const bound = bind(expr, SCHEMA)
    const rows = Math.min(length, ROWS - start)
    const region = arena.region()
    try {
      const { count } = select(bound, batch.slice(start, start + rows), region)
      const verdict = prune(bound, name => boundsOf(name, start, rows, blur))
      found[verdict]++
      if (verdict === 'none') assert.equal(count, 0, `${expr}, rows ${start} to ${start + rows}`)
      if (verdict === 'all') assert.equal(count, rows, `${expr}, rows ${start} to ${start + rows}`)
    } finally {
      region.free()
    }
  }
  const total = fc.property(expressions.condition, windows, (expr, window) => {
    try {
      check(expr, window)
    } catch (error) {
      if (!(error instanceof Error && /leaves|cannot be cast/.test(error.message))) throw error
    }
  })
  fc.assert(total, { numRuns: cases(4000) })
  assert.ok(found.none > cases(300) && found.all > cases(100), JSON.stringify(found))
})

/** What statistics would say of a column in some rows; `blur` 1 widens the bounds, 2 leaves some out. */
function boundsOf(name: string, start: number, rows: number, blur: number): ColumnBounds | undefined {
  const column = COLUMNS.find(candidate => candidate.name === name)!
  if (blur === 2 && name.length % 2 === 0) return undefined
  const cells = Array.from({ length: rows }, (_, row) => cellAt(column, start + row))
  // Statistics leave NaN out.
  const values = cells.filter(cell => cell !== null && !Number.isNaN(cell)).map(cell => boundOf(cell!))
  const sorted = values.toSorted(order)
  const bounds: ColumnBounds = { rows, nullCount: cells.filter(cell => cell === null).length }
  const [min, max] = [sorted[0], sorted.at(-1)]
  if (min === undefined || max === undefined) return bounds
  if (blur === 0) return { ...bounds, min, max, isMinExact: true, isMaxExact: true }
  return { ...bounds, min: lowered(min), max: raised(max), isMinExact: false, isMaxExact: false }
}

function boundOf(cell: Exclude<Cell, null>): Value {
  return typeof cell === 'string' ? new Uint8Array(Buffer.from(cell)) : cell
}

function order(a: Value, b: Value): number {
  return a instanceof Uint8Array ? Buffer.compare(a, b as Uint8Array) : a < b ? -1 : a > b ? 1 : 0
}

/** A bound cut to its first byte, or moved out a little. */
function lowered(value: Value): Value {
  if (value instanceof Uint8Array) return value.slice(0, 1)
  return typeof value === 'bigint' ? value - 1n : typeof value === 'number' ? value - 1 : false
}

function raised(value: Value): Value {
  if (value instanceof Uint8Array) return value.length > 1 ? Uint8Array.of(value[0]! + 1) : value
  return typeof value === 'bigint' ? value + 1n : typeof value === 'number' ? value + 1 : true
}

test('what bounds tell, case by case', () => {
  const schema = new Schema([
    new Field('n', new Int64(), true),
    new Field('f', new Float64(), true),
    new Field('s', new Utf8(), true),
    new Field('r', new Int32(), false),
    new Field('t', new Timestamp(TimeUnit.MILLISECOND, 'UTC'), false),
  ])
  const text = (value: string) => new Uint8Array(Buffer.from(value))
  const known: Record<string, ColumnBounds> = {
    n: { rows: 10, nullCount: 0, min: 2n ** 53n, max: 2n ** 53n + 2n },
    f: { rows: 10, nullCount: 0, min: 1, max: 2 },
    s: { rows: 10, nullCount: 3, min: text('apple'), max: text('b') },
    r: { rows: 10, min: 7n, max: 7n },
    t: { rows: 10, min: 0n, max: 86_399_999n },
  }
  const cases: [string, string][] = [
    ['n = 9007199254740995', 'none'],
    ['n = 9007199254740993', 'some'],
    ['n >= 9007199254740992', 'all'],
    ['n > 9007199254740994.5', 'none'],
    ['n IS NULL', 'none'],
    ['n IS NOT NULL', 'all'],
    ['n IN (1, 2, 3)', 'none'],
    // A NaN may hide among floats, above every bound.
    ['f > 100', 'some'],
    ['f < 1', 'none'],
    ['f < 100', 'some'],
    ["f = DOUBLE 'NaN'", 'some'],
    ["s LIKE 'c%'", 'none'],
    ["s LIKE 'ap%'", 'some'],
    ["s >= 'a'", 'some'],
    ["s >= 'a' OR s IS NULL", 'some'],
    ["s < 'apple'", 'none'],
    ["NOT s < 'apple'", 'some'],
    ['r = 7', 'all'],
    ['r <> 7', 'none'],
    ['r = 7 AND n < 0', 'none'],
    ['r = 7 OR n < 0', 'all'],
    ['r = 7.5', 'none'],
    ["t < '1970-01-02'::date", 'all'],
    ["CAST('1970-01-02 00:00:00' AS TIMESTAMP) <= t", 'none'],
    ['NULL', 'none'],
    ['TRUE', 'all'],
    ['n + 1 > 0', 'some'],
  ]
  for (const [condition, verdict] of cases) {
    assert.equal(
      prune(bind(sql(condition), schema), name => known[name]),
      verdict,
      condition,
    )
  }
  assert.equal(
    prune(bind(sql('n > 0'), schema), () => undefined),
    'some',
  )
  assert.equal(
    prune(bind(sql('n IS NULL OR TRUE'), schema), () => ({ rows: 0 })),
    'none',
  )
  assert.equal(
    prune(bind(sql('n > 0'), schema), () => ({ rows: 5, nullCount: 5 })),
    'none',
  )
})

test("Parquet's statistics become values of the column's type", () => {
  const int32 = Uint8Array.of(0xfe, 0xff, 0xff, 0xff)
  assert.equal(boundFromBytes(new Int32(), int32, false), -2n)
  assert.equal(boundFromBytes(new DateDay(), int32, false), -2n)
  assert.equal(
    boundFromBytes(new Int64(), Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0x80), false),
    -(2n ** 63n) + 1n,
  )
  assert.equal(boundFromBytes(new Decimal(2, 9), int32, false), -2n)
  assert.equal(boundFromBytes(new Decimal(2, 20), Uint8Array.of(0xff, 0x00), true), -256n)
  assert.equal(boundFromBytes(new Bool(), Uint8Array.of(1), false), true)
  assert.equal(boundFromBytes(new Float64(), new Uint8Array(new Float64Array([1.5]).buffer), false), 1.5)
  assert.equal(
    boundFromBytes(new Float64(), new Uint8Array(new Float64Array([Number.NaN]).buffer), false),
    undefined,
  )
  assert.deepEqual(boundFromBytes(new Binary(), int32, true), int32)
  assert.equal(boundFromBytes(new Int64(), Uint8Array.of(1), false), undefined)
})
