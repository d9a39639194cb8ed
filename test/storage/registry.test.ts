import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { createRegistry, defineConfig, loadConfig, type Registry } from '../../src/index.ts'
import { DRIVER_OPTIONS } from '../../src/storage/open.ts'
import { environmentNames } from '../../src/storage/options.ts'
import { root } from '../support/root.ts'
import { tempFolder } from '../support/temp.ts'

const credentials = {
  accessKeyId: 'marker-id',
  secretAccessKey: 'marker-secret',
  sessionToken: 'marker-token',
}

test('a store is opened once, by its name, and shared', async t => {
  const folder = tempFolder(t)
  const stores = createRegistry(
    { stores: { bronze: { url: './a b', durability: 'none' }, silver: { url: 's3://bucket/silver' } } },
    { folder, env: {} },
  )
  assert.deepEqual(stores.names, ['bronze', 'silver'])
  const bronze = await stores.store('bronze')
  assert.equal(bronze.url, pathToFileURL(join(folder, 'a b')).href)
  assert.equal(await stores.store('bronze'), bronze)
  assert.equal((await stores.store('silver')).url, 's3://bucket/silver')
  // @ts-expect-error -- there is no such store
  await assert.rejects(stores.store('bronse'), { code: 'invalid-argument', message: /Did you mean 'bronze'/ })
})

test('a store that could not be opened is tried again', async t => {
  const folder = tempFolder(t)
  writeFileSync(join(folder, 'lake'), '')
  const stores = createRegistry({ stores: { lake: { url: 'lake/sub' } } }, { folder, env: {} })
  await assert.rejects(stores.store('lake'), {
    option: 'stores.lake.url',
    message: /stores\.lake\.url.* is a file/,
  })
  execFileSync('rm', [join(folder, 'lake')])
  assert.equal((await stores.store('lake')).url, pathToFileURL(join(folder, 'lake/sub')).href)
})

test('options go by the scheme of the URL, for the compiler too', () => {
  const refused = {
    code: 'invalid-argument',
    option: 'stores.bronze.regin',
    message: /Did you mean 'region'/,
  }
  // @ts-expect-error -- misspelt
  assert.throws(() => createRegistry({ stores: { bronze: { url: 's3://bucket', regin: 'x' } } }), refused)
  // @ts-expect-error -- folders have no such option
  defineConfig({ stores: { bronze: { url: 's3://bucket', durability: 'none' } } })
  const later: string = 's3://bucket'
  const stores = createRegistry(defineConfig({ stores: { bronze: { url: later, region: 'x' } } }), {
    env: {},
  })
  const names: readonly 'bronze'[] = stores.names
  assert.deepEqual(names, ['bronze'])
})

test('a configuration that cannot be meant is refused', () => {
  const refused: [unknown, RegExp][] = [
    [undefined, /must have stores/],
    [{ stores: [] }, /must have stores/],
    [{ store: {}, stores: {} }, /'store': is nothing that a configuration has/],
    [{ stores: { bronze: 's3://bucket' } }, /'stores\.bronze\.url': must be a URL/],
    [{ stores: { bronze: { url: '' } } }, /'stores\.bronze\.url': must be a URL/],
    [{ stores: { bronze: { url: 'foo://x' } } }, /'stores\.bronze\.url': nothing is known of 'foo:'/],
    [{ stores: { b: { url: 'x' } } }, /"b" is no name/],
    [{ stores: { 'a/b': { url: 'x' } } }, /"a\/b" is no name/],
    [{ stores: { '1a': { url: 'x' } } }, /"1a" is no name/],
    [{ stores: { S3: { url: 'x' } } }, /'S3' is the scheme of URLs/],
    [{ stores: { 'a-b': { url: 'x' }, a_b: { url: 'y' } } }, /'a-b' and 'a_b' are one in the environment/],
  ]
  for (const [config, message] of refused) {
    assert.throws(() => createRegistry(config as { stores: Record<string, never> }, { env: {} }), {
      code: 'invalid-argument',
      message,
    })
  }
})

