import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { openStore } from '../../src/index.ts'
import {
  assertEmpty,
  bytesOf,
  collect,
  keysOf,
  pattern,
  rejectsWith,
  textOf,
} from '../../src/testing/conformance/context.ts'
import type { WireFault, WireRequest } from '../../src/testing/index.ts'
import { type GcsServer, noGcs, startGcs } from '../servers/gcs.ts'
import { type FaultBackend, faultCases, sequence, spoiled } from './fault-cases.ts'
import { requestCases } from './request-cases.ts'

const MIB = 1024 * 1024

let server: GcsServer
before(async () => {
  if (!noGcs) server = await startGcs()
})
after(() => server?.stop())

const json = (reason: string, status: number, message = 'As scripted.'): WireFault & { status: number } => ({
  status,
  headers: { 'content-type': 'application/json', 'x-guploader-uploadid': 'id-1' },
  body: JSON.stringify({ error: { code: status, message, errors: [{ domain: 'global', reason, message }] } }),
})

const isInsert = ({ path }: WireRequest) => path.includes('uploadType=multipart')
const isStaged = ({ path }: WireRequest) => path.includes('%2F.staging%2F')
const isChunk = ({ headers }: WireRequest) => headers['content-range'] !== undefined
const isLastChunk = ({ headers }: WireRequest) => /\/\d+$/.test(String(headers['content-range'] ?? ''))
const isCompose = ({ path }: WireRequest) => path.includes('/compose')

const backend: FaultBackend = {
  skip: noGcs,
  endpoint: () => server.endpoint,
  createBucket: async () => {
    const name = `test-${randomUUID()}`
    await server.createBucket(name)
    return (endpoint, options = {}) => openStore(`gs://${name}`, { endpoint, ...options })
  },
  isGet: ({ method, path }) => method === 'GET' && !path.startsWith('/storage/v1/'),
  isPut: request => isInsert(request) && !isStaged(request),
  isPart: request => isInsert(request) && isStaged(request) && request.path.includes('%2Fpart-'),
  partName: 'objects.insert',
  isCompletion: request => isCompose(request) || isLastChunk(request),
  objectHeaders: tag => ({ 'x-goog-generation': tag, 'last-modified': new Date(0).toUTCString() }),
  refusals: [
    [
      json('forbidden', 403, 'sa@example.com does not have storage.objects.create access.'),
      'permission',
      /objects\.insert, 403 forbidden, request id-1: sa@.*permission storage\.objects\.create.*roles\/storage\.objectUser/,
    ],
    [json('authError', 401, 'Invalid Credentials'), 'permission', /credentials that are valid/],
    [json('userProjectMissing', 400), 'permission', /give the option 'userProject'/],
    [json('orgPolicyConstraintFailed', 412), 'permission', /the store refused/],
    [json('notFound', 404, 'The specified bucket does not exist.'), 'not-found', /Create the bucket 'test-/],
    [json('invalid', 400), 'invalid-argument', /400 invalid/],
    [json('notImplemented', 501), 'unsupported', /501 notImplemented/],
    [{ status: 302, headers: { location: 'http://127.0.0.1:1/' } }, 'unsupported', /redirects.*'endpoint'/],
  ],
  secrets: () => [],
}

faultCases('GCS', backend)
requestCases('GCS', backend)

async function* stream(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let start = 0; start < bytes.length; start += MIB) yield bytes.subarray(start, start + MIB)
}

test('what passes by itself is tried again', { skip: noGcs }, async t => {
  for (const fault of [
    json('rateLimitExceeded', 403),
    json('conflict', 409),
    json('invalid', 400, "Provided MD5 hash doesn't match calculated MD5 hash."),
    { status: 200, body: '<html>a captive portal</html>' },
    { status: 200, body: '{"kind":"storage#object"}' },
    { status: 200, body: '' },
  ]) {
    const { store, direct, wire } = await spoiled(backend, t, sequence(isInsert, fault))
    await store.put('key', bytesOf('x'))
    assert.equal(await textOf(direct, 'key'), 'x', JSON.stringify(fault))
    assert.equal(wire.requests.length, 2)
  }
})

test('answers that are damaged for ever are typed errors', { skip: noGcs }, async t => {
  for (const body of ['{"items":[{"name":', '{"items":[{"name":"a"}]}', 'null!']) {
    const { store } = await spoiled(backend, t, () => ({ status: 200, body }), { retry: false })
    await rejectsWith(collect(store.list()), 'io', store.url)
    await rejectsWith(store.head('key'), 'io', 'key')
    await rejectsWith(store.listLevel(), 'io', store.url)
  }
  const { store } = await spoiled(backend, t, () => ({ status: 200, body: 'x' }), { retry: false })
  await rejectsWith(store.get('key'), 'unsupported', 'generation')
})

