import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { inspect } from 'node:util'
import { isSluiceError, type OpenStoreOptions, openStore, type Store } from '../../src/index.ts'
import { readAll } from '../../src/storage/read.ts'
import { partBytes } from '../../src/storage/s3/upload.ts'
import {
  bytesOf,
  collect,
  keysOf,
  pattern,
  rejectsWith,
  textOf,
} from '../../src/testing/conformance/context.ts'
import { noS3, type S3Server, startS3 } from '../servers/s3.ts'

const MIB = 1024 * 1024

let server: S3Server
before(async () => {
  if (!noS3) server = await startS3()
})
after(() => server?.stop())

/** A new bucket: the folder that it is for the server, and a store. */
async function newBucket(
  options: OpenStoreOptions<'s3://bucket'> = {},
): Promise<{ name: string; folder: string; store: Store }> {
  const name = `test-${randomUUID()}`
  const folder = server.createBucket(name)
  return { name, folder, store: await openStore(`s3://${name}`, { ...settings(), ...options }) }
}

function settings(): OpenStoreOptions<'s3://bucket'> {
  const { endpoint, region, credentials } = server
  return { endpoint, region, credentials }
}

async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size)
}

test('keys reach the server as they are', { skip: noS3 }, async () => {
  const { folder, store } = await newBucket()
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
  ]
  for (const key of keys) {
    await store.put(key, bytesOf(key))
    assert.equal(readFileSync(join(folder, key), 'utf8'), key)
    await store.copy(key, `copy/${key}`)
    assert.equal(readFileSync(join(folder, 'copy', key), 'utf8'), key)
  }
  assert.equal((await keysOf(store)).length, 2 * keys.length)
  for (const key of keys) {
    await store.delete(key)
    assert.ok(!existsSync(join(folder, key)), key)
  }
})

test('what an empty folder is shown by is no object', { skip: noS3 }, async () => {
  const { store, name } = await newBucket()
  const { S3 } = await import('@aws-sdk/client-s3')
  const s3 = new S3({ ...sdkSettings() })
  await s3.putObject({ Bucket: name, Key: 'folder/', Body: '' })
  await store.put('folder/object', bytesOf('x'))
  assert.deepEqual(await keysOf(store), ['folder/object'])
  assert.deepEqual((await store.listLevel({ prefix: 'folder/' })).objects.length, 1)
  assert.deepEqual(
    await store.child('folder').listLevel(),
    await store.child('folder').listLevel({ prefix: '' }),
  )
  s3.destroy()
})

test('a stream of more than a part is a multipart upload, on condition too', { skip: noS3 }, async () => {
  const { folder, store } = await newBucket()
  const whole = pattern(20 * MIB + 7)
  for (const size of [64 * 1024, 8 * MIB, 8 * MIB + 1, whole.length]) {
    const meta = await store.put('large', chunksOf(whole, size))
    assert.equal(meta.size, whole.length)
    assert.match(meta.etag, /-3$/, 'three parts')
    assert.ok(readFileSync(join(folder, 'large')).equals(whole), `in chunks of ${size}`)
  }
  const large = await store.head('large')
  await rejectsWith(store.put('large', chunksOf(whole, MIB), { mode: 'create' }), 'already-exists', 'large')
  await rejectsWith(store.put('large', chunksOf(whole, MIB), { mode: { ifMatch: 'other' } }), 'precondition')
  await store.put('large', chunksOf(whole, MIB), { mode: { ifMatch: large.etag } })
  assert.deepEqual(await collect(store.listStaged('')), [])
})

test('of many multipart uploads that create one object exactly one succeeds', { skip: noS3 }, async () => {
  const { store } = await newBucket()
  const bodies = Array.from({ length: 6 }, (_, i) => pattern(8 * MIB + 1 + i, i))
  const puts = bodies.map(body => store.put('key', chunksOf(body, MIB), { mode: 'create' }))
  const results = await Promise.allSettled(puts)
  const winners = results.flatMap(({ status }, i) => (status === 'fulfilled' ? [i] : []))
  assert.equal(winners.length, 1)
  for (const result of results) {
    if (result.status === 'rejected') assert.equal(result.reason.code, 'already-exists')
  }
  assert.ok(Buffer.from(bodies[winners[0]!]!).equals(await readAll(store, 'key')))
  assert.deepEqual(await collect(store.listStaged('')), [])
})

