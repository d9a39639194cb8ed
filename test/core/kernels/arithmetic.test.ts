import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { packBits } from '../../support/bytes.ts'
import { call, inPlace, input, output } from './call.ts'
import { operands, sides } from './sides.ts'
import { doubles, forAll, integers } from './values.ts'

const i64 = (values: readonly bigint[]) => BigInt64Array.from(values)
const f64 = (values: readonly number[]) => Float64Array.from(values)

for (const [name, exact] of [
  ['addI64', (a, b) => a + b],
  ['subtractI64', (a, b) => a - b],
  ['multiplyI64', (a, b) => a * b],
] as [name: 'addI64' | 'subtractI64' | 'multiplyI64', exact: (a: bigint, b: bigint) => bigint][]) {
  const columns = fc.oneof(sides(integers(64)), sides(integers(33)), sides(integers(31)))
  test(`${name} is exact up to the first valid row that overflows`, () => {
    forAll(fc.tuple(columns, fc.boolean()), ([columns, nullable]) => {
      const { rows } = columns
      const results = rows.map(({ a, b }) => exact(a, b))
      const isValid = (i: number) => !nullable || rows[i]!.valid
      const fails = results.findIndex((value, i) => isValid(i) && BigInt.asIntN(64, value) !== value)
      const out = output(8 * rows.length)
      const validity = nullable ? input(packBits(rows.map(row => row.valid))) : 0
      assert.equal(call(name, ...operands(columns, 8, i64), validity, rows.length, out), fails)
      const got = out.as(BigInt64Array, fails < 0 ? rows.length : fails)
      got.forEach((value, i) => {
        if (isValid(i)) assert.equal(value, results[i])
      })
    })
  })
}

test('products of limits overflow where they do', () => {
  const [most, least] = [2n ** 63n - 1n, -(2n ** 63n)]
  const edges = [least, least + 1n, -(2n ** 32n), -(2n ** 31n), -1n, 0n, 1n, 2n, 2n ** 31n, 2n ** 32n, most]
  for (const a of edges) {
    for (const b of edges) {
      const columns = { rows: [{ a, b, valid: true }], aOnce: false, bOnce: false }
      const fits = BigInt.asIntN(64, a * b) === a * b
      const failed = call('multiplyI64', ...operands(columns, 8, i64), 0, 1, output(8))
      assert.equal(failed, fits ? -1 : 0, `${a} * ${b}`)
    }
  }
})

test('remainderI64 has the sign of the dividend, and none for a divisor of 0', () => {
  forAll(sides(fc.oneof(integers(64), fc.bigInt({ min: -3n, max: 3n }))), columns => {
    const { rows } = columns
    const out = output(8 * rows.length)
    const validity = inPlace(packBits(rows.map(row => row.valid)))
    call('remainderI64', ...operands(columns, 8, i64), rows.length, out, validity)
    assert.deepEqual(
      out.as(BigInt64Array),
      rows.map(({ a, b }) => (b === 0n ? 0n : a % b)),
    )
    assert.deepEqual(
      validity.bits(0, rows.length),
      rows.map(({ b, valid }) => Number(valid && b !== 0n)),
    )
  })
})

test('arithmeticF64 is that of IEEE 754', () => {
  const operators: ((a: number, b: number) => number)[] = [
    (a, b) => a + b,
    (a, b) => a - b,
    (a, b) => a * b,
    (a, b) => a / b,
    (a, b) => a % b,
  ]
  forAll(fc.tuple(sides(doubles), fc.nat(4)), ([columns, operator]) => {
    const out = output(8 * columns.rows.length)
    call('arithmeticF64', operator, ...operands(columns, 8, f64), columns.rows.length, out)
    assert.deepEqual(
      out.as(Float64Array),
      columns.rows.map(({ a, b }) => operators[operator]!(a, b)),
    )
  })
})

test('pick takes each row from one side or the other, whatever the width', () => {
  for (const width of [1, 2, 4, 8, 16]) {
    const value = fc.uint8Array({ minLength: width, maxLength: width })
    forAll(
      sides(value),
      columns => {
        const { rows } = columns
        const out = output(width * rows.length)
        const mask = input(packBits(rows.map(row => row.valid)))
        const both = operands(columns, width, values => Buffer.concat(values))
        call('pick', mask, ...both, rows.length, width, out)
        const expected = rows.map(row => (row.valid ? row.a : row.b))
        assert.deepEqual(out.bytes, Uint8Array.from(Buffer.concat(expected)))
      },
      30,
    )
  }
})
