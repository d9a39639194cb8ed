import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { call, input, output, type Range } from './call.ts'
import { forAll, rowsOf } from './values.ts'

/** Any levels at all: the kernels have to stand those of damaged files. */
const slots = rowsOf(fc.tuple(fc.nat(3), fc.nat(5)))
const bytes = (levels: readonly number[]): Range => input(Uint8Array.from(levels))
const bitBytes = (count: number) => (count + 7) >> 3

test('slots that go on with a list without elements are found', () => {
  const tables = fc.tuple(fc.nat(2), fc.nat(4), fc.nat(5))
  forAll(fc.tuple(slots, tables, fc.integer({ min: -1, max: 5 })), ([given, table, before]) => {
    const levels = [0, ...table]
    const broken = given.findIndex(([repetition, definition], i) => {
      const previous = i === 0 ? before : given[i - 1]![1]
      return repetition > 0 && (definition < levels[repetition]! || previous < levels[repetition]!)
    })
    const [repetition, definition] = [bytes(given.map(([r]) => r)), bytes(given.map(([, d]) => d))]
    assert.equal(call('brokenSlot', repetition, definition, given.length, bytes(levels), before), broken)
  })
})

test('rows are passed up to the next one', () => {
  forAll(fc.tuple(rowsOf(fc.nat(2)), fc.nat(40), fc.nat(80)), ([given, rows, start]) => {
    const from = Math.min(start, given.length)
    let begun = 0
    let end = from
    while (end < given.length && !(given[end] === 0 && begun === rows)) {
      if (given[end] === 0) begun++
      end++
    }
    const out = output(8)
    call('passRows', bytes(given), from, given.length, rows, out)
    assert.deepEqual(out.as(Int32Array), [end, begun])
  })
})

test('a leaf has an element for each slot that reaches its array, a value if it reaches further', () => {
  forAll(fc.tuple(rowsOf(fc.nat(5)), fc.nat(5), fc.nat(5)), ([given, level, present]) => {
    const elements = given.filter(own => own >= level)
    assert.equal(call('countAtLeast', bytes(given), given.length, level), elements.length)
    const bits = output(bitBytes(given.length))
    assert.equal(call('leafBits', bytes(given), given.length, level, present, bits), elements.length)
    assert.deepEqual(
      bits.bits(0, elements.length),
      elements.map(own => (own >= present ? 1 : 0)),
    )
  })
})

const node = fc.record({
  depth: fc.nat(3),
  level: fc.nat(4),
  more: fc.nat(2),
  room: fc.integer({ min: -2, max: 2 }),
})

test('any array has an element for each slot that begins one', () => {
  forAll(fc.tuple(slots, node), ([given, { depth, level, more, room }]) => {
    const elements = given.filter(([repetition, definition]) => repetition <= depth && definition >= level)
    const most = Math.max(0, elements.length + room)
    const bits = output(bitBytes(most))
    const [repetition, definition] = [bytes(given.map(([r]) => r)), bytes(given.map(([, d]) => d))]
    const found = call(
      'nodeBits',
      repetition,
      definition,
      given.length,
      depth,
      level,
      level + more,
      most,
      bits,
    )
    assert.equal(found, most < elements.length ? -1 : elements.length)
    if (found < 0) return
    assert.deepEqual(
      bits.bits(0, found),
      elements.map(([, definition]) => (definition >= level + more ? 1 : 0)),
    )
  })
})

test('lists have the elements that begin before the next list', () => {
  forAll(fc.tuple(slots, node), ([given, { depth, level, more, room }]) => {
    const inner = level + more + 1
    const offsets: number[] = []
    let elements = 0
    for (const [repetition, definition] of given) {
      if (repetition <= depth && definition >= level) offsets.push(elements)
      if (repetition <= depth + 1 && definition >= inner) elements++
    }
    const lists = offsets.length
    const most = Math.max(0, lists + room)
    const out = output(4 * (most + 1))
    const [repetition, definition] = [bytes(given.map(([r]) => r)), bytes(given.map(([, d]) => d))]
    const found = call('listOffsets', repetition, definition, given.length, depth, level, inner, most, out)
    assert.equal(found, most < lists ? -1 : lists)
    if (found >= 0) assert.deepEqual(out.as(Int32Array, lists + 1), [...offsets, elements])
  })
})
