import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { littleEndian } from '../../support/bytes.ts'
import { call, input, output, spansOf } from './call.ts'
import { ascending, byteStrings, doubles, forAll, integers, rowsOf } from './values.ts'

const KINDS = [
  ['boundsI32', 4, (values: bigint[]) => Int32Array.from(values, Number), integers(32)],
  ['boundsU32', 4, (values: bigint[]) => Uint32Array.from(values, Number), integers(32, false)],
  ['boundsI64', 8, (values: bigint[]) => BigInt64Array.from(values), integers(64)],
  ['boundsU64', 8, (values: bigint[]) => BigUint64Array.from(values), integers(64, false)],
  ['bounds8', 1, (values: bigint[]) => Uint8Array.from(values, Number), integers(8, false)],
] as const

for (const [name, width, pack, value] of KINDS) {
  test(`${name} finds the least and the greatest`, () => {
    forAll(rowsOf(value, 1), values => {
      const out = output(32)
      call(name, input(pack(values)), values.length, out)
      const sorted = ascending(values)
      const expected = new Uint8Array(pack([sorted[0]!, sorted.at(-1)!]).buffer)
      assert.deepEqual(out.bytes.subarray(0, 2 * width), expected)
    })
  })
}

for (const [name, View] of [
  ['boundsF32', Float32Array],
  ['boundsF64', Float64Array],
] as const) {
  test(`${name} leaves NaN out`, () => {
    const value = fc.oneof(doubles, fc.constant(Number.NaN))
    forAll(fc.oneof(rowsOf(value, 1), fc.array(fc.constant(Number.NaN), { minLength: 1 })), values => {
      const column = View.from(values)
      const out = output(32)
      call(name, input(column), values.length, out)
      const [least, greatest] = out.as(View, 2)
      const sorted = ascending([...column].filter(value => !Number.isNaN(value)))
      if (sorted.length === 0) assert.ok(least! > greatest!)
      // -0 and 0 are equal here; statistics set the sign themselves.
      else assert.ok(least === sorted[0] && greatest === sorted.at(-1))
    })
  })
}

test('boundsF16 goes by the value of half-precision floats', () => {
  const toNumber = (half: number): number => {
    const sign = half & 0x8000 ? -1 : 1
    const exponent = (half >> 10) & 31
    const fraction = half & 1023
    if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024))
  }
  const half = fc.oneof(fc.nat(0xffff), fc.constantFrom(0, 0x8000, 0x7c00, 0xfc00, 0x7e00, 0xfe01, 1, 0x8001))
  forAll(fc.oneof(rowsOf(half, 1), fc.array(fc.constantFrom(0x7e00, 0xffff), { minLength: 1 })), halves => {
    const out = output(4)
    const any = call('boundsF16', input(Uint16Array.from(halves)), halves.length, out)
    const sorted = ascending(halves.map(toNumber).filter(value => !Number.isNaN(value)))
    assert.equal(any, sorted.length === 0 ? 0 : 1)
    if (any === 0) return
    const [least, greatest] = out.as(Uint16Array).map(toNumber)
    assert.ok(least === sorted[0] && greatest === sorted.at(-1))
  })
})

test('boundsSpans finds byte strings in order of their bytes', () => {
  forAll(rowsOf(byteStrings, 1), values => {
    const out = output(8)
    call('boundsSpans', spansOf(values).spans, values.length, false, out)
    const [low, high] = out.as(Int32Array)
    const sorted = values.map(value => Buffer.from(value)).sort(Buffer.compare)
    assert.deepEqual(Buffer.from(values[low!]!), sorted[0])
    assert.deepEqual(Buffer.from(values[high!]!), sorted.at(-1))
  })
})

test('boundsSpans finds big-endian numbers of one length', () => {
  const numbers = fc
    .integer({ min: 1, max: 17 })
    .chain(width => fc.tuple(fc.constant(width), rowsOf(integers(8 * width), 1)))
  forAll(numbers, ([width, values]) => {
    const out = output(8)
    const { spans } = spansOf(values.map(value => littleEndian(value, width).reverse()))
    call('boundsSpans', spans, values.length, true, out)
    const [low, high] = out.as(Int32Array)
    const sorted = ascending(values)
    assert.equal(values[low!], sorted[0])
    assert.equal(values[high!], sorted.at(-1))
  })
})
