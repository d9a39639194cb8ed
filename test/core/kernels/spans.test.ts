import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytesOf, concat, offsetsOf, packBits } from '../../support/bytes.ts'
import { call, input, output, spansOf } from './call.ts'
import { byteStrings, forAll, integers, lookups, rowsOf } from './values.ts'

const rows = rowsOf(fc.tuple(byteStrings, fc.boolean()))

for (const [name, View] of [
  ['spansOfOffsets', Int32Array],
  ['spansOfLargeOffsets', BigInt64Array],
] as const) {
  const pack = (offsets: Iterable<number | bigint>) =>
    View === Int32Array ? Int32Array.from(offsets, Number) : BigInt64Array.from(offsets, BigInt)

  test(`${name} names the valid values`, () => {
    const first = fc.integer({ min: -100, max: 100 })
    const cases = fc.tuple(rows, fc.nat(20), fc.boolean(), first, fc.nat(9), fc.nat(9))
    forAll(cases, ([rows, from, nullable, first, before, after]) => {
      const values = rows.map(([value]) => value)
      const valid = rows.filter(row => !nullable || row[1]).map(([value]) => value)
      const data = input(concat([new Uint8Array(before), ...values, new Uint8Array(after)]))
      const bits = nullable
        ? input(
            packBits(
              rows.map(row => row[1]),
              from,
            ),
          )
        : 0
      const out = output(8 * valid.length)
      const offsets = input(pack(offsetsOf(values, first)))
      const base = first - before
      const found = call(name, offsets, data, base, data.bytes.length, bits, from, rows.length, out)
      assert.equal(found, valid.length)
      assert.deepEqual(out.strings(found, data), valid)
    })
  })

  test(`${name} refuses offsets that descend or leave the data`, () => {
    const offset = integers(View === Int32Array ? 32 : 64)
    const near = fc.bigInt({ min: 0n, max: 60n })
    const sorted = rowsOf(near, 1).map(list => list.toSorted((a, b) => Number(a - b)))
    const spoiled = fc.tuple(sorted, fc.nat(70), fc.oneof(offset, near)).map(([list, place, value]) => {
      return list.with(place % list.length, value)
    })
    forAll(
      fc.tuple(
        fc.oneof(sorted, spoiled, rowsOf(offset, 1), fc.array(offset, { minLength: 2, maxLength: 3 })),
        fc.nat(70),
        fc.boolean(),
      ),
      ([offsets, bytes, nullable]) => {
        const n = offsets.length - 1
        const data = input(new Uint8Array(bytes))
        // Some number that is exact as a float: the first offset, as a rule.
        const base = BigInt.asIntN(50, offsets[0]!)
        const lies = offsets.some((end, i) => {
          return i === 0 ? end < base : end < offsets[i - 1]! || end - base > BigInt(bytes)
        })
        // Nulls are checked, too.
        const bits = nullable ? input(packBits(offsets.map((_, i) => i % 3 === 0))) : 0
        const out = output(8 * n)
        const result = call(name, input(pack(offsets)), data, Number(base), bytes, bits, 0, n, out)
        assert.equal(result, lies ? -1 : nullable ? Math.ceil(n / 3) : n)
        out.strings(Math.max(0, result), data)
      },
      300,
    )
  })
}