test('the environment sets options of every type, and URLs', async () => {
  const of = (env: Record<string, string>) =>
    createRegistry(
      { stores: { lake: { url: 's3://lake', region: 'a' }, 'lake-raw': { url: 's3://raw' } } },
      { env },
    )
  const options = (stores: Registry<string>) =>
    Object.fromEntries(stores.describe().map(({ name, url, options }) => [name, { url, ...options }]))
  assert.deepEqual(
    options(
      of({
        SLUICE_STORE_LAKE_REGION: 'b',
        SLUICE_STORE_LAKE_PATH_STYLE: 'true',
        SLUICE_STORE_LAKE_IDLE_TIMEOUT_MS: '500',
        SLUICE_STORE_LAKE_ATTEMPTS: '2',
        SLUICE_STORE_LAKE_RAW_ENCRYPTION: 'AES256',
        SLUICE_STORE_LAKE_RAW_RETRY: 'false',
        SLUICE_STORE_LAKE_RAW_STORAGE_CLASS: '',
        SLUICE_STORE_OTHER_PLACE_URL: 'memory:other',
        SLUICE_CONFIG: 'elsewhere',
      }),
    ),
    {
      lake: { url: 's3://lake', region: 'b', pathStyle: true, idleTimeoutMs: 500, retry: { attempts: 2 } },
      'lake-raw': { url: 's3://raw', encryption: 'AES256', retry: false },
      other_place: { url: 'memory:other' },
    },
  )
  const moved = of({ SLUICE_STORE_LAKE_URL: 'memory:lake', SLUICE_STORE_LAKE_RAW_URL: 's3://raw2' })
  assert.deepEqual(options(moved), { lake: { url: 'memory:lake' }, 'lake-raw': { url: 's3://raw2' } })
  assert.deepEqual(moved.describe()[0]!.variables, ['SLUICE_STORE_LAKE_URL'])
  assert.equal((await moved.store('lake')).url, 'memory:lake')
})

