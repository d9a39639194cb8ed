import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openStore, RequestCounts, type Store, withCache, withObserver } from '../../../src/index.ts'
import { MemoryStore } from '../../../src/storage/memory.ts'
import { readAll, readText } from '../../../src/storage/read.ts'
import { pattern } from '../../../src/testing/conformance/context.ts'
import { withFaults } from '../../../src/testing/index.ts'
import { tempFolder } from '../../support/temp.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

/** A store, the same behind one that counts what reaches it, and what it has counted since it was last asked. */
async function counted() {
  const inner = new MemoryStore('cached')
  let counts = new RequestCounts()
  const store = withObserver(inner, event => counts.add(event))
  const seen = () => {
    const { requests, bytesRead } = counts
    counts = new RequestCounts()
    return { ...requests, bytesRead }
  }
  return { inner, store, seen }
}

test('what has been read is not read again, for as long as the object is the same', async () => {
  const { inner, store, seen } = await counted()
  await inner.put('key', pattern(10_000))
  const cached = withCache(store)
  const tail = { range: { suffix: 1_000 } }
  const first = await readAll(cached, 'key', tail)
  assert.deepEqual(seen(), { head: 1, getRanges: 1, bytesRead: 1_000 })
  first.fill(0)
  assert.deepEqual(await readAll(cached, 'key', tail), pattern(10_000).slice(9_000))
  assert.deepEqual(seen(), { head: 1, bytesRead: 0 })
  // Of what is kept also a part is, and of a part that is not, nothing.
  const ranges = [
    { start: 9_100, end: 9_200 },
    { start: 9_900, end: 10_000 },
  ]
  const views = await cached.getRanges('key', ranges)
  assert.deepEqual(views, [pattern(10_000).slice(9_100, 9_200), pattern(10_000).slice(9_900)])
  assert.deepEqual(seen(), { head: 1, bytesRead: 0 })
  await readAll(cached, 'key', { range: { start: 8_999, end: 9_001 } })
  assert.deepEqual(seen(), { head: 1, getRanges: 1, bytesRead: 2 })
  // Past the cache another version: none of the old bytes.
  await inner.put('key', pattern(10_000, 2))
  assert.deepEqual(await readAll(cached, 'key', tail), pattern(10_000, 2).slice(9_000))
})

test('what is large is read as without a cache', async () => {
  const { inner, store, seen } = await counted()
  await inner.put('key', pattern(10_000))
  const cached = withCache(store, { maxReadBytes: 100 })
  for (let i = 0; i < 2; i++) {
    await readAll(cached, 'key', { range: { start: 0, end: 101 } })
    await cached.getRanges('key', [
      { start: 0, end: 60 },
      { start: 500, end: 560 },
    ])
    assert.deepEqual(seen(), { get: 1, getRanges: 1, bytesRead: 101 + 560 })
    await readAll(cached, 'key')
    assert.deepEqual(seen(), { head: 1, get: 1, bytesRead: 10_000 })
  }
})

test('within maxAgeMs the store is not asked at all, but after a write through the cache', async () => {
  const { inner, store, seen } = await counted()
  const { etag: old } = await inner.put('key', bytes('old'))
  const cached = withCache(store, { maxAgeMs: 1e9 })
  assert.equal(await readText(cached, 'key'), 'old')
  seen()
  const { etag } = await inner.put('key', bytes('new'))
  for (let i = 0; i < 3; i++) assert.equal(await readText(cached, 'key'), 'old')
  assert.deepEqual(seen(), { bytesRead: 0 })
  // Who knows of the new version gets it, and nobody the old one after that.
  assert.equal(await readText(cached, 'key', { ifMatch: etag }), 'new')
  await assert.rejects(readText(cached, 'key', { ifMatch: old }), { code: 'precondition' })
  assert.equal(await readText(cached, 'key'), 'new')
  const writes: ((store: Store) => Promise<unknown>)[] = [
    store => store.put('key', bytes('put')),
    store => store.copy('other', 'key'),
    async store => {
      const writer = await store.stage('key')
      await writer.write(bytes('staged'))
      return store.completeStaged(await writer.seal())
    },
    store => store.delete('key'),
    store => store.deleteMany(['other']),
  ]
  await inner.put('other', bytes('copied'))
  for (const [i, write] of writes.entries()) {
    if (i < 4) await cached.head('key')
    else await cached.head('other')
    await write(cached)
    const expected = ['put', 'copied', 'staged'][i]
    if (expected !== undefined) assert.equal(await readText(cached, 'key'), expected)
    else await assert.rejects(cached.head(i === 3 ? 'key' : 'other'), { code: 'not-found' })
  }
})

