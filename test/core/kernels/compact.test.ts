import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concat, packBits, packIntegers } from '../../support/bytes.ts'
import { call, inPlace, input, output, type Range } from './call.ts'
import { bitmaps, forAll, integers, lookups, rowsOf } from './values.ts'

/** Bits, and the one to begin at. */
const from = bitmaps.chain(bits => fc.tuple(fc.constant(bits), fc.nat(bits.length)))

for (const [name, width] of [
  ['compact8', 1],
  ['compact16', 2],
  ['compact32', 4],
  ['compact64', 8],
  ['compactWide', 3],
  ['compactWide', 16],
] as const) {
  test(`${name} keeps the values of ${width} bytes whose bit is set, also in place`, () => {
    forAll(fc.tuple(from, fc.boolean()), ([[bits, first], same]) => {
      const rest = bits.slice(first)
      const values = Uint8Array.from({ length: rest.length * width }, (_, i) => i * 37)
      const kept = rest.flatMap((bit, i) => (bit ? [values.subarray(i * width, (i + 1) * width)] : []))
      const source = same ? inPlace(values) : input(values)
      const out = same ? source : output(values.length)
      const bitmap = input(packBits(bits))
      const written =
        name === 'compactWide'
          ? call(name, source, width, bitmap, first, rest.length, out)
          : call(name, source, bitmap, first, rest.length, out)
      assert.equal(written, kept.length)
      assert.deepEqual(out.bytes.slice(0, kept.length * width), concat(kept))
    })
  })
}

test('countBits counts from any bit on', () => {
  forAll(from, ([bits, first]) => {
    const rest = bits.slice(first)
    const result = call('countBits', input(packBits(bits)), first, rest.length)
    assert.equal(
      result,
      rest.reduce((sum, bit) => sum + bit, 0),
    )
  })
})

test('unpackBits and packBits go between bits and bytes', () => {
  forAll(from, ([bits, first]) => {
    const rest = bits.slice(first)
    const bytes = output(rest.length)
    call('unpackBits', input(packBits(bits)), first, rest.length, bytes)
    assert.deepEqual([...bytes.bytes], rest)
    const packed = output((rest.length + 7) >> 3)
    call('packBits', input(bytes.bytes), rest.length, packed)
    assert.deepEqual(packed.bytes, packBits(rest))
  })
})

test('clearNullCodes clears the bits of codes that name a null', () => {
  const cases = fc.tuple(lookups(fc.nat(1)), fc.nat(20), fc.nat(20), fc.subarray([0, 3, 5, 8]))
  forAll(cases, ([{ values, codes }, skip, to, outside]) => {
    const given = codes.map((code, i) => (outside.includes(i % 9) ? values.length + i : code))
    const bits = [...new Array<number>(to).fill(1), ...codes.map((_, i) => Number(i % 4 !== 1)), 1, 1]
    const target = inPlace(packBits(bits))
    const dictionary = input(packBits(values, skip))
    const source = input(Uint32Array.from(given))
    call('clearNullCodes', source, codes.length, dictionary, skip, values.length, target, to)
    given.forEach((code, i) => {
      if (values[code] === 0) bits[to + i] = 0
    })
    assert.deepEqual(target.bits(0, bits.length), bits)
  })
})

test('widen extends integers of one and two bytes', () => {
  const kinds = fc.tuple(fc.constantFrom(1, 2), fc.boolean())
  const columns = kinds.chain(([width, signed]) =>
    fc.record({
      width: fc.constant(width),
      signed: fc.constant(signed),
      values: rowsOf(integers(8 * width, signed)),
    }),
  )
  forAll(columns, ({ width, signed, values }) => {
    const out = output(4 * values.length)
    call('widen', input(packIntegers(values, width)), width, signed, values.length, out)
    assert.deepEqual(out.as(Int32Array).map(BigInt), values)
  })
})

/** Values of `width` bytes, of which those from the first on that does not fit are not converted. */
function assertConverted(
  results: readonly bigint[],
  width: number,
  convert: (out: Range) => number,
  pack: (values: readonly bigint[]) => Uint8Array = values => packIntegers(values, width),
): void {
  const misfit = results.findIndex(value => BigInt.asIntN(8 * width, value) !== value)
  const done = misfit < 0 ? results.length : misfit
  const out = output(width * results.length)
  assert.equal(convert(out), done)
  assert.deepEqual(out.bytes.slice(0, width * done), pack(results.slice(0, done)))
}

const factors = fc.integer({ min: 2, max: 1_000_000 })

test('scale32 and scale64 multiply what fits', () => {
  const columns = (bits: number) => fc.oneof(rowsOf(integers(bits)), rowsOf(integers(bits - 20)))
  forAll(fc.tuple(columns(32), factors), ([values, factor]) => {
    const results = values.map(value => value * BigInt(factor))
    const source = input(packIntegers(values, 4))
    assertConverted(results, 4, out => call('scale32', source, values.length, factor, out))
  })
  const edge = fc
    .tuple(factors, fc.constantFrom(-1n, 0n, 1n))
    .map(([factor, more]) => [[(2n ** 63n - 1n) / BigInt(factor) + more], factor] as [bigint[], number])
  forAll(fc.oneof(fc.tuple(columns(64), factors), edge), ([values, factor]) => {
    const results = values.map(value => value * BigInt(factor))
    const source = input(packIntegers(values, 8))
    assertConverted(results, 8, out => call('scale64', source, values.length, factor, out))
  })
})

test('daysOfMillis rounds down', () => {
  const millis = fc.oneof(rowsOf(integers(55)), rowsOf(fc.oneof(integers(64), integers(33))))
  forAll(millis, values => {
    const day = 86_400_000n
    const results = values.map(value => (value - (((value % day) + day) % day)) / day)
    const source = input(packIntegers(values, 8))
    assertConverted(results, 4, out => call('daysOfMillis', source, values.length, out))
  })
})

test('cutDecimal keeps what fits, in either order of bytes', () => {
  const columns = fc
    .tuple(fc.constantFrom(4, 8, 16, 32), fc.integer({ min: 1, max: 32 }), fc.boolean())
    .filter(([width, to]) => to <= width)
    .chain(([width, to, reverse]) =>
      fc.record({
        width: fc.constant(width),
        to: fc.constant(to),
        reverse: fc.constant(reverse),
        values: fc.oneof(
          rowsOf(integers(8 * to)),
          rowsOf(fc.oneof(integers(8 * to), integers(8 * to), integers(8 * width))),
        ),
      }),
    )
  forAll(columns, ({ width, to, reverse, values }) => {
    const source = input(packIntegers(values, width))
    const pack = (fitting: readonly bigint[]) =>
      concat(
        fitting.map(value => (reverse ? packIntegers([value], to).reverse() : packIntegers([value], to))),
      )
    assertConverted(
      values,
      to,
      out => call('cutDecimal', source, width, values.length, to, reverse, out),
      pack,
    )
  })
})

test('splitStreams puts each byte of the values in a stream', () => {
  const columns = fc
    .integer({ min: 1, max: 17 })
    .chain(width =>
      fc.tuple(fc.constant(width), rowsOf(fc.uint8Array({ minLength: width, maxLength: width }))),
    )
  forAll(columns, ([width, values]) => {
    const out = output(values.length * width)
    call('splitStreams', input(concat(values)), width, values.length, out)
    const streams = Array.from({ length: width }, (_, byte) => values.map(value => value[byte]!))
    assert.deepEqual(out.bytes, concat(streams))
  })
})
