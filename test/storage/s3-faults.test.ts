import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, type TestContext, test } from 'node:test'
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
import {
  type FaultServer,
  startFaultServer,
  type WireFault,
  type WireRequest,
} from '../../src/testing/index.ts'
import { noS3, type S3Server, startS3 } from '../servers/s3.ts'

const MIB = 1024 * 1024
const fast = { minDelayMs: 0, maxDelayMs: 0 }

let server: S3Server
before(async () => {
  if (!noS3) server = await startS3()
})
after(() => server?.stop())

interface Spoiled {
  /** Through the fault server. */
  store: Store
  /** Past it. */
  direct: Store
  wire: FaultServer
}

/** A new bucket behind a server that spoils requests. */
async function spoiled(
  t: TestContext,
  fault: (request: WireRequest, ordinal: number) => WireFault | undefined,
  options: OpenStoreOptions = {},
): Promise<Spoiled> {
  const name = `test-${randomUUID()}`
  server.createBucket(name)
  const wire = await startFaultServer(server.endpoint, fault)
  t.after(() => wire.stop())
  const { region, credentials } = server
  const direct = await openStore(`s3://${name}`, { endpoint: server.endpoint, region, credentials })
  const settings = { endpoint: wire.endpoint, region, credentials, retry: fast, ...options }
  return { store: await openStore(`s3://${name}`, settings), direct, wire }
}

/** Faults for the requests of one kind, one after the other, and then no more. */
function sequence(
  kind: (request: WireRequest) => boolean,
  ...faults: (WireFault | undefined)[]
): (request: WireRequest) => WireFault | undefined {
  return request => (kind(request) ? faults.shift() : undefined)
}

const isGet = ({ method }: WireRequest) => method === 'GET'
const isPut = ({ method }: WireRequest) => method === 'PUT'
const isCompletion = ({ method, path }: WireRequest) => method === 'POST' && path.includes('uploadId=')