test('those who miss the same bytes at once wait for one read; a failure is not theirs', async () => {
  const { inner, store, seen } = await counted()
  await inner.put('key', pattern(1_000))
  const cached = withCache(store)
  await Promise.all(Array.from({ length: 10 }, () => readAll(cached, 'key')))
  const { getRanges, bytesRead } = seen()
  assert.deepEqual([getRanges, bytesRead], [1, 1_000])
  let failures = 1
  const faulty = withFaults(inner, ({ method }) =>
    method === 'getRanges' && failures-- > 0 ? 'before' : undefined,
  )
  const results = await Promise.allSettled([1, 2, 3].map(() => readAll(withCache(faulty), 'key')))
  assert.ok(results.some(({ status }) => status === 'fulfilled'))
  failures = 1
  const one = withCache(faulty)
  const joined = await Promise.allSettled([1, 2, 3].map(() => readAll(one, 'key')))
  assert.deepEqual(joined.map(({ status }) => status).sort(), ['fulfilled', 'fulfilled', 'rejected'])
})

test('memory holds no more than it may, and what was used last', async () => {
  const { inner, store, seen } = await counted()
  for (const key of ['a', 'b', 'c']) await inner.put(key, pattern(10_000))
  const cached = withCache(store, { memory: 25_000 })
  for (const key of ['a', 'b', 'a', 'c']) await readAll(cached, key)
  seen()
  await readAll(cached, 'a')
  await readAll(cached, 'c')
  assert.deepEqual(seen(), { head: 2, bytesRead: 0 })
  await readAll(cached, 'b')
  assert.deepEqual(seen(), { head: 1, getRanges: 1, bytesRead: 10_000 })
})

test('what is on disk outlives the process, and no damaged file is believed', async t => {
  const { inner, store, seen } = await counted()
  const folder = join(tempFolder(t), 'made')
  const whole = pattern(5_000)
  await inner.put('key', whole)
  const open = () => withCache(store, { memory: 0, disk: { folder } })
  await readAll(open(), 'key')
  seen()
  assert.deepEqual(await readAll(open(), 'key'), whole)
  assert.deepEqual(seen(), { head: 1, bytesRead: 0 })
  const [name] = readdirSync(folder)
  const path = join(folder, name!)
  const good = readFileSync(path)
  const damages: (() => void)[] = [
    () => truncateSync(path, good.length - 1),
    () => truncateSync(path, 2),
    () => writeFileSync(path, ''),
    ...[0, 10, good.length - 1].map(at => () => {
      const bad = Buffer.from(good)
      bad[at]! ^= 1
      writeFileSync(path, bad)
    }),
  ]
  for (const damage of damages) {
    damage()
    assert.deepEqual(await readAll(open(), 'key'), whole)
    assert.deepEqual(seen(), { head: 1, getRanges: 1, bytesRead: 5_000 })
    assert.deepEqual(readFileSync(path), good, 'and it is mended')
  }
  // A file of another object under this one's name.
  await inner.put('other', pattern(5_000, 2))
  await readAll(open(), 'other')
  const other = readdirSync(folder).find(file => file !== name)!
  writeFileSync(path, readFileSync(join(folder, other)))
  assert.deepEqual(await readAll(open(), 'key'), whole)
  // A process whose file another one has removed.
  const cached = open()
  await readAll(cached, 'key')
  truncateSync(path, 0)
  assert.deepEqual(await readAll(cached, 'key'), whole)
})

test('a folder holds no more than it may, and one that cannot be used is no failure', async t => {
  const { inner, store } = await counted()
  const folder = tempFolder(t)
  for (let i = 0; i < 20; i++) await inner.put(`${i}`, pattern(10_000, i + 1))
  const cached = withCache(store, { memory: 0, disk: { folder, bytes: 55_000 } })
  for (let i = 0; i < 20; i++) await readAll(cached, `${i}`)
  // What is evicted is removed in the background.
  const size = () => readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
  while (size() > 55_000) await new Promise(resolve => setImmediate(resolve))
  assert.ok(size() > 45_000)
  const file = join(folder, 'file')
  writeFileSync(file, '')
  const hopeless = withCache(store, { memory: 0, disk: { folder: file } })
  for (let i = 0; i < 2; i++) assert.deepEqual(await readAll(hopeless, '3'), pattern(10_000, 4))
})

test('options are checked', async () => {
  const store = await openStore('memory:')
  for (const [option, value] of [
    ['memory', 'much'],
    ['maxReadBytes', -1],
    ['maxAgeMs', -1],
    ['maxAgeMs', Number.NaN],
  ] as const) {
    assert.throws(() => withCache(store, { [option]: value }), { code: 'invalid-argument', option })
  }
})
