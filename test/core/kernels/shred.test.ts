import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { packBits } from '../../support/bytes.ts'
import { call, inPlace, input, output, type Range } from './call.ts'
import { forAll, rowsOf } from './values.ts'

/** A slot: the element that it stands for, or -1, and the level that only those have. */
interface Slot {
  index: number
  level: number
}

/** Slots whose elements ascend, some of them left out. */
const slots: fc.Arbitrary<Slot[]> = rowsOf(fc.tuple(fc.nat(2), fc.nat(2), fc.nat(9))).map(rows => {
  let next = 0
  return rows.map(([kind, gap, level]) => {
    if (kind === 0) return { index: -1, level }
    next += gap + 1
    return { index: next - 1, level: 255 }
  })
})

const elementsOf = (slots: readonly Slot[]) => 1 + Math.max(-1, ...slots.map(({ index }) => index))
const indices = (slots: readonly Slot[]) => Int32Array.from(slots, ({ index }) => index)
const levels = (slots: readonly Slot[]) => Uint8Array.from(slots, ({ level }) => level)

/** What a kernel wrote, with the levels of slots that have none of their own left aside. */
function written(index: Range, definition: Range, count: number): Slot[] {
  return index.as(Int32Array, count).map((index, i) => {
    return { index, level: index < 0 ? definition.bytes[i]! : 255 }
  })
}

test('slots of nulls end', () => {
  forAll(fc.tuple(slots, fc.infiniteStream(fc.boolean()), fc.nat(9)), ([given, stream, level]) => {
    const valid = Array.from({ length: elementsOf(given) }, () => stream.next().value as boolean)
    const [index, definition] = [output(4 * given.length), output(given.length)]
    const nulls = call(
      'dropNullSlots',
      input(indices(given)),
      input(levels(given)),
      given.length,
      input(packBits(valid)),
      level,
      index,
      definition,
    )
    const expected = given.map(slot => (slot.index >= 0 && !valid[slot.index] ? { index: -1, level } : slot))
    assert.deepEqual(written(index, definition, given.length), expected)
    assert.equal(nulls, given.filter(({ index }) => index >= 0 && !valid[index]).length)
  })
})

test('lists become their elements, empty ones a slot', () => {
  const input_ = fc.tuple(slots, fc.infiniteStream(fc.nat(3)), fc.nat(9), fc.integer({ min: 1, max: 9 }))
  forAll(input_, ([given, lengths, level, depth]) => {
    const offsets = [0]
    for (let i = 0; i < elementsOf(given); i++)
      offsets.push(offsets.at(-1)! + (lengths.next().value as number))
    const outer = given.map((_, i) => i % depth)
    const [index, ends] = [input(indices(given)), input(Int32Array.from(offsets))]
    const expected: (Slot & { repetition: number })[] = given.flatMap((slot, i) => {
      const repetition = outer[i]!
      if (slot.index < 0) return [{ ...slot, repetition }]
      const [start, end] = [offsets[slot.index]!, offsets[slot.index + 1]!]
      if (start === end) return [{ index: -1, level, repetition }]
      const elements = Array.from({ length: end - start }, (_, k) => start + k)
      return elements.map((element, k) => {
        return { index: element, level: 255, repetition: k === 0 ? repetition : depth }
      })
    })
    assert.equal(call('countSlots', index, given.length, ends, offsets.at(-1)!), expected.length)
    for (const repetition of [input(Uint8Array.from(outer)), 0]) {
      const n = expected.length
      const [outIndex, outDefinition, outRepetition] = [output(4 * n), output(n), output(n)]
      call(
        'expandSlots',
        index,
        input(levels(given)),
        repetition,
        given.length,
        ends,
        level,
        depth,
        outIndex,
        outDefinition,
        outRepetition,
      )
      assert.deepEqual(
        written(outIndex, outDefinition, n),
        expected.map(({ index, level }) => ({ index, level })),
      )
      assert.deepEqual(
        [...outRepetition.bytes],
        expected.map(({ repetition: own }) => (repetition === 0 && own < depth ? 0 : own)),
      )
    }
  })
})

test('offsets that do not ascend up to the elements are refused', () => {
  const offsets = fc.array(fc.integer({ min: -1, max: 6 }), { minLength: 2, maxLength: 6 })
  forAll(fc.tuple(offsets, fc.nat(6)), ([offsets, elements]) => {
    const lists = offsets.length - 1
    const all = Int32Array.from({ length: lists }, (_, i) => i)
    const ascend =
      offsets.every((offset, i) => offset >= (offsets[i - 1] ?? 0)) && offsets.at(-1)! <= elements
    const lengths = all.reduce((sum, i) => sum + Math.max(1, offsets[i + 1]! - offsets[i]!), 0)
    const count = call('countSlots', input(all), lists, input(Int32Array.from(offsets)), elements)
    assert.equal(count, ascend ? lengths : -1)
  })
})

test('a leaf has the level of its values and the bits of their elements', () => {
  forAll(fc.tuple(slots, fc.nat(9)), ([given, level]) => {
    const elements = elementsOf(given)
    const definition = inPlace(levels(given))
    const bits = inPlace(new Uint8Array((elements + 7) >> 3))
    const values = call('finishSlots', input(indices(given)), definition, given.length, level, bits)
    const present = given.filter(({ index }) => index >= 0)
    assert.equal(values, present.length)
    assert.deepEqual(
      [...definition.bytes],
      given.map(slot => (slot.index < 0 ? slot.level : level)),
    )
    const set = new Set(present.map(({ index }) => index))
    assert.deepEqual(
      bits.bits(0, elements),
      Array.from({ length: elements }, (_, i) => (set.has(i) ? 1 : 0)),
    )
  })
})

test('rows begin where nothing repeats', () => {
  forAll(rowsOf(fc.nat(2)), given => {
    const repetition = given.map((level, i) => (i === 0 ? 0 : level))
    const starts = [...repetition.keys()].filter(i => repetition[i] === 0)
    const out = output(4 * (starts.length + 1))
    call('rowStarts', input(Uint8Array.from(repetition)), repetition.length, starts.length, out)
    assert.deepEqual(out.as(Int32Array), [...starts, repetition.length])
    const zeros = call('countLevel', input(Uint8Array.from(repetition)), repetition.length, 0)
    assert.equal(zeros, starts.length)
  })
})
