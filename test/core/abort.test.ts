import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { abortable, delay, untilAborted } from '../../src/core/abort.ts'

const reason = { own: 'reason' }

test('abortable settles with the promise, or rejects with the reason', async () => {
  const { signal } = new AbortController()
  const failure = new Error('failure')
  assert.equal(await abortable(Promise.resolve(1), undefined), 1)
  assert.equal(await abortable(Promise.resolve(1), signal), 1)
  await assert.rejects(abortable(Promise.reject(failure), signal), error => error === failure)
  assert.equal(getEventListeners(signal, 'abort').length, 0)
  const controller = new AbortController()
  const waiting = abortable(new Promise(() => undefined), controller.signal)
  controller.abort(reason)
  await assert.rejects(waiting, error => error === reason)
  await assert.rejects(abortable(Promise.reject(failure), controller.signal), error => error === reason)
})

test('delay waits, or rejects with the reason and leaves no timer', async () => {
  const controller = new AbortController()
  await delay(1, controller.signal)
  const waiting = delay(1e9, controller.signal)
  controller.abort(reason)
  await assert.rejects(waiting, error => error === reason)
  await assert.rejects(delay(1, controller.signal), error => error === reason)
  assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
})

for (const signalled of [false, true]) {
  test(`untilAborted ${signalled ? 'with' : 'without'} a signal passes a whole life on`, async () => {
    const signal = signalled ? new AbortController().signal : undefined
    const failure = new Error('failure')
    const life: string[] = []
    async function* source(fails: boolean) {
      try {
        yield 1
        yield 2
        if (fails) throw failure
      } finally {
        life.push('closed')
      }
    }
    const seen: number[] = []
    for await (const item of untilAborted(source(false), signal)) seen.push(item)
    await assert.rejects(
      async () => {
        for await (const item of untilAborted(source(true), signal)) seen.push(item)
      },
      error => error === failure,
    )
    for await (const item of untilAborted(source(false), signal)) {
      seen.push(item)
      break
    }
    assert.deepEqual(seen, [1, 2, 1, 2, 1])
    assert.deepEqual(life, ['closed', 'closed', 'closed'])
    if (signal !== undefined) assert.equal(getEventListeners(signal, 'abort').length, 0)
  })
}

test('untilAborted interrupts a source that is waiting, and closes one that is not', async () => {
  for (const waits of [true, false]) {
    const controller = new AbortController()
    let closed = false
    async function* source() {
      try {
        yield 1
        if (waits) await new Promise(() => undefined)
        yield 2
      } finally {
        closed = true
      }
    }
    const seen: number[] = []
    const reading = (async () => {
      for await (const item of untilAborted(source(), controller.signal)) {
        seen.push(item)
        if (waits) setImmediate(() => controller.abort(reason))
        else controller.abort(reason)
      }
    })()
    await assert.rejects(reading, error => error === reason)
    assert.deepEqual(seen, [1])
    assert.equal(closed, !waits)
    assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
  }
})
