import fc from 'fast-check'
import { type Constant, col, type Expr, lit } from '../../src/core/expressions/expr.ts'
import type { DatePart, TruncateUnit } from '../../src/core/expressions/node.ts'

type Gen = fc.Arbitrary<Expr>
type Comparison = 'eq' | 'ne' | 'lt' | 'lte' | 'gt' | 'gte'

const COMPARISONS: Comparison[] = ['eq', 'ne', 'lt', 'lte', 'gt', 'gte']
const UNITS: TruncateUnit[] = ['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second']
const DATE_PARTS = ['year', 'quarter', 'month', 'week', 'day', 'dayOfWeek', 'dayOfYear'] satisfies DatePart[]
const TIME_PARTS = ['hour', 'minute', 'second'] satisfies DatePart[]

const INTS = ['i8', 'i16', 'i32', 'i64', 'u8', 'u16', 'u32', 'u64']
const INT_VALUES: (bigint | number)[] = [
  0,
  1,
  -1,
  3,
  42,
  127,
  128,
  -129,
  65536,
  2 ** 31,
  -(2 ** 31),
  2n ** 63n - 1n,
  -(2n ** 63n),
  9007199254740993n,
]
const FLOAT_VALUES = [0.5, -0.5, 0.1, 1.5, -2.5, 2.0000001, 1e15]
const TEXTS = ['', 'a', 'abc', 'ABC', 'é', 'b', '日本語', 'zürich', "it's", 'a%b']
const PATTERNS = ['%', 'a%', '%b', '%b%', '_', 'a_b', '__', '', '%本%', 'a%c%d', '%a%b', 'abc', '_b_%', '%é']
const DATES = ['1970-01-01', '2024-02-29', '1860-06-25', '2000-02-29', '2024-12-30', '2189-01-13']
const TIMES = [
  '1970-01-01 00:00:00',
  '2024-02-29 23:59:59.99',
  '2024-02-29',
  '1969-12-31 23:59:59.999999',
  '2000-01-01 00:00:00.5',
]

const oneOf = fc.constantFrom
const columns = (...names: string[]): Gen => oneOf(...names).map(col)
const literals = (...values: Constant[]): Gen => oneOf(...values).map(lit)

/**
 * Random expressions that mean the same to DuckDB: arithmetic is on 64 bits (DuckDB's stays in the columns'
 * width), and integers meet floats only as constants (DuckDB rounds an int64 to a double first).
 */
