import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { type OpenStoreOptions, openStore } from '../../src/index.ts'
import { bytesOf, collect } from '../../src/testing/conformance/context.ts'
import { startFaultServer, type WireRequest } from '../../src/testing/index.ts'

/** What the calls of a store with these options ask of a service, which answers each as well as it need. */
async function requestsOf(
  t: TestContext,
  options: OpenStoreOptions<'s3://bucket'>,
): Promise<Map<string, WireRequest>> {
  const headers = { etag: '"tag"', 'last-modified': new Date(0).toUTCString() }
  const upload = '<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>'
  const wire = await startFaultServer('http://127.0.0.1:1', ({ path }) => ({
    status: 200,
    headers,
    body: path.includes('uploads')
      ? upload
      : path.includes('list-type')
        ? '<ListBucketResult/>'
        : '<Result/>',
  }))
  t.after(() => wire.stop())
  const store = await openStore('s3://bucket/lake', {
    // By a name: of an address the SDK itself knows that no bucket can stand before it.
    endpoint: wire.endpoint.replace('127.0.0.1', 'localhost'),
    credentials: { accessKeyId: 'id', secretAccessKey: 'secret', sessionToken: 'session' },
    retry: false,
    ...options,
  })
  await store.put('a', bytesOf('x'))
  await store.copy('a', 'b')
  await collect((await store.get('a')).body)
  await collect(store.list())
  const writer = await store.stage('c')
  await writer.write(bytesOf('x'))
  await writer.seal()
  const named = new Map<string, WireRequest>()
  for (const request of wire.requests) {
    const { method, path, headers } = request
    const query = /[?&](uploads|partNumber|list-type)/.exec(path)?.[1]
    named.set(`${method}${'x-amz-copy-source' in headers ? ' copy' : ''}${query ? ` ${query}` : ''}`, request)
  }
  assert.deepEqual([...named.keys()].sort(), [
    'GET',
    'GET list-type',
    'HEAD',
    'POST uploads',
    'PUT',
    'PUT copy',
    'PUT partNumber',
  ])
  return named
}

const CREATIONS = ['PUT', 'PUT copy', 'POST uploads']

test('an endpoint of its own gets the bucket in the path, a region and no checksums', async t => {
  for (const [name, { path, headers }] of await requestsOf(t, {})) {
    assert.match(path, /^\/bucket\/(lake\/[abc])?(\?|$)/, name)
    assert.match(headers.authorization ?? '', /\/us-east-1\/s3\/aws4_request/, name)
    assert.equal(headers['x-amz-security-token'], 'session')
    assert.deepEqual(
      Object.keys(headers).filter(header => header.includes('checksum')),
      [],
      name,
    )
  }
})

test('checksums, if asked for, go with whatever has bytes', async t => {
  const requests = await requestsOf(t, { checksums: 'supported', region: 'eu-west-9' })
  for (const name of ['PUT', 'PUT partNumber']) {
    // CRC-32 of 'x', as zip tools have it: 8cdc1683.
    assert.equal(requests.get(name)!.headers['x-amz-checksum-crc32'], 'jNwWgw==', name)
  }
  assert.equal(requests.get('POST uploads')!.headers['x-amz-checksum-algorithm'], 'CRC32')
  for (const { headers } of requests.values()) assert.match(headers.authorization!, /\/eu-west-9\/s3\//)
})

test('encryption and storage class go with whatever makes an object', async t => {
  const plain = await requestsOf(t, { encryption: 'AES256', storageClass: 'STANDARD_IA' })
  const kms = await requestsOf(t, { encryption: { kmsKeyId: 'key-1' } })
  for (const name of plain.keys()) {
    const [one, other] = [plain.get(name)!.headers, kms.get(name)!.headers]
    const wanted = CREATIONS.includes(name)
    assert.equal(one['x-amz-server-side-encryption'], wanted ? 'AES256' : undefined, name)
    assert.equal(one['x-amz-storage-class'], wanted ? 'STANDARD_IA' : undefined, name)
    assert.equal(other['x-amz-server-side-encryption'], wanted ? 'aws:kms' : undefined, name)
    assert.equal(other['x-amz-server-side-encryption-aws-kms-key-id'], wanted ? 'key-1' : undefined, name)
  }
})

test("a customer's key goes with whatever reads or writes bytes", async t => {
  const customerKey = new Uint8Array(32).fill(7)
  const key = Buffer.from(customerKey).toString('base64')
  const digest = createHash('md5').update(customerKey).digest('base64')
  for (const [name, { headers }] of await requestsOf(t, { encryption: { customerKey } })) {
    const wanted = name !== 'GET list-type'
    const prefix = 'x-amz-server-side-encryption-customer'
    assert.equal(headers[`${prefix}-algorithm`], wanted ? 'AES256' : undefined, name)
    assert.equal(headers[`${prefix}-key`], wanted ? key : undefined, name)
    assert.equal(headers[`${prefix}-key-md5`], wanted ? digest : undefined, name)
    const source = 'x-amz-copy-source-server-side-encryption-customer'
    assert.equal(headers[`${source}-key`], name === 'PUT copy' ? key : undefined, name)
    assert.equal(headers[`${source}-key-md5`], name === 'PUT copy' ? digest : undefined, name)
  }
})

test('whoever pays says so with each request', async t => {
  for (const [name, { headers }] of await requestsOf(t, { requesterPays: true })) {
    assert.equal(headers['x-amz-request-payer'], 'requester', name)
  }
})

test('a store that ignores conditions is told so, and refuses them', async () => {
  const store = await openStore('s3://bucket', { conditionalPut: false, endpoint: 'http://127.0.0.1:1' })
  assert.equal(store.capabilities.putCreate, false)
  assert.equal(store.capabilities.putIfMatch, false)
  for (const mode of ['create', { ifMatch: 'tag' }] as const) {
    await assert.rejects(store.put('key', bytesOf('x'), { mode }), { code: 'unsupported' })
    await assert.rejects(store.copy('key', 'to', { mode }), { code: 'unsupported' })
  }
})
