import assert from 'node:assert/strict'
import fc from 'fast-check'
import { packBits } from '../../support/bytes.ts'
import { inPlace, type Range } from './call.ts'
import { rowsOf } from './values.ts'

/** What a conversion does with a valid value that the target cannot hold. */
type Mode = 'no nulls' | 'fail' | 'drop'

export interface Column<S> {
  rows: [S, valid: boolean][]
  mode: Mode
}

export function lossy<S>(value: fc.Arbitrary<S>): fc.Arbitrary<Column<S>> {
  return fc.record({
    rows: rowsOf(fc.tuple(value, fc.boolean())),
    mode: fc.constantFrom<Mode>('no nulls', 'fail', 'drop'),
  })
}

/**
 * Holds a conversion to its twin, which says undefined for what the target cannot hold: by `mode` such a row, if
 * it is valid, is where the conversion stops, or becomes null. Of nulls and dropped rows nothing is known.
 */
export function assertLossy<S, D>(
  { rows, mode }: Column<S>,
  twin: (value: S) => D | undefined,
  convert: (values: S[], valid: Range | number, drop: number) => { result: number; written: () => D[] },
): void {
  const expected = rows.map(([value]) => twin(value))
  const isValid = (i: number) => mode === 'no nulls' || rows[i]![1]
  const valid = mode === 'no nulls' ? 0 : inPlace(packBits(rows.map(row => row[1])))
  const { result, written } = convert(
    rows.map(([value]) => value),
    valid,
    Number(mode === 'drop'),
  )
  const fails = mode === 'drop' ? -1 : expected.findIndex((value, i) => isValid(i) && value === undefined)
  assert.equal(result, fails)
  const got = written().slice(0, fails < 0 ? rows.length : fails)
  got.forEach((value, i) => {
    if (isValid(i) && expected[i] !== undefined) assert.equal(value, expected[i])
  })
  if (typeof valid === 'number') return
  assert.deepEqual(
    valid.bits(0, rows.length),
    rows.map(([, bit], i) => Number(bit && (mode !== 'drop' || expected[i] !== undefined))),
  )
}
