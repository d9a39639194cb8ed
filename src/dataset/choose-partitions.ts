import { Schema } from 'apache-arrow'
import { Arena } from '../core/arena.ts'
import { makeBatch } from '../core/batch.ts'
import { SluiceError } from '../core/errors.ts'
import { bindPredicate } from '../core/expressions/bind.ts'
import { select } from '../core/expressions/evaluate.ts'
import type { Expr } from '../core/expressions/expr.ts'
import type { ObjectMeta } from '../storage/store.ts'
import { folderOf } from './compaction-plan.ts'
import { constantColumn } from './constant-column.ts'
import { discoverPartitions } from './partition-types.ts'

/** Enough for one row. */
const SCRATCH = 1 << 20

/** The files in the partitions for which a condition on the partition keys is true. */
export function choosePartitions(objects: readonly ObjectMeta[], condition: Expr): ObjectMeta[] {
  const { fields, values } = discoverPartitions(objects.map(({ key }) => key))
  if (fields.length === 0 && objects.length > 0) {
    throw new SluiceError('schema', 'the dataset has no partition keys', {
      option: 'partitions',
      hint: 'Leave it out: all files are one partition.',
    })
  }
  const bound = bindPredicate(condition, new Schema(fields))
  const arena = new Arena(SCRATCH)
  const chosen = new Map<string, boolean>()
  return objects.filter(({ key }, i) => {
    const folder = folderOf(key)
    let keep = chosen.get(folder)
    if (keep === undefined) {
      const region = arena.regionFor(0)
      const columns = fields.map(({ type }, k) => constantColumn(type, values[i]![k]!, 1, region))
      keep = select(bound, makeBatch(fields, columns, 1), region).count > 0
      region.free()
      chosen.set(folder, keep)
    }
    return keep
  })
}
