import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { col, Expr, lit, sql } from '../../src/core/expressions/expr.ts'
import { cases } from '../support/cases.ts'
import { expressions } from './generate.ts'

/** Constants and names of any kind, beside the expressions that have a meaning. */
const anything = fc.oneof(
  ...Object.values(expressions),
  fc.oneof(fc.double(), fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }), fc.boolean()).map(lit),
  fc.string({ unit: 'binary' }).map(lit),
  fc.uint8Array().map(lit),
  fc.date({ noInvalidDate: true }).map(lit),
  fc.string({ unit: 'binary' }).map(col),
  fc.constantFrom(null, Number.NaN, -0, Infinity, -Infinity, 1e21, 5e-324).map(lit),
  fc
    .tuple(
      fc.double(),
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('negate', 'not', 'isNull', 'isNotNull'),
    )
    .map(([number, text, method]) =>
      lit(number)[method as 'not']().plus(col(text)).negate().eq(lit(number).negate()),
    ),
)

test('printed, an expression parses back to itself', () => {
  fc.assert(
    fc.property(anything, expr => {
      assert.deepEqual(sql(String(expr)).node, expr.node, String(expr))
    }),
    { numRuns: cases(2000) },
  )
})

test('JSON keeps an expression exactly', () => {
  fc.assert(
    fc.property(anything, expr => {
      assert.deepEqual(Expr.fromJSON(JSON.parse(JSON.stringify(expr))).node, expr.node)
    }),
    { numRuns: cases(2000) },
  )
})

test('a malformed expression in JSON is refused, whatever is wrong with it', () => {
  const column = { op: 'column', name: 'x' }
  const bad: unknown[] = [
    null,
    [],
    'x',
    { op: 'nope' },
    { op: 'column' },
    { op: 'and', args: [column] },
    { op: 'compare', operator: '==', left: column, right: column },
    { op: 'literal', literal: { type: 'int', value: 5 } },
    { op: 'literal', literal: { type: 'binary', value: 'abc' } },
    { op: 'literal', literal: { type: 'date', value: '2024-13-01' } },
    { op: 'literal', literal: { type: 'decimal', value: '1e5' } },
    { op: 'in', arg: column, values: [1] },
    { op: 'like', arg: column, pattern: 'a', escape: 'ab' },
    { op: 'substr', arg: column, start: 1.5 },
    { op: 'cast', arg: column, to: 'thing' },
    { op: 'format', arg: column, pattern: 'YYYY' },
    { op: 'case', whens: [] },
    { op: 'datePart', part: 'eon', arg: column },
  ]
  for (const json of bad) {
    assert.throws(
      () => Expr.fromJSON(json),
      { name: 'SluiceError', code: 'invalid-argument' },
      JSON.stringify(json),
    )
  }
})
