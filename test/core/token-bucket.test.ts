import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { TokenBucket } from '../../src/core/token-bucket.ts'

test('the burst is free, what is beyond it is paid for with time', async () => {
  const bucket = new TokenBucket(1000, 50)
  const begun = performance.now()
  await bucket.take(50)
  const free = performance.now()
  await bucket.take(30)
  await bucket.take(70)
  assert.ok(performance.now() - free >= 99 - (free - begun), `${performance.now() - free} ms for 100 tokens`)
})

test('first come, first served, also by who takes more than the burst', async () => {
  const bucket = new TokenBucket(10_000, 10)
  const order: number[] = []
  await Promise.all([300, 5, 100, 1].map((tokens, i) => bucket.take(tokens).then(() => order.push(i))))
  assert.deepEqual(order, [0, 1, 2, 3])
})

test('many who are due within the same milliseconds are served in their order', async () => {
  const bucket = new TokenBucket(10_000, 1)
  const order: number[] = []
  const calls = Array.from({ length: 300 }, (_, i) => i)
  await Promise.all(calls.map(i => bucket.take((i * 7) % 5).then(() => order.push(i))))
  assert.deepEqual(order, calls)
})

test('no more than the burst is saved up', async t => {
  let now = 1e6
  t.mock.method(performance, 'now', () => now)
  const bucket = new TokenBucket(100, 10)
  now += 1e9
  await bucket.take(10)
  const controller = new AbortController()
  const waiting = bucket.take(1, controller.signal)
  controller.abort('stop')
  await assert.rejects(waiting, error => error === 'stop')
})

test('an abort gives the reason and the tokens back', async () => {
  const bucket = new TokenBucket(1, 5)
  const controller = new AbortController()
  const { signal } = controller
  const waiting = bucket.take(1e12, signal)
  controller.abort('stop')
  await assert.rejects(waiting, error => error === 'stop')
  await assert.rejects(bucket.take(0, signal), error => error === 'stop')
  await bucket.take(5)
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})

test('a rate that is none is refused', () => {
  for (const rate of [0, -1, Number.NaN]) assert.throws(() => new TokenBucket(rate), RangeError)
})
