import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytesOf, concat, offsetsOf, utf8 } from '../../support/bytes.ts'
import { at, call, end, inPlace, input, output } from './call.ts'
import { byteStrings, damaged, forAll, lookups, rowsOf, texts } from './values.ts'

test('copy moves bytes within a range, also where they overlap', () => {
  forAll(fc.tuple(rowsOf(fc.nat(255)), fc.nat(100), fc.nat(100)), ([bytes, from, to]) => {
    const range = inPlace(Uint8Array.from(bytes))
    const length = Math.max(0, bytes.length - Math.max(from, to))
    call('copy', at(range, Math.min(from, bytes.length)), at(range, Math.min(to, bytes.length)), length)
    assert.deepEqual([...range.bytes], [...Uint8Array.from(bytes).copyWithin(to, from, from + length)])
  })
})

test('clear sets bytes to 0', () => {
  forAll(fc.nat(3000), length => {
    const range = output(length)
    call('clear', range, length)
    assert.deepEqual(range.bytes, new Uint8Array(length))
  })
})

/** PLAIN byte arrays. */
function plain(values: readonly Uint8Array[]): Uint8Array {
  return concat(values.flatMap(value => [bytesOf(Uint32Array.of(value.length)), value]))
}

test('plainOffsets and copyBytes take PLAIN byte arrays apart', () => {
  forAll(fc.tuple(rowsOf(byteStrings), fc.uint8Array({ maxLength: 20 })), ([values, after]) => {
    const data = concat(values)
    const source = input(concat([plain(values), after]))
    const offsets = output(4 * (values.length + 1))
    assert.equal(call('plainOffsets', source, end(source), values.length, offsets), data.length)
    assert.deepEqual(offsets.as(Int32Array), [...offsetsOf(values)])
    if (values.length === 0) return
    const target = output(data.length)
    const made = input(offsets.bytes)
    call('copyBytes', at(source, 4), end(source), 4, made, values.length, target, end(target))
    assert.deepEqual(target.bytes, data)
  })
})

test('copyBytes copies what lies side by side', () => {
  forAll(fc.tuple(rowsOf(byteStrings), fc.nat(9)), ([values, first]) => {
    const data = concat(values)
    const source = input(data)
    const target = output(data.length)
    const offsets = input(offsetsOf(values, first))
    call('copyBytes', source, end(source), 0, offsets, values.length, target, end(target))
    assert.deepEqual(target.bytes, data)
  })
})

test('plainOffsets refuses byte arrays that cross the end', () => {
  forAll(
    fc.tuple(damaged(rowsOf(byteStrings).map(plain)), fc.nat(80)),
    ([bytes, count]) => {
      const expected = [0]
      let position = 0
      for (let i = 0; i < count; i++) {
        if (bytes.length - position < 4) break
        const length = Buffer.from(bytes).readUInt32LE(position)
        position += 4 + length
        if (position > bytes.length) break
        expected.push(expected.at(-1)! + length)
      }
      const source = input(bytes)
      const offsets = output(4 * (count + 1))
      const result = call('plainOffsets', source, end(source), count, offsets)
      assert.equal(result, expected.length > count ? expected.at(-1) : -1)
      if (result >= 0) assert.deepEqual(offsets.as(Int32Array), expected)
    },
    1000,
  )
})

test('gatherOffsets and gatherBytes look byte arrays up in a dictionary', () => {
  forAll(lookups(byteStrings), ({ values, codes }) => {
    const taken = codes.map(code => values[code]!)
    const data = concat(taken)
    const [source, dictionaryOffsets] = [input(Uint32Array.from(codes)), input(offsetsOf(values))]
    const dictionary = input(concat(values))
    const offsets = output(4 * (codes.length + 1))
    assert.equal(call('gatherOffsets', source, codes.length, dictionaryOffsets, offsets), data.length)
    assert.deepEqual(offsets.as(Int32Array), [...offsetsOf(taken)])
    const target = output(data.length)
    const ranges = [dictionaryOffsets, dictionary, end(dictionary), target, end(target)] as const
    call('gatherBytes', source, codes.length, ...ranges)
    assert.deepEqual(target.bytes, data)
  })
})

test('gatherOffsets refuses more than 32 bits of bytes', () => {
  const [codes, offsets] = [input(Uint32Array.of(0, 0)), input(Int32Array.of(0, 2 ** 30))]
  assert.equal(call('gatherOffsets', codes, 2, offsets, output(12)), -1)
})

const decoder = new TextDecoder('utf-8', { fatal: true })

function isText(bytes: Uint8Array): boolean {
  try {
    decoder.decode(bytes)
    return true
  } catch {
    return false
  }
}

/** The first byte, of values one after the other, that no character begins with; or the first, that is within one. */
function firstInvalid(values: readonly Uint8Array[]): number {
  const all = concat(values)
  for (let position = 0; position < all.length; ) {
    const lead = all[position]!
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
    if (lead >= 0x80 && !isText(all.subarray(position, position + length))) return position
    position += length
  }
  const starts = [...offsetsOf(values)].slice(0, -1)
  return starts.find(start => (all[start]! & 0xc0) === 0x80) ?? -1
}

test('invalidUtf8 agrees with the decoder of the platform', () => {
  const text = texts.map(utf8)
  const odd = fc.constantFrom(0x7f, 0x80, 0xbf, 0xc0, 0xc1, 0xc2, 0xe0, 0xed, 0xf0, 0xf4, 0xf5, 0xff)
  const nearly = fc
    .tuple(text, fc.nat(), odd)
    .map(([bytes, at, byte]) => (bytes.length === 0 ? bytes : bytes.with(at % bytes.length, byte)))
  const cut = fc.tuple(text, fc.nat(30)).map(([bytes, at]) => bytes.slice(0, at))
  // Halves of characters on both sides of a boundary.
  const apart = fc.tuple(text, fc.nat(30)).map(([bytes, at]) => [bytes.slice(0, at), bytes.slice(at)])
  const lists = fc.oneof(
    rowsOf(text),
    fc.array(fc.oneof(text, text, text, nearly, cut), { maxLength: 8 }),
    fc.array(apart, { maxLength: 8 }).map(list => list.flat()),
  )
  forAll(
    fc.tuple(lists, fc.nat(3)),
    ([values, skip]) => {
      const data = input(concat([new Uint8Array(skip).fill(255), ...values]))
      const result = call('invalidUtf8', data, input(offsetsOf(values, skip)), values.length)
      assert.equal(result === -1, values.every(isText))
      const first = firstInvalid(values)
      assert.equal(result, first < 0 ? -1 : first + skip)
    },
    300,
  )
})
