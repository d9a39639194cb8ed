import type { Columns, Operator } from '../core/operator.ts'
import { columnNames, stageOperator } from '../core/stage-operator.ts'

/**
 * Leaves the named columns out and keeps the others in their order. Behind a source, they are not even read, and row
 * groups are passed on without them as the bytes that they are.
 *
 * Fails with `schema` before anything is read if there is no such column, or if none would be left.
 *
 * @example
 * source(store).pipe(drop('ssn', 'email'))
 */
export function drop<T extends Columns, K extends keyof T & string>(
  ...columns: K[]
): Operator<T, Omit<T, K>> {
  return stageOperator({ op: 'drop', columns: columnNames(columns, 'drop') })
}
