import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { call, input, output } from './call.ts'
import { forAll } from './values.ts'

test('codeRuns tells where codes change, unless that is too often', () => {
  const runs = fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 20 })), { maxLength: 12 })
  forAll(fc.tuple(runs, fc.nat(12)), ([lengths, most]) => {
    const codes = lengths.flatMap(([code, length]) => new Array<number>(length).fill(code))
    const starts = [...codes.keys()].filter(i => i === 0 || codes[i] !== codes[i - 1])
    const out = output(4 * most)
    const found = call('codeRuns', input(Uint32Array.from(codes)), codes.length, most, out)
    assert.equal(found, starts.length > most ? -1 : starts.length)
    if (found >= 0) assert.deepEqual(out.as(Int32Array, found), starts)
  })
})
