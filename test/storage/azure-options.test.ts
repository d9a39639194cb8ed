import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { type TestContext, test } from 'node:test'
import type { ContainerClient } from '@azure/storage-blob'
import { isSluiceError, type OpenStoreOptions, openStore, type Store } from '../../src/index.ts'
import { bytesOf } from '../../src/testing/conformance/context.ts'
import { startFaultServer, type WireFault, type WireRequest } from '../../src/testing/index.ts'
import { root } from '../support/root.ts'

const MIB = 1024 * 1024
const accountKey = Buffer.from('a key').toString('base64')
const connection = (name: string) =>
  `DefaultEndpointsProtocol=https;AccountName=${name};AccountKey=${accountKey};EndpointSuffix=core.windows.net`

/** Runs with these variables, and no others of Azure's, in the environment. */
async function withEnvironment<T>(variables: Record<string, string>, run: () => Promise<T>): Promise<T> {
  const before = Object.entries(process.env).filter(([name]) => name.startsWith('AZURE_'))
  for (const [name] of before) delete process.env[name]
  Object.assign(process.env, variables)
  try {
    return await run()
  } finally {
    for (const name of Object.keys(variables)) delete process.env[name]
    Object.assign(process.env, Object.fromEntries(before))
  }
}

/** Where the SDK's client sends requests. */
function targetOf(store: Store): string {
  return (store.unwrap().client as ContainerClient).url
}

test('the URL, the options and the environment tell where an Azure store is', async () => {
  const blob = 'https://mine.blob.core.windows.net'
  const dev = 'http://127.0.0.1:10000/devstoreaccount1'
  const cases: [string, OpenStoreOptions, Record<string, string>, string][] = [
    ['az://box', { account: 'mine', accountKey }, {}, `${blob}/box`],
    ['az://box', { accountKey }, { AZURE_STORAGE_ACCOUNT: 'mine' }, `${blob}/box`],
    ['az://box', {}, { AZURE_STORAGE_ACCOUNT_NAME: 'mine', AZURE_STORAGE_KEY: accountKey }, `${blob}/box`],
    ['az://box', { account: 'mine' }, { AZURE_STORAGE_SAS_TOKEN: '?sv=1&sig=x' }, `${blob}/box?sv=1&sig=x`],
    ['az://box', { account: 'mine', sasToken: 'sv=1&sig=x' }, {}, `${blob}/box?sv=1&sig=x`],
    ['az://box', {}, { AZURE_STORAGE_CONNECTION_STRING: connection('mine') }, `${blob}/box`],
    ['az://box', { connectionString: connection('mine') }, {}, `${blob}/box`],
    ['az://box', { connectionString: 'UseDevelopmentStorage=true' }, {}, `${dev}/box`],
    [
      'az://$root',
      { connectionString: `BlobEndpoint=${dev}/;SharedAccessSignature=sig=x` },
      {},
      `${dev}/$root`,
    ],
    ['az://box', { endpoint: 'http://localhost:1/mine', accountKey }, {}, 'http://localhost:1/mine/box'],
    ['abfss://box@mine.dfs.core.windows.net/a', { accountKey }, {}, `${blob}/box`],
    [
      'abfss://box@mine.dfs.core.chinacloudapi.cn',
      { accountKey },
      {},
      'https://mine.blob.core.chinacloudapi.cn/box',
    ],
    [
      'https://mine.z12.blob.storage.azure.net/box/a',
      { accountKey },
      {},
      'https://mine.z12.blob.storage.azure.net/box',
    ],
    ['https://mine.blob.core.windows.net/box/a/b', { accountKey }, {}, `${blob}/box`],
    // What is configured for another account is of no use, and no harm.
    [
      'https://mine.blob.core.windows.net/box',
      {},
      { AZURE_STORAGE_CONNECTION_STRING: connection('other') },
      `${blob}/box`,
    ],
    [
      'abfss://box@mine.dfs.core.windows.net',
      {},
      { AZURE_STORAGE_ACCOUNT: 'other', AZURE_STORAGE_SAS_TOKEN: 'sig=other' },
      `${blob}/box`,
    ],
  ]
  for (const [url, options, variables, target] of cases) {
    await withEnvironment(variables, async () => {
      const store = await openStore(url, options)
      assert.equal(decodeURIComponent(targetOf(store)).replace(/(BlobEndpoint=.*)?\?sig=x$/, ''), target, url)
      assert.equal((await openStore(store.url, options)).url, store.url, 'its URL opens it again')
      const child = store.child('x y/k=%2F?#é')
      assert.equal((await openStore(child.url, options)).unwrap().prefix, child.unwrap().prefix)
    })
  }
})

