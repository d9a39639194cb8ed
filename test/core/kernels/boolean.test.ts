import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { packBits } from '../../support/bytes.ts'
import { call, input, output, type Range } from './call.ts'
import { bitmaps, forAll, rowsOf } from './values.ts'

/** true, false and null; of a null, the bit may be either. */
const kleene = fc.record({ bit: fc.boolean(), valid: fc.boolean() })
type Kleene = { bit: boolean; valid: boolean }

const kleeneOf = ({ bit, valid }: Kleene) => (valid ? bit : null)
const bitmapOf = (bits: readonly (boolean | number)[]) => input(packBits(bits))
const bytesFor = (rows: { length: number }) => output((rows.length + 7) >> 3)

function and(a: boolean | null, b: boolean | null): boolean | null {
  return a === false || b === false ? false : a === null || b === null ? null : true
}

function or(a: boolean | null, b: boolean | null): boolean | null {
  return a === true || b === true ? true : a === null || b === null ? null : false
}

for (const [name, twin] of [
  ['andKleene', and],
  ['orKleene', or],
] as const) {
  test(`${name} is that of SQL`, () => {
    forAll(fc.tuple(rowsOf(fc.tuple(kleene, kleene)), fc.boolean(), fc.boolean()), ([rows, aFull, bFull]) => {
      const a = rows.map(([value]) => (aFull ? { ...value, valid: true } : value))
      const b = rows.map(([, value]) => (bFull ? { ...value, valid: true } : value))
      const validityOf = (values: Kleene[], full: boolean): Range | number =>
        full ? 0 : bitmapOf(values.map(({ valid }) => valid))
      const [out, valid] = [bytesFor(rows), bytesFor(rows)]
      const aBits = bitmapOf(a.map(({ bit }) => bit))
      const bBits = bitmapOf(b.map(({ bit }) => bit))
      call(name, aBits, validityOf(a, aFull), bBits, validityOf(b, bFull), rows.length, out, valid)
      const bits = out.bits(0, rows.length)
      const got = valid.bits(0, rows.length).map((set, i) => (set ? bits[i] === 1 : null))
      assert.deepEqual(
        got,
        a.map((value, i) => twin(kleeneOf(value), kleeneOf(b[i]!))),
      )
    })
  })
}

const two = rowsOf(fc.tuple(fc.nat(1), fc.nat(1)))
const column = (rows: readonly (readonly number[])[], side: number) => rows.map(row => row[side]!)

test('andBits is set where both are', () => {
  forAll(two, rows => {
    const out = bytesFor(rows)
    call('andBits', bitmapOf(column(rows, 0)), bitmapOf(column(rows, 1)), rows.length, out)
    assert.deepEqual(
      out.bits(0, rows.length),
      rows.map(([a, b]) => a! & b!),
    )
  })
})

test('notXorBits is set where both are the same, no second one being all zeroes', () => {
  forAll(fc.tuple(two, fc.boolean()), ([rows, alone]) => {
    const out = bytesFor(rows)
    const b = alone ? 0 : bitmapOf(column(rows, 1))
    call('notXorBits', bitmapOf(column(rows, 0)), b, rows.length, out)
    assert.deepEqual(
      out.bits(0, rows.length),
      rows.map(([a, b]) => Number(a === (alone ? 0 : b))),
    )
  })
})

test('pickBits takes each bit from one side or the other, all ones where there is none', () => {
  const three = rowsOf(fc.tuple(fc.nat(1), fc.nat(1), fc.nat(1)))
  forAll(fc.tuple(three, fc.subarray([0, 1, 2])), ([rows, absent]) => {
    const out = bytesFor(rows)
    const orNone = (side: number) => (absent.includes(side) ? 0 : bitmapOf(column(rows, side)))
    call('pickBits', orNone(0), orNone(1), orNone(2), rows.length, out)
    const bit = (row: readonly number[], side: number) => (absent.includes(side) ? 1 : row[side]!)
    assert.deepEqual(
      out.bits(0, rows.length),
      rows.map(row => bit(row, bit(row, 0) ? 1 : 2)),
    )
  })
})

test('indicesOf lists the rows that are set and valid', () => {
  forAll(fc.tuple(bitmaps, bitmaps, fc.boolean()), ([bits, other, nullable]) => {
    const valid = bits.map((_, i) => (nullable ? (other[i] ?? 1) : 1))
    const expected = [...bits.keys()].filter(i => bits[i] && valid[i])
    const out = output(4 * expected.length)
    const found = call('indicesOf', bitmapOf(bits), nullable ? bitmapOf(valid) : 0, bits.length, out)
    assert.equal(found, expected.length)
    assert.deepEqual(out.as(Int32Array), expected)
  })
})
