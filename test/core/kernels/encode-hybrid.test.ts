import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { packBits } from '../../support/bytes.ts'
import { call, input, output } from './call.ts'
import { decodeRuns } from './hybrid.ts'
import { bitmaps, forAll, integers, rowsOf } from './values.ts'

/** Reads all that was written: the values, and less than a group of zeroes. */
function assertRead(bytes: Uint8Array, width: number, values: readonly number[]): void {
  let count = values.length
  while (count < values.length + 8 && decodeRuns(bytes, width, count + 1) !== undefined) count++
  assert.ok(count < values.length + 8)
  const padding = new Array<number>(count - values.length).fill(0)
  assert.deepEqual(decodeRuns(bytes, width, count), [...values, ...padding])
}

/** Values in runs and alone. */
function columnsOf(width: number): fc.Arbitrary<number[]> {
  const value = integers(width, false).map(Number)
  const run = fc
    .tuple(value, fc.integer({ min: 1, max: 70 }))
    .map(([code, length]) => new Array<number>(length).fill(code))
  const alone = fc.array(value, { maxLength: 40, size: 'max' })
  return fc.array(fc.oneof(run, alone), { maxLength: 8, size: 'max' }).map(parts => parts.flat())
}

test('encodeHybrid writes runs of every width', () => {
  const widths = fc.integer({ min: 1, max: 32 })
  forAll(
    widths.chain(width =>
      fc.tuple(fc.constant(width), fc.oneof(columnsOf(width), rowsOf(integers(width, false).map(Number)))),
    ),
    ([width, values]) => {
      const out = output(Math.ceil(values.length / 8) * (width + 1) + 16)
      const source = input(Uint32Array.from(values))
      const written = call('encodeHybrid', source, values.length, width, out)
      assertRead(out.bytes.slice(0, written), width, values)
    },
    200,
  )
})

test('encodeHybrid of no bits is a run that says how many', () => {
  forAll(fc.integer({ min: 1, max: 5000 }), count => {
    const out = output(Math.ceil(count / 8) + 16)
    const written = call('encodeHybrid', input(new Uint32Array(count)), count, 0, out)
    const header = out.bytes.subarray(0, written).reduceRight((sum, byte) => sum * 128 + (byte & 127), 0)
    assert.equal(header, 2 * count)
  })
})

test('encodeHybridBits writes the bits from any one on', () => {
  const cases = bitmaps.chain(bits => fc.tuple(fc.constant(bits), fc.nat(bits.length)))
  forAll(
    cases,
    ([bits, from]) => {
      const rest = bits.slice(from)
      const out = output(Math.ceil(rest.length / 8) * 2 + 16)
      const written = call('encodeHybridBits', input(packBits(bits)), from, rest.length, out)
      assertRead(out.bytes.slice(0, written), 1, rest)
    },
    200,
  )
})
