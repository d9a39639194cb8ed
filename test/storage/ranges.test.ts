import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { coalesceRanges, viewsOf } from '../../src/storage/ranges.ts'

const SIZE = 500
const range = fc
  .tuple(fc.integer({ min: 0, max: SIZE }), fc.integer({ min: 0, max: 60 }))
  .map(([start, length]) => ({ start, end: Math.min(SIZE, start + length) }))

test('coalesced reads give every range its bytes, touch no gap that is too wide, and do not overlap', () => {
  const whole = Uint8Array.from({ length: SIZE }, (_, i) => i % 251)
  fc.assert(
    fc.property(fc.array(range), fc.nat(80), fc.integer({ min: 1, max: SIZE }), (ranges, gap, maxBytes) => {
      const joined = coalesceRanges(ranges, { gap, maxBytes })
      const memory = joined.map(({ start, end }) => whole.slice(start, end))
      const views = viewsOf(ranges, joined, memory)
      ranges.forEach(({ start, end }, i) => {
        assert.deepEqual(views[i], whole.slice(start, end))
      })
      const wanted = new Set<number>()
      for (const { start, end } of ranges) for (let i = start; i < end; i++) wanted.add(i)
      for (const { start, end, members } of joined) {
        assert.ok(wanted.has(start) && wanted.has(end - 1), 'begins and ends with bytes asked for')
        let unwanted = 0
        for (let i = start; i < end; i++) {
          unwanted = wanted.has(i) ? 0 : unwanted + 1
          assert.ok(unwanted <= gap)
        }
        assert.ok(members.length === 1 || end - start <= maxBytes)
      }
      joined.slice(1).forEach(({ start }, i) => {
        assert.ok(start >= joined[i]!.start)
        if (maxBytes === SIZE) assert.ok(start - joined[i]!.end > gap, 'near ones are joined')
      })
    }),
    { numRuns: 1000 },
  )
})
