import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openStore, type Store, withRetry } from '../../../src/index.ts'
import { readAll, readText } from '../../../src/storage/read.ts'
import { collect } from '../../../src/testing/conformance/context.ts'
import { type Fault, type StoreRequest, withFaults } from '../../../src/testing/index.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const fast = { minDelayMs: 0, maxDelayMs: 0 }

/** A store whose requests go wrong as `faults` say, one after the other, and then no more. */
async function failing(...faults: (Fault | undefined)[]) {
  const inner = await openStore('memory:')
  const requests: string[] = []
  const faulty = withFaults(inner, ({ method }: StoreRequest) => {
    requests.push(method)
    return faults.shift()
  })
  const retried: string[] = []
  const onRetry = (_: unknown, { method, key }: { method: string; key: string }) =>
    retried.push(`${method} ${key}`)
  return { inner, faulty, store: withRetry(faulty, { ...fast, onRetry }), retried, requests }
}

test('every request that may be repeated is, until it succeeds', async () => {
  const calls: Record<string, (store: Store) => Promise<unknown>> = {
    'head key': store => store.head('key'),
    'get key': store => readAll(store, 'key'),
    'getRanges key': store => store.getRanges('key', [{ start: 0, end: 1 }]),
    'put new': store => store.put('new', bytes('new')),
    'delete key': store => store.delete('key'),
    'list ': store => collect(store.list()),
    'listLevel ': store => store.listLevel(),
    'copy new': store => store.copy('key', 'new'),
    'stage new': async store => (await store.stage('new')).abort(),
  }
  for (const [name, call] of Object.entries(calls)) {
    for (const fault of ['before', 'after'] as const) {
      const { inner, store, retried } = await failing(fault, fault)
      await inner.put('key', bytes('old'))
      await call(store)
      assert.deepEqual(retried, [name, name], `${name} ${fault}`)
    }
  }
})

test('a staged upload survives faults at every step', async () => {
  const steps: Fault[] = ['before', 'before', 'after', 'after', 'after']
  const { inner, store, retried } = await failing(...steps.flatMap(fault => [fault, undefined]))
  const writer = await store.stage('key')
  await writer.write(bytes('staged'))
  const upload = await writer.seal()
  await store.completeStaged(upload)
  assert.equal(await readText(inner, 'key'), 'staged')
  await store.abortStaged(upload)
  assert.deepEqual(retried, ['stage key', 'write key', 'seal key', 'completeStaged key', 'abortStaged key'])
})

test('what keeps failing fails with its own error after the last attempt', async () => {
  const inner = await openStore('memory:')
  let requests = 0
  const faulty = withFaults(inner, () => {
    requests++
    return 'before'
  })
  await assert.rejects(withRetry(faulty, { ...fast, attempts: 3 }).head('key'), { code: 'io' })
  assert.equal(requests, 3)
  requests = 0
  const store = withRetry(faulty, { ...fast, attempts: 3, budget: 3 })
  for (let i = 0; i < 5; i++) await assert.rejects(store.head('key'), { code: 'io' })
  assert.equal(requests, 8, 'five requests and the three retries of the budget')
})

test('ranges that are read again go into the memory of the first try', async () => {
  const { inner, store, retried } = await failing('after', 'after')
  const whole = Uint8Array.from({ length: 1_000 }, (_, i) => i)
  await inner.put('key', whole)
  const asked: number[] = []
  const allocate = (length: number) => {
    asked.push(length)
    return new Uint8Array(length)
  }
  const ranges = [
    { start: 0, end: 10 },
    { start: 500, end: 510 },
    { start: 700, end: 800 },
  ]
  const views = await store.getRanges('key', ranges, { coalesceGap: 0, allocate })
  assert.deepEqual(asked, [10, 10, 100])
  assert.equal(retried.length, 2)
  ranges.forEach(({ start, end }, i) => {
    assert.deepEqual(views[i], whole.slice(start, end))
  })
})

test('what is no fault is not repeated', async () => {
  const { store, requests } = await failing()
  await assert.rejects(store.head('missing'), { code: 'not-found' })
  await assert.rejects(store.put('key', bytes('x'), { mode: { ifMatch: 'stale' } }), { code: 'precondition' })
  assert.deepEqual(requests, ['head', 'put'])
})

test('a body that breaks off goes on where it stopped', async () => {
  const whole = Uint8Array.from({ length: 1_000_000 }, (_, i) => (i * 7919) >>> 3)
  for (const range of [undefined, { start: 100_000, end: 900_000 }, { suffix: 700_000 }] as const) {
    const { inner, store, requests } = await failing(0, 300_001, 'before', 'after', 1, 262_144)
    await inner.put('key', whole)
    const read = await readAll(store, 'key', range === undefined ? {} : { range })
    const [start, end] =
      range === undefined ? [0] : 'suffix' in range ? [-range.suffix] : [range.start, range.end]
    assert.ok(Buffer.from(read).equals(whole.slice(start, end)))
    assert.deepEqual(requests, Array(7).fill('get'))
  }
})

test('a body does not go on in another version of the object', async () => {
  const { inner, store } = await failing(300_000)
  await inner.put('key', new Uint8Array(1_000_000).fill(1))
  const { body } = await store.get('key')
  const reading = async () => {
    let first = true
    for await (const _ of body) {
      if (first) await inner.put('key', new Uint8Array(1_000_000).fill(2))
      first = false
    }
  }
  await assert.rejects(reading(), { code: 'precondition' })
})