test('a URL is percent-encoded, and kept in the form that it had', async () => {
  const options = { account: 'mine', accountKey }
  for (const [url, kept, prefix] of [
    ['az://box/a%20b/k=%2525', 'az://box/a%20b/k%3D%2525', 'a b/k=%25/'],
    ['az://box/', 'az://box', ''],
    ['abfss://box@mine.dfs.core.windows.net/', 'abfss://box@mine.dfs.core.windows.net', ''],
    ['https://mine.blob.core.windows.net/box/a', 'https://mine.blob.core.windows.net/box/a', 'a/'],
  ] as const) {
    const store = await openStore(url, options)
    assert.equal(store.url, kept)
    const { client, ...rest } = store.unwrap()
    assert.deepEqual(rest, { container: 'box', prefix })
    assert.equal((client as ContainerClient).containerName, 'box')
  }
})

test('an Azure store that cannot be opened says why, and never repeats a secret', async () => {
  const mine = { account: 'mine', accountKey }
  const refused: [string, OpenStoreOptions, string, RegExp][] = [
    ['az://', mine, 'url', /names no container/],
    ['az://UPPER', mine, 'url', /lower case/],
    ['az://ab', mine, 'url', /3 to 63/],
    ['az://a--b', mine, 'url', /single hyphens/],
    ['az://box/100%', mine, 'url', /percent-encoded/],
    ['az://box/a?b', mine, 'url', /has a '\?'/],
    ['az://box/a//b', mine, 'prefix', /empty segment/],
    ['az://hunter2@box', mine, 'url', /must not hold credentials.*'sasToken'/],
    ['abfss://box', mine, 'url', /names no container/],
    ['abfss://box@elsewhere.example', mine, 'url', /names no account/],
    ['abfss://box:hunter2@mine.dfs.core.windows.net', mine, 'url', /must not hold credentials/],
    ['https://mine.blob.core.windows.net/box?sv=1&sig=hunter2', mine, 'url', /credentials.*'sasToken'/],
    ['https://hunter2@mine.blob.core.windows.net/box', mine, 'url', /must not hold credentials/],
    ['https://mine.blob.core.windows.net/', mine, 'url', /names no container/],
    ['az://box', { accountKey }, 'account', /not known.*AZURE_STORAGE_ACCOUNT/],
    ['az://box', { endpoint: 'https://host', accountKey }, 'account', /account of the key/],
    ['az://box', { account: 'Mine!' }, 'account', /no name of an account/],
    ['abfss://box@mine.dfs.core.windows.net', { account: 'other' }, 'account', /'other' and the URL 'mine'/],
    [
      'abfss://box@mine.dfs.core.windows.net',
      { connectionString: connection('other') },
      'connectionString',
      /'other' and the URL 'mine'/,
    ],
    ['az://box', { account: 'mine', accountKey: '#hunter2' }, 'accountKey', /is not base64/],
    ['az://box', { ...mine, sasToken: 'sig=hunter2' }, 'sasToken', /together with 'accountKey'/],
    ['az://box', { connectionString: 'hunter2' }, 'connectionString', /does not name an account/],
    ['az://box', { endpoint: 'host:9000' }, 'endpoint', /no URL of a service/],
    ['az://box', { ...mine, endpoint: 'https://a:hunter2@host' }, 'endpoint', /must not hold credentials/],
    ['az://box', { ...mine, endpoint: 'https://host?sig=hunter2' }, 'endpoint', /'sasToken'/],
    ['az://box', { endpoint: 'http://host/mine' }, 'endpoint', /not secure.*'accountKey'/],
    ['az://box', { ...mine, idleTimeoutMs: 0 }, 'idleTimeoutMs', /above 0/],
    ['az://box', { ...mine, connectTimeoutMs: 1.5 }, 'connectTimeoutMs', /whole number/],
  ]
  for (const [url, options, option, message] of refused) {
    await withEnvironment({}, () =>
      assert.rejects(openStore(url, options), (error: Error) => {
        assert.match(error.message, message)
        assert.ok(!error.message.includes('hunter2'), error.message)
        assert.ok(isSluiceError(error))
        assert.deepEqual([error.code, error.option], ['invalid-argument', option], url)
        return true
      }),
    )
  }
})

test("only the service's own hosts are Azure's", async () => {
  for (const url of ['https://example.com/box', 'https://mine.blob.core.windows.net.example.com/box']) {
    await assert.rejects(openStore(url, { accountKey }), {
      message: /no option of 'http:' and 'https:' stores/,
    })
  }
})

test('without the SDK an Azure store says what to install', () => {
  const program = `
    import { registerHooks } from 'node:module'
    registerHooks({
      resolve(name, context, next) {
        if (!name.startsWith(process.env.MISSING)) return next(name, context)
        throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
      },
    })
    const { openStore } = await import('./src/index.ts')
    await openStore('az://box', { account: 'mine' }).catch(error => console.log(error.code, error.message))`
  const args = ['--import', 'tsx', '--input-type=module', '--eval', program]
  for (const name of ['@azure/storage-blob', '@azure/identity']) {
    const env = { PATH: process.env['PATH'], MISSING: name }
    const printed = execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8', env })
    assert.match(printed, new RegExp(`^unsupported .*npm install ${name}\n$`))
  }
})

