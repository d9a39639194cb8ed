import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { integersIn, littleEndian, packBits, packIntegers } from '../../support/bytes.ts'
import { at, call, inPlace, input, output, type Range, spansAt, spansOf } from './call.ts'
import { ascending, byteStrings, doubles, forAll, integers, rowsOf } from './values.ts'

interface Rows<T> {
  size: number
  rows: { group: number; value: T; valid: boolean }[]
  groups: Range | 0
  valid: Range | 0
}

/** Rows of some groups, or all of one, and which of them are null. */
const grouped = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<Rows<T>> =>
  fc
    .record({ size: fc.integer({ min: 1, max: 20 }), grouped: fc.boolean(), nullable: fc.boolean() })
    .chain(({ size, grouped, nullable }) =>
      rowsOf(fc.tuple(fc.nat(size - 1), value, fc.boolean())).map(list => ({
        size: grouped ? size : 1,
        rows: list.map(([group, value, valid]) => ({
          group: grouped ? group : 0,
          value,
          valid: !nullable || valid,
        })),
        groups: grouped ? input(Uint32Array.from(list, ([group]) => group)) : (0 as const),
        valid: nullable ? input(packBits(list.map(([, , valid]) => valid))) : (0 as const),
      })),
    )

/** Folds the valid rows of each group into what the group begins as. */
function fold<T, S>({ rows }: Rows<T>, states: readonly S[], add: (state: S, value: T) => S): S[] {
  const result = [...states]
  for (const { group, value, valid } of rows) if (valid) result[group] = add(result[group]!, value)
  return result
}

const valuesOf = <T>({ rows }: Rows<T>) => rows.map(({ value }) => value)
const statesFor = <S>(size: number, state: (group: number) => S) =>
  Array.from({ length: size }, (_, i) => state(i))

test('countGroups and addCounts add to counts of 64 bits', () => {
  forAll(grouped(fc.bigInt({ min: 0n, max: 2n ** 40n })), column => {
    const { rows, size, groups, valid } = column
    const begun = statesFor(size, group => 2n ** 32n * BigInt(group))
    const counts = inPlace(BigInt64Array.from(begun))
    call('countGroups', groups, valid, rows.length, counts)
    assert.deepEqual(
      counts.as(BigInt64Array),
      fold(column, begun, count => count + 1n),
    )
    const totals = inPlace(BigInt64Array.from(begun))
    call('addCounts', groups, input(packIntegers(valuesOf(column), 8)), rows.length, totals)
    const all = { ...column, rows: rows.map(row => ({ ...row, valid: true })) }
    assert.deepEqual(
      totals.as(BigInt64Array),
      fold(all, begun, (sum, value) => sum + value),
    )
  })
})

test('sumI64 adds int64 and uint64 to 128 bits', () => {
  const columns = fc
    .boolean()
    .chain(unsigned => fc.tuple(fc.constant(unsigned), grouped(integers(64, !unsigned)), integers(100)))
  forAll(columns, ([unsigned, column, begin]) => {
    const { rows, size, groups, valid } = column
    const begun = statesFor(size, group => begin + BigInt(group))
    const sums = inPlace(packIntegers(begun, 16))
    const values = input(packIntegers(valuesOf(column), 8))
    call('sumI64', groups, values, valid, rows.length, unsigned, sums)
    assert.deepEqual(
      integersIn(sums.bytes, 16),
      fold(column, begun, (sum, value) => sum + value),
    )
  })
})

test('sumI128 adds 128 bits, up to the first valid row whose sum leaves them', () => {
  const value = fc.oneof(grouped(integers(128)), grouped(integers(120)))
  forAll(value, column => {
    const { rows, size, groups, valid } = column
    const sums = new Array<bigint>(size).fill(0n)
    const fails = rows.findIndex(({ group, value, valid }) => {
      const sum = sums[group]! + value
      if (!valid) return false
      if (BigInt.asIntN(128, sum) !== sum) return true
      sums[group] = sum
      return false
    })
    const out = inPlace(new Uint8Array(16 * size))
    const values = input(packIntegers(valuesOf(column), 16))
    assert.equal(call('sumI128', groups, values, valid, rows.length, out), fails)
    assert.deepEqual(integersIn(out.bytes, 16), sums)
  })
})

test('sumF64 adds in the order of the rows', () => {
  forAll(grouped(doubles), column => {
    const { rows, size, groups, valid } = column
    const begun = statesFor(size, group => group / 3)
    const sums = inPlace(Float64Array.from(begun))
    const values = input(Float64Array.from(valuesOf(column)))
    call('sumF64', groups, values, valid, rows.length, sums)
    // Without groups the rows are added up first.
    const expected =
      groups === 0
        ? fold(column, [0], (sum, value) => sum + value).map(sum => begun[0]! + sum)
        : fold(column, begun, (sum, value) => sum + value)
    assert.deepEqual(sums.as(Float64Array), expected)
  })
})

