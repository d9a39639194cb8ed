import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { call, input, output } from './call.ts'
import { assertLossy, lossy } from './lossy.ts'
import { doubles, forAll, integers, rowsOf } from './values.ts'

/** Kinds 0 to 7: the bits of int8 to int64 and uint8 to uint64. */
const KINDS = [Int8Array, Int16Array, Int32Array, BigInt64Array] as const
const UNSIGNED = [Uint8Array, Uint16Array, Uint32Array, BigUint64Array] as const
const viewOf = (kind: number) => (kind < 4 ? KINDS[kind]! : UNSIGNED[kind - 4]!)
const bitsOf = (kind: number) => 8 << (kind & 3)
const valuesOf = (kind: number) => integers(bitsOf(kind), kind < 4)

function pack(kind: number, values: readonly bigint[]): ArrayBufferView {
  const View = viewOf(kind)
  return View === BigInt64Array || View === BigUint64Array
    ? View.from(values)
    : (View as typeof Int8Array).from(values.map(Number))
}

const columns = fc.nat(7).chain(kind => fc.tuple(fc.constant(kind), rowsOf(valuesOf(kind))))

test('widenI64 keeps the value of every kind that int64 holds', () => {
  forAll(
    columns.filter(([kind]) => kind !== 7),
    ([kind, values]) => {
      const out = output(8 * values.length)
      call('widenI64', kind, input(pack(kind, values)), values.length, out)
      assert.deepEqual(out.as(BigInt64Array), values)
    },
  )
})

test('widenF64 gives the nearest double of every kind', () => {
  forAll(columns, ([kind, values]) => {
    const out = output(8 * values.length)
    call('widenF64', kind, input(pack(kind, values)), values.length, out)
    assert.deepEqual(out.as(Float64Array), values.map(Number))
  })
  for (const [kind, View] of [
    [8, Float32Array],
    [9, Float64Array],
  ] as const) {
    forAll(rowsOf(doubles), values => {
      const out = output(8 * values.length)
      call('widenF64', kind, input(View.from(values)), values.length, out)
      assert.deepEqual(out.as(Float64Array), [...View.from(values)])
    })
  }
})

test('narrowF32 gives the nearest float', () => {
  forAll(rowsOf(doubles), values => {
    const out = output(4 * values.length)
    call('narrowF32', input(Float64Array.from(values)), values.length, out)
    assert.deepEqual(out.as(Float32Array), values.map(Math.fround))
  })
})

test('narrowI64 refuses what the kind does not hold', () => {
  const cases = fc.constantFrom(0, 1, 2, 4, 5, 6, 7).chain(kind =>
    fc.tuple(
      fc.constant(kind),
      lossy(
        fc.oneof(
          integers(64),
          valuesOf(kind).map(v => BigInt.asIntN(64, v)),
        ),
      ),
    ),
  )
  forAll(cases, ([kind, column]) => {
    const cast = (value: bigint) =>
      kind < 4 ? BigInt.asIntN(bitsOf(kind), value) : BigInt.asUintN(bitsOf(kind), value)
    assertLossy(
      column,
      value => (cast(value) === value ? value : undefined),
      (values, valid, drop) => {
        const out = output((bitsOf(kind) / 8) * values.length)
        const a = input(BigInt64Array.from(values))
        const result = call('narrowI64', kind, a, values.length, valid, drop, out)
        return {
          result,
          written: () => out.as<number | bigint>(viewOf(kind) as typeof Int8Array).map(BigInt),
        }
      },
    )
  })
})

/** The nearest integer, halves to the even one; undefined if int64 does not hold it. */
function roundHalfEven(value: number): bigint | undefined {
  if (!Number.isFinite(value)) return undefined
  const floor = Math.floor(value)
  const above = value - floor
  const whole = BigInt(floor) + (above > 0.5 || (above === 0.5 && floor % 2 !== 0) ? 1n : 0n)
  return BigInt.asIntN(64, whole) === whole ? whole : undefined
}

test('roundF64 rounds halves to even, and refuses NaN and what int64 does not hold', () => {
  const value = fc.oneof(
    doubles,
    fc.integer().map(twice => twice / 2),
    fc.bigInt({ min: 2n ** 63n - 5000n, max: 2n ** 63n + 5000n }).map(Number),
    fc.bigInt({ min: -(2n ** 63n) - 5000n, max: -(2n ** 63n) + 5000n }).map(Number),
  )
  forAll(lossy(value), column => {
    assertLossy(column, roundHalfEven, (values, valid, drop) => {
      const out = output(8 * values.length)
      const result = call('roundF64', input(Float64Array.from(values)), values.length, valid, drop, out)
      return { result, written: () => out.as(BigInt64Array) }
    })
  })
})

test('rescaleI64 multiplies, and divides rounding down', () => {
  const factor = fc.constantFrom(1n, 10n, 1000n, 1_000_000n, 86_400_000_000_000n, 7n)
  const cases = fc.tuple(
    lossy(
      fc.oneof(
        integers(64),
        integers(44),
        factor.map(by => (2n ** 63n - 1n) / by),
      ),
    ),
    factor,
    factor,
  )
  forAll(cases, ([column, multiply, divide]) => {
    const twin = (value: bigint) => {
      const product = value * multiply
      if (BigInt.asIntN(64, product) !== product) return undefined
      return (product - (((product % divide) + divide) % divide)) / divide
    }
    assertLossy(column, twin, (values, valid, drop) => {
      const out = output(8 * values.length)
      const a = input(BigInt64Array.from(values))
      const result = call('rescaleI64', a, values.length, multiply, divide, valid, drop, out)
      return { result, written: () => out.as(BigInt64Array) }
    })
  })
})

test('keysF64 are equal where the doubles are, all NaN together', () => {
  const value = fc.oneof(
    doubles,
    fc.constantFrom(0, -0),
    fc.constantFrom(0x7ff8000000000001n, 0x7ff0000000000001n, -1n).map(bits => {
      return new Float64Array(BigInt64Array.of(bits).buffer)[0]!
    }),
  )
  forAll(rowsOf(value), values => {
    const out = output(8 * values.length)
    call('keysF64', input(Float64Array.from(values)), values.length, out)
    const keys = out.as(BigInt64Array)
    // A Map's keys are equal in the same sense.
    const first = new Map<number, bigint>()
    values.forEach((value, i) => {
      if (!first.has(value)) first.set(value, keys[i]!)
      assert.equal(keys[i], first.get(value))
    })
    assert.equal(new Set(first.values()).size, first.size)
  })
})