test('tokens are asked for and sent, and none to be had is a matter of permission', async () => {
  const { CredentialUnavailableError } = await import('@azure/identity')
  const asked: unknown[] = []
  const credential = {
    getToken: async (scopes: string | string[]): Promise<never> => {
      asked.push(scopes)
      throw new CredentialUnavailableError('hunter2 is not logged in')
    },
  }
  const store = await openStore('az://box', { account: 'mine', credential, retry: false })
  for (const call of [store.head('key'), store.put('key', bytesOf('x'))]) {
    await assert.rejects(call, { code: 'permission', message: /no credentials were found.*az login/ })
  }
  assert.deepEqual(new Set(asked.flat()), new Set(['https://storage.azure.com/.default']))
})

interface Copying {
  store: Store
  requests: WireRequest[]
}

/** A service with one object of 600 MiB, which answers requests for copies as told. */
async function copying(
  t: TestContext,
  answer: (request: WireRequest) => WireFault | undefined,
): Promise<Copying> {
  const described = { etag: '"tag"', 'last-modified': new Date(0).toUTCString() }
  const object = {
    ...{ ...described, 'content-length': String(600 * MIB), 'content-type': 'text/x-large' },
    ...{ 'x-ms-meta-origin': 'here', 'cache-control': 'no-store' },
  }
  const wire = await startFaultServer('http://127.0.0.1:1', request => {
    if (request.method === 'HEAD') return { status: 200, headers: object }
    const made = { status: request.path.includes('comp=') ? 201 : 202, headers: described }
    return answer(request) ?? made
  })
  t.after(() => wire.stop())
  const endpoint = `${wire.endpoint}/mine`
  return {
    store: await openStore('az://box', { endpoint, accountKey, retry: false }),
    requests: wire.requests,
  }
}

const isBlock = ({ path }: WireRequest) => path.includes('comp=block&')
const isCommit = ({ path }: WireRequest) => path.includes('comp=blocklist')

test('what is too large to be copied at once is copied in blocks, of one version', async t => {
  const { store, requests } = await copying(t, () => undefined)
  const meta = await store.copy('from', 'to', { mode: 'create' })
  assert.deepEqual(meta, { key: 'to', size: 600 * MIB, etag: 'tag', lastModified: new Date(0) })
  const blocks = requests.filter(isBlock)
  assert.deepEqual(blocks.map(({ headers }) => headers['x-ms-source-range']).sort(), [
    `bytes=0-${256 * MIB - 1}`,
    `bytes=${256 * MIB}-${512 * MIB - 1}`,
    `bytes=${512 * MIB}-${600 * MIB - 1}`,
  ])
  for (const { path, headers } of blocks) {
    assert.match(path, /^\/mine\/box\/to\?/)
    // The service reads the source by a signature for that one blob.
    assert.match(String(headers['x-ms-copy-source']), /^http:.*\/mine\/box\/from\?.*sr=b&sp=r&sig=/)
  }
  const { headers } = requests.find(isCommit)!
  assert.equal(headers['if-none-match'], '*')
  assert.equal(headers['x-ms-blob-content-type'], 'text/x-large')
  assert.equal(headers['x-ms-blob-cache-control'], 'no-store')
  assert.equal(headers['x-ms-meta-origin'], 'here')
  const last = requests.at(-2)!
  assert.deepEqual([last.method, last.headers['if-match']], ['HEAD', '"tag"'], 'the source is the same still')
})

test('blocks that others have discarded are copied anew', async t => {
  const lost = {
    status: 400,
    headers: { 'x-ms-error-code': 'InvalidBlockList', 'content-type': 'application/xml' },
    body: '<Error><Code>InvalidBlockList</Code><Message>As scripted.</Message></Error>',
  }
  const faults = [lost]
  const { store, requests } = await copying(t, request => (isCommit(request) ? faults.shift() : undefined))
  await store.copy('from', 'to')
  assert.equal(requests.filter(isBlock).length, 6)
  assert.equal(new Set(requests.filter(isBlock).map(({ path }) => path)).size, 6, 'under other names')
})

test('a service that copies no blocks is asked for a copy as a whole', async t => {
  const { store, requests } = await copying(t, request => (isBlock(request) ? { status: 501 } : undefined))
  await store.copy('from', 'to')
  const { headers } = requests.at(-1)!
  assert.equal(headers['x-ms-requires-sync'], 'true')
  assert.equal(headers['x-ms-source-if-match'], '"tag"')
})
