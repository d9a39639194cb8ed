import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concat } from '../../support/bytes.ts'
import { call, input, output } from './call.ts'
import { forAll, rowsOf } from './values.ts'

for (const width of [1, 2, 4, 8, 5, 16]) {
  test(`joinStreams joins ${width} streams`, () => {
    forAll(rowsOf(fc.uint8Array({ minLength: width, maxLength: width })), values => {
      const streams = Array.from({ length: width }, (_, byte) => values.map(value => value[byte]!))
      const out = output(values.length * width)
      call('joinStreams', input(concat(streams)), values.length, width, out)
      assert.deepEqual(out.bytes, concat(values))
    })
  })
}