/** Whether a value is less; NaN is above everything. */
const isLess = <T extends number | bigint>(a: T, b: T) => a < b || (Number.isNaN(b) && !Number.isNaN(a))

for (const [name, width, value] of [
  ['boundGroupsI64', 8, integers(64)],
  ['boundGroupsU64', 8, integers(64, false)],
  ['boundGroupsI128', 16, integers(128)],
] as const) {
  test(`${name} finds the least and the greatest of each group`, () => {
    forAll(fc.tuple(grouped(value), fc.boolean(), value), ([column, greatest, begin]) => {
      const { rows, size, groups, valid } = column
      const begun = statesFor(size, () => begin)
      const bounds = inPlace(packIntegers(begun, width))
      const values = input(packIntegers(valuesOf(column), width))
      call(name, groups, values, valid, rows.length, greatest, bounds)
      const expected = fold(column, begun, (bound, value) => {
        return (greatest ? value > bound : value < bound) ? value : bound
      })
      assert.deepEqual(bounds.bytes, packIntegers(expected, width))
    })
  })
}

test('boundGroupsF64 has NaN above everything', () => {
  forAll(fc.tuple(grouped(doubles), fc.boolean(), doubles), ([column, greatest, begin]) => {
    const { rows, size, groups, valid } = column
    const begun = statesFor(size, () => begin)
    const bounds = inPlace(Float64Array.from(begun))
    const values = input(Float64Array.from(valuesOf(column)))
    call('boundGroupsF64', groups, values, valid, rows.length, greatest, bounds)
    assert.deepEqual(
      bounds.as(Float64Array),
      fold(column, begun, (bound, value) => {
        return (greatest ? isLess(bound, value) : isLess(value, bound)) ? value : bound
      }),
    )
  })
})

test('fill64 and fill128 repeat a state', () => {
  forAll(fc.tuple(fc.nat(70), integers(64, false), integers(64, false)), ([n, low, high]) => {
    const [one, two] = [output(8 * n), output(16 * n)]
    call('fill64', one, n, low)
    assert.deepEqual(one.as(BigUint64Array), new Array<bigint>(n).fill(low))
    call('fill128', two, n, low, high)
    assert.deepEqual(
      two.as(BigUint64Array),
      Array.from({ length: 2 * n }, (_, i) => (i % 2 === 0 ? low : high)),
    )
  })
})

const hex = (value: Uint8Array | undefined) => value && Buffer.from(value).toString('hex')

/** Where the spans of a range lie in another, undefined for those at address 0. */
const placesIn = (spans: Range, of: Range) => {
  const pairs = spans.as(Uint32Array)
  return Array.from({ length: pairs.length / 2 }, (_, i) =>
    pairs[2 * i] === 0 ? undefined : ([pairs[2 * i]! - of.address, pairs[2 * i + 1]!] as const),
  )
}

const stringsAt = (places: ReturnType<typeof placesIn>, bytes: Uint8Array) =>
  places.map(place => {
    if (place === undefined) return undefined
    assert.ok(place[0] >= 0 && place[0] + place[1] <= bytes.length)
    return bytes.slice(place[0], place[0] + place[1])
  })

test('boundGroupsSpans keeps the least and the greatest byte strings on a heap, and goes on where it stopped', () => {
  forAll(fc.tuple(grouped(byteStrings), fc.nat(9), fc.boolean()), ([column, cut, greatest]) => {
    const { rows, size, groups, valid } = column
    let expected: (Uint8Array | undefined)[] = new Array(size).fill(undefined)
    let places: ReturnType<typeof placesIn> = expected.map(() => undefined)
    let heap = inPlace(new Uint8Array())
    let used = 0
    // Bitmaps are cut at whole bytes.
    for (const [from, to] of [
      [0, Math.min(8 * cut, rows.length)],
      [Math.min(8 * cut, rows.length), rows.length],
    ] as const) {
      const part = { ...column, rows: rows.slice(from, to) }
      const values = valuesOf(part)
      const room = values.reduce((sum, value) => sum + value.length, 0)
      heap = inPlace(Buffer.concat([heap.bytes.subarray(0, used), Buffer.alloc(room)]))
      const bounds = spansAt(heap, places, size)
      const result = call(
        'boundGroupsSpans',
        groups === 0 ? 0 : at(groups, 4 * from),
        spansOf(values).spans,
        valid === 0 ? 0 : at(valid, from >> 3),
        part.rows.length,
        greatest,
        bounds,
        at(heap, used),
      )
      used = result - heap.address
      assert.ok(used >= 0 && used <= heap.bytes.length)
      expected = fold<Uint8Array, Uint8Array | undefined>(part, expected, (bound, value) => {
        if (bound === undefined) return value
        const order = Buffer.compare(value, bound)
        return (greatest ? order > 0 : order < 0) ? value : bound
      })
      places = placesIn(bounds, heap)
      assert.deepEqual(stringsAt(places, heap.bytes.subarray(0, used)).map(hex), expected.map(hex))
    }
  })
})

