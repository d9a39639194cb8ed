import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { HeadBucketCommand, S3 } from '@aws-sdk/client-s3'
import { isSluiceError, type OpenStoreOptions, openStore, type Store } from '../../src/index.ts'
import { readAll } from '../../src/storage/read.ts'
import { locate } from '../../src/storage/s3/endpoint.ts'
import { parseS3Url } from '../../src/storage/s3/options.ts'
import { bytesOf, collect, keysOf, pattern, rejectsWith } from '../../src/testing/conformance/context.ts'
import {
  type FaultServer,
  startFaultServer,
  type WireFault,
  type WireRequest,
} from '../../src/testing/index.ts'
import { noS3, type S3Server, startS3 } from '../servers/s3.ts'

const MIB = 1024 * 1024
const credentials = { accessKeyId: 'id', secretAccessKey: 'secret', sessionToken: 'session' }

let server: S3Server
before(async () => {
  if (!noS3) server = await startS3()
})
after(() => server?.stop())

/** A store whose service says what the test wants it to. */
async function scripted(
  t: TestContext,
  answer: (request: WireRequest) => WireFault,
  options: OpenStoreOptions<'s3://bucket'> = {},
): Promise<{ store: Store; wire: FaultServer }> {
  const wire = await startFaultServer('http://127.0.0.1:1', answer)
  t.after(() => wire.stop())
  const settings = { endpoint: wire.endpoint, credentials, retry: false, ...options } as const
  return { store: await openStore('s3://bucket', settings), wire }
}

/** A new bucket of the real server, behind one that can spoil requests. */
async function real(
  t: TestContext,
  fault: (request: WireRequest) => WireFault | undefined = () => undefined,
  options: OpenStoreOptions<'s3://bucket'> = {},
): Promise<{ store: Store; wire: FaultServer }> {
  const name = `test-${randomUUID()}`
  server.createBucket(name)
  const wire = await startFaultServer(server.endpoint, fault)
  t.after(() => wire.stop())
  const { region, credentials } = server
  const settings = { endpoint: wire.endpoint, region, credentials, retry: false, ...options } as const
  return { store: await openStore(`s3://${name}`, settings), wire }
}

const isBatch = ({ method, path }: WireRequest) => method === 'POST' && path.includes('delete=')
const object = { etag: '"tag"', 'last-modified': new Date(0).toUTCString() }

test('keys are deleted a thousand at a time', { skip: noS3 }, async t => {
  const { store, wire } = await real(t)
  const keys = Array.from({ length: 2_001 }, (_, i) => `a/${i} <&>"'+%41é`)
  await Promise.all(keys.slice(0, 50).map(key => store.put(key, bytesOf('x'))))
  await store.put('kept', bytesOf('x'))
  wire.requests.length = 0
  assert.deepEqual(await store.deleteMany(keys), new Map())
  assert.equal(wire.requests.length, 3)
  assert.ok(wire.requests.every(isBatch))
  assert.deepEqual(await keysOf(store), ['kept'])
})

test('of keys that could not be deleted each says why', async t => {
  const failed = `<DeleteResult>
    <Error><Key>a</Key><Code>AccessDenied</Code><Message>No.</Message></Error>
    <Error><Key>b &amp; c</Key><Code>SlowDown</Code></Error>
    <Error><Key>gone</Key><Code>NoSuchKey</Code></Error>
  </DeleteResult>`
  const { store } = await scripted(t, () => ({ status: 200, body: failed }))
  const failures = await store.deleteMany(['a', 'b & c', 'gone', 'd'])
  assert.deepEqual(
    [...failures].map(([key, { code, file }]) => [key, code, file]),
    [
      ['a', 'permission', 's3://bucket/a'],
      ['b & c', 'io', 's3://bucket/b & c'],
    ],
  )
  assert.match(failures.get('a')!.message, /needs the permission s3:DeleteObject/)
  // An answer about other keys says nothing of those that were asked for.
  assert.deepEqual([...(await store.deleteMany(['x', 'y'])).keys()], ['x', 'y'])
})

