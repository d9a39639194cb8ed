import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { inspect } from 'node:util'
import { ContainerClient, ContainerSASPermissions, StorageSharedKeyCredential } from '@azure/storage-blob'
import { isSluiceError, type OpenStoreOptions, openStore, type Store } from '../../src/index.ts'
import { blockBytes } from '../../src/storage/azure/upload.ts'
import { readAll } from '../../src/storage/read.ts'
import {
  bytesOf,
  collect,
  keysOf,
  pattern,
  posted,
  rejectsWith,
  textOf,
} from '../../src/testing/conformance/context.ts'
import { type AzureServer, noAzure, startAzure } from '../servers/azure.ts'

const MIB = 1024 * 1024

let server: AzureServer
before(async () => {
  if (!noAzure) server = await startAzure()
})
after(() => server?.stop())

/** A new container: the SDK's client for it, which is the oracle, and a store. */
async function newContainer(options: OpenStoreOptions = {}): Promise<{
  client: ContainerClient
  url: string
  store: Store
}> {
  const client = await server.createContainer()
  const url = `az://${client.containerName}`
  return { client, url, store: await openStore(url, { ...settings(), ...options }) }
}

function settings(): OpenStoreOptions {
  const { endpoint, account, accountKey } = server
  return { endpoint, account, accountKey }
}

async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size)
}

/** The names of all blobs, as the service has them. */
async function namesOf(client: ContainerClient): Promise<string[]> {
  return (await collect(client.listBlobsFlat())).map(({ name }) => name)
}

test('keys reach the server as they are', { skip: noAzure }, async () => {
  const { client, store } = await newContainer()
  const keys = [
    'a b+c',
    '%41',
    'é=ü',
    'e\u0301',
    'k=v/#?&;',
    'quote\'"`',
    '*[x]{y}!()~',
    'dot./..a/...',
    '日本/😀',
  ]
  for (const key of keys) {
    await store.put(key, bytesOf(key))
    await store.copy(key, `copy/${key}`)
    const writer = await store.stage(`staged/${key}`)
    await writer.write(bytesOf(key))
    await store.completeStaged(await writer.seal())
    for (const name of [key, `copy/${key}`, `staged/${key}`]) {
      assert.equal((await client.getBlobClient(name).downloadToBuffer()).toString(), key, name)
    }
  }
  const expected = keys.flatMap(key => [key, `copy/${key}`, `staged/${key}`])
  assert.deepEqual((await namesOf(client)).sort(), [...expected].sort())
  assert.deepEqual((await keysOf(store)).sort(), [...expected].sort())
  assert.deepEqual(await store.deleteMany(expected), new Map())
  assert.deepEqual(await namesOf(client), [])
})

test('what a folder is shown by is no object', { skip: noAzure }, async () => {
  const { client, store } = await newContainer()
  await client.getBlockBlobClient('folder/').upload('', 0)
  await client.getBlockBlobClient('other').upload('', 0, { metadata: { hdi_isfolder: 'true' } })
  await store.put('folder/object', bytesOf('x'))
  assert.deepEqual(await keysOf(store), ['folder/object'])
  assert.equal((await store.listLevel({ prefix: 'folder/' })).objects.length, 1)
  assert.deepEqual((await store.listLevel()).objects, [])
})

test('a blob whose name no key can be is told of, and not passed over', { skip: noAzure }, async () => {
  const { client, store } = await newContainer()
  await client.getBlockBlobClient('a//b').upload('x', 1)
  await rejectsWith(keysOf(store), 'unsupported', 'a//b')
  assert.deepEqual(await keysOf(store, { prefix: 'b' }), [])
})

test('a stream of more than a block is staged and copied, on condition too', { skip: noAzure }, async () => {
  const { client, store } = await newContainer()
  const whole = pattern(20 * MIB + 7)
  for (const [size, count] of [
    [64 * 1024, 3],
    [8 * MIB + 1, 3],
    [whole.length, 3],
  ] as const) {
    const meta = await store.put('large', chunksOf(whole, size), { metadata: { origin: 'here' } })
    assert.equal(meta.size, whole.length)
    const { committedBlocks = [] } = await client.getBlockBlobClient('large').getBlockList('committed')
    assert.equal(committedBlocks.length, count)
    assert.ok((await client.getBlobClient('large').downloadToBuffer()).equals(whole), `chunks of ${size}`)
    assert.deepEqual((await store.head('large')).metadata, { origin: 'here' })
  }
  const large = await store.head('large')
  await rejectsWith(store.put('large', chunksOf(whole, MIB), { mode: 'create' }), 'already-exists', 'large')
  await rejectsWith(store.put('large', chunksOf(whole, MIB), { mode: { ifMatch: 'other' } }), 'precondition')
  await store.put('large', chunksOf(whole, MIB), { mode: { ifMatch: large.etag } })
  assert.deepEqual(await namesOf(client), ['large'])
  assert.deepEqual(await collect(store.listStaged('')), [])
})

test('of many long streams that create one object exactly one succeeds', { skip: noAzure }, async () => {
  const { client, store } = await newContainer()
  const bodies = Array.from({ length: 4 }, (_, i) => pattern(8 * MIB + 1 + i, i))
  const puts = bodies.map(body => store.put('key', chunksOf(body, MIB), { mode: 'create' }))
  const results = await Promise.allSettled(puts)
  const winners = results.flatMap(({ status }, i) => (status === 'fulfilled' ? [i] : []))
  assert.equal(winners.length, 1)
  for (const result of results) {
    if (result.status === 'rejected') assert.equal(result.reason.code, 'already-exists')
  }
  assert.ok(Buffer.from(bodies[winners[0]!]!).equals(await readAll(store, 'key')))
  assert.deepEqual(await namesOf(client), ['key'])
})

