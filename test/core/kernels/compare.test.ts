import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concat, offsetsOf, packBits, packIntegers } from '../../support/bytes.ts'
import { call, input, output, type Range } from './call.ts'
import { operands, type Sides, sides } from './sides.ts'
import { ascending, byteStrings, doubles, forAll, integers, rowsOf } from './values.ts'

/** 0 for less, 1 for equal, 2 for greater; NaN is equal to itself and above everything. */
function order(a: number | bigint, b: number | bigint): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return 1 + Number(Number.isNaN(a)) - Number(Number.isNaN(b))
  return a < b ? 0 : a > b ? 2 : 1
}

/** Few different values, so that some are equal, or any. */
const mixed = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof(
    sides(value),
    fc.array(value, { minLength: 1, maxLength: 3 }).chain(few => sides(fc.constantFrom(...few))),
  )

const room = (rows: { length: number }) => output((rows.length + 7) >> 3)

/** Bits past the last row are 0. */
function assertBits(out: Range, expected: readonly boolean[]): void {
  assert.deepEqual([...out.bytes], [...packBits(expected)])
}

function compares<T extends number | bigint>(
  name: `compare${'I8' | 'U8' | 'I16' | 'U16' | 'I32' | 'U32' | 'I64' | 'U64' | 'F32' | 'F64'}`,
  width: number,
  value: fc.Arbitrary<T>,
  pack: (values: readonly T[]) => ArrayBufferView,
): void {
  test(`${name} finds what is less and what is equal, or is not`, () => {
    forAll(fc.tuple(mixed(value), fc.boolean(), fc.boolean()), ([columns, less, flip]) => {
      const { rows } = columns
      const out = room(rows)
      call(name, Number(less), flip ? 255 : 0, ...operands(columns, width, pack), rows.length, out)
      assertBits(
        out,
        rows.map(({ a, b }) => (order(a, b) === (less ? 0 : 1)) !== flip),
      )
    })
  })
}

const ints = (width: number) => (values: readonly bigint[]) => packIntegers(values, width)
compares('compareI8', 1, integers(8), ints(1))
compares('compareU8', 1, integers(8, false), ints(1))
compares('compareI16', 2, integers(16), ints(2))
compares('compareU16', 2, integers(16, false), ints(2))
compares('compareI32', 4, integers(32), ints(4))
compares('compareU32', 4, integers(32, false), ints(4))
compares('compareI64', 8, integers(64), ints(8))
compares('compareU64', 8, integers(64, false), ints(8))
compares('compareF32', 4, doubles.map(Math.fround), values => Float32Array.from(values))
compares('compareF64', 8, doubles, values => Float64Array.from(values))

const orders = fc.nat(7)
const isWanted = (wanted: number, order: number) => ((wanted >> order) & 1) === 1

test('compareI128 compares integers of 128 bits', () => {
  forAll(fc.tuple(mixed(fc.oneof(integers(128), integers(64))), orders), ([columns, wanted]) => {
    const { rows } = columns
    const out = room(rows)
    call('compareI128', wanted, ...operands(columns, 16, ints(16)), rows.length, out)
    assertBits(
      out,
      rows.map(({ a, b }) => isWanted(wanted, order(a, b))),
    )
  })
})

for (const [name, signed] of [
  ['compareI64F64', true],
  ['compareU64F64', false],
] as const) {
  test(`${name} compares integers with doubles exactly`, () => {
    const int = integers(64, signed)
    const near = fc
      .tuple(int, fc.constantFrom(-0.5, 0, 0.5))
      .map(([value, fraction]) => Number(value) + fraction)
    const row = fc.record({ int, double: fc.oneof(doubles, near) })
    // Of the first column the integers count, of the second the doubles.
    forAll(fc.tuple(mixed(row), orders), ([columns, wanted]) => {
      const { rows } = columns
      const out = room(rows)
      const both = operands(
        columns,
        8,
        values => ints(8)(values.map(value => value.int)),
        values => Float64Array.from(values, value => value.double),
      )
      call(name, wanted, ...both, rows.length, out)
      assertBits(
        out,
        rows.map(({ a, b }) => isWanted(wanted, order(a.int, b.double))),
      )
    })
  })
}

/** Offsets and bytes of one side. */
function textOf(columns: Sides<Uint8Array>, side: 'a' | 'b'): [offsets: Range, stride: number, bytes: Range] {
  const once = side === 'a' ? columns.aOnce : columns.bOnce
  const values = columns.rows.map(row => row[side]).slice(0, once ? 1 : undefined)
  const [offsets, bytes] = [offsetsOf(values, 3), concat([[1, 2, 3], ...values])]
  return [input(offsets), once ? 0 : 4, input(bytes)]
}

test('compareBytes compares text byte by byte', () => {
  forAll(fc.tuple(mixed(byteStrings), orders), ([columns, wanted]) => {
    const { rows } = columns
    const out = room(rows)
    call('compareBytes', wanted, ...textOf(columns, 'a'), ...textOf(columns, 'b'), rows.length, out)
    assertBits(
      out,
      rows.map(({ a, b }) => isWanted(wanted, 1 + Buffer.compare(a, b))),
    )
  })
})

test('inI64 finds the values of a sorted list', () => {
  const few = fc.bigInt({ min: -20n, max: 20n })
  const lists = fc.tuple(
    rowsOf(fc.oneof(few, integers(64))),
    fc.uniqueArray(fc.oneof(few, integers(64)), { maxLength: 40 }),
  )
  forAll(lists, ([values, list]) => {
    const sorted = ascending(list)
    const out = room(values)
    const [a, b] = [BigInt64Array.from(values), BigInt64Array.from(sorted)]
    call('inI64', input(a), values.length, input(b), list.length, out)
    assertBits(
      out,
      values.map(value => list.includes(value)),
    )
  })
})

test('inBytes finds the texts of a sorted list', () => {
  const hex = (value: Uint8Array) => Buffer.from(value).toString('hex')
  const lists = fc.tuple(rowsOf(byteStrings), fc.uniqueArray(byteStrings, { selector: hex, maxLength: 40 }))
  forAll(lists, ([values, list]) => {
    const sorted = list.toSorted(Buffer.compare)
    const out = room(values)
    const [offsets, bytes] = [input(offsetsOf(values)), input(concat(values))]
    const [listOffsets, listBytes] = [input(offsetsOf(sorted)), input(concat(sorted))]
    call('inBytes', offsets, bytes, values.length, listOffsets, listBytes, list.length, out)
    const wanted = new Set(list.map(hex))
    assertBits(
      out,
      values.map(value => wanted.has(hex(value))),
    )
  })
})
