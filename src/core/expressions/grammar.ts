import type { DatePart } from './node.ts'

/** How tightly operators bind, as in PostgreSQL and DuckDB. */
export const POWER = {
  or: 1,
  and: 2,
  not: 3,
  is: 4,
  compare: 5,
  /** IN, BETWEEN, LIKE. */
  match: 6,
  concat: 7,
  add: 8,
  multiply: 9,
  negate: 10,
  cast: 11,
  primary: 12,
} as const

/** Words that are a column's name only in double quotes. */
export const RESERVED: ReadonlySet<string> = new Set(
  'and or not is null in between like escape case when then else end true false'.split(' '),
)

/** The SQL function of each part of a date. */
export const PARTS_IN_SQL: Readonly<Record<DatePart, string>> = {
  year: 'year',
  quarter: 'quarter',
  month: 'month',
  week: 'week',
  day: 'day',
  hour: 'hour',
  minute: 'minute',
  second: 'second',
  dayOfWeek: 'dayofweek',
  dayOfYear: 'dayofyear',
}