test('a resumable upload whose last answer is lost has succeeded', { skip: noGcs }, async t => {
  for (const mib of [9, 16]) {
    const { store, direct } = await spoiled(backend, t, sequence(isLastChunk, { drop: 'after' }))
    const whole = pattern(mib * MIB)
    const meta = await store.put('large', stream(whole), { mode: 'create' })
    assert.equal(meta.size, whole.length)
    assert.equal((await direct.head('large')).etag, meta.etag)
    assert.deepEqual((await direct.head('large')).metadata, {})
  }
})

test('a resumable upload that breaks shows nothing and is given up', { skip: noGcs }, async t => {
  const faults: WireFault[] = [{ drop: 'before' }, { drop: 'after' }, { status: 503 }]
  for (const fault of faults) {
    const { store, direct, wire } = await spoiled(backend, t, sequence(isChunk, fault), { retry: false })
    await rejectsWith(store.put('large', stream(pattern(17 * MIB))), 'io', 'large')
    await assertEmpty(direct)
    assert.equal(wire.requests.at(-1)!.method, 'DELETE')
  }
})

test('bytes that the service has not taken are sent again', { skip: noGcs }, async t => {
  const sent: string[] = []
  const { store } = await spoiled(backend, t, request => {
    if (request.path.includes('name=large')) {
      return { status: 200, headers: { location: 'http://elsewhere.example/?upload_id=id' }, body: '{}' }
    }
    assert.match(request.path, /^\/upload\/.*upload_id=id/, 'no other host is asked')
    sent.push(`${request.headers['content-range']}, ${request.headers['content-length']}`)
    const taken = [4 * MIB, 8 * MIB, undefined][sent.length - 1]
    const object = { name: 'large', size: `${9 * MIB}`, generation: '7', updated: new Date(0) }
    return taken === undefined
      ? { status: 200, body: JSON.stringify(object) }
      : { status: 308, headers: { range: `bytes=0-${taken - 1}` } }
  })
  assert.equal((await store.put('large', stream(pattern(9 * MIB)), { mode: 'create' })).etag, '7')
  assert.deepEqual(sent, [
    `bytes 0-${8 * MIB - 1}/*, ${8 * MIB}`,
    `bytes ${4 * MIB}-${8 * MIB - 1}/*, ${4 * MIB}`,
    `bytes ${8 * MIB}-${9 * MIB - 1}/${9 * MIB}, ${MIB}`,
  ])
})

test('a completion that loses its answer, or is done by others, is done once', { skip: noGcs }, async t => {
  const { store, direct, wire } = await spoiled(backend, t, sequence(isCompose, { drop: 'after' }))
  const writer = await store.stage('key')
  await writer.write(bytesOf('x'))
  const upload = await writer.seal()
  const meta = await store.completeStaged(upload)
  assert.equal(wire.requests.filter(isCompose).length, 1)
  assert.equal((await direct.completeStaged(upload)).etag, meta.etag)
  assert.deepEqual(await keysOf(direct), ['key'])
  assert.deepEqual(await collect(direct.listStaged('')), [])
})

test('a completion replaces what others put in the meantime', { skip: noGcs }, async t => {
  const conflict = json('conditionNotMet', 412)
  const { store, direct, wire } = await spoiled(backend, t, sequence(isCompose, conflict, conflict))
  const { etag } = await direct.put('key', bytesOf('old'))
  const writer = await store.stage('key')
  await writer.write(bytesOf('new'))
  await store.completeStaged(await writer.seal())
  const conditions = wire.requests
    .filter(isCompose)
    .map(({ path }) => /ifGenerationMatch=(\d+)/.exec(path)?.[1])
  assert.deepEqual(conditions, ['0', etag, etag])
  assert.equal(await textOf(direct, 'key'), 'new')
})

test('a copy that takes several requests goes on by its token', { skip: noGcs }, async t => {
  const object = { name: 'b', size: '5', generation: '7', updated: new Date(0) }
  const answers = [
    object,
    { done: false, rewriteToken: 'token 1' },
    { done: false, rewriteToken: 'token 2' },
    { done: true, resource: object },
  ]
  const { store, wire } = await spoiled(backend, t, () => ({
    status: 200,
    body: JSON.stringify(answers.shift()),
  }))
  assert.equal((await store.copy('a', 'b')).etag, '7')
  const tokens = wire.requests.slice(1).map(({ path }) => /rewriteToken=([^&]*)/.exec(path)?.[1])
  assert.deepEqual(tokens, [undefined, 'token%201', 'token%202'])
})
