import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { test } from 'node:test'
import { inspect } from 'node:util'
import {
  createRegistry,
  isSluiceError,
  type OpenStoreOptions,
  openStore,
  type StagedUpload,
  type Store,
  withObserver,
} from '../../src/index.ts'
import { startFaultServer, type WireFault } from '../../src/testing/index.ts'
import { tempFolder } from '../support/temp.ts'

/** A kind of store, opened with secrets that are recognised wherever they come out. */
interface Kind {
  /** With `ENDPOINT` where it names the service itself. */
  url: string
  options: (endpoint: string) => OpenStoreOptions
  /** What the service says of a request that it refuses. */
  answer: string
  /** An upload that another process has staged. */
  staged: StagedUpload
  /** Whether requests do not hold the secrets themselves. */
  unsent?: boolean
}

const MARKER = /marker/i
/** What bytes of a customer's key are in base64, in hexadecimal and one by one. */
const KEY = /bW1tbW|6d6d6d6d|109, ?109|109,\s+109/
const customerKey = new Uint8Array(32).fill(109)

const KEY_TEXT = Buffer.from(customerKey).toString('base64')

const AZURE = {
  answer: `<?xml version="1.0"?><Error><Code>AuthenticationFailed</Code><Message>Server failed to authenticate.\nRequestId:R1
    </Message><AuthenticationErrorDetail>Signature did not match: marker</AuthenticationErrorDetail></Error>`,
  staged: { key: 'a', size: 1, token: { id: 'mabcdefg-00000000-0000-4000-8000-000000000000', etag: 'x' } },
}

const KINDS: Record<string, Kind> = {
  s3: {
    url: 's3://bucket/folder',
    options: endpoint => ({
      endpoint,
      region: 'us-east-1',
      credentials: {
        accessKeyId: 'AKIAMARKER',
        secretAccessKey: 'marker-secret',
        sessionToken: 'marker-token',
      },
      encryption: { customerKey },
    }),
    answer: `<?xml version="1.0"?><Error><Code>SignatureDoesNotMatch</Code><Message>The signature does not match.</Message>
      <AWSAccessKeyId>AKIAMARKER</AWSAccessKeyId><StringToSign>marker</StringToSign><SignatureProvided>marker</SignatureProvided>
      <RequestId>R1</RequestId></Error>`,
    staged: { key: 'a', size: 1, token: { uploadId: 'u', mark: 'm', parts: [{ number: 1, etag: 'e' }] } },
  },
  'azure, by key': {
    url: 'az://container/folder',
    options: endpoint => ({ endpoint: `${endpoint}/account`, account: 'account', accountKey: KEY_TEXT }),
    ...AZURE,
    unsent: true,
  },
  'azure, by signature': {
    url: 'az://container/folder',
    options: endpoint => ({
      endpoint: `${endpoint}/account`,
      account: 'account',
      sasToken: '?sv=2024-01-01&sig=marker',
    }),
    ...AZURE,
  },
  'azure, by connection string': {
    url: 'az://container/folder',
    options: endpoint => ({
      connectionString: `AccountName=account;AccountKey=${KEY_TEXT};BlobEndpoint=${endpoint}/account;`,
    }),
    ...AZURE,
    unsent: true,
  },
  'gcs, with a key that is none': {
    url: 'gs://bucket/folder',
    options: endpoint => ({
      endpoint,
      credentials: {
        client_email: 'marker@example.test',
        private_key: '-----BEGIN PRIVATE KEY-----\nmarker\n',
      },
    }),
    answer: '{"error":{"code":403,"message":"no","errors":[{"reason":"forbidden"}]}}',
    staged: { key: 'a', size: 1, token: {} },
    unsent: true,
  },
  http: {
    url: 'ENDPOINT/folder',
    options: () => ({
      headers: { authorization: 'Bearer marker' },
      query: 'sig=marker',
      index: 'index.json',
    }),
    answer: '<h1>You came with marker</h1>',
    staged: { key: 'a', size: 1, token: {} },
  },
}

/** Every operation of a store. */
const OPERATIONS: Record<string, (store: Store, staged: StagedUpload) => unknown> = {
  head: store => store.head('a'),
  get: async store => {
    for await (const _ of (await store.get('a')).body);
  },
  getRanges: store => store.getRanges('a', [{ start: 0, end: 1 }]),
  put: store => store.put('a', new Uint8Array(1)),
  putCreate: store => store.put('a', new Uint8Array(1), { mode: 'create' }),
  delete: store => store.delete('a'),
  deleteMany: async store => {
    for (const error of (await store.deleteMany(['a', 'b'])).values()) throw error
  },
  list: async store => {
    for await (const _ of store.list());
  },
  listLevel: store => store.listLevel(),
  copy: store => store.copy('a', 'b'),
  stage: async store => {
    const writer = await store.stage('a')
    await writer.write(new Uint8Array(1))
    await writer.seal()
  },
  completeStaged: (store, staged) => store.completeStaged(staged),
  abortStaged: (store, staged) => store.abortStaged(staged),
  listStaged: async store => {
    for await (const _ of store.listStaged(''));
  },
}

const STATUSES = [301, 400, 401, 403, 404, 409, 412, 416, 429, 500, 501, 503]