test('secrets of the environment arrive, nested, and are nowhere shown', async () => {
  const key = Buffer.alloc(32, 'm')
  const env = {
    SLUICE_STORE_LAKE_URL: 's3://lake',
    SLUICE_STORE_LAKE_REGION: 'eu-west-9',
    SLUICE_STORE_LAKE_ACCESS_KEY_ID: credentials.accessKeyId,
    SLUICE_STORE_LAKE_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    SLUICE_STORE_LAKE_SESSION_TOKEN: credentials.sessionToken,
    SLUICE_STORE_LAKE_CUSTOMER_KEY: key.toString('base64'),
  }
  const stores: Registry<string> = createRegistry({ stores: {} }, { env })
  const { client } = (await stores.store('lake')).unwrap() as { client: import('@aws-sdk/client-s3').S3 }
  const { accessKeyId, secretAccessKey, sessionToken } = await client.config.credentials()
  assert.deepEqual({ accessKeyId, secretAccessKey, sessionToken }, credentials)
  const hidden = { accessKeyId: '***', secretAccessKey: '***', sessionToken: '***' }
  const options = { region: 'eu-west-9', credentials: hidden, encryption: { customerKey: '***' } }
  const variables = Object.keys(env)
  assert.deepEqual(JSON.parse(JSON.stringify(stores)), {
    stores: [{ name: 'lake', url: 's3://lake', options, variables }],
  })
  assert.match(inspect(stores), /^Registry \{.*'s3:\/\/lake'/s)
})

test('a variable that is not understood is refused, without its value', () => {
  const config = { stores: { bronze: { url: 's3://bronze' } } } as const
  const refused: [string, RegExp][] = [
    ['SLUICE_STORE_BRONZE_SECRET_KEY', /no option of the store 'bronze'\. Options: URL, .*SECRET_ACCESS_KEY/],
    ['SLUICE_STORE_BRONZE_REGON', /no option of the store 'bronze'\. Did you mean REGION/],
    ['SLUICE_STORE_BRONZE_DURABILITY', /no option of the store 'bronze'/],
    ['SLUICE_STORE_BRONSE_REGION', /names no store\. Stores: bronze; SLUICE_STORE_<NAME>_URL makes one/],
    ['SLUICE_STORE_BRONZE_PATH_STYLE', /must be 'true' or 'false'/],
    ['SLUICE_STORE_BRONZE_IDLE_TIMEOUT_MS', /must be a number/],
    ['SLUICE_STORE_BRONZE_CUSTOMER_KEY', /must be base64/],
    ['SLUICE_STORE_BRONZE_EXPIRATION', /must be a time/],
    ['SLUICE_STORE_BRONZE_RETRY', /must be 'false'/],
  ]
  for (const [variable, message] of refused) {
    assert.throws(
      () => createRegistry(config, { env: { [variable]: '?marker!' } }),
      (error: Error) => {
        assert.match(error.message, message)
        assert.ok(error.message.includes(variable) && !error.message.includes('marker'))
        return true
      },
    )
  }
})

test('no two options of a kind of store are one in the environment', () => {
  for (const [scheme, kinds] of Object.entries(DRIVER_OPTIONS)) {
    const names = [...environmentNames(kinds)].map(([name]) => name)
    assert.ok(!names.includes('URL'), scheme)
    const leaves = (members: object): number =>
      Object.values(members).reduce((sum, kind) => {
        if (kind === 'code') return sum
        return sum + (typeof kind !== 'object' ? 1 : Number(kind.itself !== undefined) + leaves(kind.members))
      }, 0)
    assert.equal(names.length, leaves(kinds), scheme)
  }
})

test('a configuration file is found upwards, in each of its forms, and paths start from it', async t => {
  const text = `{ "stores": { "lake": { "url": "data" } } }`
  const forms: [string, string][] = [
    ['sluice.config.json', text],
    ['sluice.config.mjs', `export default ${text}`],
    ['sluice.config.js', `export default ${text}`],
    ['sluice.config.ts', `const config: object = ${text}\nexport default config`],
  ]
  for (const [name, content] of forms) {
    const folder = tempFolder(t)
    const below = join(folder, 'a/b')
    mkdirSync(below, { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    writeFileSync(join(folder, name), content)
    const stores = await loadConfig({ folder: below, env: {} })
    assert.equal((await stores.store('lake')).url, pathToFileURL(join(folder, 'data')).href, name)
    const named = await loadConfig({ folder: root, env: { SLUICE_CONFIG: join(folder, name) } })
    assert.deepEqual(named.names, ['lake'])
  }
})

test('a configuration file that cannot be used says why', async t => {
  const cases: [Record<string, string>, RegExp][] = [
    [{ 'sluice.config.json': '{ "marker' }, /sluice\.config\.json: is no JSON/],
    [{ 'sluice.config.mjs': 'export const stores = {}' }, /sluice\.config\.mjs: has no default export/],
    [{ 'sluice.config.mjs': 'throw new Error("boom")' }, /sluice\.config\.mjs: boom/],
    [
      { 'sluice.config.mjs': 'export default { stores: { x: {} } }' },
      /'stores\.x\.url', .*config\.mjs: must be a URL/,
    ],
    [{ 'sluice.config.mjs': '', 'sluice.config.json': '' }, /config\.mjs: there is another.*config\.json/],
  ]
  for (const [files, message] of cases) {
    const folder = tempFolder(t)
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
    await assert.rejects(loadConfig({ folder, env: {} }), (error: Error) => {
      assert.match(error.message, message)
      assert.ok(!inspect(error, { depth: null }).includes('marker'))
      return true
    })
  }
  const folder = tempFolder(t)
  const env = { SLUICE_CONFIG: 'absent.json' }
  await assert.rejects(loadConfig({ folder, env }), { code: 'not-found', option: 'SLUICE_CONFIG' })
})

test('a Node.js that runs no TypeScript says what to do', t => {
  const folder = tempFolder(t)
  writeFileSync(join(folder, 'sluice.config.ts'), 'export default { stores: {} }')
  const program = `
    const { loadConfig } = await import(${JSON.stringify(join(root, 'dist/index.js'))})
    await loadConfig({ folder: ${JSON.stringify(folder)} }).catch(error => console.log(error.code, error.message))`
  const args = ['--no-experimental-strip-types', '--input-type=module', '--eval', program]
  const printed = execFileSync(process.execPath, args, { encoding: 'utf8' })
  assert.match(printed, /^unsupported .*sluice\.config\.ts: Node\.js [\d.]+ runs no TypeScript\. Run it with/)
})

test('a configuration is shown without its secrets', () => {
  const customerKey = new Uint8Array(32).fill(77)
  const config = defineConfig({
    stores: {
      bronze: { url: 's3://bronze', region: 'x', credentials, encryption: { customerKey } },
      bad: { url: 'https://marker-user:marker-password@host/x?sig=marker' as string },
    },
  })
  for (const shown of [
    inspect(config, { depth: null, showHidden: true }),
    JSON.stringify(config),
    inspect(config.stores.bronze),
    inspect((config.stores.bronze as { credentials?: object }).credentials),
  ]) {
    assert.ok(!/marker|77, 77/.test(shown), shown)
    assert.match(shown, /\*\*\*/)
  }
})
