import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytesOf, concat, offsetsOf, packBits } from '../../support/bytes.ts'
import { call, input, output } from './call.ts'
import { bitmaps, byteStrings, forAll, integers, lookups, rowsOf } from './values.ts'

/** Indices below `size`, mostly of rows that lie side by side. */
function indicesBelow(size: number): fc.Arbitrary<number[]> {
  if (size === 0) return fc.constant([])
  const run = fc
    .tuple(fc.nat(size - 1), fc.nat(60))
    .map(([first, length]) => Array.from({ length: Math.min(length, size - first) }, (_, i) => first + i))
  const runs = fc.array(run, { maxLength: 8 }).map(list => list.flat())
  return fc.oneof(runs, runs, rowsOf(fc.nat(size - 1)))
}

const taken = <T>(value: fc.Arbitrary<T>) =>
  rowsOf(value).chain(values => fc.tuple(fc.constant(values), indicesBelow(values.length)))

const words = (numbers: readonly number[]) => input(Uint32Array.from(numbers))

for (const [name, width] of [
  ['take8', 1],
  ['take16', 2],
  ['take32', 4],
  ['take64', 8],
  ['take128', 16],
  ['takeWide', 5],
  ['takeWide', 32],
] as const) {
  test(`${name} takes values of ${width} bytes by index`, () => {
    const value = fc.nat(255).map(byte => Uint8Array.from({ length: width }, (_, i) => byte + i))
    forAll(taken(value), ([values, indices]) => {
      const source = input(concat(values))
      const out = output(indices.length * width)
      if (name === 'takeWide') call(name, source, width, words(indices), indices.length, out)
      else call(name, source, words(indices), indices.length, out)
      assert.deepEqual(out.bytes, concat(indices.map(index => values[index]!)))
    })
  })
}

test('takeBits takes bits by index, and counts them', () => {
  const cases = bitmaps.chain(bits => fc.tuple(fc.constant(bits), indicesBelow(bits.length), fc.nat(20)))
  forAll(cases, ([bits, indices, from]) => {
    const expected = indices.map(index => bits[index]!)
    const out = output((indices.length + 7) >> 3)
    const source = input(packBits(bits, from))
    const set = call('takeBits', source, from, words(indices), indices.length, out)
    assert.deepEqual(out.bytes, packBits(expected))
    assert.equal(set, expected.filter(bit => bit === 1).length)
  })
})

test('takeOffsets and takeBytes take byte strings by index', () => {
  forAll(fc.tuple(taken(byteStrings), fc.nat(9)), ([[values, indices], first]) => {
    const bytes = input(concat([new Uint8Array(first), ...values]))
    const offsets = input(offsetsOf(values, first))
    const chosen = indices.map(index => values[index]!)
    const data = concat(chosen)
    const outOffsets = output(4 * (indices.length + 1))
    assert.equal(call('takeOffsets', offsets, words(indices), indices.length, outOffsets), data.length)
    assert.deepEqual(outOffsets.as(Int32Array), [...offsetsOf(chosen)])
    const out = output(data.length)
    call('takeBytes', bytes, offsets, words(indices), indices.length, input(outOffsets.bytes), out)
    assert.deepEqual(out.bytes, data)
  })
})

test('takeOffsets says how many bytes there would be beyond 32 bits', () => {
  const offsets = input(Int32Array.of(0, 2 ** 31 - 1))
  assert.equal(call('takeOffsets', offsets, words([0, 0, 0]), 3, output(16)), 3 * (2 ** 31 - 1))
})

/** Codes below `buckets`, in runs and alone. */
const coded = fc.integer({ min: 1, max: 40 }).chain(buckets => {
  const code = fc.nat(buckets - 1)
  const run = fc.tuple(code, fc.nat(40)).map(([code, length]) => new Array<number>(length).fill(code))
  const runs = fc.array(run, { maxLength: 12 }).map(list => list.flat())
  return fc.record({ buckets: fc.constant(buckets), codes: fc.oneof(rowsOf(code), runs) })
})

test('countingSort orders rows by code, and keeps the order within one', () => {
  forAll(coded, ({ buckets, codes }) => {
    const [starts, order] = [output(4 * (buckets + 1)), output(4 * codes.length)]
    call('countingSort', words(codes), codes.length, buckets, starts, order)
    assert.deepEqual(
      order.as(Uint32Array),
      [...codes.keys()].toSorted((a, b) => codes[a]! - codes[b]! || a - b),
    )
    assert.deepEqual(
      starts.as(Uint32Array),
      Array.from({ length: buckets + 1 }, (_, bucket) => codes.filter(code => code < bucket).length),
    )
  })
})

test('codeRuns finds where runs begin, unless there are too many', () => {
  forAll(fc.tuple(coded, fc.nat(20)), ([{ codes }, more]) => {
    const runs = [...codes.keys()].filter(i => i === 0 || codes[i] !== codes[i - 1])
    const most = runs.length + more
    const starts = output(4 * most)
    assert.equal(call('codeRuns', words(codes), codes.length, most, starts), runs.length)
    assert.deepEqual(starts.as(Int32Array, runs.length), runs)
    for (const fewer of [0, runs.length >> 1, runs.length - 1]) {
      if (fewer < 0 || fewer >= runs.length) continue
      assert.equal(call('codeRuns', words(codes), codes.length, fewer, output(4 * fewer)), -1)
    }
  })
})

test('pairCodes puts two numbers into one', () => {
  const word = integers(32, false)
  forAll(rowsOf(fc.tuple(word, word)), rows => {
    const out = output(8 * rows.length)
    const [codes, more] = [rows.map(([code]) => Number(code)), rows.map(([, more]) => Number(more))]
    call('pairCodes', words(codes), words(more), rows.length, out)
    assert.deepEqual(
      out.as(BigUint64Array),
      rows.map(([code, more]) => code + (more << 32n)),
    )
  })
})

test('mapCodes looks codes up, and gives nulls their own', () => {
  const cases = fc.tuple(lookups(integers(32).map(Number)), bitmaps, fc.nat(20), fc.boolean())
  forAll(cases, ([{ values, codes }, bitmap, from, nullable]) => {
    const valid = codes.map((_, i) => (nullable ? (bitmap[i] ?? 1) : 1))
    // Of a null row the code may be anything.
    const given = codes.map((code, i) => (valid[i] ? code : 2 ** 32 - 1))
    const bits = nullable ? input(packBits(valid, from)) : 0
    const table = input(bytesOf(Int32Array.from(values)))
    const out = output(4 * codes.length)
    call('mapCodes', words(given), bits, from, table, -7, codes.length, out)
    assert.deepEqual(
      out.as(Int32Array),
      codes.map((code, i) => (valid[i] ? values[code]! : -7)),
    )
  })
})
