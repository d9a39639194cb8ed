import type { Columns, Operator } from '../core/operator.ts'
import { columnNames, stageOperator } from '../core/stage-operator.ts'

/**
 * Keeps the named columns, in the order named. Behind a source, other columns are not even read.
 *
 * Fails with `schema` before anything is read if there is no such column.
 *
 * @example
 * source(store).pipe(project('dt', 'vendor', 'total'))
 */
export function project<T extends Columns, K extends keyof T & string>(
  ...columns: K[]
): Operator<T, Pick<T, K>> {
  return stageOperator({ op: 'project', columns: columnNames(columns, 'project') })
}