export const expressions = fc.letrec<{
  condition: Expr
  int: Expr
  float: Expr
  decimal: Expr
  text: Expr
  date: Expr
  time: Expr
}>(tie => {
  const condition = tie('condition')
  const int = tie('int')
  const float = tie('float')
  const decimal = tie('decimal')
  const text = tie('text')
  const date = tie('date')
  const time = tie('time')
  const compare = (left: Gen, right: Gen): Gen =>
    fc.tuple(oneOf(...COMPARISONS), left, right).map(([method, a, b]) => a[method](b))
  const wide = (gen: Gen): Gen => gen.map(expr => expr.cast('int64'))
  const pick = (gen: Gen, fallback: Gen): Gen =>
    fc.tuple(condition, gen, fallback).map(([when, a, b]) => choose(when, a, b))
  const arithmetic = (gen: Gen, ...methods: ('plus' | 'minus' | 'times' | 'modulo' | 'dividedBy')[]): Gen =>
    fc.tuple(oneOf(...methods), gen, gen).map(([method, a, b]) => a[method](b))
  const instants = fc.oneof(date, time)

  return {
    condition: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      columns('flag'),
      compare(columns(...INTS), literals(...INT_VALUES, ...FLOAT_VALUES)),
      compare(columns('f32', 'f64'), literals(0, 1, -3, 0.5, 0.1, Number.NaN, Infinity, -Infinity)),
      compare(columns('price', 'exact'), literals(0, 1.5, -0.01, 0.015, 3, 2n ** 62n)),
      compare(columns('text'), literals(...TEXTS)),
      compare(columns('when'), literals(...DATES)),
      compare(columns('at', 'ns'), literals(...TIMES)),
      // DuckDB rounds a constant to the column's unit; that has tests of its own.
      compare(columns('ms'), literals(...TIMES.filter(text => !text.endsWith('999')))),
      compare(literals(...INT_VALUES), columns(...INTS)),
      compare(int, int),
      compare(float, float),
      compare(decimal, fc.oneof(decimal, columns('i32', 'u8'))),
      compare(text, text),
      compare(instants, instants),
      compare(condition, condition),
      fc.tuple(condition, condition, condition).map(([a, b, c]) => a.and(b, c)),
      fc.tuple(condition, condition).map(([a, b]) => a.or(b)),
      condition.map(expr => expr.not()),
      fc.oneof(int, float, text, time, decimal, condition).map(expr => expr.isNull()),
      fc.oneof(int, text).map(expr => expr.isNotNull()),
      fc
        .tuple(columns(...INTS), fc.array(oneOf(...INT_VALUES, null), { minLength: 1, maxLength: 5 }))
        .map(([a, list]) => a.in(list)),
      fc
        .tuple(text, fc.array(oneOf(...TEXTS, null), { minLength: 1, maxLength: 5 }))
        .map(([a, list]) => a.in(list)),
      fc
        .tuple(columns('f32', 'f64'), fc.array(oneOf(0, 1.5, Infinity, Number.NaN, -3), { minLength: 1 }))
        .map(([a, list]) => a.in(list)),
      fc
        .tuple(columns('price'), fc.array(oneOf(0, 1.5, -0.01, 7), { minLength: 1 }))
        .map(([a, list]) => a.in(list)),
      fc.tuple(int, int, int).map(([a, low, high]) => a.between(low, high)),
      fc.tuple(text, oneOf(...PATTERNS)).map(([a, pattern]) => a.like(pattern)),
      fc.tuple(text, oneOf('a!%b', 'a!_%', '!!%')).map(([a, pattern]) => a.like(pattern, { escape: '!' })),
      fc.tuple(text, oneOf(...TEXTS)).map(([a, prefix]) => a.startsWith(prefix)),
      pick(condition, condition),
    ),
    int: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      wide(columns('i8', 'i16', 'i32', 'u8', 'u16', 'u32', 'i64')),
      literals(0, 1, -1, 3, 100, 2n ** 40n),
      arithmetic(int, 'plus', 'minus', 'times', 'modulo'),
      int.map(expr => expr.negate()),
      text.map(expr => expr.length()),
      fc.tuple(oneOf(...DATE_PARTS), instants).map(([part, a]) => a[part]()),
      fc.tuple(oneOf(...TIME_PARTS), time).map(([part, a]) => a[part]()),
      fc.tuple(int, int).map(([a, b]) => a.coalesce(b)),
      fc.tuple(date, date).map(([a, b]) => a.minus(b)),
      condition.map(expr => expr.cast('int64')),
      text.map(expr => expr.tryCast('int64')),
      text.map(expr => expr.tryCast('int8').cast('int64')),
      columns(...INTS.slice(0, 7)).map(expr => expr.cast('utf8').cast('int64')),
      pick(int, int),
    ),
    float: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      columns('f64'),
      columns('f32').map(expr => expr.cast('float64')),
      arithmetic(float, 'plus', 'minus', 'times', 'dividedBy'),
      fc.tuple(int, int).map(([a, b]) => a.dividedBy(b)),
      float.map(expr => expr.negate()),
      fc.tuple(float, float).map(([a, b]) => a.coalesce(b)),
      int.map(expr => expr.cast('float64')),
      pick(float, float),
    ),
    decimal: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      columns('price', 'exact'),
      columns('price').map(expr => expr.times(col('price'))),
      fc.tuple(columns('price'), literals(1, 2.5, -3)).map(([a, b]) => a.plus(b)),
      columns('i32', 'u64', 'f32').map(expr => expr.tryCast('decimal(12, 3)')),
      columns('exact').map(expr => expr.tryCast('decimal(10, 1)')),
      fc.tuple(columns('price'), columns('price')).map(([a, b]) => a.coalesce(b)),
    ),
    text: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      columns('text'),
      literals(...TEXTS),
      text.map(expr => expr.lower()),
      text.map(expr => expr.upper()),
      fc
        .tuple(text, fc.integer({ min: -5, max: 6 }), fc.option(fc.integer({ min: 0, max: 5 })))
        .map(([a, start, length]) => (length === null ? a.substr(start) : a.substr(start, length))),
      fc.tuple(text, text).map(([a, b]) => a.concat(b)),
      fc.tuple(text, text).map(([a, b]) => a.coalesce(b)),
      int.map(expr => expr.cast('utf8')),
      columns('i64', 'i8', 'f64', 'f32', 'price', 'exact', 'when', 'at', 'flag', 'u64').map(expr =>
        expr.cast('utf8'),
      ),
      fc
        .tuple(instants, oneOf('%Y-%m-%d', '%y%j', '%d/%m/%Y %A %b', '%u%w%B%a'))
        .map(([a, pattern]) => a.format(pattern)),
      fc
        .tuple(columns('at', 'ms'), oneOf('%Y-%m-%d %H:%M:%S', '%I%p %f', 'x%Hx'))
        .map(([a, pattern]) => a.format(pattern)),
      pick(text, text),
    ),
    date: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      columns('when'),
      time.map(expr => expr.cast('date')),
      columns('when').map(expr => expr.cast('utf8').cast('date')),
      oneOf('2024-02-29', '2023-02-29', '0001-01-01', '1999-1-1', 'x').map(text =>
        col('text').coalesce('').substr(1, 0).concat(text).tryCast('date'),
      ),
      fc.tuple(columns('when'), literals(1, -1, 365)).map(([a, days]) => a.plus(days.cast('int32'))),
      fc.tuple(date, date).map(([a, b]) => a.coalesce(b)),
    ),
    time: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      columns('at', 'ms', 'ns'),
      date.map(expr => expr.cast('timestamp[us]')),
      fc.tuple(oneOf(...UNITS), columns('at', 'ms')).map(([unit, a]) => a.truncate(unit)),
      fc
        .tuple(oneOf('year', 'month', 'week', 'day') as fc.Arbitrary<TruncateUnit>, columns('when'))
        .map(([unit, a]) => a.truncate(unit).cast('timestamp[us]')),
    ),
  }
})

/** `CASE WHEN when THEN a ELSE b END`. */
function choose(when: Expr, a: Expr, b: Expr): Expr {
  return new (a.constructor as typeof Expr)({
    op: 'case',
    whens: [{ when: when.node, value: a.node }],
    otherwise: b.node,
  })
}
