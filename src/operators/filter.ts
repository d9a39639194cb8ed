import { SluiceError } from '../core/errors.ts'
import { type Expr, sql } from '../core/expressions/expr.ts'
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
  const expr = typeof predicate === 'string' ? sql(predicate) : predicate
  if (typeof expr?.node !== 'object') {
    throw new SluiceError('invalid-argument', `must be an expression or SQL text, not ${String(predicate)}`, {
      option: 'filter',
      hint: 'For a function of your own use mapBatches().',
    })
  }
  return stageOperator({ op: 'filter', predicate: expr.node })
}