test('one by one where the service has no such request, or XML not the key', { skip: noS3 }, async t => {
  for (const [status, code] of [
    [501, 'NotImplemented'],
    [405, 'MethodNotAllowed'],
    [400, 'NotImplemented'],
  ] as const) {
    const body = `<Error><Code>${code}</Code></Error>`
    const { store, wire } = await real(t, request => (isBatch(request) ? { status, body } : undefined))
    for (const key of ['a', 'b', 'kept']) await store.put(key, bytesOf('x'))
    assert.deepEqual(await store.deleteMany(['a', 'b']), new Map())
    assert.deepEqual(await keysOf(store), ['kept'])
    assert.equal(wire.requests.filter(({ method }) => method === 'DELETE').length, 2)
  }
  const { store, wire } = await real(t)
  await store.deleteMany(['a', 'b', 'c\u0001'])
  assert.deepEqual(wire.requests.map(({ method }) => method).sort(), ['DELETE', 'POST'])
  // What all of a batch fail with is each one's failure.
  const busy = await real(t, request => (isBatch(request) ? { status: 503 } : undefined))
  const failures = await busy.store.deleteMany(['a', 'b'])
  assert.deepEqual(
    [...failures].map(([key, { code }]) => [key, code]),
    [
      ['a', 'io'],
      ['b', 'io'],
    ],
  )
})

test('parts are of the size that is asked for, for whoever goes on with them as well', {
  skip: noS3,
}, async t => {
  const partSize = 5 * MIB
  const { store, wire } = await real(t, undefined, { partSize })
  const whole = pattern(12 * MIB)
  const parts = () =>
    wire.requests
      .filter(({ path }) => path.includes('partNumber='))
      .map(({ headers }) => Number(headers['content-length']))
  async function* stream() {
    for (let start = 0; start < whole.length; start += MIB) yield whole.subarray(start, start + MIB)
  }
  await store.put('key', stream())
  assert.deepEqual(parts(), [partSize, partSize, 2 * MIB])
  assert.ok(Buffer.from(await readAll(store, 'key')).equals(whole))
  wire.requests.length = 0
  const writer = await store.stage('staged')
  await writer.write(whole.subarray(0, 11 * MIB))
  await writer.write(whole.subarray(11 * MIB))
  const checkpoint = JSON.parse(JSON.stringify(await writer.checkpoint()))
  assert.equal(checkpoint.size % partSize, 0)
  const { region, credentials } = server
  const other = await openStore(store.url, { endpoint: wire.endpoint, region, credentials, retry: false })
  const resumed = await other.resumeStaged(checkpoint)
  await resumed.write(whole.subarray(checkpoint.size))
  await other.completeStaged(await resumed.seal())
  assert.ok(Buffer.from(await readAll(store, 'staged')).equals(whole))
  for (const wrong of [1, 5 * MIB - 1, 5 * 1024 * MIB + 1, 5.5 * MIB + 0.5, Number.NaN]) {
    await rejectsWith(openStore('s3://bucket', { partSize: wrong }), 'invalid-argument', 'partSize')
  }
})

test('access points are named by their ARN, other resources are refused', async () => {
  const arn = 'arn:aws:s3:eu-west-9:123456789012:accesspoint'
  const bucket = `${arn}:my-point`
  for (const form of [`s3://${arn}/my-point/a%20b`, `s3://${arn}:my-point/a%20b`]) {
    assert.deepEqual(parseS3Url(form), { bucket, folder: 'a b' })
  }
  assert.equal(
    (await openStore(`s3://${arn}/my-point/a%20b`, { region: 'eu-west-9' })).url,
    `s3://${bucket}/a%20b`,
  )
  for (const wrong of [
    's3://arn:aws:s3:::bucket',
    's3://arn:aws:s3-outposts:eu-west-9:123456789012:outpost/op-1/accesspoint/a',
    's3://arn:aws:sqs:eu-west-9:123456789012:queue',
  ]) {
    await rejectsWith(openStore(wrong), 'invalid-argument', 'ARN of an access point')
  }
  const options = { region: 'eu-west-9', pathStyle: true, credentials, retry: false } as const
  const store = await openStore(`s3://${bucket}`, options)
  await rejectsWith(store.head('key'), 'invalid-argument', 'no endpoint for the bucket')
})

test('endpoints and scopes are those of the SDK', async () => {
  const region = 'eu-west-9'
  const point = 'arn:aws:s3:eu-west-9:123456789012:accesspoint:my-point'
  const many = 'arn:aws:s3::123456789012:accesspoint:mfzwi23gnjvgw.mrap'
  const cases: [string, ConstructorParameters<typeof S3>[0], string, boolean][] = [
    ['bucket', {}, 'https://bucket.s3.eu-west-9.amazonaws.com/', true],
    ['with.dots', {}, 'https://s3.eu-west-9.amazonaws.com/with.dots', true],
    ['bucket', { useDualstackEndpoint: true }, 'https://bucket.s3.dualstack.eu-west-9.amazonaws.com/', true],
    ['bucket', { useAccelerateEndpoint: true }, 'https://bucket.s3-accelerate.amazonaws.com/', true],
    ['bucket', { endpoint: 'http://[::1]:99/x' }, 'http://[::1]:99/x/bucket', true],
    ['bucket', { endpoint: 'https://s3.example.com' }, 'https://bucket.s3.example.com/', true],
    [point, {}, 'https://my-point-123456789012.s3-accesspoint.eu-west-9.amazonaws.com/', true],
    [many, {}, 'https://mfzwi23gnjvgw.mrap.accesspoint.s3-global.amazonaws.com/', false],
    ['b--usw2-az1--x-s3', {}, 'https://b--usw2-az1--x-s3.s3express-usw2-az1.eu-west-9.amazonaws.com/', false],
  ]
  for (const [bucket, options, url, plain] of cases) {
    const endpoint = await locate(new S3({ region, credentials, ...options }), HeadBucketCommand, bucket)
    assert.equal(endpoint.url.href, url)
    assert.deepEqual(endpoint.scope, plain ? { region, service: 's3' } : undefined, bucket)
  }
})

