import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Arena } from '../../src/core/arena.ts'

test('blocks never overlap, are counted, and join again when they are given back', () => {
  const step = fc.oneof(
    fc.record({ op: fc.constant('alloc' as const), bytes: fc.nat(5000) }),
    fc.record({ op: fc.constant('free' as const), bytes: fc.nat(50) }),
    fc.record({ op: fc.constant('shrink' as const), bytes: fc.nat(5000) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const arena = new Arena(2 ** 20)
      const { byteLength } = arena.buffer
      const blocks: { address: number; bytes: number; byte: number }[] = []
      for (const [i, { op, bytes }] of steps.entries()) {
        const block = blocks[bytes % Math.max(1, blocks.length)]
        if (op === 'alloc') {
          const added = { address: arena.alloc(bytes), bytes, byte: i + 1 }
          blocks.push(added)
          arena.u8(added.address, bytes).fill(added.byte)
        } else if (block !== undefined && op === 'free') {
          arena.free(block.address)
          blocks.splice(blocks.indexOf(block), 1)
        } else if (block !== undefined && bytes < block.bytes) {
          arena.shrink(block.address, bytes)
          block.bytes = bytes
        }
      }
      for (const { address, bytes, byte } of blocks) {
        assert.ok(arena.u8(address, bytes).every(value => value === byte))
      }
      const least = blocks.reduce((sum, { bytes }) => sum + bytes, 0)
      assert.ok(arena.used >= least && arena.used <= least + 64 * blocks.length, `${arena.used} of ${least}`)
      for (const { address } of blocks) arena.free(address)
      assert.equal(arena.used, 0)
      // Nothing is in the way of a block as large as all of it.
      arena.alloc(2 ** 20 - 2 ** 16)
      assert.equal(arena.buffer.byteLength, byteLength)
    }),
  )
})
