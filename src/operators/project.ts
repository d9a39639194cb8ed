import { SluiceError } from '../core/errors.ts'
import type { Columns, Operator } from '../core/operator.ts'
import { stageOperator } from '../core/stage-operator.ts'

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
  if (columns.length === 0)
    throw new SluiceError('invalid-argument', 'names no column', { option: 'project' })
  const unnamed = columns.find(name => typeof name !== 'string')
  if (unnamed !== undefined)
    throw new SluiceError('invalid-argument', `must be names of columns, not ${String(unnamed)}`, {
      option: 'project',
    })
  const twice = columns.find((name, i) => columns.indexOf(name) !== i)
  if (twice !== undefined)
    throw new SluiceError('invalid-argument', `names '${twice}' twice`, { option: 'project' })
  return stageOperator({ op: 'project', columns })
}
