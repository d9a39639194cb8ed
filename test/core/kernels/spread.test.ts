import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concat, offsetsOf, packBits } from '../../support/bytes.ts'
import { at, call, inPlace, input, output } from './call.ts'
import { bitmaps, byteStrings, forAll, lookups, rowsOf } from './values.ts'

/** Rows, null or with a value; also long stretches of either. */
const nullable = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<(T | null)[]> =>
  fc.oneof(
    rowsOf(fc.option(value, { freq: 3 })),
    fc
      .tuple(bitmaps, fc.array(value, { minLength: 1, maxLength: 9 }))
      .map(([bits, few]) => bits.map((bit, i) => (bit ? few[i % few.length]! : null))),
  )

const validity = (rows: readonly unknown[]) => input(packBits(rows.map(row => row !== null)))
const denseOf = <T>(rows: readonly (T | null)[]) => rows.filter(row => row !== null) as T[]

for (const width of [1, 2, 4, 8, 5, 16]) {
  const value = fc.uint8Array({ minLength: width, maxLength: width })

  test(`spreadValues moves values of ${width} bytes to their rows and clears the others`, () => {
    forAll(nullable(value), rows => {
      const dense = denseOf(rows)
      const unused = new Uint8Array((rows.length - dense.length) * width).fill(99)
      const values = inPlace(concat([...dense, unused]))
      call('spreadValues', values, width, validity(rows), rows.length, dense.length)
      assert.deepEqual(values.bytes, concat(rows.map(row => row ?? new Uint8Array(width))))
    })
  })

  test(`gatherValues looks up values of ${width} bytes`, () => {
    forAll(lookups(value), ({ values, codes }) => {
      const out = output(codes.length * width)
      const dictionary = input(concat(values))
      call('gatherValues', input(Uint32Array.from(codes)), codes.length, dictionary, width, out)
      assert.deepEqual(out.bytes, concat(codes.map(code => values[code]!)))
    })
  })
}

test('spreadBits moves bits to their rows and leaves their neighbours', () => {
  forAll(fc.tuple(nullable(fc.nat(1)), fc.nat(20), fc.nat(1)), ([rows, to, before]) => {
    const bits = new Array<number>(to + rows.length + 9).fill(before)
    const target = inPlace(packBits(bits))
    call('spreadBits', input(packBits(denseOf(rows))), validity(rows), rows.length, target, to)
    bits.splice(to, rows.length, ...rows.map(row => row ?? 0))
    assert.deepEqual(target.bits(0, bits.length), bits)
  })
})

test('spreadOffsets gives rows their offsets', () => {
  forAll(fc.tuple(nullable(byteStrings), fc.nat(100), fc.nat(50)), ([rows, base, skip]) => {
    const from = Math.min(skip, rows.length)
    const [before, rest] = [rows.slice(0, from), rows.slice(from)]
    const offsets = at(input(offsetsOf(denseOf(rows))), 4 * denseOf(before).length)
    const out = output(4 * (rest.length + 1))
    call('spreadOffsets', offsets, validity(rows), from, rest.length, out, base)
    const values = rest.map(row => row ?? new Uint8Array())
    assert.deepEqual(out.as(Int32Array), [...offsetsOf(values, base)])
  })
})

test('shiftOffsets adds', () => {
  forAll(
    fc.tuple(rowsOf(fc.nat(2 ** 30)), fc.integer({ min: -(2 ** 30), max: 2 ** 30 - 1 })),
    ([offsets, by]) => {
      const out = output(4 * offsets.length)
      call('shiftOffsets', input(Int32Array.from(offsets)), offsets.length, by, out)
      assert.deepEqual(
        out.as(Int32Array),
        offsets.map(offset => offset + by),
      )
    },
  )
})