test('a listing goes on after the last key that it gave', async () => {
  const keys = Array.from({ length: 50 }, (_, i) => `p/${String(i).padStart(2, '0')}`)
  const { inner, store, retried } = await failing(7, 'before', 0, 20)
  for (const key of ['a', ...keys, 'z']) await inner.put(key, bytes(key))
  const seen: string[] = []
  for await (const { key } of store.list({ prefix: 'p/', startAfter: 'p/03' })) seen.push(key)
  assert.deepEqual(seen, keys.slice(4))
  assert.equal(retried.length, 4)
})

test('a conditional put whose answer was lost has succeeded', async () => {
  for (const lost of [['after'], ['after', 'before', 'before']] as Fault[][]) {
    const { inner, store } = await failing(...lost)
    const meta = await store.put('commits/1', bytes('job 1'), { mode: 'create' })
    assert.deepEqual(meta, await inner.head('commits/1'))
  }
  const { inner, store } = await failing(undefined, 'after')
  const { etag } = await store.put('key', bytes('one'))
  const meta = await store.put('key', bytes('two'), { mode: { ifMatch: etag } })
  assert.deepEqual(meta, await inner.head('key'))
  const copying = await failing('after')
  await copying.inner.put('from', bytes('x'))
  assert.equal((await copying.store.copy('from', 'to', { mode: 'create' })).key, 'to')
})

test("a conditional put that lost to another's is told so, also after a fault", async () => {
  for (const theirs of ['job 2', 'job 12']) {
    const { inner, store } = await failing('before')
    await inner.put('commits/1', bytes(theirs))
    await assert.rejects(store.put('commits/1', bytes('job 1'), { mode: 'create' }), {
      code: 'already-exists',
    })
    assert.equal(await readText(inner, 'commits/1'), theirs)
  }
  // Without a fault before it equal bytes are no excuse.
  const { inner, store } = await failing()
  await inner.put('key', bytes('same'))
  await assert.rejects(store.put('key', bytes('same'), { mode: 'create' }), { code: 'already-exists' })
})

/** A stream of so many mebibytes, which can be read once. */
async function* mebibytes(count: number): AsyncGenerator<Uint8Array, void, undefined> {
  const chunk = new Uint8Array(1024 * 1024)
  for (let i = 0; i < count; i++) yield chunk.fill(i + 1)
}

const ofMebibytes = (count: number) =>
  Buffer.concat(Array.from({ length: count }, (_, i) => Buffer.alloc(1024 * 1024, i + 1)))

test('a short stream is kept, and put again', async () => {
  for (const mode of ['overwrite', 'create'] as const) {
    const { inner, store, requests } = await failing('before', 'after')
    await store.put('key', mebibytes(8), { mode })
    assert.ok(ofMebibytes(8).equals(await readAll(inner, 'key')))
    assert.deepEqual(requests.slice(0, 3), ['put', 'put', 'put'])
  }
})

test('a long stream is staged, and each of its writes repeated', async () => {
  const faults: Fault[] = ['before', 'before', 'before', 'after', 'after']
  const { inner, store, retried } = await failing(...faults.flatMap(fault => [fault, undefined]))
  const meta = await store.put('key', mebibytes(9))
  assert.deepEqual(meta, await inner.head('key'))
  assert.ok(ofMebibytes(9).equals(await readAll(inner, 'key')))
  assert.equal(retried.length, faults.length)
  assert.deepEqual(await collect(inner.listStaged('')), [])
})

test('a long stream that keeps failing leaves nothing, and what fails in it comes back', async () => {
  const { inner, faulty } = await failing()
  const broken = withFaults(inner, ({ method }) => (method === 'write' ? 'before' : undefined))
  await assert.rejects(withRetry(broken, { ...fast, attempts: 2 }).put('key', mebibytes(9)), { code: 'io' })
  const own = new Error('of the source')
  async function* failingSource() {
    yield* mebibytes(9)
    throw own
  }
  await assert.rejects(withRetry(faulty).put('key', failingSource()), error => error === own)
  assert.deepEqual(await collect(inner.listStaged('')), [])
  assert.deepEqual(await collect(inner.list()), [])
})

test('a long stream on a condition is not repeated: it cannot be read twice', async () => {
  const { inner, store, requests } = await failing(undefined, 'before')
  await store.put('key', mebibytes(9), { mode: 'create' })
  assert.ok(ofMebibytes(9).equals(await readAll(inner, 'key')))
  await assert.rejects(store.put('new', mebibytes(9), { mode: 'create' }), { code: 'io' })
  assert.deepEqual(requests, ['put', 'put'])
})

test('an abort ends the pause between two attempts', async () => {
  const { faulty } = await failing('before')
  const controller = new AbortController()
  const onRetry = () => void setImmediate(() => controller.abort('stop'))
  const store = withRetry(faulty, { minDelayMs: 1e6, maxDelayMs: 1e6, onRetry })
  await assert.rejects(store.head('key', { signal: controller.signal }), error => error === 'stop')
})

test('options are checked when the store is wrapped', async () => {
  const inner = await openStore('memory:')
  assert.throws(() => withRetry(inner, { attempts: 0 }), { code: 'invalid-argument', option: 'attempts' })
  assert.throws(() => withRetry(inner, { budget: -1 }), { code: 'invalid-argument', option: 'budget' })
})
