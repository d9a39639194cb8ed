import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  Bool,
  DateDay,
  Decimal,
  Field,
  Float64,
  Int32,
  Int64,
  List,
  Schema,
  Timestamp,
  TimeUnit,
  Utf8,
} from 'apache-arrow'
import { isSluiceError } from '../../src/core/errors.ts'
import { bind, bindPredicate } from '../../src/core/expressions/bind.ts'
import { col, type Expr, lit, sql } from '../../src/core/expressions/expr.ts'

const SCHEMA = new Schema([
  new Field('fare', new Float64(), true),
  new Field('count', new Int32(), false),
  new Field('id', new Int64(), true),
  new Field('vendor', new Utf8(), true),
  new Field('at', new Timestamp(TimeUnit.MILLISECOND, 'UTC'), true),
  new Field('day', new DateDay(), true),
  new Field('price', new Decimal(2, 10), true),
  new Field('flag', new Bool(), true),
  new Field('tags', new List(new Field('item', new Utf8(), true)), true),
  new Field('__proto__', new Int32(), true),
])

function fails(expr: Expr | string, code: string, message: RegExp): void {
  const built = typeof expr === 'string' ? sql(expr) : expr
  assert.throws(
    () => bind(built, SCHEMA),
    error => {
      assert.ok(isSluiceError(error) && error.code === code, String(error))
      assert.match(error.message, message)
      return true
    },
  )
}

test('an unknown column names its nearest neighbour and lists what there is', () => {
  fails('vendr = 1', 'schema', /no column 'vendr'.*Did you mean 'vendor'\?.*'fare', 'count', 'id'/)
  fails('Fare > 1', 'schema', /Did you mean 'fare'/)
  fails('nothing_like_it > 1', 'schema', /^there is no column 'nothing_like_it'\. The columns are/)
  assert.deepEqual(bind(sql('"__proto__" + count > 1 and "__proto__" < 9'), SCHEMA).columns, [
    '__proto__',
    'count',
  ])
})

test('what does not fit together is refused before any data is read', () => {
  fails("fare > '10'", 'schema', /fare > '10' compares float64 with text/)
  fails('vendor = 5', 'schema', /compares utf8 with a number/)
  fails('vendor = fare', 'schema', /compares utf8 with float64/)
  fails('vendor IN (1)', 'schema', /compares utf8 with a number/)
  fails(
    "at > 'yesterday'",
    'invalid-argument',
    /column 'at'.*'yesterday' is not a value of type timestamp\[ms, UTC\]/,
  )
  fails("day IN ('2024-02-30')", 'invalid-argument', /column 'day'.*2024-02-30/)
  fails('day = 5', 'schema', /compares date with a number/)
  fails('flag > 1', 'schema', /compares bool with a number/)
  fails('vendor + 1', 'schema', /uses '\+' on a value of type utf8/)
  fails('at + 1', 'schema', /uses '\+' on a value of type timestamp/)
  fails('-vendor', 'schema', /negates a value of type utf8/)
  fails('not fare', 'schema', /takes fare, of type float64, for a condition/)
  fails('fare and flag', 'schema', /for a condition/)
  fails('lower(fare)', 'schema', /needs text, but fare is of type float64/)
  fails("fare LIKE 'a'", 'schema', /needs text/)
  fails('year(vendor)', 'schema', /needs a date or a timestamp/)
  fails('hour(day)', 'schema', /hour of a date/)
  fails('coalesce(vendor, 1)', 'schema', /mixes/)
  fails('case when flag then vendor else day end', 'schema', /mixes/)
  fails('cast(tags as varchar)', 'schema', /tags of type list.*cannot be cast to utf8/)
  fails('tags = tags', 'schema', /compares list/)
  fails('price % 2', 'schema', /'%' on decimals/)
  assert.throws(() => bindPredicate(sql('fare + 1'), SCHEMA), /fare \+ 1 is of type float64, not a condition/)
})

test('a bad argument of the builder is named', () => {
  assert.throws(() => col('x').like('a', { escape: 'ab' }), /option 'escape'/)
  assert.throws(() => col('x').substr(1.5), /option 'start'/)
  assert.throws(() => col('x').substr(1, -1), /option 'length'/)
  assert.throws(() => col('x').cast('number'), /unknown type 'number'. Use one of bool/)
  assert.throws(() => col('x').cast('decimal(40, 2)'), /1 to 38 digits/)
  assert.throws(() => col('x').format('YYYY-MM-DD'), /no date token.*%Y-%m-%d/)
  assert.throws(() => col('x').eq(new Date('nope')), /invalid Date/)
  assert.throws(() => lit(Symbol('x') as never), /type symbol/)
})

test('types, nullability and columns follow from the operands', () => {
  const cases: [string, string, boolean, string[]][] = [
    ['count + 1', 'Int64', false, ['count']],
    ['count + fare', 'Float64', true, ['count', 'fare']],
    ['count / 2', 'Float64', false, ['count']],
    ['count % 2', 'Int64', true, ['count']],
    ['price * 2', 'Decimal[11e+2]', true, ['price']],
    ['coalesce(fare, 0)', 'Float64', false, ['fare']],
    ['coalesce(count, 0.5)', 'Float64', false, ['count']],
    ['coalesce(count, 7)', 'Int32', false, ['count']],
    ['fare IS NULL', 'Bool', false, ['fare']],
    ["at >= '2025-01-01' AND day < '2025-01-01'", 'Bool', true, ['at', 'day']],
    ['at', 'Timestamp<MILLISECOND, UTC>', true, ['at']],
    ["vendor || '-' || count", 'Utf8', true, ['vendor', 'count']],
    ['1 + 1', 'Int64', false, []],
    ['tags IS NOT NULL', 'Bool', false, ['tags']],
  ]
  for (const [text, type, nullable, columns] of cases) {
    const bound = bind(sql(text), SCHEMA)
    assert.deepEqual([String(bound.type), bound.nullable, bound.columns], [type, nullable, columns], text)
  }
})
