import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytesOf, concat, integersIn, littleEndian, offsetsOf, packIntegers } from '../../support/bytes.ts'
import { at, call, input, output } from './call.ts'
import { forAll, integers, rowsOf } from './values.ts'

test('narrowTo8 and narrowTo16 keep the low bytes', () => {
  forAll(rowsOf(integers(32)), values => {
    const source = input(packIntegers(values, 4))
    for (const [name, width] of [
      ['narrowTo8', 1],
      ['narrowTo16', 2],
    ] as const) {
      const out = output(values.length * width)
      call(name, source, values.length, out)
      assert.deepEqual(out.bytes, packIntegers(values, width))
    }
  })
})

for (const [name, from] of [
  ['widen32', 4],
  ['widen64', 8],
] as const) {
  test(`${name} extends the sign`, () => {
    forAll(fc.tuple(rowsOf(integers(8 * from)), fc.constantFrom(16, 32)), ([values, width]) => {
      const out = output(values.length * width)
      call(name, input(packIntegers(values, from)), values.length, width, out)
      assert.deepEqual(out.bytes, packIntegers(values, width))
    })
  })
}

test('int96ToNanoseconds adds nanoseconds of the day to a Julian day, modulo 2^64', () => {
  const time = fc.tuple(
    fc.oneof(fc.bigInt({ min: 0n, max: 86_400_000_000_000n }), integers(64)),
    fc.oneof(fc.bigInt({ min: 2_400_000n, max: 2_500_000n }), integers(32, false)),
  )
  forAll(rowsOf(time), times => {
    const source = concat(times.flatMap(([nanos, day]) => [littleEndian(nanos, 8), littleEndian(day, 4)]))
    const out = output(times.length * 8)
    call('int96ToNanoseconds', input(source), times.length, out)
    assert.deepEqual(
      out.as(BigInt64Array),
      times.map(([nanos, day]) => BigInt.asIntN(64, (day - 2_440_588n) * 86_400_000_000_000n + nanos)),
    )
  })
})

test('nanosecondsToInt96 gives the Julian day and the nanoseconds since its midnight', () => {
  forAll(rowsOf(integers(64)), times => {
    const out = output(times.length * 12)
    call('nanosecondsToInt96', input(packIntegers(times, 8)), times.length, out)
    const day = 86_400_000_000_000n
    const expected = times.flatMap(time => {
      const rest = ((time % day) + day) % day
      return [littleEndian(rest, 8), littleEndian((time - rest) / day + 2_440_588n, 4)]
    })
    assert.deepEqual(out.bytes, concat(expected))
  })
})

/** Big-endian integers of a length, most of which fit in `width` bytes. */
const bigEndian = (width: number) => (length: number) => {
  const bits = 8 * length
  const fitting = integers(8 * width).map(value => BigInt.asIntN(bits, value))
  return fc.oneof(fitting, fitting, fitting, integers(bits)).map(value => ({ value, length }))
}
const bytesOfValue = ({ value, length }: { value: bigint; length: number }) =>
  littleEndian(value, length).reverse()

for (const width of [16, 32]) {
  const lengths = fc.integer({ min: 1, max: width + 3 })
  const fits = ({ value }: { value: bigint }) => BigInt.asIntN(8 * width, value) === value

  test(`fixedDecimals fit in ${width} bytes or are refused`, () => {
    const columns = lengths.chain(length => rowsOf(bigEndian(width)(length), 1))
    forAll(columns, rows => {
      const out = output(rows.length * width)
      const source = input(concat(rows.map(bytesOfValue)))
      const result = call('fixedDecimals', source, rows.length, rows[0]!.length, width, out)
      assert.equal(result, rows.every(fits) ? 0 : -1)
      if (result < 0) return
      assert.deepEqual(
        integersIn(out.bytes, width),
        rows.map(row => row.value),
      )
    })
  })

  test(`variableDecimals fit in ${width} bytes or are refused`, () => {
    const value = fc.oneof(lengths.chain(bigEndian(width)), fc.constant({ value: 0n, length: 0 }))
    forAll(fc.tuple(rowsOf(value), fc.constantFrom(0, 4)), ([rows, gap]) => {
      const values = rows.map(bytesOfValue)
      const prefix = (bytes: Uint8Array) => bytesOf(Uint32Array.of(bytes.length)).subarray(0, gap)
      const source = input(concat(values.flatMap(bytes => [prefix(bytes), bytes])))
      const out = output(rows.length * width)
      const offsets = input(offsetsOf(values))
      const result = call('variableDecimals', at(source, gap), gap, offsets, rows.length, width, out)
      assert.equal(result, rows.every(fits) ? 0 : -1)
      if (result < 0) return
      assert.deepEqual(
        integersIn(out.bytes, width),
        rows.map(row => row.value),
      )
    })
  })
}
