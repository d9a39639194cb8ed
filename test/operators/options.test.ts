import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  aggregate,
  count,
  derive,
  drop,
  filter,
  fromBatches,
  limit,
  map,
  mapBatches,
  project,
  rename,
  repartition,
  retry,
  type SluiceError,
  sum,
  tap,
  throttle,
} from '../../src/index.ts'
import { numbers } from './support.ts'

/** What is given to an operator, the option that the error names, and the value that its message shows. */
const mistakes: [make: (value: never) => unknown, value: unknown, option: string, shown: string][] = [
  [filter, 5, 'filter', '5'],
  [filter, undefined, 'filter', 'undefined'],
  [v => derive({ a: v }), 5, 'derive.a', '5'],
  [v => derive({ a: v }), 5n, 'derive.a', '5'],
  [derive, {}, 'derive', 'no column'],
  [v => project(v), 5, 'project', '5'],
  [v => project(v, v), 'a', 'project', "'a' twice"],
  [v => drop(v), 5, 'drop', '5'],
  [v => drop(v, v), 'a', 'drop', "'a' twice"],
  [rename, {}, 'rename', 'no column'],
  [v => rename({ a: v }), 5, 'rename.a', '5'],
  [v => rename({ a: v }), '', 'rename.a', '""'],
  [aggregate, {}, 'aggregate', 'no column'],
  [v => aggregate({ by: v }), 'a', 'by', 'a'],
  [v => aggregate({ by: v }), ['a', 'a'], 'by', "'a' twice"],
  [v => aggregate({ total: v }), 'amount', 'aggregate.total', 'amount'],
  [v => aggregate({ total: { fn: v, column: 'a' } }), 'median', 'aggregate.total', 'median'],
  [v => aggregate({ by: ['a'], a: v }), count(), 'aggregate.a', 'key'],
  [sum, 5, 'sum', '5'],
  [map, 'f', 'map', 'f'],
  [v => map(row => row, { schema: { a: v } }), 'int64', 'schema', 'int64'],
  [mapBatches, 'f', 'mapBatches', 'f'],
  [tap, 'f', 'tap', 'f'],
  [limit, -1, 'limit', '-1'],
  [limit, 1.5, 'limit', '1.5'],
  [limit, '5', 'limit', '5'],
  [repartition, { by: 'a' }, 'by', 'a'],
  [repartition, { by: ['a', 'a'] }, 'by', "'a' twice"],
  [repartition, { maxRowsPerFile: 0 }, 'maxRowsPerFile', '0'],
  [repartition, { maxPartitions: 1.5 }, 'maxPartitions', '1.5'],
  [repartition, { targetFileBytes: 'much' }, 'targetFileBytes', 'much'],
  [throttle, {}, 'throttle', 'rowsPerSecond'],
  [throttle, { rowsPerSecond: 0 }, 'rowsPerSecond', '0'],
  [throttle, { rowsPerSecond: '5' }, 'rowsPerSecond', '5'],
  [throttle, { bytesPerSecond: 0 }, 'bytesPerSecond', '0'],
  [throttle, { bytesPerSecond: 'fast' }, 'bytesPerSecond', 'fast'],
  [retry, { attempts: 0 }, 'attempts', '0'],
  [retry, { minDelayMs: -1 }, 'minDelayMs', '-1'],
  [retry, { minDelayMs: 5, maxDelayMs: 1 }, 'maxDelayMs', '1'],
  [retry, { shouldRetry: 5 }, 'shouldRetry', '5'],
  [v => fromBatches(v, []), 5, 'schema', '5'],
  [v => fromBatches(numbers().schema, v), 5, 'batches', '5'],
]

for (const [make, value, option, shown] of mistakes) {
  const text = JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? `${v}n` : v))
  test(`option ${option} does not take ${text}`, () => {
    assert.throws(
      () => make(value as never),
      (error: SluiceError) => {
        assert.deepEqual([error.code, error.option], ['invalid-argument', option])
        assert.ok(error.message.includes(shown), error.message)
        return true
      },
    )
  })
}
