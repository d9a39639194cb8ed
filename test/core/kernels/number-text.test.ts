import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concat, offsetsOf, packBits, utf8 } from '../../support/bytes.ts'
import { call, input, output } from './call.ts'
import { forAll, integers, rowsOf, texts } from './values.ts'

/** Rows, a part of them null. */
const columns = <T>(value: fc.Arbitrary<T>) =>
  fc.tuple(rowsOf(fc.tuple(value, fc.boolean())), fc.boolean()).map(([rows, nullable]) => ({
    values: rows.map(([value]) => value),
    isValid: rows.map(([, valid]) => !nullable || valid),
    valid: nullable ? input(packBits(rows.map(([, valid]) => valid))) : 0,
  }))

const powers = fc.nat(18).map(digits => 10n ** BigInt(digits))
const numbers = fc.oneof(
  integers(64),
  fc.tuple(powers, fc.constantFrom(-1n, 0n, 1n)).map(([power, more]) => power + more),
  powers.map(power => -power),
)

test('textOfI64 writes decimal digits, and nothing for nulls', () => {
  forAll(columns(numbers), ({ values, isValid, valid }) => {
    const expected = values.map((value, i) => utf8(isValid[i] ? String(value) : ''))
    const data = concat(expected)
    const [offsets, out] = [output(4 * (values.length + 1)), output(data.length)]
    const source = input(BigInt64Array.from(values))
    assert.equal(call('textOfI64', source, values.length, valid, offsets, out), data.length)
    assert.deepEqual(offsets.as(Int32Array), [...offsetsOf(expected)])
    assert.deepEqual(out.bytes, data)
  })
})

/** A parser reads from a row on, up to the first valid one of which the twin says undefined. */
function assertParsed<T>(
  name: 'parseI64' | 'parseDays',
  View: new (buffer: ArrayBuffer) => Iterable<T>,
  width: number,
  text: fc.Arbitrary<string>,
  twin: (text: string) => T | undefined,
): void {
  forAll(
    fc.tuple(columns(text), fc.nat(70)),
    ([{ values, isValid, valid }, skip]) => {
      const n = values.length
      const from = Math.min(skip % 9, n)
      const parsed = values.map(twin)
      const stops = parsed.findIndex((value, i) => i >= from && isValid[i] && value === undefined)
      const bytes = values.map(utf8)
      const [offsets, data] = [input(offsetsOf(bytes)), input(concat(bytes))]
      const out = output(width * n)
      assert.equal(call(name, offsets, data, from, n, valid, out), stops < 0 ? n : stops)
      out.as(View, stops < 0 ? n : stops).forEach((value, i) => {
        if (i >= from && isValid[i]) assert.equal(value, parsed[i])
      })
    },
    300,
  )
}

test('parseI64 reads a sign and up to 18 digits', () => {
  const plain = fc.bigInt({ min: -(10n ** 18n) + 1n, max: 10n ** 18n - 1n }).map(String)
  const padded = fc.stringMatching(/^-?[0-9]{1,18}$/)
  const odd = fc.oneof(
    numbers.map(String),
    texts,
    fc.constantFrom('', '-', '+1', ' 1', '1 ', '1.0', '--1', '1-', '/', ':', '0x1', '1e3'),
  )
  const mostly = fc.oneof({ weight: 30, arbitrary: fc.oneof(plain, padded) }, { weight: 1, arbitrary: odd })
  for (const text of [plain, mostly, odd]) {
    assertParsed('parseI64', BigInt64Array, 8, text, value =>
      /^-?[0-9]{1,18}$/.test(value) ? BigInt(value) : undefined,
    )
  }
})

test('parseDays reads dates of the calendar, written YYYY-MM-DD', () => {
  const pad = (value: number, width: number) => String(value).padStart(width, '0')
  const text = (year: number, month: number, day: number) => `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`
  const years = fc.oneof(fc.nat(9999), fc.constantFrom(0, 1, 1600, 1900, 1970, 2000, 2024, 9999))
  const plain = fc
    .tuple(years, fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 28 }))
    .map(([year, month, day]) => text(year, month, day))
  const loose = fc.tuple(years, fc.nat(14), fc.nat(33)).map(([year, month, day]) => text(year, month, day))
  const spoiled = fc
    .tuple(plain, fc.nat(9), fc.constantFrom('/', ':', ' ', '-', '0', 'é'))
    .map(([date, at, char]) => date.slice(0, at) + char + date.slice(at + 1))
  const odd = fc.oneof(loose, spoiled, texts, fc.constantFrom('', '2024-1-1', '12024-01-01', '2024-02-30'))
  const mostly = fc.oneof({ weight: 30, arbitrary: fc.oneof(plain, loose) }, { weight: 1, arbitrary: odd })
  for (const dates of [plain, mostly, odd]) {
    assertParsed('parseDays', Int32Array, 4, dates, value => {
      if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(value)) return undefined
      const date = new Date(`${value}T00:00:00Z`)
      // The platform turns the 30th of February into the 1st of March, or refuses it.
      const same = !Number.isNaN(date.getTime()) && date.toISOString().slice(0, 10) === value
      return same ? date.getTime() / 86_400_000 : undefined
    })
  }
})