for (const [name, { url: place, options, answer, staged, unsent = false }] of Object.entries(KINDS)) {
  test(`${name}: no failure, event or rendering holds a secret`, async () => {
    const faults: WireFault[] = [
      ...STATUSES.flatMap(status => [
        { status, body: answer },
        { status, body: 'not what was expected' },
      ]),
      { status: 200, body: '<html>a captive portal</html>', headers: { etag: '"x"' } },
      { drop: 'before' },
    ]
    let fault: WireFault | undefined
    const server = await startFaultServer('http://127.0.0.1:9', () => fault)
    const url = place.replace('ENDPOINT', server.endpoint)
    const given = { ...options(server.endpoint), retry: false } as const
    const store = await openStore(url, given)
    const events: unknown[] = []
    const listen = (event: unknown) => events.push(event)
    subscribe('sluice:request:end', listen)
    let failures = 0
    for (const each of faults) {
      fault = each
      for (const [operation, run] of Object.entries(OPERATIONS)) {
        try {
          await run(store, staged)
        } catch (error) {
          failures++
          assert.ok(isSluiceError(error), `${operation}: ${inspect(error)}`)
          assertHarmless(error, `${operation} ${JSON.stringify(each)}`)
        }
      }
    }
    unsubscribe('sluice:request:end', listen)
    await server.stop()
    assert.ok(failures > faults.length * 8, `${failures} failures`)
    assert.ok(events.length > failures / 2, `${events.length} events`)
    assertHarmless(events, 'events')
    const sent = JSON.stringify(server.requests)
    assert.ok(unsent || MARKER.test(sent), 'the secrets were in use')

    const registry = createRegistry({ stores: { it: { url, ...given } } }, { env: {} })
    const stores = [
      store,
      store.child('x'),
      await openStore(url, given),
      await openStore(url, { ...given, retry: {} }),
    ]
    for (const [i, value] of [
      ...stores,
      registry,
      registry.describe(),
      await registry.store('it'),
    ].entries()) {
      assertHarmless(value, `rendering ${i}`)
    }
  })
}

test('a store is shown as its URL and what it can do', async t => {
  const folder = tempFolder(t)
  for (const [kind, store] of [
    ['file', await openStore(folder)],
    ['memory', await openStore('memory:')],
    ['memory', withObserver(await openStore('memory:x/y'), () => undefined)],
    ['s3', await openStore('s3://bucket/x')],
    ['az', await openStore('az://container/x', { account: 'account', sasToken: 'sig=x' })],
  ] as const) {
    const { url, capabilities } = store
    assert.deepEqual(JSON.parse(JSON.stringify({ store })), { store: { kind, url, capabilities } })
    assert.equal(inspect(store), `Store ${inspect({ kind, url, capabilities })}`)
  }
})

test('what cannot be opened is refused without the password in it', async () => {
  const urls = [
    's3://marker-id:marker-secret@bucket',
    's3://marker-id:marker-secret@bucket?x=y',
    's3:marker-id:marker-secret@bucket',
    's3://bucket?sig=marker',
    'az://marker-id:marker-secret@container',
    'az://container/x?sv=2026&sig=marker',
    'abfss://container:marker@account.dfs.core.windows.net',
    'https://account.blob.core.windows.net/container?sv=2026&sig=marker',
    'file://marker-id:marker-secret@host/x',
    'file:/x?sig=marker',
    'https://marker-id:marker-secret@host/x?sig=marker',
    'gs://marker-id:marker-secret@bucket?sig=marker',
    'az://marker-id:marker-secret@container?sig=marker',
    'abfss://marker-id:marker-secret@account.dfs.core.windows.net/x?sig=marker',
    'https://account.blob.core.windows.net/container?sig=marker',
    'foo://marker-id:marker-secret@host/x?sig=marker',
  ]
  for (const url of urls) {
    await assert.rejects(openStore(url, { retry: false }), (error: Error) => {
      assert.ok(isSluiceError(error), inspect(error))
      assertHarmless(error, url)
      return true
    })
  }
  for (const endpoint of [
    'https://marker-id:marker-secret@host',
    'marker-id:marker-secret@host',
    'host?sig=marker',
  ]) {
    await assert.rejects(openStore('s3://bucket', { endpoint }), (error: Error) => {
      assertHarmless(error, endpoint)
      return true
    })
  }
})

/** Looks at a value in every way in which a log may. */
function assertHarmless(value: unknown, what: string): void {
  const options = {
    depth: Number.POSITIVE_INFINITY,
    showHidden: true,
    getters: true,
    maxArrayLength: null,
  } as const
  const texts = [String(value), inspect(value, options), JSON.stringify(value) ?? '']
  texts.push(inspect(value, { ...options, customInspect: false }))
  for (let error = value; error instanceof Error; error = error.cause) {
    texts.push(error.message, error.stack ?? '', JSON.stringify(error), JSON.stringify({ ...error }))
  }
  for (const text of texts) {
    const found = MARKER.exec(text) ?? KEY.exec(text)
    if (found === null) continue
    assert.fail(`${what} shows a secret: …${text.slice(Math.max(0, found.index - 200), found.index + 100)}…`)
  }
}