test('a directory bucket gets a session, by which the SDK signs', async t => {
  const session = `<CreateSessionResult><Credentials><SessionToken>the-session</SessionToken>
    <SecretAccessKey>session-secret</SecretAccessKey><AccessKeyId>session-id</AccessKeyId>
    <Expiration>${new Date(Date.now() + 3_600_000).toISOString()}</Expiration></Credentials></CreateSessionResult>`
  const wire = await startFaultServer('http://127.0.0.1:1', ({ path }) =>
    path.includes('session')
      ? { status: 200, body: session }
      : { status: 200, headers: object, body: '<ListBucketResult/>' },
  )
  t.after(() => wire.stop())
  const store = await openStore('s3://b--usw2-az1--x-s3', {
    endpoint: wire.endpoint,
    region: 'us-west-2',
    credentials,
    retry: false,
  })
  await store.put('a b', bytesOf('x'))
  await collect(store.list({ prefix: 'c d/' }))
  const [begun, put, head, list, ...more] = wire.requests
  assert.deepEqual(more, [], 'one session for all')
  assert.match(begun!.path, /session/)
  assert.deepEqual([put!.method, head!.method, list!.method], ['PUT', 'HEAD', 'GET'])
  assert.match(put!.path, /\/a%20b$/)
  assert.match(list!.path, /list-type=2.*prefix=c%20d%2F/)
  for (const { headers } of [put!, head!, list!]) {
    assert.equal(headers['x-amz-s3session-token'], 'the-session')
    assert.match(headers.authorization!, /Credential=session-id\/\d+\/us-west-2\/s3express\//)
  }
})

test('all that a request says is signed', async t => {
  const { store, wire } = await scripted(t, ({ method }) => ({
    status: method === 'GET' ? 206 : 200,
    headers: { ...object, 'content-range': 'bytes 2-4/9' },
    body: method === 'GET' ? 'xyz' : '',
  }))
  const attributes = { contentType: 'text/x', metadata: { origin: 'a  b' } }
  await store.put('key', bytesOf('x'), { mode: 'create', ...attributes })
  await store.put('key', bytesOf('x'), { mode: { ifMatch: 'old' } })
  await collect((await store.get('key', { range: { start: 2, end: 5 }, ifMatch: 'tag' })).body)
  const [create, , replace, , get] = wire.requests
  assert.equal(create!.headers['if-none-match'], '*')
  assert.equal(create!.headers['content-type'], 'text/x')
  assert.equal(create!.headers['x-amz-meta-origin'], 'a  b')
  assert.equal(create!.headers['content-length'], '1')
  assert.equal(create!.headers['x-amz-content-sha256'], createHash('sha256').update('x').digest('hex'))
  assert.equal(replace!.headers['if-match'], '"old"')
  assert.equal(get!.headers.range, 'bytes=2-4')
  assert.equal(get!.headers['if-match'], '"tag"')
  for (const { headers } of wire.requests) {
    const signed = new Set(/SignedHeaders=([^,]+)/.exec(headers.authorization!)![1]!.split(';'))
    const unsigned = Object.keys(headers).filter(name => !signed.has(name))
    const rest = ['authorization', 'connection', 'content-length']
    assert.deepEqual(
      unsigned.filter(name => !rest.includes(name)),
      [],
    )
  }
})

test('attributes that no header can hold are refused', async t => {
  const { store, wire } = await scripted(t, () => ({ status: 200, headers: object }))
  for (const attributes of [
    { contentType: 'text/x\r\nx-amz-acl: public-read' },
    { metadata: { a: 'é' } },
    { metadata: { a: 'b\n' } },
    { metadata: { 'a: b': 'c' } },
    { metadata: { '': 'c' } },
  ]) {
    await rejectsWith(store.put('key', bytesOf('x'), attributes), 'invalid-argument')
    await rejectsWith(store.stage('key', attributes), 'invalid-argument')
  }
  await rejectsWith(store.get('key', { ifMatch: 'a\r\nx-injected: b' }), 'invalid-argument', 'if-match')
  assert.equal(wire.requests.length, 0)
})

test('a clock that is wrong is set by the service, also where there is no body to say so', async t => {
  const shift = -3_600_000
  const off = ({ headers }: WireRequest) => {
    const stamp = String(headers['x-amz-date']).replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z')
    return Math.abs(Date.parse(stamp) - (Date.now() + shift)) > 15 * 60_000
  }
  const { store, wire } = await scripted(
    t,
    request => {
      const date = new Date(Date.now() + shift).toUTCString()
      return off(request)
        ? { status: 403, headers: { date } }
        : { status: 200, headers: { ...object, date }, body: '<ListBucketResult/>' }
    },
    { retry: { minDelayMs: 0, maxDelayMs: 0 } },
  )
  await Promise.all([store.head('a'), store.head('b'), store.head('c')])
  assert.equal(wire.requests.filter(off).length, 3)
  wire.requests.length = 0
  await collect(store.list())
  assert.equal(wire.requests.filter(off).length, 0)
})

test('a refusal that is no matter of clocks stays one', async t => {
  const { store, wire } = await scripted(t, () => ({ status: 403 }), { retry: { minDelayMs: 0 } })
  await rejectsWith(store.head('key'), 'permission', 's3:GetObject')
  assert.equal(wire.requests.length, 1)
})

test('listings that are damaged, or end without an end, are errors', async t => {
  const contents = (inner: string) => `<ListBucketResult><Contents>${inner}</Contents></ListBucketResult>`
  const time = '<LastModified>2026-01-01T00:00:00.000Z</LastModified>'
  for (const body of [
    '<ListBucketResult>',
    'no XML',
    '',
    '<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>',
    contents(`<Size>1</Size>${time}`),
    contents(`<Key>a</Key><Size>-1</Size>${time}`),
    contents('<Key>a</Key><Size>1</Size><LastModified>yesterday</LastModified>'),
    `<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>%zz</Key><Size>1</Size>${time}</Contents></ListBucketResult>`,
  ]) {
    const { store } = await scripted(t, () => ({ status: 200, body }))
    await assert.rejects(collect(store.list()), error => isSluiceError(error) && error.code === 'io', body)
  }
})

test('a success that turns out to be none is an error', async t => {
  const begun = '<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>'
  const failed = '  \n<?xml version="1.0"?><Error><Code>InternalError</Code><Message>Oh.</Message></Error>'
  const { store } = await scripted(t, ({ path, method }) => {
    if (method === 'HEAD') return { status: 404 }
    return { status: 200, headers: object, body: path.includes('uploads=') ? begun : failed }
  })
  const writer = await store.stage('key')
  await writer.write(bytesOf('x'))
  await rejectsWith(store.completeStaged(await writer.seal()), 'io', 'InternalError')
})

test('over TLS the body is not hashed a second time', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-tls-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const subject = ['-subj', '/CN=localhost', '-days', '1']
  const made = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', ...subject]
  try {
    execFileSync('openssl', ['req', ...made, '-keyout', key, '-out', cert], { stdio: 'ignore' })
  } catch {
    t.skip('no openssl')
    return
  }
  const received: WireRequest[] = []
  const tls = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (incoming, outgoing) => {
    const { method = '', url: path = '', headers } = incoming
    received.push({ method, path, headers })
    incoming.resume().on('end', () => outgoing.writeHead(200, object).end())
  }).listen(0, '127.0.0.1')
  await once(tls, 'listening')
  t.after(() => {
    tls.closeAllConnections()
    tls.close()
  })
  const endpoint = `https://localhost:${(tls.address() as AddressInfo).port}`
  const options = { endpoint, credentials, checksums: 'supported', retry: false } as const
  // Nobody has signed the certificate.
  await rejectsWith((await openStore('s3://bucket', options)).put('key', bytesOf('x')), 'io', 'self-signed')
  const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED']
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
  try {
    await (await openStore('s3://bucket', options)).put('key', bytesOf('x'))
  } finally {
    if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
    else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before
  }
  const [put, head] = received
  assert.equal(put!.headers['x-amz-content-sha256'], 'UNSIGNED-PAYLOAD')
  assert.equal(put!.headers['x-amz-checksum-crc32'], 'jNwWgw==')
  assert.equal(head!.headers['x-amz-content-sha256'], createHash('sha256').digest('hex'))
})