test('moveSpans moves bytes together, and leaves what is at address 0', () => {
  const column = rowsOf(fc.option(byteStrings, { freq: 5, nil: undefined }))
  forAll(column, values => {
    const { data } = spansOf(values.map(value => value ?? new Uint8Array()))
    let end = 0
    const places = values.map(
      value => value && ([(end += value.length) - value.length, value.length] as const),
    )
    const spans = spansAt(data, places, values.length)
    const to = output(data.bytes.length)
    const result = call('moveSpans', spans, values.length, to)
    assert.equal(result - to.address, to.bytes.length)
    assert.deepEqual(stringsAt(placesIn(spans, to), to.bytes).map(hex), values.map(hex))
  })
})

test('sortSpans puts byte strings, or numbers, in order', () => {
  forAll(rowsOf(byteStrings), values => {
    const { spans, data } = spansOf(values)
    const sorted = inPlaceOf(spans)
    call('sortSpans', sorted, values.length, false, output(8 * values.length))
    assert.deepEqual(sorted.strings(values.length, data).map(hex), values.toSorted(Buffer.compare).map(hex))
  })
  forAll(rowsOf(fc.oneof(integers(128), integers(64))), values => {
    const { spans, data } = spansOf(values.map(value => littleEndian(value, 16)))
    const sorted = inPlaceOf(spans)
    call('sortSpans', sorted, values.length, true, output(8 * values.length))
    const numbers = sorted.strings(values.length, data).flatMap(bytes => integersIn(bytes, 16))
    assert.deepEqual(numbers, ascending(values))
  })
})

/** The same spans, to be changed. */
function inPlaceOf({ bytes, spans }: Range): Range {
  const lengths = new Uint32Array(Uint8Array.from(bytes).buffer)
  const places = spans!.starts.map((start, i) => [start!, lengths[2 * i + 1]!] as const)
  return spansAt(spans!.of, places, places.length)
}

test('canonicalF64 has one zero and one NaN', () => {
  const odd = new Float64Array(BigInt64Array.of(-1n, 0x7ff0000000000001n).buffer)
  forAll(rowsOf(fc.oneof(doubles, fc.constantFrom(-0, ...odd))), values => {
    const out = output(8 * values.length)
    call('canonicalF64', input(Float64Array.from(values)), values.length, out)
    const expected = values.map(value => (Number.isNaN(value) ? Number.NaN : value === 0 ? 0 : value))
    assert.deepEqual(out.as(BigInt64Array), [...new BigInt64Array(Float64Array.from(expected).buffer)])
  })
})

test('clearNulls and validCodes go between nulls and the code 0', () => {
  forAll(grouped(fc.nat(2 ** 31)), ({ rows, valid }) => {
    const values = rows.map(row => row.value)
    const codes = inPlace(Uint32Array.from(values))
    call('clearNulls', codes, valid, rows.length)
    const cleared = rows.map(row => (row.valid ? row.value : 0))
    assert.deepEqual(codes.as(Uint32Array), cleared)
    const out = output((rows.length + 7) >> 3)
    call('validCodes', input(codes.bytes), rows.length, out)
    assert.deepEqual([...out.bytes], [...packBits(cleared.map(code => code > 0))])
  })
})

test('splitPairs takes numbers of 64 bits apart', () => {
  const half = fc.nat(2 ** 32 - 1)
  forAll(rowsOf(fc.tuple(half, half)), pairs => {
    const [first, second] = [output(4 * pairs.length), output(4 * pairs.length)]
    call('splitPairs', input(Uint32Array.from(pairs.flat())), pairs.length, first, second)
    assert.deepEqual(
      first.as(Uint32Array),
      pairs.map(([low]) => low),
    )
    assert.deepEqual(
      second.as(Uint32Array),
      pairs.map(([, high]) => high),
    )
  })
})

test('liveGroups lists the counts above 0', () => {
  const count = fc.constantFrom(0n, 0n, 1n, 2n ** 32n, 2n ** 40n + 1n)
  forAll(rowsOf(count), counts => {
    const expected = [...counts.keys()].filter(group => counts[group]! > 0n)
    const out = output(4 * expected.length)
    const found = call('liveGroups', input(BigInt64Array.from(counts)), counts.length, out)
    assert.equal(found, expected.length)
    assert.deepEqual(out.as(Int32Array), expected)
  })
})
