import assert from 'node:assert/strict'
import { test } from 'node:test'
import { packIntegers } from '../../support/bytes.ts'
import { call, input, output } from './call.ts'
import { decodeDelta, deltaColumns } from './delta.ts'
import { forAll } from './values.ts'

for (const [name, bits] of [
  ['encodeDelta32', 32],
  ['encodeDelta64', 64],
] as const) {
  test(`${name} writes blocks of 128 values in miniblocks of 32, and nothing after them`, () => {
    forAll(
      deltaColumns(bits),
      values => {
        const out = output(32 + Math.ceil(values.length / 128) * (14 + 16 * bits))
        const source = input(packIntegers(values, bits / 8))
        const written = call(name, source, values.length, out)
        const bytes = out.bytes.slice(0, written)
        assert.deepEqual([...bytes.subarray(0, 3)], [128, 1, 4])
        assert.deepEqual(decodeDelta(bytes, bits, values.length), { values, used: written })
      },
      150,
    )
  })
}
