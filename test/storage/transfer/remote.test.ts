import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, type TestContext, test } from 'node:test'
import { openStore, type Store, transfer } from '../../../src/index.ts'
import { readAll } from '../../../src/storage/read.ts'
import { bytesOf, collect, keysOf, pattern, textOf } from '../../../src/testing/conformance/context.ts'
import {
  type FaultServer,
  startFaultServer,
  type WireFault,
  type WireRequest,
} from '../../../src/testing/index.ts'
import { type AzureServer, noAzure, startAzure } from '../../servers/azure.ts'
import { type GcsServer, noGcs, startGcs } from '../../servers/gcs.ts'
import { noS3, type S3Server, startS3 } from '../../servers/s3.ts'

const LARGE = 30_000_000

let s3: S3Server
let azure: AzureServer
let gcs: GcsServer
before(async () => {
  if (!noS3) s3 = await startS3()
  if (!noAzure) azure = await startAzure()
  if (!noGcs) gcs = await startGcs()
})
after(() => Promise.all([s3?.stop(), azure?.stop(), gcs?.stop()]))

/** A new bucket, and the same one behind a server that spoils requests. */
async function bucket(
  t: TestContext,
  fault: (request: WireRequest) => WireFault | undefined = () => undefined,
): Promise<{ direct: Store; store: Store; wire: FaultServer }> {
  const name = `test-${randomUUID()}`
  s3.createBucket(name)
  const wire = await startFaultServer(s3.endpoint, fault)
  t.after(() => wire.stop())
  const { region, credentials } = s3
  const open = (endpoint: string) =>
    openStore(`s3://${name}`, { endpoint, region, credentials, retry: { minDelayMs: 0, maxDelayMs: 0 } })
  return { direct: await open(s3.endpoint), store: await open(wire.endpoint), wire }
}

test('answers that are cut are gone on with', { skip: noS3 }, async t => {
  let gets = 0
  const { direct, store } = await bucket(t, ({ method, path }) => {
    const isObject = method === 'GET' && !path.includes('list-type')
    return isObject && ++gets % 3 === 0 ? { cut: 100_000 } : undefined
  })
  const large = pattern(LARGE)
  await direct.put('large', large)
  for (let i = 0; i < 20; i++) await direct.put(`small/${i}`, pattern(i * 20_000, i + 1))
  const to = await openStore('memory:')
  const report = await transfer(store, to, { concurrency: 4 })
  assert.equal(report.copied.objects, 21)
  assert.ok(gets > 28, `${gets} requests for bytes`)
  assert.ok(Buffer.compare(await readAll(to, 'large'), large) === 0)
  for (let i = 0; i < 20; i++) {
    assert.ok(Buffer.compare(await readAll(to, `small/${i}`), pattern(i * 20_000, i + 1)) === 0)
  }
})

test('parts and puts that are refused or not answered are sent again', { skip: noS3 }, async t => {
  let writes = 0
  const faults: WireFault[] = [{ status: 503 }, { drop: 'after' }, { drop: 'before' }]
  const { direct, store } = await bucket(t, ({ method }) => {
    if (method !== 'PUT' && method !== 'POST') return undefined
    return ++writes % 3 === 0 ? faults[(writes / 3) % 3] : undefined
  })
  const from = await openStore('memory:')
  const large = pattern(LARGE)
  await from.put('large', large)
  for (let i = 0; i < 10; i++) await from.put(`small/${i}`, bytesOf(`${i}`))
  await transfer(from, store, { verify: 'checksum' })
  assert.deepEqual(await keysOf(direct), await keysOf(from))
  assert.ok(Buffer.compare(await readAll(direct, 'large'), large) === 0)
  assert.equal(await textOf(direct, 'small/7'), '7')
  assert.deepEqual(await collect(direct.listStaged('')), [])
})

test('within a bucket the service copies, and its tags tell what is the same', { skip: noS3 }, async t => {
  const { direct, store, wire } = await bucket(t)
  const attributes = { contentType: 'text/csv', metadata: { owner: 'me' } }
  for (let i = 0; i < 5; i++) await direct.put(`from/${i}`, bytesOf(`${i}`), attributes)
  const first = await transfer(store.child('from'), store.child('to'))
  assert.equal(first.copied.objects, 5)
  const bodies = wire.requests.filter(
    ({ method, path, headers }) =>
      (method === 'GET' && !path.includes('list-type')) ||
      (method === 'PUT' && headers['x-amz-copy-source'] === undefined),
  )
  assert.deepEqual(bodies, [], 'no bytes go over the wire')
  assert.equal(await textOf(direct, 'to/3'), '3')
  const { contentType, metadata } = await direct.head('to/3')
  assert.deepEqual({ contentType, metadata }, attributes)
  // Newer than its copy, and the same.
  await direct.put('from/2', bytesOf('2'), attributes)
  await direct.put('from/4', bytesOf('x'), attributes)
  const second = await transfer(store.child('from'), store.child('to'))
  assert.deepEqual([second.copied.objects, second.skipped.objects], [1, 4])
  assert.equal(await textOf(direct, 'to/4'), 'x')
})

test('from cloud to cloud and back, objects stay what they are', {
  skip: noS3 || noAzure || noGcs,
}, async t => {
  const { direct: from } = await bucket(t)
  const { direct: back } = await bucket(t)
  const name = `test-${randomUUID()}`
  await azure.createContainer(name)
  const { endpoint, account, accountKey } = azure
  await gcs.createBucket(name)
  const there = await openStore(`az://${name}`, { endpoint, account, accountKey })
  const between = await openStore(`gs://${name}`, { endpoint: gcs.endpoint })
  const large = pattern(LARGE)
  const attributes = { contentType: 'application/x-thing', metadata: { owner: 'me' } }
  await from.put('large', large, attributes)
  await from.put('a folder/é %41+#?=&', bytesOf('odd'), attributes)
  await from.put('empty', new Uint8Array(0), attributes)
  for (const [one, other] of [
    [from, between],
    [between, there],
    [there, back],
  ] as const) {
    assert.equal((await transfer(one, other)).copied.objects, 3)
    assert.equal((await transfer(one, other)).skipped.objects, 3)
  }
  assert.deepEqual(await keysOf(back), await keysOf(from))
  assert.ok(Buffer.compare(await readAll(back, 'large'), large) === 0)
  for (const key of await keysOf(back)) {
    const { contentType, metadata } = await back.head(key)
    assert.equal(contentType, attributes.contentType)
    assert.equal(metadata?.['owner'], 'me')
  }
})
