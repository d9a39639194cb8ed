import fc from 'fast-check'
import { input, type Range } from './call.ts'
import { rowsOf } from './values.ts'

export interface Sides<T> {
  rows: { a: T; b: T; valid: boolean }[]
  aOnce: boolean
  bOnce: boolean
}

/** Two columns, either of which may be one value for all rows, and their validity. */
export function sides<T>(value: fc.Arbitrary<T>, minLength = 1): fc.Arbitrary<Sides<T>> {
  return fc
    .tuple(rowsOf(fc.tuple(value, value, fc.boolean()), minLength), fc.boolean(), fc.boolean())
    .map(([rows, aOnce, bOnce]) => ({
      rows: rows.map(([a, b, valid]) => ({ a: aOnce ? rows[0]![0] : a, b: bOnce ? rows[0]![1] : b, valid })),
      aOnce,
      bOnce,
    }))
}

/** The arguments of both sides: address and stride of each. */
export function operands<T>(
  { rows, aOnce, bOnce }: Sides<T>,
  width: number,
  packA: (values: T[]) => ArrayBufferView,
  packB: (values: T[]) => ArrayBufferView = packA,
): readonly [a: Range, aStride: number, b: Range, bStride: number] {
  const [a, b] = [rows.map(row => row.a), rows.map(row => row.b)]
  return [
    input(packA(aOnce ? a.slice(0, 1) : a)),
    aOnce ? 0 : width,
    input(packB(bOnce ? b.slice(0, 1) : b)),
    bOnce ? 0 : width,
  ]
}
