import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { test } from 'node:test'
import {
  openStore,
  RequestCounts,
  type RequestEvent,
  type RetryEvent,
  type Store,
  withDiagnostics,
  withLimit,
  withObserver,
  withRetry,
  withThrottle,
} from '../../../src/index.ts'
import { MemoryStore } from '../../../src/storage/memory.ts'
import { readAll } from '../../../src/storage/read.ts'
import { collect } from '../../../src/testing/conformance/context.ts'
import { type Fault, withFaults } from '../../../src/testing/index.ts'

const MiB = 1024 * 1024

test('no more requests are under way than the limit, and all of it is used', async () => {
  const inner = await openStore('memory:')
  let now = 0
  let most = 0
  // Slow enough that all would overlap.
  const slow = new Proxy(inner, {
    get(target, name) {
      if (name === 'root') return { store: slow, prefix: '' }
      const value = Reflect.get(target, name)
      if (name !== 'head' && name !== 'put') return typeof value === 'function' ? value.bind(target) : value
      return async (...args: unknown[]) => {
        most = Math.max(most, ++now)
        await new Promise(resolve => setTimeout(resolve, 2))
        try {
          return await Reflect.apply(value, target, args)
        } finally {
          now--
        }
      }
    },
  }) as Store
  const store = withLimit(slow, { requests: 3 })
  const children = [store, store.child('a'), store.child('a').child('b')]
  await Promise.all(Array.from({ length: 20 }, (_, i) => children[i % 3]!.put(`${i}`, new Uint8Array(1))))
  await Promise.allSettled(Array.from({ length: 20 }, (_, i) => children[i % 3]!.head(`${i + 1}`)))
  assert.equal(most, 3)
  assert.equal(now, 0)
})

test('a limit of one blocks neither a copy by stream nor readers side by side', async () => {
  const store = withLimit(await openStore('memory:'), { requests: 1 })
  await store.put('a', new Uint8Array(2 * MiB).fill(1))
  await store.put('b', new Uint8Array(2 * MiB).fill(2))
  assert.equal((await store.put('copy', (await store.get('a')).body)).size, 2 * MiB)
  const [a, b] = [await store.get('a'), await store.get('b')]
  const readers = [a, b].map(({ body }) => body[Symbol.asyncIterator]())
  for (let i = 0; i < 8; i++) for (const reader of readers) assert.equal((await reader.next()).done, false)
  let listed = 0
  for await (const { key } of store.list()) {
    await store.head(key)
    listed++
  }
  assert.equal(listed, 3)
})

test('a request that is aborted while it waits, or fails, gives its place back', async () => {
  const inner = await openStore('memory:')
  const store = withLimit(inner, { requests: 1 })
  for (const reason of ['waiting', 'again']) {
    const controller = new AbortController()
    const stuck = async function* () {
      yield new Uint8Array(1)
      await new Promise(() => undefined)
    }
    const put = store.put('key', stuck(), { signal: controller.signal })
    const heads = Promise.allSettled([1, 2].map(() => store.head('missing', { signal: controller.signal })))
    setImmediate(() => controller.abort(reason))
    await assert.rejects(put, error => error === reason)
    await heads
  }
  await assert.rejects(store.head('missing'), { code: 'not-found' })
  await store.put('key', new Uint8Array(1))
  for (const requests of [0, 1.5, Number.NaN]) {
    assert.throws(() => withLimit(inner, { requests }), { code: 'invalid-argument', option: 'requests' })
  }
})

test('bytes take their time, read or written, in one piece or as a stream', async () => {
  const inner = await openStore('memory:')
  await inner.put('key', new Uint8Array(MiB))
  async function* stream() {
    for (let i = 0; i < 4; i++) yield new Uint8Array(MiB / 4)
  }
  const work: Record<string, (store: Store) => Promise<unknown>> = {
    put: store => store.put('new', new Uint8Array(MiB)),
    'streamed put': store => store.put('new', stream()),
    get: store => readAll(store, 'key'),
    getRanges: store => store.getRanges('key', [{ start: 0, end: MiB }]),
    write: async store => (await store.stage('new')).write(new Uint8Array(MiB)),
  }
  for (const [name, run] of Object.entries(work)) {
    const store = withThrottle(inner, { bytesPerSecond: '20MiB', burstSeconds: 0 })
    const begun = performance.now()
    await run(store)
    const ms = performance.now() - begun
    assert.ok(ms >= 49, `${name}: ${ms} ms for 1 MiB at 20 MiB/s`)
  }
})

test('requests take their time, together over all children', async () => {
  const inner = await openStore('memory:')
  await inner.put('a/key', new Uint8Array(1))
  const store = withThrottle(inner, { requestsPerSecond: 100, burstSeconds: 0.02 })
  const begun = performance.now()
  await Promise.all([
    store.head('a/key'),
    store.child('a').head('key'),
    store.child('a').listLevel(),
    collect(store.list()),
    readAll(store, 'a/key'),
    store.put('a/key', new Uint8Array(1)),
    store.delete('a/key'),
  ])
  const ms = performance.now() - begun
  assert.ok(ms >= 49, `${ms} ms for 7 requests, 2 of them free, at 100 a second`)
})

test('an abort ends the wait for a rate', async () => {
  const store = withThrottle(await openStore('memory:'), { bytesPerSecond: 1, burstSeconds: 0 })
  const controller = new AbortController()
  const put = store.put('key', new Uint8Array(1000), { signal: controller.signal })
  controller.abort('stop')
  await assert.rejects(put, error => error === 'stop')
  const inner = await openStore('memory:')
  for (const [option, value] of [
    ['bytesPerSecond', 0],
    ['bytesPerSecond', 'fast'],
    ['requestsPerSecond', -1],
    ['burstSeconds', -1],
  ] as const) {
    assert.throws(() => withThrottle(inner, { requestsPerSecond: 1, [option]: value }), { option })
  }
})

