import { SluiceError } from '../core/errors.ts'
import { type Expr, sql } from '../core/expressions/expr.ts'
import type { Columns, Operator } from '../core/operator.ts'
import { stageOperator } from '../core/stage-operator.ts'

/**
 * Adds columns, or replaces columns of the same name. All expressions see the input: one cannot use another's
 * result. A new column comes last, a replaced one keeps its place. Order is kept, nothing is buffered.
 *
 * Fails with `schema` before anything is read if a column is unknown or types do not go together, and with
 * the place of the value if one cannot be computed (a cast of text that is no number, an integer overflow).
 *
 * @param columns expressions, or SQL text, by the name of the new column
 * @example
 * source(store).pipe(derive({ total: col('fare').plus(col('tip').coalesce(0)), day: "date_trunc('day', ts)" }))
 */
export function derive<T extends Columns, D extends Readonly<Record<string, Expr | string>>>(
  columns: D,
): Operator<T, Omit<T, keyof D> & { [K in keyof D]: unknown }> {
  const entries = Object.entries(columns ?? {}).map(([name, value]): [string, Expr['node']] => {
    if (typeof value === 'string') return [name, sql(value).node]
    if (typeof value?.node === 'object') return [name, value.node]
    throw new SluiceError('invalid-argument', `must be an expression or SQL text, not ${String(value)}`, {
      option: `derive.${name}`,
      hint: 'For a constant write lit(value).',
    })
  })
  if (entries.length === 0) throw new SluiceError('invalid-argument', 'names no column', { option: 'derive' })
  return stageOperator({ op: 'derive', columns: entries })
}
