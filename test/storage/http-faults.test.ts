import assert from 'node:assert/strict'
import { after, before, type TestContext, test } from 'node:test'
import { type OpenStoreOptions, openStore, type Store } from '../../src/index.ts'
import { readAll } from '../../src/storage/read.ts'
import { bytesOf, rejectsWith, textOf } from '../../src/testing/conformance/context.ts'
import {
  type FaultServer,
  startFaultServer,
  type WireFault,
  type WireRequest,
} from '../../src/testing/index.ts'
import { type HttpServer, noNginx, startHttp } from '../servers/http.ts'
import { readFaultCases, sequence } from './fault-cases.ts'

const fast = { minDelayMs: 0, maxDelayMs: 0 }
const skip = noNginx

let server: HttpServer
before(async () => {
  if (!noNginx) server = await startHttp()
})
after(() => server?.stop())

const isGet = ({ method }: WireRequest) => method === 'GET'
const isHead = ({ method }: WireRequest) => method === 'HEAD'

let folders = 0

/** A new folder behind a server that spoils requests. */
async function spoil(
  t: TestContext,
  fault: (request: WireRequest, ordinal: number) => WireFault | undefined,
  options: OpenStoreOptions = {},
): Promise<{ store: Store; wire: FaultServer; put: (key: string, bytes: Uint8Array) => Promise<void> }> {
  const folder = `folder-${folders++}`
  const wire = await startFaultServer(server.url, fault)
  t.after(() => wire.stop())
  const store = await openStore(`${wire.endpoint}/files/${folder}`, { retry: fast, ...options })
  return { store, wire, put: async (key, bytes) => server.put(`${folder}/${key}`, bytes) }
}

readFaultCases('HTTP', {
  skip,
  isGet,
  objectHeaders: tag => ({ etag: `"${tag}"`, 'last-modified': new Date(0).toUTCString() }),
  spoil,
})

test('HTTP: 503 twice, then fine', { skip }, async t => {
  for (const status of [500, 502, 503, 429]) {
    const { store, put, wire } = await spoil(t, sequence(isHead, { status }, { status }))
    await put('key', bytesOf('x'))
    assert.equal((await store.head('key')).size, 1)
    assert.equal(wire.requests.length, 3)
  }
})

test('HTTP: a pause that the server asks for is made', { skip }, async t => {
  const { store, put } = await spoil(t, sequence(isGet, { status: 503, headers: { 'retry-after': '1' } }))
  await put('key', bytesOf('x'))
  const begun = performance.now()
  assert.equal(await textOf(store, 'key'), 'x')
  assert.ok(performance.now() - begun > 900)
})

test('HTTP: 503 for ever: as many requests as were to be tried, and a typed error', { skip }, async t => {
  const { store, wire } = await spoil(t, () => ({ status: 503 }), { retry: { ...fast, attempts: 3 } })
  for (const call of [() => store.head('key'), () => readAll(store, 'key')]) {
    wire.requests.length = 0
    await rejectsWith(call(), 'io', '503')
    assert.equal(wire.requests.length, 3)
  }
})

test('HTTP: what is no fault is asked for once, and says what to do', { skip }, async t => {
  for (const [status, code, message] of [
    [401, 'permission', /key.*\(GET, 401, request a-1\).*option 'headers'/],
    [403, 'permission', /key.*403.*other credentials/],
    [404, 'not-found', /key.*no such object/],
    [410, 'not-found', /key.*no such object/],
    [406, 'unsupported', /key.*406/],
    [304, 'unsupported', /key.*304/],
  ] as const) {
    const { store, wire } = await spoil(t, () => ({ status, headers: { 'x-request-id': 'a-1' } }))
    await assert.rejects(readAll(store, 'the key'), { code, message })
    assert.equal(wire.requests.length, 1)
  }
})
