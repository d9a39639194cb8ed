import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concat, offsetsOf, packBits } from '../../support/bytes.ts'
import { call, input, output } from './call.ts'
import { byteStrings, forAll, lookups, rowsOf } from './values.ts'

for (const [width, View] of [
  [1, Uint8Array],
  [2, Uint16Array],
  [4, Uint32Array],
] as const) {
  test(`checkCodes copies codes of ${width} bytes up to the first that names nothing`, () => {
    const code = fc.oneof(fc.nat(9), fc.nat(256 ** width - 1))
    const rows = fc.oneof(rowsOf(fc.tuple(fc.nat(9), fc.boolean())), rowsOf(fc.tuple(code, fc.boolean())))
    forAll(fc.tuple(rows, fc.nat(12), fc.boolean()), ([rows, size, nullable]) => {
      const isValid = (row: [number, boolean]) => !nullable || row[1]
      const fails = rows.findIndex(row => isValid(row) && row[0] >= size)
      const validity = nullable ? input(packBits(rows.map(([, valid]) => valid))) : 0
      const codes = input(View.from(rows.map(([code]) => code)))
      const out = output(4 * rows.length)
      assert.equal(call('checkCodes', codes, width, validity, rows.length, size, out), fails)
      const done = fails < 0 ? rows.length : fails
      assert.deepEqual(
        out.as(Uint32Array, done),
        rows.slice(0, done).map(row => (isValid(row) ? row[0] : size)),
      )
    })
  })
}

test('codes are flagged, counted and selected', () => {
  forAll(lookups(fc.nat(1)), ({ codes, values }) => {
    const n = codes.length
    const [source, flags] = [input(Uint32Array.from(codes)), input(Uint8Array.from(values))]
    const flagged = codes.map(code => values[code]!)
    const rows = [...flagged.keys()].filter(i => flagged[i])
    assert.equal(call('countCodes', source, n, flags), rows.length)
    const bits = output((n + 7) >> 3)
    call('flagCodes', source, n, flags, bits)
    assert.deepEqual([...bits.bytes], [...packBits(flagged)])
    const out = output(4 * (n + 1))
    assert.equal(call('selectCodes', source, n, flags, out), rows.length)
    assert.deepEqual(out.as(Int32Array, rows.length), rows)
  })
})

test('lookUp repeats values by code, whatever the width', () => {
  for (const width of [1, 2, 4, 8, 16]) {
    forAll(
      lookups(fc.uint8Array({ minLength: width, maxLength: width })),
      ({ codes, values }) => {
        const out = output(codes.length * width)
        call('lookUp', input(Uint32Array.from(codes)), codes.length, input(concat(values)), width, out)
        assert.deepEqual(out.bytes, concat(codes.map(code => values[code]!)))
      },
      30,
    )
  }
})

test('lookUpOffsets and lookUpBytes repeat text by code', () => {
  forAll(lookups(byteStrings), ({ codes, values }) => {
    const taken = codes.map(code => values[code]!)
    const [source, bytes] = [input(Uint32Array.from(codes)), input(concat(values))]
    const offsets = input(offsetsOf(values))
    const out = output(4 * (codes.length + 1))
    const data = concat(taken)
    assert.equal(call('lookUpOffsets', source, codes.length, offsets, out), data.length)
    assert.deepEqual(out.as(Int32Array), [...offsetsOf(taken)])
    const target = output(data.length)
    call('lookUpBytes', source, codes.length, offsets, bytes, target)
    assert.deepEqual(target.bytes, data)
  })
})

test('lookUpOffsets says how much text there would be beyond 32 bits', () => {
  const codes = input(new Uint32Array(5))
  const offsets = input(Int32Array.of(0, 2 ** 31 - 1))
  assert.equal(call('lookUpOffsets', codes, 5, offsets, output(24)), 5 * (2 ** 31 - 1))
})
