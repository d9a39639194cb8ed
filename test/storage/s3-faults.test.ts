import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, type TestContext, test } from 'node:test'
import { openStore } from '../../src/index.ts'
import { bytesOf, rejectsWith, textOf } from '../../src/testing/conformance/context.ts'
import type { WireFault, WireRequest } from '../../src/testing/index.ts'
import { noS3, type S3Server, startS3 } from '../servers/s3.ts'
import {
  type FaultBackend,
  type FaultOptions,
  faultCases,
  type Spoiled,
  sequence,
  spoiled as spoiledOf,
} from './fault-cases.ts'
import { requestCases } from './request-cases.ts'

let server: S3Server
before(async () => {
  if (!noS3) server = await startS3()
})
after(() => server?.stop())

const xml = (code: string, status = 409): WireFault & { status: number } => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>As scripted.</Message></Error>`,
})

const isPut = ({ method }: WireRequest) => method === 'PUT'

const backend: FaultBackend = {
  skip: noS3,
  endpoint: () => server.endpoint,
  createBucket: async () => {
    const name = `test-${randomUUID()}`
    server.createBucket(name)
    const { region, credentials } = server
    return (endpoint, options = {}) =>
      openStore(`s3://${name}`, { endpoint, region, credentials, ...options })
  },
  isGet: ({ method }) => method === 'GET',
  isPut,
  isPart: ({ path }) => path.includes('partNumber='),
  partName: 'UploadPart',
  isCompletion: ({ method, path }) => method === 'POST' && path.includes('uploadId='),
  objectHeaders: tag => ({ etag: `"${tag}"`, 'last-modified': new Date(0).toUTCString() }),
  refusals: [
    [xml('AccessDenied', 403), 'permission', /AccessDenied.*needs the permission s3:PutObject/],
    [xml('ExpiredToken', 400), 'permission', /Renew the credentials/],
    [xml('InvalidAccessKeyId', 403), 'permission', /Correct the credentials/],
    [xml('NoSuchBucket', 404), 'not-found', /no such bucket.*Create the bucket/],
    [xml('NotImplemented', 501), 'unsupported', /NotImplemented/],
    [xml('KeyTooLongError', 400), 'invalid-argument', /1024 bytes/],
  ],
  secrets: () => Object.values(server.credentials),
}

faultCases('S3', backend)
requestCases('S3', backend)

function spoiled(
  t: TestContext,
  fault: (request: WireRequest) => WireFault | undefined,
  options?: FaultOptions,
): Promise<Spoiled> {
  return spoiledOf(backend, t, fault, options)
}

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

test('a bucket in another region says which', { skip: noS3 }, async t => {
  const moved = { ...xml('PermanentRedirect', 301), headers: { 'x-amz-bucket-region': 'eu-west-9' } }
  const { store } = await spoiled(t, () => moved)
  await assert.rejects(store.head('key'), { code: 'invalid-argument', message: /AWS_REGION to 'eu-west-9'/ })
})

test("a clock that is wrong is set by the service's answer", { skip: noS3 }, async t => {
  const skewed = xml('RequestTimeTooSkewed', 403)
  const { store, wire } = await spoiled(t, sequence(isPut, skewed))
  await store.put('key', bytesOf('x'))
  assert.equal(wire.requests.filter(isPut).length, 2)
  const hopeless = await spoiled(t, () => skewed, { retry: { attempts: 2, minDelayMs: 0 } })
  await assert.rejects(hopeless.store.put('key', bytesOf('x')), {
    code: 'io',
    message: /Set this machine's clock/,
  })
})
