import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { inspect } from 'node:util'
import { isSluiceError, type OpenStoreOptions, openStore, type Store } from '../../src/index.ts'
import { bytesOf, collect, rejectsWith } from '../../src/testing/conformance/context.ts'
import { startFaultServer, type WireRequest } from '../../src/testing/index.ts'
import { tokenFile } from '../servers/google-token.ts'
import { root } from '../support/root.ts'
import { tempFolder } from '../support/temp.ts'

type Options = OpenStoreOptions<'gs://bucket'>

const OBJECT = { name: 'lake/a', size: '1', generation: '7', updated: new Date(0), metadata: {} }

/** A service that answers each request as well as it need, and what a store with these options asks of it. */
async function startService(t: TestContext): Promise<{ endpoint: string; requests: WireRequest[] }> {
  const wire = await startFaultServer('http://127.0.0.1:1', ({ path }) => ({
    status: 200,
    headers: { 'x-goog-generation': '7', location: 'http://127.0.0.1:1/?upload_id=id' },
    body: path.includes('/rewriteTo/')
      ? JSON.stringify({ done: true, resource: OBJECT })
      : path.startsWith('/bucket/')
        ? 'x'
        : JSON.stringify({ ...OBJECT, items: [] }),
  }))
  t.after(() => wire.stop())
  return wire
}

async function use(store: Store): Promise<void> {
  await store.put('a', bytesOf('x'))
  await store.copy('a', 'b')
  await store.delete('a')
  await collect((await store.get('a')).body)
  await collect(store.list())
  const writer = await store.stage('c')
  await writer.write(bytesOf('x'))
  await store.completeStaged(await writer.seal())
}

async function requestsOf(t: TestContext, options: Options): Promise<WireRequest[]> {
  const { endpoint, requests } = await startService(t)
  await use(await openStore('gs://bucket/lake', { endpoint, retry: false, ...options }))
  assert.ok(requests.length >= 10)
  return requests
}

const isCreation = ({ path }: WireRequest) => /^\/upload\/|\/rewriteTo\/|\/compose/.test(path)

test('who pays is said with each request', async t => {
  for (const { path, headers } of await requestsOf(t, { userProject: 'payer-1' })) {
    assert.match(path, /[?&]userProject=payer-1(&|$)/)
    assert.equal(headers['x-goog-user-project'], 'payer-1')
  }
  for (const { path } of await requestsOf(t, {})) assert.ok(!path.includes('userProject'))
})

test('a key goes with whatever makes an object', async t => {
  const name = 'projects/p/locations/l/keyRings/r/cryptoKeys/k'
  for (const request of await requestsOf(t, { kmsKeyName: name })) {
    const sent = /[?&](kmsKeyName|destinationKmsKeyName)=([^&]*)/.exec(request.path)
    assert.equal(sent?.[2], isCreation(request) ? encodeURIComponent(name) : undefined, request.path)
    if (sent !== null) assert.equal(sent[1] === 'kmsKeyName', !request.path.includes('/rewriteTo/'))
  }
})

test('no credentials go to an endpoint that is not Google’s, unless they are given', async t => {
  const file = await tokenFile(t, 'the-token')
  for (const { headers } of await requestsOf(t, {})) assert.equal(headers.authorization, undefined)
  for (const { headers } of await requestsOf(t, { keyFile: file })) {
    assert.equal(headers.authorization, 'Bearer the-token')
  }
})

test('a token is in no message, cause, JSON or rendering', async t => {
  const keyFile = await tokenFile(t, 'the-token')
  for (const status of [401, 403, 404, 500]) {
    const body = JSON.stringify({ error: { message: 'No.', errors: [{ reason: 'no' }] }, more: 'the-token' })
    const wire = await startFaultServer('http://127.0.0.1:1', () => ({ status, body }))
    t.after(() => wire.stop())
    const store = await openStore('gs://bucket', { endpoint: wire.endpoint, keyFile, retry: false })
    const error: unknown = await store.put('key', bytesOf('x')).catch(error => error)
    assert.ok(isSluiceError(error))
    assert.equal(wire.requests[0]!.headers.authorization, 'Bearer the-token')
    for (const value of [error, store]) {
      const shown = [inspect(value, { depth: 20, showHidden: true }), JSON.stringify(value), String(error)]
      for (const text of shown) assert.ok(!/the-token|subject/.test(text), text)
    }
  }
})

test('credentials that are none say so, and are not shown', async () => {
  const credentials = { client_email: 'sa@example.com', private_key: 'a-secret-that-is-no-key' }
  const store = await openStore('gs://bucket', { credentials, retry: false })
  const error: unknown = await store.head('key').catch(error => error)
  assert.ok(isSluiceError(error))
  assert.equal(error.code, 'permission')
  assert.match(error.message, /^gs:\/\/bucket\/key: no access token.*Correct or renew the credentials/)
  for (const value of [error, store]) {
    assert.ok(!inspect(value, { depth: 20, showHidden: true }).includes('a-secret'))
  }
})

