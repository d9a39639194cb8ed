import { SluiceError } from '../core/errors.ts'
import type { Columns, Operator } from '../core/operator.ts'
import { stageOperator } from '../core/stage-operator.ts'

/** The columns with new names for some. */
export type Renamed<T extends Columns, R> = {
  [K in keyof T as K extends keyof R ? (R[K] extends string ? R[K] : K) : K]: T[K]
}

/**
 * Gives columns other names; they keep their places, and columns not named stay as they are. All names change at once,
 * so two columns can swap theirs. Nothing is copied: filters behind it are pushed down under the old names, and row
 * groups that a sink takes as they are get the new names in the file's footer.
 *
 * Fails with `schema` before anything is read if there is no such column, or if two would have one name.
 *
 * @param columns new names by the old ones
 * @example
 * source(store).pipe(rename({ tpep_pickup_datetime: 'pickup', VendorID: 'vendor' }))
 */
export function rename<T extends Columns, const R extends Readonly<Record<string, string>>>(
  columns: R & { readonly [K in Exclude<keyof R & string, keyof T>]: never },
): Operator<T, Renamed<T, R>> {
  const entries = Object.entries<unknown>(columns ?? {}).map(([from, to]): [string, string] => {
    if (typeof to === 'string' && to !== '') return [from, to]
    throw new SluiceError(
      'invalid-argument',
      `must be the new name, not ${JSON.stringify(to) ?? String(to)}`,
      {
        option: `rename.${from}`,
      },
    )
  })
  if (entries.length === 0) throw new SluiceError('invalid-argument', 'names no column', { option: 'rename' })
  return stageOperator({ op: 'rename', columns: entries })
}
