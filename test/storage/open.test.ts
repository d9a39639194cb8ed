import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { isSluiceError, type OpenStoreOptions, openStore } from '../../src/index.ts'
import { root } from '../support/root.ts'

const bytes = new TextEncoder().encode('hello')
let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-open-'))
})
after(() => rm(folder, { recursive: true, force: true }))

test('a folder is opened by its path, absolute or relative, and by its URL', async () => {
  const path = join(folder, 'odd name #1 100%?')
  for (const url of [path, relative(process.cwd(), path), pathToFileURL(path).href, pathToFileURL(path)]) {
    const store = await openStore(url, { durability: 'none' })
    await store.put('a/b.txt', bytes)
    assert.deepEqual(await readFile(join(path, 'a/b.txt')), Buffer.from(bytes))
    await store.delete('a/b.txt')
  }
})

test("a store's own URL opens it again, a child's too", async () => {
  const local = await openStore(join(folder, 'again'))
  const memory = await openStore('memory:again')
  for (const store of [local, memory]) {
    const child = store.child('x y/k=%2F?#é')
    await child.put('key', bytes)
    assert.equal((await (await openStore(child.url)).head('key')).size, bytes.length)
    assert.equal((await (await openStore(store.url)).head('x y/k=%2F?#é/key')).size, bytes.length)
  }
})

test('memory: is fresh each time, memory:name is shared', async () => {
  await (await openStore('memory:')).put('key', bytes)
  await assert.rejects((await openStore('memory:')).head('key'), { code: 'not-found' })
  await (await openStore('memory:shared/deep')).put('key', bytes)
  assert.equal((await (await openStore('memory:shared')).head('deep/key')).size, bytes.length)
  await assert.rejects(openStore('memory:/nameless'), { code: 'invalid-argument', option: 'url' })
  await assert.rejects(openStore('memory:100%'), { code: 'invalid-argument', option: 'url' })
})

test('what cannot be opened says why', async () => {
  await assert.rejects(openStore('ftp://host'), {
    code: 'invalid-argument',
    message: /'ftp:'.*'file:', 'memory:'/,
  })
  for (const url of ['file:data', 'file:///data?x', 'file:///data#x', 'file://elsewhere/data', '', 'a\0b']) {
    await assert.rejects(openStore(url), { code: 'invalid-argument', option: 'url' }, url)
  }
  const file = join(folder, 'file')
  await writeFile(file, bytes)
  await assert.rejects(openStore(file), { code: 'invalid-argument', message: /is a file, not a folder/ })
  await assert.rejects(openStore(join(file, 'below')), { code: 'invalid-argument' })
  const options = { durability: 'sometimes' as 'none' }
  await assert.rejects(openStore(folder, options), { code: 'invalid-argument', option: 'durability' })
})

test('an S3 store is opened without a request, by a URL that is percent-encoded', async () => {
  const store = await openStore('s3://bucket/a%20b/k=%2525')
  assert.equal(store.url, 's3://bucket/a%20b/k%3D%2525')
  assert.equal((await openStore(store.url)).url, store.url)
  assert.equal((await openStore('s3://bucket/')).url, 's3://bucket')
  assert.equal(store.root.prefix, '')
})

test('an S3 store that cannot be opened says why, and never repeats a password', async () => {
  const refused: [string, OpenStoreOptions, string, RegExp][] = [
    ['s3://', {}, 'url', /names no bucket/],
    ['s3:bucket', {}, 'url', /names no bucket/],
    ['s3://bucket/lake?versionId=1', {}, 'url', /percent-encoded/],
    ['s3://bucket/100%', {}, 'url', /percent-encoded/],
    ['s3://bucket/a//b', {}, 'prefix', /empty segment/],
    ['s3://key:hunter2@bucket', {}, 'url', /must not hold credentials/],
    ['s3://bucket', { endpoint: 'https://key:hunter2@host' }, 'endpoint', /must not hold credentials/],
    ['s3://bucket', { endpoint: 'host:9000' }, 'endpoint', /no URL of a service/],
    ['s3://bucket', { checksums: 'none' as 'required' }, 'checksums', /'supported' or 'required'/],
    ['s3://bucket', { idleTimeoutMs: 0 }, 'idleTimeoutMs', /above 0/],
    ['s3://bucket', { encryption: { customerKey: new Uint8Array(7) } }, 'encryption', /32 bytes, not 7/],
    ['s3://bucket', { retry: { attempts: 0 } }, 'attempts', /above 0/],
  ]
  for (const [url, options, option, message] of refused) {
    await assert.rejects(openStore(url, options), (error: Error) => {
      assert.match(error.message, message)
      assert.ok(!error.message.includes('hunter2'))
      assert.ok(isSluiceError(error))
      assert.deepEqual([error.code, error.option], ['invalid-argument', option])
      return true
    })
  }
})

test('what the SDK does not find is asked for by name', () => {
  const program = `
    const { openStore } = await import('./src/index.ts')
    const credentials = { accessKeyId: 'a', secretAccessKey: 'b' }
    for (const options of [{ credentials }, { region: 'eu-west-9' }]) {
      const store = await openStore('s3://bucket', { ...options, retry: false })
      await store.head('key').catch(error => console.log(error.code, error.message))
    }`
  const args = ['--import', 'tsx', '--input-type=module', '--eval', program]
  const env = { PATH: process.env['PATH'], HOME: folder, AWS_EC2_METADATA_DISABLED: 'true' }
  const printed = execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8', env })
  const [region, credentials] = printed.split('\n')
  assert.match(region!, /^invalid-argument .*'region'.*AWS_REGION/)
  assert.match(credentials!, /^permission .*no credentials.*AWS_ACCESS_KEY_ID/)
})

test('without the SDK an S3 store says what to install', () => {
  const program = `
    import { registerHooks } from 'node:module'
    registerHooks({
      resolve(name, context, next) {
        if (name !== '@aws-sdk/client-s3') return next(name, context)
        throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
      },
    })
    const { openStore } = await import('./src/index.ts')
    await openStore('s3://bucket').catch(error => console.log(error.code, error.message))`
  const args = ['--import', 'tsx', '--input-type=module', '--eval', program]
  const printed = execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  assert.match(printed, /^unsupported .*npm install @aws-sdk\/client-s3\n$/)
})

test('a tilde is a character like any other', async () => {
  const store = await openStore('~')
  assert.equal(store.url, pathToFileURL(join(process.cwd(), '~')).href)
})

test('an option of another kind of store is refused by name, and by the compiler', async () => {
  await assert.rejects(
    // @ts-expect-error -- folders have no such option
    openStore('s3://bucket', { durability: 'none' }),
    { code: 'invalid-argument', option: 'durability', message: /no option of 's3:' stores/ },
  )
  const url: string = 's3://bucket'
  await assert.rejects(openStore(url, { durability: 'none' }), { code: 'invalid-argument' })
  // @ts-expect-error -- misspelt
  await assert.rejects(openStore('s3://bucket', { regions: 'x' }), { message: /Did you mean 'region'/ })
})
