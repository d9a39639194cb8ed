import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openStore, withObserver } from '../../src/index.ts'
import {
  deleteAll,
  exists,
  headIfExists,
  putJson,
  readAll,
  readJson,
  readText,
} from '../../src/storage/read.ts'
import { withFaults } from '../../src/testing/index.ts'

test('objects as bytes, text and JSON', async () => {
  const store = await openStore('memory:')
  await putJson(store, 'json', { a: [1, 'é', null] })
  assert.deepEqual(await readJson(store, 'json'), { a: [1, 'é', null] })
  assert.equal(await readText(store, 'json'), '{"a":[1,"é",null]}')
  assert.deepEqual(await readAll(store, 'json', { range: { start: 0, end: 1 } }), new Uint8Array([123]))
  await assert.rejects(putJson(store, 'json', 1, { mode: 'create' }), { code: 'already-exists' })
  await store.put('bad', new Uint8Array([0xff]))
  await assert.rejects(readText(store, 'bad'), { code: 'corrupt', message: /bad/ })
  await store.put('half', new TextEncoder().encode('{"a":'))
  await assert.rejects(readJson(store, 'half'), { code: 'corrupt', message: /half/ })
  await assert.rejects(readJson(store, 'missing'), { code: 'not-found' })
})

test('whether there is something; other failures are failures', async () => {
  const store = await openStore('memory:')
  const { etag } = await store.put('key', new Uint8Array(1))
  assert.equal(await exists(store, 'key'), true)
  assert.equal(await exists(store, 'other'), false)
  assert.equal((await headIfExists(store, 'key'))?.etag, etag)
  await assert.rejects(
    exists(
      withFaults(store, () => 'before'),
      'key',
    ),
    { code: 'io' },
  )
})

test('many deletions, a few at a time', async () => {
  const store = await openStore('memory:')
  const keys = Array.from({ length: 40 }, (_, i) => `${i}`)
  for (const key of [...keys, 'kept']) await store.put(key, new Uint8Array(1))
  let running = 0
  let most = 0
  const slow = withFaults(store, () => undefined)
  const counted = new Proxy(slow, {
    get(target, name) {
      if (name !== 'delete') return Reflect.get(target, name)
      return async (key: string) => {
        most = Math.max(most, ++running)
        await new Promise(resolve => setImmediate(resolve))
        await target.delete(key)
        running--
      }
    },
  })
  async function* source() {
    yield* keys
  }
  await deleteAll(counted, source(), { concurrency: 4 })
  assert.equal(most, 4)
  assert.equal(running, 0)
  assert.deepEqual(
    (await store.listLevel()).objects.map(({ key }) => key),
    ['kept'],
  )
})

test('the first deletion that fails ends it, once the others have ended', async () => {
  const store = await openStore('memory:')
  let ended = 0
  const faulty = withFaults(store, ({ key }) => (key === '5' ? 'before' : undefined))
  const observed = withObserver(faulty, () => ended++)
  let asked = 0
  let closed = false
  function* keys() {
    try {
      for (; asked < 1000; asked++) yield `${asked}`
    } finally {
      closed = true
    }
  }
  await assert.rejects(deleteAll(observed, keys(), { concurrency: 3 }), { code: 'io' })
  assert.ok(asked < 20 && closed)
  assert.equal(ended, asked + 1)
  const signal = AbortSignal.abort('stop')
  await assert.rejects(deleteAll(store, ['a'], { signal }), error => error === 'stop')
})
