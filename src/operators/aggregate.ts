import { aggregateRows } from '../core/aggregation/aggregate-rows.ts'
import type { AggregateFunction, Aggregation } from '../core/aggregation/plan.ts'
import { SluiceError } from '../core/errors.ts'
import { type Columns, describe, type Operator } from '../core/operator.ts'

/** A function over the rows of a group: made by {@link count}, {@link sum}, {@link min}, {@link max}, {@link mean}. */
export interface Aggregate<Fn extends AggregateFunction = AggregateFunction, Column = string> {
  readonly fn: Fn
  /** Absent: rows are counted. */
  readonly column: Column
}

/** Functions by the name of the column that each gives, and the keys. */
export type AggregateOptions<T extends Columns> = {
  /** Columns to group by, of any flat type; null is a value like others. @default []: one row of everything */
  readonly by?: readonly Name<T>[]
} & { readonly [name: string]: AggregateOf<T> | readonly Name<T>[] }

/** The columns that an aggregation gives: keys as they are, then a column for each function. */
export type Aggregated<T extends Columns, O> = {
  [K in KeyOf<O> | Exclude<keyof O, 'by'>]: K extends keyof O
    ? ResultOf<T, O[K]>
    : K extends keyof T
      ? T[K]
      : never
}

/**
 * One row for each group of rows with the same keys, sorted by the keys (ascending, the first key first, text by
 * bytes, NaN behind all numbers, nulls last). Without keys there is exactly one row. Null is a key like others; so is
 * NaN, and 0 and -0 are the same one.
 *
 * Nothing comes out before everything is in. Behind a source the lanes aggregate what they decode, and only groups
 * travel to the main thread, which merges them; only the columns named here are read. Groups take about 50 to 100
 * bytes each; a lane hands its own over when they outgrow its share of the budget.
 *
 * Fails with `schema` before anything is read if a column is unknown or a function does not take its type, with
 * `invalid-argument` if a sum leaves its type, and with `budget` if the groups do not fit in a sixth of `memory`.
 *
 * @example
 * source(store).pipe(aggregate({ by: ['zone'], trips: count(), total: sum('amount'), longest: max('distance') }))
 */
export function aggregate<T extends Columns, const O extends AggregateOptions<T>>(
  options: O & { readonly [K in Exclude<keyof O, 'by'>]: AggregateOf<T> },
): Operator<T, Aggregated<T, O>> {
  const { by = [], ...named } = (options ?? {}) as AggregateOptions<Columns>
  if (!Array.isArray(by) || by.some(name => typeof name !== 'string')) {
    throw invalid('by', `must be a list of column names, not ${JSON.stringify(by)}`)
  }
  const twice = by.find((name, i) => by.indexOf(name) !== i)
  if (twice !== undefined) throw invalid('by', `names '${twice}' twice`)
  const functions = Object.entries(named).map(([name, value]): Aggregation['functions'][number] => {
    if (!isAggregate(value)) {
      throw new SluiceError(
        'invalid-argument',
        `must be an aggregate function, not ${JSON.stringify(value)}`,
        {
          option: `aggregate.${name}`,
          hint: "Write, for example, sum('amount').",
        },
      )
    }
    if (by.includes(name)) throw invalid(`aggregate.${name}`, 'has the name of a key')
    const { fn, column } = value
    return [name, column === undefined ? { fn } : { fn, column }]
  })
  if (functions.length + by.length === 0) throw invalid('aggregate', 'names no column')
  const aggregation: Aggregation = { by: [...by], functions }
  return describe({ op: 'aggregate', ...aggregation }, (input, run) =>
    aggregateRows(aggregation, input, { schema: undefined, partial: false, among: 1 }, run),
  )
}

/** The number of rows, or of values of a column that are not null. Never null itself. */
export function count(): Aggregate<'count', undefined>
export function count<const C extends string>(column: C): Aggregate<'count', C>
export function count(column?: string): Aggregate<'count', string | undefined> {
  return column === undefined ? { fn: 'count', column } : call('count', column)
}

/**
 * The sum of the values that are not null; null if there is none. Integers give int64 (uint64 if they are that),
 * exactly, and fail if it does not fit; decimals give decimal(38, s); floats give float64, whose last digits
 * depend on the order in which lanes add.
 */
export function sum<const C extends string>(column: C): Aggregate<'sum', C> {
  return call('sum', column)
}

/** The least value that is not null, of any flat type; null if there is none. NaN is above all other numbers. */
export function min<const C extends string>(column: C): Aggregate<'min', C> {
  return call('min', column)
}

/** The greatest value that is not null, of any flat type; null if there is none. NaN is above all other numbers. */
export function max<const C extends string>(column: C): Aggregate<'max', C> {
  return call('max', column)
}

/** The sum of the values that are not null by their number, as float64; null if there is none. */
export function mean<const C extends string>(column: C): Aggregate<'mean', C> {
  return call('mean', column)
}

type Name<T> = keyof T & string
/** Columns that have, or may have, values of a kind. */
type NameOf<T, V> = {
  [K in Name<T>]: unknown extends T[K] ? K : NonNullable<T[K]> extends V ? K : never
}[Name<T>]
/** Decimals are words of 32 bits. */
type Summed = number | bigint | Uint32Array
type AggregateOf<T extends Columns> =
  | Aggregate<'count', Name<T> | undefined>
  | Aggregate<'min' | 'max', Name<T>>
  | Aggregate<'sum' | 'mean', NameOf<T, Summed>>

type KeyOf<O> = O extends { readonly by: readonly (infer K extends string)[] } ? K : never
/** A sum of numbers is a bigint where they are integers. */
type SumOf<V> = unknown extends V
  ? unknown
  : (NonNullable<V> extends number ? number | bigint : NonNullable<V>) | null
type ResultOf<T extends Columns, A> =
  A extends Aggregate<infer Fn, infer C>
    ? Fn extends 'count'
      ? bigint
      : Fn extends 'mean'
        ? number | null
        : C extends keyof T
          ? Fn extends 'sum'
            ? SumOf<T[C]>
            : T[C] | null
          : unknown
    : never

function call<Fn extends AggregateFunction, C extends string>(fn: Fn, column: C): Aggregate<Fn, C> {
  if (typeof column !== 'string') {
    throw new SluiceError('invalid-argument', `must be the name of a column, not ${String(column)}`, {
      option: fn,
    })
  }
  return { fn, column }
}

function isAggregate(value: unknown): value is Aggregate<AggregateFunction, string | undefined> {
  const fn = (value as Aggregate | null | undefined)?.fn
  return fn === 'count' || fn === 'sum' || fn === 'min' || fn === 'max' || fn === 'mean'
}

function invalid(option: string, reason: string): SluiceError {
  return new SluiceError('invalid-argument', reason, { option })
}
