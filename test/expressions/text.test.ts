import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSluiceError } from '../../src/core/errors.ts'
import { col, Expr, lit, sql } from '../../src/core/expressions/expr.ts'

test('builder and SQL text give the same expression', () => {
  const pairs: [Expr, string][] = [
    [col('dt').gte('2025-01-01').and(col('fare').gt(10)), "dt >= '2025-01-01' and fare > 10"],
    [col('a').between(1, 2).or(col('b').isNotNull()), 'a BETWEEN 1 AND 2 OR b IS NOT NULL'],
    [col('a').in([1, 'x', null]).not(), "a NOT IN (1, 'x', NULL)"],
    [col('odd "name"').like('a!%%', { escape: '!' }), `"odd ""name""" LIKE 'a!%%' ESCAPE '!'`],
    [col('a').plus(col('b').times(2)).dividedBy(3).modulo(4), '(a + b * 2) / 3 % 4'],
    [col('t').truncate('month').eq(new Date(0)), "date_trunc('month', t) = TIMESTAMP '1970-01-01'"],
    [col('t').cast('decimal(10,2)'), 't::decimal(10, 2)'],
    [col('s').lower().concat('-', col('t').format('%Y')), "lower(s) || '-' || strftime(t, '%Y')"],
    [lit(2n ** 63n - 1n).negate(), '-(9223372036854775807)'],
    [lit(Number.NaN), "DOUBLE 'nan'"],
    [lit(Uint8Array.of(0, 255)), "X'00FF'"],
    [col('t').dayOfWeek(), 'extract(dow FROM t)'],
    [col('a').substr(-3, 2), 'substring(a, -3, 2)'],
  ]
  for (const [built, text] of pairs) {
    assert.deepEqual(sql(text).node, built.node, text)
    assert.deepEqual(sql(String(built)).node, built.node, String(built))
    assert.deepEqual(Expr.fromJSON(JSON.parse(JSON.stringify(built))).node, built.node)
  }
})

test('a syntax error shows the text with a caret under the place', () => {
  const cases: [string, RegExp][] = [
    ['fare > ) and x', /expected a column.*found '\)'\n {2}fare > \) and x\n {9}\^$/],
    ["name = 'x", /never closed/],
    ['a b', /expected an operator, but found 'b'/],
    ['', /the text ends/],
    ['nope(x)', /unknown function 'nope'/],
    ['lower(x, y)', /lower takes 1 argument, not 2/],
    ["date '2024-02-30'", /'2024-02-30' is not a date/],
    ['cast(x as thing)', /unknown type 'thing'/],
    ['1 = 2 = 3 # 4', /unexpected '#'/],
    ['12abc', /malformed number/],
    ["strftime(x, '%Q')", /unknown token '%Q'/],
    ['a not b', /IN, BETWEEN or LIKE/],
  ]
  for (const [text, message] of cases) {
    assert.throws(
      () => sql(text),
      error => isSluiceError(error) && error.code === 'invalid-argument' && message.test(error.message),
      text,
    )
  }
})

test('hopeless nesting is a typed error', () => {
  const deep = (text: string) =>
    assert.throws(
      () => sql(text),
      error => isSluiceError(error) && /nested/.test(error.message),
    )
  deep(`${'('.repeat(100_000)}x${')'.repeat(100_000)}`)
  deep(`${'not '.repeat(100_000)}x`)
  deep(`x${' + 1'.repeat(100_000)}`)
  let json: unknown = { op: 'column', name: 'x' }
  for (let i = 0; i < 1000; i++) json = { op: 'not', arg: json }
  assert.throws(() => Expr.fromJSON(json), /nested/)
  assert.throws(() => {
    let expr = col('x')
    for (let i = 0; i < 1000; i++) expr = expr.plus(1)
  }, /nested/)
})
