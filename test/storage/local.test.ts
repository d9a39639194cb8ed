import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, truncateSync, unlinkSync, utimesSync } from 'node:fs'
import { appendFile, mkdir, readdir, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { isSluiceError, openStore, type Store } from '../../src/index.ts'
import { readAll } from '../../src/storage/read.ts'
import { bytesOf, pattern } from '../../src/testing/conformance/context.ts'
import { root } from '../support/root.ts'
import { tempFolder } from '../support/temp.ts'

const bytes = new TextEncoder().encode('hello')

async function open(t: TestContext): Promise<{ store: Store; folder: string; outside: string }> {
  const outside = tempFolder(t)
  const folder = join(tempFolder(t), 'root')
  return { store: await openStore(folder, { durability: 'none' }), folder, outside }
}

async function keys(store: Store, prefix = ''): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list({ prefix })) keys.push(key)
  return keys
}

test('nothing but the objects is left in the folder, whatever happened', async t => {
  const { store, folder } = await open(t)
  await store.put('a/_SUCCESS', new Uint8Array(0))
  await store.put('a/one', bytes)
  await store.put('a/two', bytes, { mode: 'create' })
  await store.put('a/two', bytes, { mode: { ifMatch: (await store.head('a/two')).etag } })
  await store.copy('a/one', 'b/copy')
  await assert.rejects(store.put('a/one', bytes, { mode: 'create' }))
  await assert.rejects(store.put('a/one', bytes, { mode: { ifMatch: 'stale' } }))
  const uploads = await Promise.all(
    ['c/one', 'c/two', `c/${'long'.repeat(60)}`].map(async key => {
      const writer = await store.stage(key)
      await writer.write(bytes)
      return writer.seal()
    }),
  )
  assert.ok((await stat(join(folder, '_sluice'))).isDirectory(), 'staged in the root')
  await store.completeStaged(uploads[0]!)
  await store.abortStaged(uploads[1]!)
  await store.abortStaged(uploads[2]!)
  await (await store.stage('d/aborted')).abort()
  await store.delete('b/copy')
  const found = (await readdir(folder, { recursive: true })).sort()
  assert.deepEqual(found, ['a', 'a/_SUCCESS', 'a/one', 'a/two', 'c', 'c/one'])
})

test('a root that is missing lists as empty and is made by the first write', async t => {
  const { store, folder } = await open(t)
  assert.deepEqual(await keys(store), [])
  assert.deepEqual(await store.listLevel(), { objects: [], prefixes: [] })
  await store.delete('a/b')
  await assert.rejects(stat(folder), { code: 'ENOENT' })
  await store.put('a/b', bytes)
  await store.delete('a/b')
  assert.deepEqual(await readdir(folder), [])
})

test('a symbolic link that leads out of the root is an error to touch and not listed', async t => {
  const { store, folder, outside } = await open(t)
  await writeFile(join(outside, 'secret'), 'secret')
  await store.put('inside/object', bytes)
  await symlink(outside, join(folder, 'folder-link'))
  await symlink(join(outside, 'secret'), join(folder, 'file-link'))
  await symlink(join(outside, 'missing'), join(folder, 'dangling'))
  assert.deepEqual(await keys(store), ['inside/object'])
  assert.deepEqual((await store.listLevel()).prefixes, ['inside/'])
  const denied = { code: 'permission', message: /leads out of the store/ }
  for (const key of ['file-link', 'folder-link/secret']) {
    await assert.rejects(store.head(key), denied)
    await assert.rejects(store.get(key), denied)
    await assert.rejects(store.getRanges(key, [{ start: 0, end: 1 }]), denied)
    await assert.rejects(store.copy(key, 'stolen'), denied)
  }
  await assert.rejects(store.put('folder-link/new', bytes), denied)
  await assert.rejects(store.put('folder-link/deep/new', bytes, { mode: 'create' }), denied)
  await assert.rejects(store.delete('folder-link/secret'), denied)
  await assert.rejects(keys(store, 'folder-link/'), denied)
  await assert.rejects(store.put('dangling/new', bytes), { code: 'io', message: /folder cannot be made/ })
  const writer = await store.stage('folder-link/new')
  await assert.rejects(store.completeStaged(await writer.seal()), denied)
  await writer.abort()
  assert.deepEqual(await readdir(outside), ['secret'])
  // Replacing or deleting a link does not touch what it led to.
  await store.put('file-link', bytes)
  await store.delete('dangling')
  assert.deepEqual(await readAll(store, 'file-link'), bytes)
  assert.equal((await stat(join(outside, 'secret'))).size, 6)
})

