import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bitsOf, packBits } from '../../support/bytes.ts'
import { call, end, inPlace, input, output } from './call.ts'
import { decodeRuns, encodeRuns, runsOf, valuesIn } from './hybrid.ts'
import { bitmaps, damaged, forAll } from './values.ts'

function assertI32(bytes: Uint8Array, width: number, count: number, expected: number[] | undefined): void {
  const source = input(bytes)
  const out = output(4 * count)
  const result = call('rleToI32', source, end(source), width, count, out)
  if (expected === undefined) {
    assert.equal(result, -1)
    return
  }
  assert.deepEqual(out.as(Uint32Array), expected)
  assert.equal(
    result >>> 0,
    expected.reduce((most, value) => Math.max(most, value), 0),
  )
}

test('rleToI32 reads runs of every width, and no more than they hold', () => {
  const cases = fc.integer({ min: 0, max: 32 }).chain(width => fc.tuple(fc.constant(width), runsOf(width)))
  forAll(
    fc.tuple(cases, fc.nat(20)),
    ([[width, runs], fewer]) => {
      const values = valuesIn(runs)
      const bytes = encodeRuns(runs, width)
      const wanted = Math.max(0, values.length - fewer)
      assertI32(bytes, width, wanted, values.slice(0, wanted))
      if (width > 0) assertI32(bytes, width, values.length + 1, undefined)
    },
    300,
  )
})

test('rleToI32 reads any bytes as the grammar has them, or refuses them', () => {
  const cases = fc
    .integer({ min: 1, max: 32 })
    .chain(width => fc.tuple(fc.constant(width), damaged(runsOf(width).map(runs => encodeRuns(runs, width)))))
  forAll(
    fc.tuple(cases, fc.nat(400)),
    ([[width, bytes], count]) => assertI32(bytes, width, count, decodeRuns(bytes, width, count)),
    1000,
  )
  for (const width of [-1, 33, 255]) assertI32(Uint8Array.of(2, 0, 0, 0, 0, 0), width, 1, undefined)
})

/** Holds what becomes bits from bit `to` on, between others that stay. */
function assertBits(
  name: 'rleToBits' | 'packedToBits',
  bytes: Uint8Array,
  { before, to, count }: { before: number; to: number; count: number },
  expected: number[] | undefined,
): void {
  const source = input(bytes)
  const bits = new Array<number>(to + count + 9).fill(before)
  const target = inPlace(packBits(bits))
  const result = call(name, source, end(source), count, target, to)
  if (expected === undefined) {
    assert.equal(result, -1)
    return
  }
  bits.splice(to, count, ...expected)
  assert.deepEqual(target.bits(0, bits.length), bits)
  assert.equal(
    result,
    expected.reduce((sum, bit) => sum + bit, 0),
  )
}

const places = fc.record({ before: fc.nat(1), to: fc.nat(20) })

test('rleToBits reads levels, and no more than the runs hold', () => {
  forAll(
    fc.tuple(runsOf(1), fc.nat(20), places),
    ([runs, fewer, place]) => {
      const values = valuesIn(runs)
      const bytes = encodeRuns(runs, 1)
      const count = Math.max(0, values.length - fewer)
      assertBits('rleToBits', bytes, { ...place, count }, values.slice(0, count))
      assertBits('rleToBits', bytes, { ...place, count: values.length + 1 }, undefined)
    },
    200,
  )
})

test('rleToBits reads any bytes as the grammar has them, or refuses them', () => {
  forAll(
    fc.tuple(damaged(runsOf(1).map(runs => encodeRuns(runs, 1))), places, fc.nat(400)),
    ([bytes, place, count]) => {
      assertBits('rleToBits', bytes, { ...place, count }, decodeRuns(bytes, 1, count, 1))
    },
    1000,
  )
})

test('packedToBits reads the deprecated levels, most significant bit first', () => {
  forAll(fc.tuple(bitmaps, places), ([levels, place]) => {
    const reverse = (byte: number) => bitsOf(Uint8Array.of(byte), 0, 8).reduce((sum, bit) => sum * 2 + bit, 0)
    const bytes = packBits(levels).map(reverse)
    assertBits('packedToBits', bytes, { ...place, count: levels.length }, levels)
    assertBits('packedToBits', bytes, { ...place, count: bytes.length * 8 + 1 }, undefined)
  })
})
