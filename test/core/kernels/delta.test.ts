import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concat, offsetsOf, utf8, varint } from '../../support/bytes.ts'
import { call, end, inPlace, input, output } from './call.ts'
import { decodeDelta, deltaColumns, encodeDelta, shapes } from './delta.ts'
import { byteStrings, damaged, forAll, rowsOf } from './values.ts'

for (const [name, bits] of [
  ['deltaToI32', 32],
  ['deltaToI64', 64],
] as const) {
  const assertDecoded = (bytes: Uint8Array, count: number, expected: ReturnType<typeof decodeDelta>) => {
    const source = input(bytes)
    const out = output((count * bits) / 8)
    assert.equal(call(name, source, end(source), count, out), expected?.used ?? -1)
    if (expected === undefined) return
    const got = bits === 32 ? out.as(Int32Array).map(BigInt) : out.as(BigInt64Array)
    assert.deepEqual(got, expected.values)
  }

  test(`${name} reads integers, and no more than there are`, () => {
    forAll(
      fc.tuple(deltaColumns(bits), shapes, fc.uint8Array({ maxLength: 40 })),
      ([values, shape, after]) => {
        const packed = encodeDelta(values, shape)
        assertDecoded(concat([packed, after]), values.length, { values, used: packed.length })
        assertDecoded(packed, values.length + 1, undefined)
        if (values.length > 1) assertDecoded(packed.subarray(0, 5), values.length, undefined)
      },
      150,
    )
  })

  test(`${name} reads any bytes as the grammar has them, or refuses them`, () => {
    const header = fc
      .tuple(fc.constantFrom(8, 32, 128, 200, 2 ** 31 - 8), fc.constantFrom(0, 1, 4), fc.nat(200))
      .map(list => list.flatMap(n => varint(BigInt(n))))
    const headed = fc.tuple(header, fc.uint8Array({ maxLength: 200, size: 'max' })).map(concat)
    const packed = fc.tuple(deltaColumns(bits), shapes)
    const cases = fc.oneof(damaged(packed.map(([values, shape]) => encodeDelta(values, shape))), headed)
    forAll(
      fc.tuple(cases, fc.nat(200), fc.boolean()),
      ([bytes, count, own]) => {
        // The number of values that the header claims, mostly.
        const claimed = own ? claim(bytes) : count
        assertDecoded(bytes, claimed, decodeDelta(bytes, bits, claimed))
      },
      1000,
    )
  })
}

/** The third number of a header, if it is of one byte or two. */
function claim(bytes: Uint8Array): number {
  let at = 0
  for (let skip = 0; skip < 2; skip++) while (bytes[at++]! >= 128);
  const low = bytes[at] ?? 0
  return low < 128 ? low : (low & 127) + ((bytes[at + 1] ?? 0) & 31) * 128
}

test('lengthsToOffsets adds up, and refuses negative lengths and too many bytes', () => {
  const length = fc.oneof(fc.nat(100), fc.nat(100), fc.constantFrom(-1, -(2 ** 31), 2 ** 31 - 1))
  const lengths = fc.oneof(rowsOf(fc.nat(100)), rowsOf(length))
  forAll(fc.tuple(lengths, fc.constantFrom(0, 500, 5000, 2 ** 31 - 1)), ([lengths, limit]) => {
    const total = lengths.reduce((sum, length) => sum + length, 0)
    const offsets = inPlace(Int32Array.from([99, ...lengths]))
    const result = call('lengthsToOffsets', offsets, lengths.length, limit)
    if (lengths.some(length => length < 0) || total > limit) {
      assert.equal(result, -1)
      return
    }
    let sum = 0
    assert.deepEqual(offsets.as(Int32Array), [0, ...lengths.map(length => (sum += length))])
    assert.equal(result, total)
  })
})

/** The longest prefix that two byte strings share, or less of it. */
function shared(before: Uint8Array, value: Uint8Array, less: number): number {
  let length = 0
  while (length < before.length && length < value.length && before[length] === value[length]) length++
  return Math.max(0, length - less)
}

test('prefixedOffsets and joinPrefixed make values of prefixes and suffixes', () => {
  const words = fc.stringMatching(/^[ab]{0,6}$/).map(utf8)
  const lists = fc.oneof(rowsOf(words), rowsOf(byteStrings))
  forAll(fc.tuple(lists, fc.nat(2)), ([values, less]) => {
    const prefixes = values.map((value, i) => (i === 0 ? 0 : shared(values[i - 1]!, value, less)))
    const suffixes = values.map((value, i) => value.subarray(prefixes[i]))
    const data = concat(values)
    const [p, s] = [input(Int32Array.from(prefixes)), input(offsetsOf(suffixes))]
    const offsets = output(4 * (values.length + 1))
    assert.equal(call('prefixedOffsets', p, s, values.length, offsets), data.length)
    assert.deepEqual(offsets.as(Int32Array), [...offsetsOf(values)])
    const target = output(data.length)
    call('joinPrefixed', p, s, input(concat(suffixes)), values.length, target)
    assert.deepEqual(target.bytes, data)
  })
})

test('prefixedOffsets refuses prefixes longer than the value before, and offsets beyond 2 GiB', () => {
  const run = (prefixes: readonly number[], lengths: readonly number[]) => {
    let sum = 0
    const suffixOffsets = Int32Array.from([0, ...lengths.map(length => (sum += length))])
    const out = output(4 * (prefixes.length + 1))
    return call(
      'prefixedOffsets',
      input(Int32Array.from(prefixes)),
      input(suffixOffsets),
      prefixes.length,
      out,
    )
  }
  const prefix = fc.oneof(fc.nat(4), fc.nat(12), fc.constantFrom(-1, -(2 ** 31), 2 ** 31 - 1))
  forAll(
    rowsOf(fc.tuple(prefix, fc.nat(8))),
    rows => {
      let before = 0
      let total = 0
      const lies = rows.some(([prefix, suffix]) => {
        if (prefix < 0 || prefix > before) return true
        total += before = prefix + suffix
        return false
      })
      const result = run(
        rows.map(([prefix]) => prefix),
        rows.map(([, suffix]) => suffix),
      )
      assert.equal(result, lies ? -1 : total)
    },
    200,
  )
  assert.equal(run([0, 3], [3, 1]), 7)
  assert.equal(run([0, 4], [3, 1]), -1)
  assert.equal(run([0, 2 ** 30, 2 ** 30], [2 ** 30, 0, 0]), -2)
})
