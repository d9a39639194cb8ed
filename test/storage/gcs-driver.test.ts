import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { Bucket } from '@google-cloud/storage'
import { type OpenStoreOptions, openStore, type Store } from '../../src/index.ts'
import { readAll } from '../../src/storage/read.ts'
import {
  bytesOf,
  collect,
  keysOf,
  pattern,
  rejectsWith,
  textOf,
} from '../../src/testing/conformance/context.ts'
import { type GcsServer, noGcs, startGcs } from '../servers/gcs.ts'

const MIB = 1024 * 1024

let server: GcsServer
before(async () => {
  if (!noGcs) server = await startGcs()
})
after(() => server?.stop())

async function newBucket(
  options: OpenStoreOptions<'gs://bucket'> = {},
): Promise<{ name: string; store: Store; bucket: Bucket }> {
  const name = `test-${randomUUID()}`
  await server.createBucket(name)
  const store = await openStore(`gs://${name}`, { endpoint: server.endpoint, ...options })
  return { name, store, bucket: store.unwrap().client as Bucket }
}

async function* stream(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let start = 0; start < bytes.length; start += MIB) yield bytes.subarray(start, start + MIB)
}

test('keys reach the server as they are', { skip: noGcs }, async () => {
  const { store, bucket } = await newBucket()
  const keys = [
    'a b+c',
    '%41',
    'é=ü',
    'e\u0301',
    'k=v/#?&;',
    'quote\'"`',
    '*[x]{y}!()~',
    'back\\slash',
    '日本/😀',
    'o',
    'a/compose',
  ]
  for (const key of keys) {
    await store.put(key, bytesOf(key))
    await store.copy(key, `copy/${key}`)
    const writer = await store.stage(`staged/${key}`)
    await writer.write(bytesOf(key))
    await store.completeStaged(await writer.seal())
  }
  const [files] = await bucket.getFiles()
  assert.deepEqual(
    files.map(({ name }) => name).sort(),
    keys.flatMap(key => [key, `copy/${key}`, `staged/${key}`]).sort(),
  )
  for (const key of await keysOf(store)) {
    assert.equal(await textOf(store, key), key.replace(/^(copy|staged)\//, ''))
  }
  for (const key of keys) await store.delete(key)
  assert.equal((await keysOf(store)).length, 2 * keys.length)
})

test('an object that is stored compressed comes as it is stored, in ranges too', {
  skip: noGcs,
}, async () => {
  const { store, bucket } = await newBucket()
  const bytes = gzipSync(pattern(100_000))
  await bucket.file('key').save(bytes, { resumable: false, metadata: { contentEncoding: 'gzip' } })
  assert.ok(Buffer.from(await readAll(store, 'key')).equals(bytes))
  const [view] = await store.getRanges('key', [{ start: 10, end: 1_000 }])
  assert.ok(Buffer.from(view!).equals(bytes.subarray(10, 1_000)))
})

test('what is unfinished is in no listing, whatever lies beside it', { skip: noGcs }, async () => {
  const { name, store } = await newBucket()
  for (let i = 0; i < 3; i++) await (await store.stage(`key/${i}`)).write(bytesOf('x'))
  assert.deepEqual(await store.listLevel(), { objects: [], prefixes: [] })
  assert.deepEqual(await store.listLevel({ prefix: '_sluice/' }), { objects: [], prefixes: [] })
  const beside = ['_sluice/.stagin', '_sluice/.staging.x', '_sluice/a/b', 'key/3']
  for (const key of beside) await store.put(key, bytesOf(key))
  assert.deepEqual(await keysOf(store), beside)
  assert.deepEqual((await store.listLevel()).prefixes, ['_sluice/', 'key/'])
  assert.deepEqual((await store.listLevel({ prefix: '_sluice/' })).prefixes, ['_sluice/a/'])
  await rejectsWith(store.head('_sluice/.staging/key/0'), 'invalid-argument')
  // It is there, for the whole bucket; and the one who opens a folder of it stages in that.
  const folder = await openStore(`gs://${name}/_sluice`, { endpoint: server.endpoint })
  assert.ok((await keysOf(folder)).some(key => key.startsWith('.staging/key/0/')))
})

test('a stream of more than a part is one object, on condition too', { skip: noGcs }, async () => {
  const { store } = await newBucket({ retry: false })
  for (const size of [8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 17 * MIB]) {
    const whole = pattern(size)
    const meta = await store.put('large', stream(whole), { contentType: 'text/plain' })
    assert.equal(meta.size, size)
    assert.ok(Buffer.from(await readAll(store, 'large')).equals(whole), `${size}`)
    assert.equal((await store.head('large')).contentType, 'text/plain')
  }
  const { etag } = await store.head('large')
  const whole = pattern(9 * MIB, 2)
  await rejectsWith(store.put('large', stream(whole), { mode: 'create' }), 'already-exists', 'large')
  await rejectsWith(store.put('large', stream(whole), { mode: { ifMatch: '12345' } }), 'precondition')
  await rejectsWith(store.put('large', stream(whole), { mode: { ifMatch: '0' } }), 'precondition')
  await rejectsWith(store.put('new', stream(whole), { mode: { ifMatch: '0' } }), 'precondition')
  await store.put('large', stream(whole), { mode: { ifMatch: etag } })
  assert.deepEqual(await keysOf(store), ['large'])
  assert.deepEqual(await collect(store.listStaged('')), [])
})

test('of many streams that create one object exactly one succeeds', { skip: noGcs }, async () => {
  const { store } = await newBucket()
  const bodies = Array.from({ length: 4 }, (_, i) => pattern(8 * MIB + 1 + i, i))
  const puts = bodies.map(body => store.put('key', stream(body), { mode: 'create' }))
  const results = await Promise.allSettled(puts)
  const winners = results.flatMap(({ status }, i) => (status === 'fulfilled' ? [i] : []))
  assert.equal(winners.length, 1)
  for (const result of results) {
    if (result.status === 'rejected') assert.equal(result.reason.code, 'already-exists')
  }
  assert.ok(Buffer.from(bodies[winners[0]!]!).equals(await readAll(store, 'key')))
})

test('the environment is enough', { skip: noGcs }, async () => {
  const { name } = await newBucket()
  const before = process.env['STORAGE_EMULATOR_HOST']
  try {
    for (const host of [server.endpoint, server.endpoint.slice('http://'.length)]) {
      process.env['STORAGE_EMULATOR_HOST'] = host
      const store = await openStore(`gs://${name}/folder`)
      await store.put('key', bytesOf(host))
      assert.equal(await textOf(await openStore(store.url), 'key'), host)
      const { client, container, prefix } = store.child('a').unwrap()
      assert.deepEqual([container, prefix], [name, 'folder/a/'])
      const [bytes] = await (client as Bucket).file('folder/key').download()
      assert.equal(bytes.toString(), host)
    }
  } finally {
    if (before === undefined) delete process.env['STORAGE_EMULATOR_HOST']
    else process.env['STORAGE_EMULATOR_HOST'] = before
  }
})

test('what the server refuses says what to do', { skip: noGcs }, async () => {
  const { name } = await newBucket()
  const failures: [OpenStoreOptions<'gs://bucket'>, string, RegExp][] = [
    [{}, 'no-such-bucket', /^not-found: .*no such bucket.*Create the bucket 'no-such-bucket'/],
    [{ endpoint: 'http://127.0.0.1:1' }, name, /^io: .*ECONNREFUSED.*Correct the option 'endpoint'/],
  ]
  for (const [options, bucket, expected] of failures) {
    const { endpoint } = server
    const store = await openStore(`gs://${bucket}/folder`, { endpoint, retry: false, ...options })
    const calls = [collect(store.list()), store.put('key', bytesOf('x')), store.stage('key')]
    for (const result of await Promise.allSettled(calls)) {
      assert.ok(result.status === 'rejected')
      assert.match(`${result.reason.code}: ${result.reason.message}`, expected)
    }
  }
})
