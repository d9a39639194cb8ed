import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ValueOrder } from '../../../src/parquet/leaf-type.ts'
import { trustedBounds } from '../../../src/parquet/source-bounds.ts'

const bytes = (...values: number[]) => Uint8Array.from(values)

test('bounds of a type are repeated', () => {
  const statistics = { min: bytes(1, 0, 0, 0), max: bytes(7, 0, 0, 0) }
  assert.deepEqual(trustedBounds('i32', statistics), { ...statistics, isMinExact: false, isMaxExact: false })
})

test('bounds of another length than the type has are none', () => {
  const cases: [ValueOrder, number][] = [
    ['boolean', 0],
    ['boolean', 4],
    ['i32', 3],
    ['i64', 4],
    ['u64', 9],
    ['f16', 1],
    ['f32', 0],
    ['f64', 4],
    ['signed-bytes', 0],
  ]
  for (const [order, length] of cases) {
    const bound = new Uint8Array(length)
    assert.equal(trustedBounds(order, { min: bound, max: bound }), undefined, `${order}, ${length} bytes`)
  }
  assert.equal(trustedBounds('signed-bytes', { min: bytes(1), max: bytes(1, 2) }), undefined)
})

test('NaN is no bound', () => {
  const nan = (order: 'f32' | 'f64') =>
    order === 'f32'
      ? new Uint8Array(Float32Array.of(Number.NaN).buffer)
      : new Uint8Array(Float64Array.of(Number.NaN).buffer)
  for (const order of ['f32', 'f64'] as const) {
    const zero = new Uint8Array(nan(order).length)
    assert.equal(trustedBounds(order, { min: zero, max: nan(order) }), undefined)
    assert.equal(trustedBounds(order, { min: nan(order), max: zero }), undefined)
  }
})
