import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { packBits } from '../../support/bytes.ts'
import { call, inPlace, input } from './call.ts'
import { bitmaps, forAll } from './values.ts'

test('popcount counts', () => {
  forAll(bitmaps, bits => {
    assert.equal(call('popcount', input(packBits(bits)), bits.length), sum(bits))
  })
})

test('copyBits moves bits and leaves their neighbours', () => {
  forAll(fc.tuple(bitmaps, bitmaps, fc.nat(30), fc.nat(30)), ([source, before, from, to]) => {
    const moved = source.slice(from)
    const bits = [...before, ...new Array<number>(to + moved.length).fill(1)]
    const target = inPlace(packBits(bits))
    call('copyBits', input(packBits(source)), Math.min(from, source.length), target, to, moved.length)
    bits.splice(to, moved.length, ...moved)
    assert.deepEqual(target.bits(0, bits.length), bits)
  })
})

test('fillBits sets and clears bits and leaves their neighbours', () => {
  const length = fc.oneof(fc.nat(70), fc.nat(1500))
  forAll(fc.tuple(bitmaps, fc.nat(70), length, fc.constantFrom(0, 1)), ([before, to, count, value]) => {
    const bits = [...before, ...new Array<number>(to + count).fill(1 - value)]
    const target = inPlace(packBits(bits))
    call('fillBits', target, to, count, value)
    assert.deepEqual(target.bits(0, bits.length), bits.fill(value, to, to + count))
  })
})

const sum = (bits: readonly number[]) => bits.reduce((total, bit) => total + bit, 0)