test('links within the root are followed, but not round and round', async t => {
  const { store, folder } = await open(t)
  await store.put('real/object', bytes)
  await symlink('real', join(folder, 'alias'))
  await symlink('real/object', join(folder, 'object'))
  await symlink('..', join(folder, 'real/up'))
  await mkdir(join(folder, 'other'))
  await symlink('../real', join(folder, 'other/real'))
  await symlink('../other', join(folder, 'real/other'))
  const listed = await keys(store)
  assert.deepEqual(
    listed.filter(key => !key.includes('other')),
    ['alias/object', 'object', 'real/object'],
  )
  for (const key of listed) assert.equal((await store.head(key)).size, bytes.length, key)
  assert.deepEqual(await readAll(store, 'alias/object'), bytes)
  await store.put('alias/new', bytes)
  assert.equal((await store.head('real/new')).size, bytes.length)
})

test('a store whose root is a link, and the root of the file system', async t => {
  const { folder, outside } = await open(t)
  await symlink(outside, folder)
  const store = await openStore(folder)
  await store.put('a/b', bytes)
  assert.deepEqual(await keys(store), ['a/b'])
  assert.deepEqual(await readdir(outside), ['a'])
  const whole = await openStore('/')
  assert.equal((await whole.head(join(outside, 'a/b').slice(1))).size, bytes.length)
})

test('only regular files are objects', async t => {
  const { store, folder } = await open(t)
  await store.put('.hidden/_also', bytes)
  await mkdir(join(folder, 'empty/folder'), { recursive: true })
  execFileSync('mkfifo', [join(folder, 'pipe')])
  assert.deepEqual(await keys(store), ['.hidden/_also'])
  assert.deepEqual(await store.listLevel(), { objects: [], prefixes: ['.hidden/'] })
  await assert.rejects(store.head('pipe'), { code: 'not-found' })
  await assert.rejects(store.get('pipe'), { code: 'not-found' })
})

test('the staging area holds no objects', async t => {
  const { store, folder } = await open(t)
  const writer = await store.stage('a/b')
  const [staging] = (await readdir(folder, { recursive: true })).filter(name => name.endsWith('staging'))
  for (const key of [staging!, `${staging}/x`]) {
    await assert.rejects(store.head(key), { code: 'invalid-argument' })
    await assert.rejects(store.child('_sluice').put(key.slice('_sluice/'.length), bytes), {
      code: 'invalid-argument',
    })
  }
  assert.deepEqual(await keys(store, `${staging}/`), [])
  assert.deepEqual(await keys(store, '_sluice'), [])
  await store.put('_sluice/jobs/x', bytes)
  assert.deepEqual(await keys(store), ['_sluice/jobs/x'])
  await writer.abort()
})

test('a file that changes under its reader is an error', async t => {
  const { store, folder } = await open(t)
  const path = join(folder, 'key')
  const size = 3_000_000
  const changes: Record<string, () => Promise<void>> = {
    'cut short': () => truncate(path, 300_000),
    emptied: () => truncate(path, 0),
    'written to': () => appendFile(path, 'more'),
  }
  for (const [name, change] of Object.entries(changes)) {
    await store.put('key', new Uint8Array(size))
    const reading = async () => {
      let first = true
      for await (const _ of (await store.get('key')).body) {
        if (first) await change()
        first = false
      }
    }
    await assert.rejects(reading(), { code: 'precondition', file: path }, name)
  }
  await store.put('key', new Uint8Array(size))
  const cut = (bytes: number) => {
    truncateSync(path, 1000)
    return new Uint8Array(bytes)
  }
  await assert.rejects(store.getRanges('key', [{ start: 0, end: 2000 }], { allocate: cut }), {
    code: 'precondition',
    message: /cut short/,
  })
  await store.put('key', new Uint8Array(size))
  const touched = (bytes: number) => {
    utimesSync(path, 1, 1)
    return new Uint8Array(bytes)
  }
  await assert.rejects(store.getRanges('key', [{ start: 0, end: 2000 }], { allocate: touched }), {
    code: 'precondition',
  })
})

test('no file stays open', { skip: process.platform !== 'linux' && 'needs /proc' }, async t => {
  const { store, folder } = await open(t)
  const path = join(folder, 'key')
  const openFiles = () => readdirSync('/proc/self/fd').length
  const before = openFiles()
  for (let i = 0; i < 20; i++) {
    await store.put('key', new Uint8Array(1_000_000))
    for await (const _ of (await store.get('key')).body) break
    await (await store.get('key')).body[Symbol.asyncIterator]().return?.()
    // What fits into one piece is closed although nobody reads it.
    await store.get('key', { range: { start: 0, end: 1000 } })
    await assert.rejects(store.get('key', { ifMatch: 'stale' }))
    await assert.rejects(store.get('key', { range: { start: 2_000_000 } }))
    await assert.rejects(store.getRanges('key', [{ start: 0, end: 2_000_000 }]))
    await assert.rejects(store.put('key', new Uint8Array(1), { mode: 'create' }))
    const failing = async () => {
      for await (const _ of (await store.get('key')).body) await truncate(path, 10)
    }
    await assert.rejects(failing())
    const writer = await store.stage('other')
    await (i % 2 === 0 ? writer.abort() : writer.seal().then(() => writer.abort()))
  }
  assert.ok(openFiles() <= before + 2, `${openFiles()} after ${before}`)
})