const xml = (code: string): WireFault & { status: number } => ({
  status: 409,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>As scripted.</Message></Error>`,
})

test('503 twice, then fine', { skip: noS3 }, async t => {
  for (const status of [500, 503, 429]) {
    const { store, direct, wire } = await spoiled(t, sequence(isPut, { status }, { status }))
    await store.put('key', bytesOf('x'))
    assert.equal(await textOf(direct, 'key'), 'x')
    assert.equal(wire.requests.filter(isPut).length, 3, 'the SDK repeats nothing by itself')
  }
})

test('a pause that the service asks for is made', { skip: noS3 }, async t => {
  const inTwoSeconds = () => new Date(Math.ceil(Date.now() / 1000) * 1000 + 2_000).toUTCString()
  for (const after of ['1', inTwoSeconds()]) {
    const busy = { status: 503, headers: { 'retry-after': after } }
    const { store } = await spoiled(t, sequence(isPut, busy))
    const begun = performance.now()
    await store.put('key', bytesOf('x'))
    assert.ok(performance.now() - begun > 900, after)
  }
})

test('503 for ever: as many requests as were to be tried, and a typed error', { skip: noS3 }, async t => {
  const { store, wire } = await spoiled(t, () => ({ status: 503 }), { retry: { ...fast, attempts: 3 } })
  for (const call of [() => store.head('key'), () => readAll(store, 'key'), () => store.stage('key')]) {
    wire.requests.length = 0
    await rejectsWith(call(), 'io', '503')
    assert.equal(wire.requests.length, 3)
  }
})

test('a part that fails for ever costs no more requests than were to be tried', { skip: noS3 }, async t => {
  const isPart = ({ path }: WireRequest) => path.includes('partNumber=')
  const fault = (request: WireRequest) => (isPart(request) ? { status: 503 } : undefined)
  const { store, direct, wire } = await spoiled(t, fault, { retry: { ...fast, attempts: 3 } })
  const writer = await store.stage('key')
  await writer.write(new Uint8Array(9 * MIB))
  await rejectsWith(writer.seal(), 'io', 'UploadPart, 503')
  // One was sent in the background before anybody could wait for it.
  assert.equal(wire.requests.filter(isPart).length, 3)
  await writer.abort()
  assert.deepEqual(await collect(direct.listStaged('')), [])
})

test('a long stream gets through although every third part fails', { skip: noS3 }, async t => {
  let parts = 0
  const fault = ({ path }: WireRequest) =>
    path.includes('partNumber=') && parts++ % 3 === 0 ? { status: 503 } : undefined
  const { store, direct } = await spoiled(t, fault)
  const whole = pattern(50 * MIB)
  async function* stream() {
    for (let start = 0; start < whole.length; start += MIB) yield whole.subarray(start, start + MIB)
  }
  await store.put('key', stream())
  assert.ok(Buffer.from(await readAll(direct, 'key')).equals(whole))
  // A write that fills several parts at once, of which one fails.
  const writer = await store.stage('staged')
  await writer.write(whole.subarray(0, 100))
  await writer.write(whole.subarray(100))
  await store.completeStaged(await writer.seal())
  assert.ok(Buffer.from(await readAll(direct, 'staged')).equals(whole))
})

test('a body that is cut, or stalls, goes on where it stopped', { skip: noS3 }, async t => {
  const whole = pattern(3 * MIB)
  for (const fault of [{ cut: MIB }, { cut: 0 }, { stall: MIB }, { drop: 'before' }] as const) {
    const { store, direct, wire } = await spoiled(t, sequence(isGet, fault, fault), { idleTimeoutMs: 300 })
    await direct.put('key', whole)
    assert.ok(Buffer.from(await readAll(store, 'key')).equals(whole), JSON.stringify(fault))
    assert.equal(wire.requests.filter(isGet).length, 3)
    const [ranges] = await store.getRanges('key', [{ start: 5, end: whole.length }])
    assert.ok(Buffer.from(ranges!).equals(whole.subarray(5)))
  }
})

test('ranges that are cut or stall are read again', { skip: noS3 }, async t => {
  const whole = pattern(3 * MIB)
  for (const fault of [{ cut: MIB }, { stall: 1 }] as const) {
    const { store, direct } = await spoiled(t, sequence(isGet, fault, fault), { idleTimeoutMs: 300 })
    await direct.put('key', whole)
    const [view] = await store.getRanges('key', [{ start: 5, end: whole.length }])
    assert.ok(Buffer.from(view!).equals(whole.subarray(5)))
  }
})

test('an object that is replaced while its body breaks is an error and no mix', { skip: noS3 }, async t => {
  const { store, direct } = await spoiled(t, sequence(isGet, { cut: MIB }))
  await direct.put('key', new Uint8Array(3 * MIB).fill(1))
  const { body } = await store.get('key')
  await direct.put('key', new Uint8Array(3 * MIB).fill(2))
  await rejectsWith(collect(body), 'precondition', 'key')
})

test('a range that is ignored, or answered with another, is noticed', { skip: noS3 }, async t => {
  const body = pattern(1_000)
  const headers = { etag: '"tag"', 'last-modified': new Date(0).toUTCString() }
  for (const fault of [
    { status: 200, headers, body },
    { status: 206, headers: { ...headers, 'content-range': 'bytes 0-999/1000' }, body },
  ]) {
    const { store } = await spoiled(t, () => fault)
    await rejectsWith(store.get('key', { range: { start: 10, end: 20 } }), 'unsupported', 'Range')
    await rejectsWith(store.getRanges('key', [{ start: 10, end: 20 }]), 'unsupported', 'Range')
  }
})

test('a changed tag is noticed where the store has ignored the condition', { skip: noS3 }, async t => {
  const { store, direct } = await spoiled(t, request =>
    isGet(request) ? { headers: { etag: '"other"' } } : undefined,
  )
  const { etag } = await direct.put('key', bytesOf('x'))
  await rejectsWith(store.get('key', { ifMatch: etag }), 'precondition', 'key')
})

test('a put whose answer is lost has succeeded, once', { skip: noS3 }, async t => {
  for (const mode of ['overwrite', 'create', 'ifMatch'] as const) {
    const { store, direct, wire } = await spoiled(t, sequence(isPut, { drop: 'after' }))
    const { etag } = mode === 'ifMatch' ? await direct.put('key', bytesOf('old')) : { etag: '' }
    await store.put('key', bytesOf('new'), { mode: mode === 'ifMatch' ? { ifMatch: etag } : mode })
    assert.equal(await textOf(direct, 'key'), 'new')
    assert.equal(wire.requests.filter(isPut).length, 2)
  }
})

test('a completion whose answer is lost has succeeded', { skip: noS3 }, async t => {
  const { store, direct } = await spoiled(
    t,
    sequence(isCompletion, { drop: 'after' }, undefined, { drop: 'after' }),
  )
  const writer = await store.stage('staged')
  await writer.write(bytesOf('staged'))
  await store.completeStaged(await writer.seal())
  assert.equal(await textOf(direct, 'staged'), 'staged')
  async function* stream() {
    for (let i = 0; i < 9; i++) yield new Uint8Array(MIB).fill(i)
  }
  const meta = await store.put('large', stream(), { mode: 'create' })
  assert.equal(meta.size, 9 * MIB)
  assert.deepEqual(await keysOf(direct), ['large', 'staged'])
  assert.deepEqual(await collect(direct.listStaged('')), [])
})

test('a conflict with another request is no lost condition: the request is repeated', {
  skip: noS3,
}, async t => {
  const conflict = xml('ConditionalRequestConflict')
  const { store, direct, wire } = await spoiled(t, sequence(isPut, conflict, conflict), { retry: false })
  await store.put('key', bytesOf('x'), { mode: 'create' })
  assert.equal(wire.requests.filter(isPut).length, 3)
  assert.equal(await textOf(direct, 'key'), 'x')
  await rejectsWith(store.put('key', bytesOf('y'), { mode: 'create' }), 'already-exists')
  assert.equal(wire.requests.filter(isPut).length, 4)
})

test('what is no fault is not repeated, and says what to do', { skip: noS3 }, async t => {
  const cases: [WireFault & { status: number }, string, RegExp][] = [
    [
      { ...xml('AccessDenied'), status: 403 },
      'permission',
      /AccessDenied.*needs the permission s3:PutObject/,
    ],
    [{ ...xml('ExpiredToken'), status: 400 }, 'permission', /Renew the credentials/],
    [{ ...xml('InvalidAccessKeyId'), status: 403 }, 'permission', /Correct the credentials/],
    [{ ...xml('NoSuchBucket'), status: 404 }, 'not-found', /no such bucket.*Create the bucket/],
    [{ ...xml('NotImplemented'), status: 501 }, 'unsupported', /NotImplemented/],
    [{ ...xml('KeyTooLongError'), status: 400 }, 'invalid-argument', /1024 bytes/],
  ]
  for (const [fault, code, message] of cases) {
    const { store, wire } = await spoiled(t, () => fault)
    await assert.rejects(store.put('key', bytesOf('x')), { code, message })
    assert.equal(wire.requests.length, 1)
  }
  const moved = { ...xml('PermanentRedirect'), status: 301, headers: { 'x-amz-bucket-region': 'eu-west-9' } }
  const { store } = await spoiled(t, () => moved)
  await assert.rejects(store.head('key'), { code: 'invalid-argument', message: /AWS_REGION to 'eu-west-9'/ })
})

test("a clock that is wrong is set by the service's answer", { skip: noS3 }, async t => {
  const skewed = { ...xml('RequestTimeTooSkewed'), status: 403 }
  const { store, wire } = await spoiled(t, sequence(isPut, skewed))
  await store.put('key', bytesOf('x'))
  assert.equal(wire.requests.filter(isPut).length, 2)
  const hopeless = await spoiled(t, () => skewed, { retry: { ...fast, attempts: 2 } })
  await assert.rejects(hopeless.store.put('key', bytesOf('x')), {
    code: 'io',
    message: /Set this machine's clock/,
  })
})
