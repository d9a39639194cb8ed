import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytesOf, concat, offsetsOf, packBits } from '../../support/bytes.ts'
import { call, end, inPlace, input, output } from './call.ts'
import { decodeRuns, encodeRuns, runsOf, valuesIn } from './hybrid.ts'
import { bitmaps, byteStrings, damaged, forAll, rowsOf } from './values.ts'

/** Ascending positions out of `size`: few, in stretches, or all. */
function positionsIn(size: number): fc.Arbitrary<number[]> {
  const all = Array.from({ length: size }, (_, i) => i)
  return fc.oneof(
    fc.array(fc.nat(Math.max(0, size - 1)), { maxLength: 20 }).map(some => {
      return all.filter(i => some.includes(i))
    }),
    fc.array(fc.boolean(), { minLength: 1, maxLength: 9 }).map(pattern => {
      return all.filter(i => pattern[(i >> 3) % pattern.length])
    }),
  )
}

const chosenOf = <T>(source: fc.Arbitrary<T>, size: (source: T) => number) =>
  source.chain(source => fc.tuple(fc.constant(source), positionsIn(size(source))))

test('densePositions counts the valid rows before each', () => {
  forAll(
    chosenOf(bitmaps, bits => bits.length),
    ([bits, rows]) => {
      const valid = rows.filter(row => bits[row] === 1)
      const dense = output(4 * rows.length)
      const set = inPlace(new Uint8Array((rows.length + 7) >> 3))
      const positions = input(Int32Array.from(rows))
      const result = call('densePositions', input(packBits(bits)), positions, rows.length, dense, set)
      assert.equal(result, valid.length)
      let before = 0
      const ranks = bits.map(bit => (before += bit) - bit)
      assert.deepEqual(
        dense.as(Int32Array, valid.length),
        valid.map(row => ranks[row]!),
      )
      assert.deepEqual(
        set.bits(0, rows.length),
        rows.map(row => bits[row]!),
      )
    },
  )
})

function assertChosen(bytes: Uint8Array, width: number, rows: number[], values: number[] | undefined): void {
  const source = input(bytes)
  const out = output(4 * rows.length)
  const positions = input(Uint32Array.from(rows))
  const result = call('rleChosen', source, end(source), width, positions, rows.length, out)
  if (values === undefined) {
    assert.equal(result, -1)
    return
  }
  const expected = rows.map(row => values[row]!)
  assert.deepEqual(out.as(Uint32Array), expected)
  assert.equal(
    result >>> 0,
    expected.reduce((most, value) => Math.max(most, value), 0),
  )
}

const widths = fc.integer({ min: 1, max: 32 })

test('rleChosen picks values out of runs, and none beyond them', () => {
  const runs = widths.chain(width => fc.record({ width: fc.constant(width), runs: runsOf(width) }))
  forAll(
    chosenOf(runs, ({ runs }) => valuesIn(runs).length),
    ([{ width, runs }, rows]) => {
      const values = valuesIn(runs)
      const bytes = encodeRuns(runs, width)
      assertChosen(bytes, width, rows, values)
      assertChosen(bytes, width, [...rows, values.length], undefined)
      assertChosen(bytes, 0, rows, new Array<number>(values.length).fill(0))
    },
    200,
  )
})

test('rleChosen reads any bytes as the grammar has them, or refuses them', () => {
  const bytes = widths.chain(width =>
    fc.tuple(fc.constant(width), damaged(runsOf(width).map(runs => encodeRuns(runs, width)))),
  )
  forAll(
    fc.tuple(bytes, positionsIn(300)),
    ([[width, bytes], rows]) => {
      assertChosen(bytes, width, rows, decodeRuns(bytes, width, (rows.at(-1) ?? -1) + 1))
    },
    500,
  )
  for (const width of [-1, 33]) assertChosen(Uint8Array.of(2, 0, 0, 0, 0, 0), width, [0], undefined)
})

test('chosenPlain copies byte arrays behind their lengths', () => {
  const cases = fc.tuple(
    chosenOf(rowsOf(byteStrings), values => values.length),
    fc.constantFrom(0, 4),
  )
  forAll(cases, ([[values, rows], gap]) => {
    const data = input(concat(values.flatMap(value => [new Uint8Array(gap), value])))
    const [offsets, positions] = [input(offsetsOf(values)), input(Uint32Array.from(rows))]
    const expected = concat(rows.flatMap(row => [bytesOf(Uint32Array.of(values[row]!.length)), values[row]!]))
    assert.equal(call('chosenPlainSize', offsets, positions, rows.length), expected.length)
    const out = output(expected.length)
    call('chosenPlain', data, gap, offsets, positions, rows.length, out)
    assert.deepEqual(out.bytes, expected)
  })
})
