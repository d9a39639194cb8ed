import { parseBytes } from '../core/bytes.ts'
import { SluiceError } from '../core/errors.ts'
import { type Columns, describe, type Operator, type RepartitionOptions } from '../core/operator.ts'

/**
 * Says how a dataset sink lays rows out: by which keys, in files of which size. Rows and their order in the
 * stream stay as they are; the work is the sink's. The last `repartition` of a pipeline counts.
 *
 * @example
 * source(store).pipe(repartition({ by: ['dt'], maxRowsPerFile: 1_000_000 })).to(partitionedParquet(other))
 */
export function repartition<T extends Columns>(
  options: RepartitionOptions & { by?: readonly (keyof T & string)[] },
): Operator<T, T> {
  const { by = [], maxRowsPerFile, maxPartitions, targetFileBytes } = options
  for (const [option, value] of Object.entries({ maxRowsPerFile, maxPartitions })) {
    if (value !== undefined && !(Number.isInteger(value) && value > 0)) {
      throw new SluiceError('invalid-argument', `must be a whole number above 0, not ${String(value)}`, {
        option,
      })
    }
  }
  if (targetFileBytes !== undefined && parseBytes(targetFileBytes, 'targetFileBytes') === 0) {
    throw new SluiceError('invalid-argument', 'must be above 0', { option: 'targetFileBytes' })
  }
  if (!Array.isArray(by) || by.some(name => typeof name !== 'string' || name === '')) {
    throw new SluiceError('invalid-argument', `must be a list of column names, not ${JSON.stringify(by)}`, {
      option: 'by',
    })
  }
  const twice = by.find((name, i) => by.indexOf(name) !== i)
  if (twice !== undefined)
    throw new SluiceError('invalid-argument', `names '${twice}' twice`, { option: 'by' })
  return describe({ op: 'repartition', ...options }, input => input)
}
