import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { xxh64 } from '../../../src/parquet/xxh64.ts'
import { concat } from '../../support/bytes.ts'
import { call, inPlace, input, spansOf } from './call.ts'
import { byteStrings, forAll } from './values.ts'

const SALT = [
  0x47b6137bn,
  0x44974d91n,
  0x8824ad5bn,
  0xa2b7289dn,
  0x705495c7n,
  0x2df1424bn,
  0x9efc4947n,
  0x5c6bfb31n,
]

/** BloomFilter.md, word for word; the hash is held to known values where filters of others are read. */
function filterOf(values: readonly Uint8Array[], blocks: number): Uint8Array {
  const words = new Uint32Array(8 * blocks)
  for (const hash of values.map(xxh64)) {
    const block = Number(((hash >> 32n) * BigInt(blocks)) >> 32n)
    for (const [i, salt] of SALT.entries()) {
      const bit = Number((((hash & 0xffffffffn) * salt) & 0xffffffffn) >> 27n)
      words[8 * block + i]! |= 1 << bit
    }
  }
  return new Uint8Array(words.buffer)
}

const blockCounts = fc.constantFrom(1, 2, 3, 64)

test('bloomSpans puts byte strings in', () => {
  forAll(fc.tuple(fc.array(byteStrings, { maxLength: 40 }), blockCounts), ([values, blocks]) => {
    const filter = inPlace(new Uint8Array(32 * blocks))
    call('bloomSpans', spansOf(values).spans, values.length, filter, blocks)
    assert.deepEqual(filter.bytes, filterOf(values, blocks))
  })
})

test('bloomFixed puts values of any width in', () => {
  const columns = fc
    .constantFrom(1, 3, 4, 8, 12, 16, 33, 70)
    .chain(width => fc.array(fc.uint8Array({ minLength: width, maxLength: width }), { minLength: 1 }))
  forAll(fc.tuple(columns, blockCounts), ([values, blocks]) => {
    const filter = inPlace(new Uint8Array(32 * blocks))
    call('bloomFixed', input(concat(values)), values[0]!.length, values.length, filter, blocks)
    assert.deepEqual(filter.bytes, filterOf(values, blocks))
  })
})