test('a file that is removed under its reader is read to its end, or is an error', async t => {
  const { store, folder } = await open(t)
  const whole = pattern(3_000_000)
  await store.put('key', whole)
  const chunks: Uint8Array[] = []
  try {
    for await (const bytes of (await store.get('key')).body) {
      if (chunks.length === 0) unlinkSync(join(folder, 'key'))
      chunks.push(bytes)
    }
    assert.ok(Buffer.concat(chunks).equals(whole))
  } catch (error) {
    assert.ok(isSluiceError(error) && ['precondition', 'not-found'].includes(error.code), String(error))
  }
  assert.ok(chunks.length > 0)
  await assert.rejects(store.get('key'), { code: 'not-found' })
})

test('a disk without room fails a write, names the file, and leaves what was there', {
  skip: process.platform === 'win32' && 'needs a POSIX shell',
}, async t => {
  const folder = tempFolder(t)
  await (await openStore(folder)).put('key', bytesOf('old'))
  // What a full disk does to every process, a limit on the length of files does to this one.
  const program = `
    import { openStore } from '${new URL('../../src/index.ts', import.meta.url)}'
    const store = await openStore(process.argv[1])
    const bytes = new Uint8Array(9 * 1024 * 1024)
    const chunks = async function* () { for (let i = 0; i < 9; i++) yield bytes.subarray(0, 1024 * 1024) }
    const stage = async () => {
      const writer = await store.stage('key')
      try { await writer.write(bytes) } finally { await writer.abort() }
    }
    for (const write of [() => store.put('key', bytes), () => store.put('key', chunks()), stage]) {
      const error = await write().then(() => undefined, error => error)
      console.log(error?.code, error?.file?.startsWith(process.argv[1]), error?.reason)
    }`
  const command = 'ulimit -f 8192; exec "$0" --import tsx --input-type=module -e "$1" "$2"'
  const output = execFileSync('sh', ['-c', command, process.execPath, program, folder], {
    cwd: root,
    encoding: 'utf8',
  })
  const reason = 'the file would be larger than the process, or the file system, allows'
  assert.equal(output, `io true ${reason}\n`.repeat(3))
  assert.deepEqual(readdirSync(folder, { recursive: true }), ['key'])
  assert.equal(readFileSync(join(folder, 'key'), 'utf8'), 'old')
})

test('a lock that a dead process left is waited for, and cleared like any unfinished upload', async t => {
  const { store, folder } = await open(t)
  const { etag } = await store.put('a/key', bytes)
  const writer = await store.stage('other')
  const staging = (await readdir(folder, { recursive: true })).find(name => name.endsWith('staging'))!
  const id = `lock-${createHash('sha256').update('a/key').digest('hex').slice(0, 32)}`
  await writeFile(join(folder, staging, `${id}.a%2Fkey`), '')
  const controller = new AbortController()
  const options = { mode: { ifMatch: etag }, signal: controller.signal }
  const waiting = store.put('a/key', new Uint8Array(1), options)
  let settled = false
  waiting.then(
    () => (settled = true),
    () => (settled = true),
  )
  await new Promise(resolve => setTimeout(resolve, 100))
  assert.equal(settled, false)
  controller.abort('stop')
  await assert.rejects(waiting, error => error === 'stop')
  const locked = store.put('a/key', new Uint8Array(2), { mode: { ifMatch: etag } })
  for await (const { upload } of store.listStaged('a/'))
    if (upload.token['id'] === id) await store.abortStaged(upload)
  assert.equal((await locked).size, 2)
  await writer.abort()
  assert.deepEqual(await keys(store), ['a/key'])
  assert.deepEqual(await readdir(folder), ['a'])
})

test('a staged file that was damaged is not completed', async t => {
  const { store, folder } = await open(t)
  const writer = await store.stage('key')
  await writer.write(bytes)
  const upload = await writer.seal()
  const [name] = (await readdir(folder, { recursive: true })).filter(name => name.endsWith('.key'))
  await truncate(join(folder, name!), 2)
  await assert.rejects(store.completeStaged(upload), { code: 'corrupt' })
  assert.deepEqual(await keys(store), [])
  await store.abortStaged(upload)
  assert.deepEqual(await readdir(folder), [])
})

test('a name that is too long for the file system is told', async t => {
  const { store } = await open(t)
  const key = `a/${'x'.repeat(300)}`
  await assert.rejects(store.put(key, bytes), { code: 'invalid-argument', message: /too long/ })
  await assert.rejects(store.head(key), { code: 'invalid-argument', message: /too long/ })
  assert.deepEqual(await keys(store), [])
})