test('each request is told of once, with its bytes', async () => {
  const events: RequestEvent[] = []
  const counts = new RequestCounts()
  const inner = await openStore('memory:observed')
  const store = withObserver(inner, event => {
    events.push(event)
    counts.add(event)
  })
  const child = store.child('a')
  async function* stream() {
    yield new Uint8Array(10)
    yield new Uint8Array(20)
  }
  await child.put('one', new Uint8Array(1000))
  await child.put('two', stream())
  await child.head('one')
  await readAll(child, 'one', { range: { start: 100, end: 200 } })
  const ranges = [
    { start: 0, end: 10 },
    { start: 20, end: 30 },
    { start: 900, end: 1000 },
  ]
  await child.getRanges('one', ranges, { coalesceGap: 10 })
  for await (const _ of child.list()) if (_.key === 'two') break
  await collect(child.list())
  await assert.rejects(child.get('missing'), { code: 'not-found' })
  const writer = await child.stage('three')
  await writer.write(new Uint8Array(5))
  await child.completeStaged(await writer.seal())
  const seen = events.map(({ method, key, bytes, count, ...rest }) => [
    method,
    key,
    bytes,
    count,
    'error' in rest ? 'failed' : 'done',
  ])
  assert.deepEqual(seen, [
    ['put', 'a/one', 1000, 1, 'done'],
    ['put', 'a/two', 30, 1, 'done'],
    ['head', 'a/one', 0, 1, 'done'],
    ['get', 'a/one', 100, 1, 'done'],
    ['getRanges', 'a/one', 130, 2, 'done'],
    ['list', 'a/', 0, 2, 'done'],
    ['list', 'a/', 0, 2, 'done'],
    ['get', 'a/missing', 0, 1, 'failed'],
    ['stage', 'a/three', 0, 1, 'done'],
    ['write', 'a/three', 5, 1, 'done'],
    ['seal', 'a/three', 0, 1, 'done'],
    ['completeStaged', 'a/three', 0, 1, 'done'],
  ])
  for (const { store, milliseconds } of events) {
    assert.equal(store, 'memory:observed')
    assert.ok(milliseconds >= 0)
  }
  assert.deepEqual(counts.requests, {
    put: 2,
    head: 1,
    get: 2,
    getRanges: 1,
    list: 2,
    stage: 1,
    write: 1,
    seal: 1,
    completeStaged: 1,
  })
  assert.deepEqual([counts.bytesRead, counts.bytesWritten, counts.errors], [230, 1035, 1])
})

test('a body that breaks off is told of with what came and why', async () => {
  const events: RequestEvent[] = []
  const inner = await openStore('memory:')
  await inner.put('key', new Uint8Array(MiB))
  const store = withObserver(
    withFaults(inner, () => 300_000),
    event => events.push(event),
  )
  await assert.rejects(readAll(store, 'key'), { code: 'io' })
  assert.equal(events.length, 1)
  assert.equal(events[0]!.bytes, 300_000)
  assert.equal((events[0]!.error as { code: string }).code, 'io')
})

test('channels tell subscribers of each request, try by try, of stores that are opened as ever', async () => {
  const events: [string, RequestEvent | RetryEvent, string | undefined][] = []
  const names = ['start', 'end', 'retry'].map(name => `sluice:request:${name}`)
  const listeners = names.map(name => {
    const listen = (message: unknown) => {
      const event = message as RequestEvent | RetryEvent
      events.push([name, event, event.code])
    }
    subscribe(name, listen)
    return () => unsubscribe(name, listen)
  })
  try {
    const inner = new MemoryStore('events')
    const faults: Fault[] = ['before', 'after']
    const faulty = withDiagnostics(withFaults(inner, () => faults.shift()))
    await withRetry(faulty, { minDelayMs: 1, maxDelayMs: 2 }).put('key', new Uint8Array(3))
    const told = events.map(([name, { store, method, key, attempt }, code]) => {
      return [name.slice(15), store, method, key, attempt, code]
    })
    const put = ['memory:events', 'put', 'key']
    assert.deepEqual(told, [
      ['start', ...put, 1, undefined],
      ['end', ...put, 1, 'io'],
      ['retry', ...put, 1, 'io'],
      ['start', ...put, 2, undefined],
      ['end', ...put, 2, 'io'],
      ['retry', ...put, 2, 'io'],
      ['start', ...put, 3, undefined],
      ['end', ...put, 3, undefined],
    ])
    assert.equal(events[0]![1], events[1]![1], 'the object is the same at both ends')
    const { delayMs } = events[2]![1] as RetryEvent
    assert.ok(delayMs >= 0 && delayMs <= 2, `${delayMs}`)
    events.length = 0
    const opened = await openStore('memory:events')
    await opened.put('key', new Uint8Array(1))
    assert.deepEqual(
      events.map(([name]) => name.slice(15)),
      ['start', 'end'],
    )
  } finally {
    for (const stop of listeners) stop()
  }
  events.length = 0
  await (await openStore('memory:')).put('key', new Uint8Array(1))
  assert.equal(events.length, 0)
})

test('a wrapper wraps the root, whatever child it is given', async () => {
  const inner = await openStore('memory:')
  const counts = new RequestCounts()
  const child = withObserver(inner.child('a/b'), counts.add)
  assert.equal(child.root.prefix, 'a/b/')
  await child.put('key', new Uint8Array(1))
  await child.root.store.head('a/b/key')
  await child.root.store.child('a').head('b/key')
  assert.deepEqual(counts.requests, { put: 1, head: 2 })
})
