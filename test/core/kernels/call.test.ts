import assert from 'node:assert/strict'
import { test } from 'node:test'
import { at, call, input, output } from './call.ts'

const bytes = Uint8Array.from({ length: 40 }, (_, i) => i)

test('a call that stays within its ranges is fine', () => {
  const out = output(40)
  call('copy', input(bytes), out, 40)
  assert.deepEqual(out.bytes, bytes)
  const part = output(40)
  call('copy', input(bytes), at(part, 3), 30)
  assert.deepEqual(part.bytes.subarray(3, 33), bytes.subarray(0, 30))
})

test('a write beside the outputs is found', () => {
  const written = { name: 'AssertionError', message: /was written/ }
  assert.throws(() => call('clear', at(output(8), -1), 8), written)
  assert.throws(() => call('clear', input(bytes), 8), written)
  assert.throws(() => call('copy', input(bytes), at(output(30), -90), 40), written)
})

test('what lies beyond a range cannot be read or written', () => {
  const trap = { name: 'RuntimeError' }
  assert.throws(() => call('clear', output(8), 9), trap)
  assert.throws(() => call('copy', input(bytes), output(41), 41), trap)
  assert.throws(() => call('popcount', input(bytes), 41 * 8), trap)
  // The first byte too many is one that does not count.
  const [a, b] = [input(bytes), input(new Uint8Array(100))]
  assert.throws(() => call('andBits', a, b, 41 * 8, output(100)), trap)
})

test('a result or an output that depends on what lies before a range is found', () => {
  const depends = { name: 'AssertionError', message: /depends/ }
  assert.throws(() => call('copy', at(input(bytes), -1), output(40), 40), depends)
  assert.throws(() => call('popcount', at(input(bytes), -1), 8 * 40), depends)
})
