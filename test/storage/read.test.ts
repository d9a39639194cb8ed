import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openStore } from '../../src/index.ts'
import {
  exists,
  headIfExists,
  putJson,
  readAll,
  readJson,
  readParallel,
  readText,
} from '../../src/storage/read.ts'
import { collect, pattern } from '../../src/testing/conformance/context.ts'
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

test('a large object is read by several requests at once, in order', async () => {
  const inner = await openStore('memory:')
  const whole = Buffer.from(pattern(100_000))
  await inner.put('key', whole)
  await inner.put('empty', new Uint8Array(0))
  for (const pieceBytes of [1, 999, 10_000, 99_999, 100_000, 1_000_000]) {
    const [start, end] = pieceBytes === 1 ? [500, 700] : [7, 99_000]
    for (const range of [undefined, { start }, { start, end }, { start: whole.length }]) {
      if (pieceBytes === 1 && range?.end === undefined) continue
      const options = { pieceBytes, concurrency: 3, ...(range === undefined ? {} : { range }) }
      const { meta, range: got, body } = await readParallel(inner, 'key', options)
      const expected = whole.subarray(range?.start ?? 0, range?.end)
      assert.equal(meta.size, whole.length)
      assert.deepEqual(got, { start: range?.start ?? 0, end: (range?.start ?? 0) + expected.length })
      assert.ok(Buffer.concat(await collect(body)).equals(expected), JSON.stringify(options))
    }
  }
  assert.deepEqual(await collect((await readParallel(inner, 'empty')).body), [])
  await assert.rejects(readParallel(inner, 'missing'), { code: 'not-found' })
  await assert.rejects(readParallel(inner, 'key', { range: { start: 100_001 } }), {
    code: 'invalid-argument',
  })
  for (const option of ['pieceBytes', 'concurrency']) {
    await assert.rejects(readParallel(inner, 'key', { [option]: 0 }), { code: 'invalid-argument', option })
  }
})

test('reading ahead stays within its window, of one version, and ends with its reader', async () => {
  const inner = await openStore('memory:')
  await inner.put('key', new Uint8Array(100_000).fill(1))
  let running = 0
  let most = 0
  let begun = 0
  const counted = new Proxy(inner, {
    get(target, name) {
      const value = Reflect.get(target, name)
      if (name !== 'getRanges') return typeof value === 'function' ? value.bind(target) : value
      return async (...args: Parameters<typeof inner.getRanges>) => {
        begun++
        most = Math.max(most, ++running)
        await new Promise(resolve => setImmediate(resolve))
        return inner.getRanges(...args).finally(() => running--)
      }
    },
  })
  const options = { pieceBytes: 10_000, concurrency: 3 }
  const all = await collect((await readParallel(counted, 'key', options)).body)
  assert.equal(Buffer.concat(all).length, 100_000)
  assert.equal(most, 3)
  begun = 0
  for await (const _ of (await readParallel(counted, 'key', options)).body) break
  assert.ok(begun < 9, `${begun} pieces of a body that was left`)
  assert.equal(running, 0)
  const { body } = await readParallel(counted, 'key', options)
  await inner.put('key', new Uint8Array(100_000).fill(2))
  await assert.rejects(collect(body), { code: 'precondition' })
  const controller = new AbortController()
  const aborted = await readParallel(counted, 'key', { ...options, signal: controller.signal })
  controller.abort('stop')
  await assert.rejects(collect(aborted.body), error => error === 'stop')
})
