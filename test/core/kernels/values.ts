import fc from 'fast-check'
import { concat, utf8 } from '../../support/bytes.ts'
import { cases } from '../../support/cases.ts'

export function forAll<T>(values: fc.Arbitrary<T>, check: (value: T) => void, numRuns = 100): void {
  fc.assert(fc.property(values, check), { numRuns: cases(numRuns) })
}

/** Rows: none, few, around the widths of SIMD, and sometimes a few thousand. */
export function rowsOf<T>(row: fc.Arbitrary<T>, minLength = 0): fc.Arbitrary<T[]> {
  return fc.oneof(
    { weight: 24, arbitrary: fc.array(row, { minLength, maxLength: 70, size: 'max' }) },
    { weight: 1, arbitrary: fc.array(row, { minLength: 900, maxLength: 2500, size: 'max' }) },
  )
}

/** Bits, in runs and alone. */
export const bitmaps: fc.Arbitrary<number[]> = fc.oneof(
  rowsOf(fc.nat(1)),
  fc
    .array(fc.tuple(fc.nat(1), fc.integer({ min: 1, max: 600 })), { maxLength: 8, size: 'max' })
    .map(runs => runs.flatMap(([bit, length]) => new Array<number>(length).fill(bit))),
)

/** Integers of `bits` bits, near 0, near the limits, and any. */
export function integers(bits: number, signed = true): fc.Arbitrary<bigint> {
  const min = signed ? -(2n ** BigInt(bits - 1)) : 0n
  const max = min + 2n ** BigInt(bits) - 1n
  const edges = [min, min + 1n, -1n, 0n, 1n, max - 1n, max]
  if (bits > 53) edges.push(2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n)
  return fc.oneof(
    fc.constantFrom(...edges.filter(edge => edge >= min && edge <= max)),
    fc.bigInt({ min: min < -100n ? -100n : min, max: max > 100n ? 100n : max }),
    fc.bigInt({ min, max }),
  )
}

/** Doubles, among them every kind of odd one. */
export const doubles: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(
    ...[Number.NaN, 0, -0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.MIN_VALUE],
    ...[Number.MAX_VALUE, -Number.MAX_VALUE, 2 ** 53 - 1, 2 ** 53, 2 ** 53 + 2, -(2 ** 63), 2 ** 63, 2 ** 64],
    ...[0.49999999999999994, 0.5, -0.5, 1.5, 2.5, 2 ** 52 + 1, 2 ** 31, -(2 ** 31) - 1, 1e300],
  ),
  fc.double(),
  fc.double({ min: -1000, max: 1000 }),
)

/** Byte strings: equal ones, ones with a common beginning, of lengths around those that kernels treat alike. */
export const byteStrings: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.constantFrom('', 'a', 'ab', 'abc', 'abcd', 'abcdefg', 'abcdefgh', 'abcdefghi', 'abcdefgh\0').map(utf8),
  fc.uint8Array({ maxLength: 20, size: 'max' }),
  fc.uint8Array({ minLength: 14, maxLength: 40, size: 'max' }),
)

/** Any character; fast-check's own unit of all of them takes half a second to make. */
const characters = fc
  .oneof(fc.nat(0x7ff), fc.nat(0xffff), fc.nat(0x10ffff))
  .map(code => String.fromCodePoint(code >= 0xd800 && code < 0xe000 ? 0x20ac : code))

/** Text of characters of one to four bytes. */
export const texts: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'b', '%', 'é', '漢', '😀'), maxLength: 12, size: 'max' }),
  fc.array(fc.integer({ min: 32, max: 126 }), { maxLength: 40, size: 'max' }).map(codes => {
    return String.fromCharCode(...codes)
  }),
  fc.array(characters, { maxLength: 20, size: 'max' }).map(list => list.join('')),
)

/** Bytes that were well-formed, or any: what a file may hold. */
export function damaged(wellFormed: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const edit = fc.tuple(fc.nat(1 << 20), fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 127, 128, 255)))
  const edited = fc.tuple(wellFormed, fc.array(edit, { maxLength: 4 })).map(([bytes, edits]) => {
    const copy = Uint8Array.from(bytes)
    for (const [place, byte] of edits) if (copy.length > 0) copy[place % copy.length] = byte
    return copy
  })
  const cut = fc.tuple(edited, fc.nat(1 << 20)).map(([bytes, to]) => bytes.slice(0, to % (bytes.length + 1)))
  return fc.oneof(edited, cut, fc.uint8Array({ maxLength: 80, size: 'max' }))
}

/** A dictionary of at least one value, and codes of it. */
export function lookups<T>(value: fc.Arbitrary<T>): fc.Arbitrary<{ values: T[]; codes: number[] }> {
  return fc
    .array(value, { minLength: 1, maxLength: 40, size: 'max' })
    .chain(values => fc.record({ values: fc.constant(values), codes: rowsOf(fc.nat(values.length - 1)) }))
}

export function ascending<T extends number | bigint>(values: readonly T[]): T[] {
  return values.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}

/** Bytes with repeats of all lengths and distances, as compressors see them. */
export const compressible: fc.Arbitrary<Uint8Array> = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.uint8Array({ maxLength: 80, size: 'max' }) },
      {
        weight: 4,
        arbitrary: fc
          .tuple(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 200 }))
          .map(([part, n]) => concat(Array.from({ length: n }, () => part))),
      },
      { weight: 2, arbitrary: fc.constant(utf8('the same words again and again ')) },
      {
        weight: 1,
        arbitrary: fc.nat(70_000).map(n => Uint8Array.from({ length: n }, (_, i) => (i * i * 31) >> 7)),
      },
    ),
    { maxLength: 12, size: 'max' },
  )
  .map(concat)