for (const width of [4, 8] as const) {
  const pack = (offsets: Iterable<number | bigint>) =>
    width === 4 ? Int32Array.from(offsets, Number) : BigInt64Array.from(offsets, BigInt)

  test(`spansOfCodes looks values up by offsets of ${width} bytes`, () => {
    forAll(
      fc.tuple(lookups(byteStrings), fc.integer({ min: -100, max: 100 })),
      ([{ values, codes }, first]) => {
        const data = input(concat(values))
        const offsets = input(pack(offsetsOf(values, first)))
        const out = output(8 * codes.length)
        const source = input(Uint32Array.from(codes))
        const ranges = [data, data.bytes.length, source, codes.length, out] as const
        assert.equal(call('spansOfCodes', offsets, width, ...ranges), codes.length)
        assert.deepEqual(
          out.strings(codes.length, data),
          codes.map(code => values[code]!),
        )
      },
    )
  })

  test(`spansOfCodes refuses offsets of ${width} bytes that descend or leave the data`, () => {
    const offset = fc.oneof(fc.bigInt({ min: 0n, max: 60n }), integers(8 * width))
    const cases = fc
      .array(offset, { minLength: 2, maxLength: 20 })
      .chain(offsets =>
        fc.record({ offsets: fc.constant(offsets), codes: rowsOf(fc.nat(offsets.length - 2)) }),
      )
    forAll(
      fc.tuple(cases, fc.nat(70)),
      ([{ offsets, codes }, bytes]) => {
        const data = input(new Uint8Array(bytes))
        const first = offsets[0]!
        const lies = codes.some(code => {
          const [start, end] = [offsets[code]!, offsets[code + 1]!]
          return start < first || end < start || end - first > BigInt(bytes)
        })
        const out = output(8 * codes.length)
        const ranges = [data, bytes, input(Uint32Array.from(codes)), codes.length, out] as const
        const result = call('spansOfCodes', input(pack(offsets)), width, ...ranges)
        assert.equal(result, lies ? -1 : codes.length)
        out.strings(Math.max(0, result), data)
      },
      300,
    )
  })
}

test('spansOfFixed names values of one length', () => {
  forAll(fc.tuple(fc.nat(17), fc.nat(70)), ([width, count]) => {
    const data = input(Uint8Array.from({ length: width * count }, (_, i) => i))
    const out = output(8 * count)
    call('spansOfFixed', data, width, count, out)
    const values = Array.from({ length: count }, (_, i) => data.bytes.slice(i * width, (i + 1) * width))
    assert.deepEqual(out.strings(count, data), values)
  })
})

const prefix = (length: number) => bytesOf(Uint32Array.of(length))

test('spanBytes, spanLengths, copySpans and encodePlainSpans go through the values', () => {
  forAll(rowsOf(byteStrings), values => {
    const { spans } = spansOf(values)
    const data = concat(values)
    assert.equal(call('spanBytes', spans, values.length), data.length)
    const lengths = output(4 * values.length)
    call('spanLengths', spans, values.length, lengths)
    assert.deepEqual(
      lengths.as(Uint32Array),
      values.map(value => value.length),
    )
    const joined = output(data.length)
    assert.equal(call('copySpans', spans, values.length, joined), data.length)
    assert.deepEqual(joined.bytes, data)
    const plain = concat(values.flatMap(value => [prefix(value.length), value]))
    const encoded = output(plain.length)
    assert.equal(call('encodePlainSpans', spans, values.length, encoded), plain.length)
    assert.deepEqual(encoded.bytes, plain)
  })
})

test('spanBytes counts beyond 32 bits', () => {
  const spans = input(Uint32Array.of(0, 2 ** 32 - 1, 0, 2 ** 32 - 1))
  assert.equal(call('spanBytes', spans, 2), 2 * (2 ** 32 - 1))
})

test('splitPrefixes finds what each value shares with the one before', () => {
  forAll(rowsOf(byteStrings), values => {
    const { spans, data } = spansOf(values)
    const [prefixes, suffixes] = [output(4 * values.length), output(8 * values.length)]
    call('splitPrefixes', spans, values.length, prefixes, suffixes)
    const shared = values.map((value, i) => {
      const before = values[i - 1] ?? new Uint8Array()
      const differs = value.findIndex((byte, k) => byte !== before[k])
      return differs < 0 ? value.length : differs
    })
    assert.deepEqual(prefixes.as(Uint32Array), shared)
    assert.deepEqual(
      suffixes.strings(values.length, data),
      values.map((value, i) => value.slice(shared[i])),
    )
  })
})
