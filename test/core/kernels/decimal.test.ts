import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { integersIn, packBits, packIntegers } from '../../support/bytes.ts'
import { call, input, output, type Range } from './call.ts'
import { assertLossy, lossy } from './lossy.ts'
import { operands, sides } from './sides.ts'
import { doubles, forAll, integers, rowsOf } from './values.ts'

const MOST = 10n ** 38n - 1n
const digits = fc.integer({ min: 1, max: 38 }).map(n => 10n ** BigInt(n))
const decimals = fc.oneof(
  fc.bigInt({ min: -MOST, max: MOST }),
  integers(64),
  fc.constantFrom(-MOST, MOST, 2n ** 64n, -(2n ** 64n), 5n, -5n, 0n),
  fc.tuple(digits, fc.constantFrom(1n, -1n, 5n, -5n)).map(([power, sign]) => (power / 10n) * sign),
)

const decimalsIn = (range: Range) => integersIn(range.bytes, 16)
const inDecimal = (value: bigint) => (BigInt.asIntN(128, value) === value ? value : undefined)
const pack = (values: readonly bigint[]) => packIntegers(values, 16)

test('decimalOfI64 extends int64 and uint64', () => {
  for (const unsigned of [0, 1]) {
    forAll(rowsOf(integers(64, !unsigned)), values => {
      const out = output(16 * values.length)
      call('decimalOfI64', input(packIntegers(values, 8)), values.length, unsigned, out)
      assert.deepEqual(decimalsIn(out), values)
    })
  }
})

test('decimalOfF64 rounds halves away from zero, and refuses what 128 bits do not hold', () => {
  const value = fc.oneof(
    doubles,
    fc.integer().map(twice => twice / 2),
    fc.double({ min: -1e38, max: 1e38 }),
    fc.bigInt({ min: 2n ** 52n, max: 2n ** 53n }).map(Number),
  )
  forAll(fc.tuple(lossy(value), fc.nat(22)), ([column, scale]) => {
    // Up to 22 digits a double holds the power exactly.
    const twin = (value: number) => {
      const scaled = Math.abs(value * 10 ** scale)
      if (!Number.isFinite(scaled)) return undefined
      const whole = BigInt(Math.trunc(scaled)) + (scaled - Math.trunc(scaled) >= 0.5 ? 1n : 0n)
      return inDecimal(value < 0 ? -whole : whole)
    }
    assertLossy(column, twin, (values, valid, drop) => {
      const out = output(16 * values.length)
      const result = call(
        'decimalOfF64',
        input(Float64Array.from(values)),
        values.length,
        scale,
        valid,
        drop,
        out,
      )
      return { result, written: () => decimalsIn(out) }
    })
  })
})

test('f64OfDecimal divides, exactly rounded up to 2^53', () => {
  forAll(fc.tuple(rowsOf(decimals), fc.nat(22)), ([values, scale]) => {
    const out = output(8 * values.length)
    call('f64OfDecimal', input(pack(values)), values.length, scale, out)
    out.as(Float64Array).forEach((got, i) => {
      const expected = Number(values[i]) / 10 ** scale
      const exact = values[i]! <= 2n ** 53n && values[i]! >= -(2n ** 53n)
      assert.ok(
        Math.abs(got - expected) <= (exact ? 0 : Math.abs(expected) * 2 ** -51),
        `${values[i]}: ${got}`,
      )
    })
  })
})

test('i64OfDecimal refuses what int64 or uint64 do not hold', () => {
  forAll(fc.tuple(lossy(fc.oneof(decimals, integers(65))), fc.nat(1)), ([column, unsigned]) => {
    const cast = (value: bigint) => (unsigned ? BigInt.asUintN(64, value) : BigInt.asIntN(64, value))
    const twin = (value: bigint) => (cast(value) === value ? value : undefined)
    assertLossy(column, twin, (values, valid, drop) => {
      const out = output(8 * values.length)
      const result = call('i64OfDecimal', input(pack(values)), values.length, unsigned, valid, drop, out)
      return { result, written: () => out.as<bigint>(unsigned ? BigUint64Array : BigInt64Array) }
    })
  })
})

test('rescaleDecimal multiplies by powers of ten, or divides and rounds halves away from zero', () => {
  forAll(fc.tuple(lossy(decimals), fc.integer({ min: -38, max: 38 })), ([column, exponent]) => {
    const twin = (value: bigint) => {
      if (exponent >= 0) return inDecimal(value * 10n ** BigInt(exponent))
      const divisor = 10n ** BigInt(-exponent)
      const magnitude = ((value < 0n ? -value : value) + divisor / 2n) / divisor
      return value < 0n ? -magnitude : magnitude
    }
    assertLossy(column, twin, (values, valid, drop) => {
      const out = output(16 * values.length)
      const result = call('rescaleDecimal', input(pack(values)), values.length, exponent, valid, drop, out)
      return { result, written: () => decimalsIn(out) }
    })
  })
})

test('limitDecimal refuses more digits than there may be', () => {
  forAll(fc.tuple(lossy(decimals), fc.integer({ min: 1, max: 38 })), ([column, precision]) => {
    const limit = 10n ** BigInt(precision)
    const twin = (value: bigint) => (value < limit && value > -limit ? value : undefined)
    assertLossy(column, twin, (values, valid, drop) => {
      const result = call('limitDecimal', input(pack(values)), values.length, precision, valid, drop)
      return { result, written: () => values }
    })
  })
})

test('arithmeticDecimal is exact up to the first valid row that leaves 128 bits', () => {
  const operators = [
    (a: bigint, b: bigint) => a + b,
    (a: bigint, b: bigint) => a - b,
    (a: bigint, b: bigint) => a * b,
  ]
  const columns = fc.oneof(sides(decimals), sides(fc.oneof(integers(64), integers(63))))
  forAll(fc.tuple(columns, fc.nat(2), fc.boolean()), ([columns, operator, nullable]) => {
    const { rows } = columns
    const isValid = (i: number) => !nullable || rows[i]!.valid
    const results = rows.map(({ a, b }) => inDecimal(operators[operator]!(a, b)))
    const fails = results.findIndex((value, i) => isValid(i) && value === undefined)
    const valid = nullable ? input(packBits(rows.map(row => row.valid))) : 0
    const out = output(16 * rows.length)
    const both = operands(columns, 16, pack)
    assert.equal(call('arithmeticDecimal', operator, ...both, valid, rows.length, out), fails)
    decimalsIn(out)
      .slice(0, fails < 0 ? rows.length : fails)
      .forEach((value, i) => {
        if (isValid(i)) assert.equal(value, results[i])
      })
  })
})