test('what is staged is a blob of its own, and of none before it is sealed', { skip: noAzure }, async () => {
  const { client, store } = await newContainer()
  const whole = pattern(20 * MIB)
  const writer = await store.stage('a/key', { contentType: 'text/x-staged' })
  await writer.write(whole)
  assert.deepEqual(await namesOf(client), [])
  const upload = posted(await writer.seal())
  const [hidden, ...others] = await namesOf(client)
  assert.match(hidden!, /^_sluice\/\.staging\/a%2Fkey\./)
  assert.deepEqual(others, [])
  // Neither a put at its key nor another upload's end does it any harm.
  await store.put('a/key', bytesOf('meanwhile'))
  for (const call of [store.head(hidden!), store.put(hidden!, bytesOf('x')), store.copy('a/key', hidden!)]) {
    await rejectsWith(call, 'invalid-argument', '_sluice/.staging/')
  }
  await store.completeStaged(upload)
  assert.deepEqual(await namesOf(client), ['a/key'])
  assert.ok((await client.getBlobClient('a/key').downloadToBuffer()).equals(whole))
  assert.equal((await client.getBlobClient('a/key').getProperties()).contentType, 'text/x-staged')
})

test('50,000 blocks hold 18 TiB, each within the limits of the protocol', () => {
  let total = 0
  for (let number = 1; number <= 50_000; number++) {
    const bytes = blockBytes(number)
    assert.ok(bytes >= blockBytes(1) && bytes <= 4_000 * MIB)
    total += bytes
    if (total >= 1024 ** 4 && total - bytes < 1024 ** 4) assert.ok(bytes < 192 * MIB, 'at 1 TiB')
  }
  assert.ok(total >= 18 * 1024 ** 4)
})

test('a stream is put in the memory of a few blocks', { skip: noAzure }, async () => {
  const { store } = await newContainer()
  const chunk = pattern(256 * 1024)
  const count = 400
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

test('a connection string in the environment, or a signature, is enough', { skip: noAzure }, async t => {
  const { client } = await newContainer()
  const { endpoint, account, accountKey } = server
  const before = process.env['AZURE_STORAGE_CONNECTION_STRING']
  t.after(() => {
    if (before === undefined) delete process.env['AZURE_STORAGE_CONNECTION_STRING']
    else process.env['AZURE_STORAGE_CONNECTION_STRING'] = before
  })
  const parts = [`BlobEndpoint=${endpoint}`, `AccountName=${account}`, `AccountKey=${accountKey}`]
  process.env['AZURE_STORAGE_CONNECTION_STRING'] = parts.join(';')
  const byKey = await openStore(`az://${client.containerName}/folder`)
  await byKey.put('key', bytesOf('x'))
  const signed = new ContainerClient(client.url, new StorageSharedKeyCredential(account, accountKey))
  const permissions = ContainerSASPermissions.parse('rwdl')
  const sas = await signed.generateSasUrl({ permissions, expiresOn: new Date(Date.now() + 600_000) })
  const { search: sasToken } = new URL(sas)
  const bySignature = await openStore(byKey.url, { endpoint, sasToken })
  assert.equal(await textOf(bySignature, 'key'), 'x')
  await bySignature.copy('key', 'copy')
  const writer = await bySignature.stage('staged')
  await writer.write(bytesOf('staged'))
  await bySignature.completeStaged(await writer.seal())
  assert.deepEqual(await keysOf(bySignature), ['copy', 'key', 'staged'])
  assert.deepEqual(await bySignature.deleteMany(['copy', 'key', 'staged', 'gone']), new Map())
  assert.deepEqual(await keysOf(byKey), [])
})

test('what the server refuses says what to do, and tells no secret', { skip: noAzure }, async () => {
  const { client } = await newContainer()
  const name = client.containerName
  const secret = Buffer.from('a-secret-that-nobody-is-to-see').toString('base64')
  const sasToken = `sv=2026-10-06&se=2020-01-01T00%3A00%3A00Z&sr=c&sp=rwdl&sig=${encodeURIComponent(secret)}`
  const failures: [OpenStoreOptions, string, RegExp][] = [
    [{ accountKey: secret }, name, /^permission: .*403 AuthorizationFailure/],
    [{ accountKey: undefined, sasToken }, name, /^permission: .*403 AuthorizationFailure/],
    [{}, `none-${randomUUID()}`, /^not-found: .*no such container.*Create the container 'none-/],
    [{ endpoint: 'http://127.0.0.1:1/x' }, name, /^io: .*ECONNREFUSED.*Correct the account or the option/],
    [{ endpoint: 'http://no.such.host.invalid/x' }, name, /^io: .*Correct the account or the option/],
  ]
  for (const [options, container, expected] of failures) {
    const store = await openStore(`az://${container}/folder`, { ...settings(), retry: false, ...options })
    const calls = [collect(store.list()), store.put('key', bytesOf('x')), store.stage('key')]
    for (const result of await Promise.allSettled(calls)) {
      assert.ok(result.status === 'rejected' && isSluiceError(result.reason), String(result.status))
      const { reason: error } = result
      assert.match(`${error.code}: ${error.message}`, expected)
      assert.ok(error.message.includes(`az://${container}/folder`))
      const shown = [
        inspect(error, { depth: 20, showHidden: true }),
        JSON.stringify(error),
        inspect(store, { depth: 20 }),
      ]
      for (const text of shown) {
        for (const hidden of [secret, encodeURIComponent(secret), server.accountKey, 'SharedKey', 'sig=']) {
          assert.ok(!text.includes(hidden), text)
        }
      }
    }
  }
})
