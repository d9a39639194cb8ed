import type { Expr } from '../core/expressions/expr.ts'
import { sql } from '../core/expressions/expr.ts'
import type { Columns, Operator } from '../core/operator.ts'
import { stageOperator } from '../core/stage-operator.ts'

/**
 * Keeps the rows for which a condition is true; where it is false or null the row is dropped. Directly behind a
 * source it is pushed down: files are skipped by their partition keys, row groups by their statistics, and the
 * rest is evaluated in the lanes. Order is kept, nothing is buffered.
 *
 * Fails with `schema` before anything is read if a column is unknown or types do not go together.
 *
 * @param predicate an expression, or SQL text
 * @example
 * source(store).pipe(filter(col('fare').gt(10)), filter("dt >= '2025-01-01'"))
 */
export function filter<T extends Columns>(predicate: Expr | string): Operator<T, T> {
  const { node } = typeof predicate === 'string' ? sql(predicate) : predicate
  return stageOperator({ op: 'filter', predicate: node })
}
