import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { ContainerClient } from '@azure/storage-blob'
import { openStore } from '../../src/index.ts'
import { bytesOf, keysOf, textOf } from '../../src/testing/conformance/context.ts'
import type { WireFault, WireRequest } from '../../src/testing/index.ts'
import { type AzureServer, noAzure, startAzure } from '../servers/azure.ts'
import { type FaultBackend, faultCases, sequence, spoiled } from './fault-cases.ts'
import { requestCases } from './request-cases.ts'

let server: AzureServer
before(async () => {
  if (!noAzure) server = await startAzure()
})
after(() => server?.stop())

const xml = (code: string, status: number, more = ''): WireFault & { status: number } => ({
  status,
  headers: { 'content-type': 'application/xml', 'x-ms-error-code': code, 'x-ms-request-id': 'id-1' },
  body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>As scripted.\nRequestId:id-1</Message>${more}</Error>`,
})

const detail = (text: string) => `<AuthenticationErrorDetail>${text}</AuthenticationErrorDetail>`
const isPut = ({ method, path }: WireRequest) => method === 'PUT' && !path.includes('?')
const isCopy = ({ headers }: WireRequest) => headers['x-ms-copy-source'] !== undefined

const backend: FaultBackend = {
  skip: noAzure,
  endpoint: () => server.endpoint,
  createBucket: async () => {
    const { containerName } = await server.createContainer()
    const { account, accountKey } = server
    return (at, options = {}) => {
      const endpoint = new URL(new URL(server.endpoint).pathname, at).href
      return openStore(`az://${containerName}`, { endpoint, account, accountKey, ...options })
    }
  },
  isGet: ({ method }) => method === 'GET',
  isPut: request => isPut(request) && !isCopy(request),
  // The first block only shows that an upload has begun.
  isPart: ({ path, headers }) => path.includes('comp=block&') && headers['content-length'] !== '1',
  partName: 'PutBlock',
  isCompletion: isCopy,
  objectHeaders: tag => ({ etag: `"${tag}"`, 'last-modified': new Date(0).toUTCString() }),
  refusals: [
    [xml('AuthorizationPermissionMismatch', 403), 'permission', /role Storage Blob Data Contributor.*'w'/],
    [xml('AuthenticationFailed', 403, detail('string-to-sign')), 'permission', /Correct the credentials/],
    [
      xml('AuthenticationFailed', 403, detail("Request date header too old: 'Sat'")),
      'permission',
      /403 AuthenticationFailed, request id-1: As scripted\)\. Set this machine's clock/,
    ],
    [xml('KeyBasedAuthenticationNotPermitted', 403), 'permission', /takes no keys.*'credential'/],
    [xml('AuthorizationProtocolMismatch', 403), 'permission', /The signature does not cover that/],
    [xml('NoAuthenticationInformation', 401), 'permission', /Give an 'accountKey', 'sasToken'/],
    [xml('ContainerNotFound', 404), 'not-found', /no such container.*Create the container 'test-/],
    [xml('AccountIsDisabled', 403), 'permission', /Enable the account/],
    [xml('LeaseIdMissing', 412), 'permission', /holds a lease/],
    [xml('BlobImmutableDueToPolicy', 409), 'permission', /immutability policy/],
    [xml('InvalidBlobType', 409), 'unsupported', /no block blob/],
    [xml('InvalidResourceName', 400), 'invalid-argument', /1024 characters/],
    [xml('NotImplemented', 501), 'unsupported', /501 NotImplemented/],
  ],
  secrets: () => [server.accountKey, 'string-to-sign', 'SharedKey'],
}

faultCases('Azure', backend)
requestCases('Azure', backend)

test('a put that is refused by either status of a lost condition has lost it', { skip: noAzure }, async t => {
  for (const fault of [xml('BlobAlreadyExists', 409), xml('ConditionNotMet', 412), { status: 412 }]) {
    const { store, wire } = await spoiled(backend, t, () => fault)
    await assert.rejects(store.put('key', bytesOf('x'), { mode: 'create' }), { code: 'already-exists' })
    assert.equal(wire.requests.length, 1)
  }
})

test('a 409 that is no lost condition is tried again', { skip: noAzure }, async t => {
  const busy = xml('ContainerBeingDeleted', 409)
  const { store, direct } = await spoiled(backend, t, sequence(isPut, busy, busy))
  await store.put('key', bytesOf('x'), { mode: 'create' })
  assert.equal(await textOf(direct, 'key'), 'x')
})

test('what a completion leaves undone the next one ends', { skip: noAzure }, async t => {
  const isDelete = ({ method }: WireRequest) => method === 'DELETE'
  const { store, direct, wire } = await spoiled(backend, t, sequence(isDelete, { status: 503 }), {
    retry: false,
  })
  const writer = await store.stage('a/key')
  await writer.write(bytesOf('staged'))
  const upload = await writer.seal()
  await assert.rejects(store.completeStaged(upload), { code: 'io' })
  const { etag } = await direct.head('a/key')
  assert.equal((await store.completeStaged(upload)).etag, etag, 'it is not copied again')
  assert.equal(wire.requests.filter(isCopy).length, 1)
  for await (const { upload } of direct.listStaged('')) assert.fail(upload.key)
})

test('a batch of deletions tells of each key by itself', { skip: noAzure }, async t => {
  const keys = Array.from({ length: 300 }, (_, i) => `${i} +é`)
  const isBatch = ({ path }: WireRequest) => path.includes('comp=batch')
  const refused = xml('AuthorizationPermissionMismatch', 403)
  const { store, direct, wire } = await spoiled(backend, t, sequence(isBatch, refused, { status: 503 }))
  await Promise.all(keys.map(key => direct.put(key, bytesOf(key))))
  const leased = direct.unwrap().client as ContainerClient
  await leased.getBlobClient(keys[7]!).getBlobLeaseClient().acquireLease(60)
  const failures = await store.deleteMany(keys)
  assert.deepEqual([...failures.keys()], [keys[7]])
  assert.match(failures.get(keys[7]!)!.message, /7 \+é: .*412 LeaseIdMissing.*holds a lease/)
  assert.deepEqual(await keysOf(direct), [keys[7]])
  // Two batches, of which one was refused and one failed; that one again, the other key by key.
  assert.equal(wire.requests.filter(isBatch).length, 3)
})
