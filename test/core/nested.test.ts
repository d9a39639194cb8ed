import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Data, Vector } from 'apache-arrow'
import fc from 'fast-check'
import { Arena } from '../../src/core/arena.ts'
import { makeBatch } from '../../src/core/batch.ts'
import { concatColumns } from '../../src/core/concat.ts'
import { takeColumn } from '../../src/core/take.ts'
import { batchFromMessage, packBatch } from '../../src/core/transport.ts'
import { dataOf, fieldOf, nestedColumn } from '../parquet/nested.ts'
import { cases } from '../support/cases.ts'

const arena = new Arena(2 ** 20)
const share = fc.double({ min: 0, max: 1, noNaN: true })

/** Values as Arrow's own vectors have them. */
const plain = (data: Data): string => JSON.stringify([...new Vector([data])])

test('rows of nested columns are taken by index, of slices too', () => {
  const input = fc.record({ column: nestedColumn, bounds: fc.tuple(share, share), wanted: fc.array(share) })
  fc.assert(
    fc.property(input, ({ column: { shape, rows }, bounds, wanted }) => {
      const [start, end] = bounds.map(share => Math.round(share * rows.length)).sort((a, b) => a - b)
      const slice = dataOf(shape, rows).slice(start!, end! - start!)
      const numbers = slice.length === 0 ? [] : wanted.map(share => Math.floor(share * (slice.length - 0.01)))
      const region = arena.region()
      const indices = region.alloc(4 * numbers.length)
      arena.i32(indices, numbers.length).set(numbers)
      const taken = takeColumn(slice, { count: numbers.length, indices }, region)
      const expected = dataOf(
        shape,
        numbers.map(number => rows[start! + number]),
      )
      assert.equal(plain(taken), plain(expected))
      region.free()
    }),
    { numRuns: cases(300), seed: 7 },
  )
})

test('nested columns are joined, and sent to other threads', () => {
  const input = fc.record({ column: nestedColumn, cuts: fc.array(share, { maxLength: 4 }) })
  fc.assert(
    fc.property(input, ({ column: { shape, rows }, cuts }) => {
      const whole = dataOf(shape, rows)
      const bounds = [0, ...cuts.map(share => Math.round(share * rows.length)), rows.length].sort(
        (a, b) => a - b,
      )
      const parts = bounds.slice(1).map((end, i) => whole.slice(bounds[i]!, end - bounds[i]!))
      const region = arena.region()
      const joined = concatColumns(parts, region)
      assert.equal(plain(joined), plain(whole))
      const { message } = packBatch(makeBatch([fieldOf('c', shape)], [joined], rows.length))
      region.free()
      assert.equal(plain(batchFromMessage(message).data.children[0]!), plain(whole))
    }),
    { numRuns: cases(300), seed: 7 },
  )
})