test('a staged upload of several parts is completed by another process', { skip: noS3 }, async () => {
  for (const checksums of ['supported', 'required'] as const) {
    const { name, folder, store } = await newBucket({ checksums })
    const whole = pattern(35 * MIB + 3)
    const writer = await store.stage('a/key')
    // One write that fills two parts and more, between smaller ones.
    for (const [start, end] of [
      [0, 3 * MIB],
      [3 * MIB, 27 * MIB],
      [27 * MIB, whole.length],
    ] as const) {
      await writer.write(whole.subarray(start, end))
    }
    const upload = JSON.parse(JSON.stringify(await writer.seal()))
    const other = await openStore(`s3://${name}`, { ...settings(), checksums })
    assert.deepEqual(await keysOf(other), [])
    assert.equal((await other.completeStaged(upload)).size, whole.length)
    assert.ok(readFileSync(join(folder, 'a/key')).equals(whole))
  }
})

test('a stream is put in the memory of a few parts', { skip: noS3 }, async () => {
  const { store } = await newBucket()
  const chunk = pattern(256 * 1024)
  const count = 640
  const memory = () => process.memoryUsage().arrayBuffers
  let most = 0
  async function* generated() {
    for (let i = 0; i < count; i++) {
      yield chunk
      most = Math.max(most, memory())
    }
  }
  const before = memory()
  assert.equal((await store.put('key', generated())).size, count * chunk.length)
  assert.ok(most - before < 64 * MIB, `${(most - before) / MIB} MiB for ${(count * chunk.length) / MIB}`)
})

test('10,000 parts hold 5 TiB, each within the limits of the protocol', () => {
  let total = 0
  for (let number = 1; number <= 10_000; number++) {
    const bytes = partBytes(number)
    assert.ok(bytes >= 5 * MIB && bytes <= 5 * 1024 * MIB)
    total += bytes
  }
  assert.ok(total >= 5 * 1024 ** 4)
})

test('ranges larger than a request are read in pieces into one memory', { skip: noS3 }, async () => {
  const { store } = await newBucket()
  const whole = pattern(40 * MIB)
  await store.put('key', whole)
  let allocations = 0
  const [view] = await store.getRanges('key', [{ start: 5, end: 40 * MIB - 1 }], {
    allocate: bytes => {
      allocations++
      return new Uint8Array(new SharedArrayBuffer(bytes))
    },
  })
  assert.equal(allocations, 1)
  assert.ok(Buffer.from(view!).equals(whole.subarray(5, -1)))
})

test('the environment is enough', { skip: noS3 }, async () => {
  const { name } = await newBucket()
  const { endpoint, region, credentials } = server
  const environment = {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  }
  const before = Object.keys(environment).map(key => [key, process.env[key]] as const)
  Object.assign(process.env, environment)
  try {
    const store = await openStore(`s3://${name}/folder`)
    await store.put('key', bytesOf('x'))
    assert.equal(await textOf(await openStore(store.url), 'key'), 'x')
    assert.equal(await textOf(await openStore(store.child('a').root.store.url), 'key'), 'x')
  } finally {
    for (const [key, value] of before) {
      if (value === undefined) delete process.env[key]
      else process.env[key] = value
    }
  }
})

test('what the server refuses says what to do, and tells no secret', { skip: noS3 }, async () => {
  const { name } = await newBucket()
  const secret = 'a-secret-that-nobody-is-to-see'
  const failures: [OpenStoreOptions<'s3://bucket'>, string, RegExp][] = [
    [
      { credentials: { ...server.credentials, secretAccessKey: secret } },
      name,
      /^permission: .*SignatureDoesNotMatch.*Correct the credentials/,
    ],
    [{ region: 'eu-west-9' }, name, /^invalid-argument: .*Set the option 'region'.*'us-east-1'/],
    [{}, 'no-such-bucket', /^not-found: .*no such bucket.*Create the bucket 'no-such-bucket'/],
    [{ endpoint: 'http://127.0.0.1:1' }, name, /^io: .*ECONNREFUSED.*Correct the option 'endpoint'/],
  ]
  for (const [options, bucket, expected] of failures) {
    const store = await openStore(`s3://${bucket}/folder`, { ...settings(), retry: false, ...options })
    const calls = [collect(store.list()), store.put('key', bytesOf('x')), store.stage('key')]
    for (const result of await Promise.allSettled(calls)) {
      assert.ok(result.status === 'rejected' && isSluiceError(result.reason), String(result.status))
      const { reason: error } = result
      assert.match(`${error.code}: ${error.message}`, expected)
      assert.ok(error.message.includes(`s3://${bucket}/folder`))
      const shown = [
        inspect(error, { depth: 20, showHidden: true }),
        JSON.stringify(error),
        inspect(store, { depth: 20 }),
      ]
      for (const text of shown) {
        for (const hidden of [secret, server.credentials.accessKeyId, server.credentials.secretAccessKey]) {
          assert.ok(!text.includes(hidden), text)
        }
      }
    }
  }
})

function sdkSettings() {
  const { endpoint, region, credentials } = server
  return { endpoint, region, credentials, forcePathStyle: true }
}