test('a store is opened without a request, by a URL that is percent-encoded', async () => {
  const store = await openStore('gs://bucket/a%20b/k=%2525')
  assert.equal(store.url, 'gs://bucket/a%20b/k%3D%2525')
  assert.equal((await openStore(store.url)).url, store.url)
})

test('what cannot be opened says why, and never repeats a password', async t => {
  const folder = tempFolder(t)
  const broken = join(folder, 'broken.json')
  writeFileSync(broken, '{"private_key": hunter2')
  const credentials = { client_email: 'a', private_key: 'b' }
  const refused: [string, Options, string, RegExp][] = [
    ['gs://', {}, 'url', /names no bucket/],
    ['gs:bucket', {}, 'url', /names no bucket/],
    ['gs://Bucket', {}, 'url', /names no bucket/],
    ['gs://bucket/lake?x', {}, 'url', /percent-encoded/],
    ['gs://bucket/100%', {}, 'url', /percent-encoded/],
    ['gs://bucket/a//b', {}, 'prefix', /empty segment/],
    ['gs://key:hunter2@bucket', {}, 'url', /must not hold credentials/],
    ['gs://bucket', { endpoint: 'https://key:hunter2@host' }, 'endpoint', /must not hold credentials/],
    ['gs://bucket', { endpoint: 'host:9000' }, 'endpoint', /no URL of a service/],
    ['gs://bucket', { idleTimeoutMs: 0 }, 'idleTimeoutMs', /above 0/],
    ['gs://bucket', { credentials, anonymous: true }, 'credentials', /only one of/],
    ['gs://bucket', { credentials, keyFile: broken }, 'credentials', /only one of/],
    ['gs://bucket', { credentials: { client_email: 'a' } as never }, 'credentials', /'private_key'/],
    ['gs://bucket', { keyFile: join(folder, 'missing') }, 'keyFile', /no such file/],
    ['gs://bucket', { keyFile: broken }, 'keyFile', /no JSON file/],
  ]
  for (const [url, options, option, message] of refused) {
    await assert.rejects(openStore(url, options), (error: Error) => {
      assert.match(error.message, message)
      assert.ok(!inspect(error, { showHidden: true }).includes('hunter2'))
      assert.ok(isSluiceError(error))
      assert.deepEqual([error.code, error.option], ['invalid-argument', option])
      return true
    })
  }
})

test('more parts than one request composes are joined before', async t => {
  const { endpoint, requests } = await startService(t)
  const store = await openStore('gs://bucket', { endpoint, retry: false })
  const id = '00000000-0000-0000-0000-000000000000'
  const parts = Array.from({ length: 70 }, () => '7')
  await store.completeStaged({ key: 'a', size: 1, token: { id, parts } })
  const composed = requests
    .filter(({ path }) => path.includes('/compose'))
    .map(({ path }) => decodeURIComponent(path))
  assert.deepEqual(
    composed.map(path => /\/o\/(.*)\/compose/.exec(path)![1]),
    [...[0, 1, 2].map(i => `_sluice/.staging/a/${id}/join-1-${i}`), 'a'],
  )
})

test('a key that is too long to be staged is refused before', async t => {
  const { endpoint, requests } = await startService(t)
  const store = await openStore('gs://bucket', { endpoint, retry: false })
  await rejectsWith(store.stage('é'.repeat(500)), 'invalid-argument', 'at most 9')
  assert.equal(requests.length, 0)
  await assert.rejects(store.put('a', bytesOf('x'), { contentType: 'a/b\r\nx: y' }), {
    option: 'contentType',
  })
  await rejectsWith(store.put('_sluice/.staging/x', bytesOf('x')), 'invalid-argument')
})

test('what the SDK does not find is asked for by name', () => {
  const program = `
    const { openStore } = await import('./src/index.ts')
    const store = await openStore('gs://bucket', { retry: false })
    await store.head('key').catch(error => console.log(error.code, error.message))`
  const args = ['--import', 'tsx', '--input-type=module', '--eval', program]
  // Whether this is a machine of Google's is not to be found out.
  const env = { PATH: process.env['PATH'], HOME: '/nowhere', METADATA_SERVER_DETECTION: 'none' }
  const printed = execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8', env })
  assert.match(printed, /^permission .*no credentials.*GOOGLE_APPLICATION_CREDENTIALS/)
})

test('without the SDK a store says what to install', () => {
  const program = `
    import { registerHooks } from 'node:module'
    registerHooks({
      resolve(name, context, next) {
        if (name !== '@google-cloud/storage') return next(name, context)
        throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
      },
    })
    const { openStore } = await import('./src/index.ts')
    await openStore('gs://bucket').catch(error => console.log(error.code, error.message))`
  const args = ['--import', 'tsx', '--input-type=module', '--eval', program]
  const printed = execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  assert.match(printed, /^unsupported .*npm install @google-cloud\/storage\n$/)
})
