import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { openStore } from '../../src/index.ts'

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
  for (const url of ['s3://bucket/lake', 'gs://bucket', 'az://account/box', 'https://host/lake']) {
    await assert.rejects(openStore(url), {
      code: 'unsupported',
      message: /later release.*'file:', 'memory:'/,
    })
  }
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

test('a tilde is a character like any other', async () => {
  const store = await openStore('~')
  assert.equal(store.url, pathToFileURL(join(process.cwd(), '~')).href)
})
