import assert from 'node:assert/strict'
import fs, { readlinkSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { basename, relative } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openStore } from '../../src/index.ts'
import { tempFolder } from '../support/temp.ts'

const bytes = new TextEncoder().encode('hello')
const skip = process.platform !== 'linux' && 'needs /proc'

/** Records, as paths relative to `folder`, what is synced from now on; staged files as `(staged)`. */
function recordSyncs(t: TestContext, folder: string): () => string[] {
  const { fsync } = fs
  let synced: string[] = []
  const record: typeof fsync = Object.assign(
    (descriptor: number, done: fs.NoParamCallback) => {
      const path = relative(folder, readlinkSync(`/proc/self/fd/${descriptor}`))
      synced.push(/^[0-9a-f-]{36}\./.test(basename(path)) ? '(staged)' : path)
      fsync(descriptor, done)
    },
    { __promisify__: fsync.__promisify__ },
  )
  t.mock.method(fs, 'fsync', record)
  syncBuiltinESMExports()
  t.after(() => {
    t.mock.restoreAll()
    syncBuiltinESMExports()
  })
  return () => {
    const result = synced
    synced = []
    return result
  }
}

test('a put syncs the file, then its folder and those that were made for it', { skip }, async t => {
  const folder = tempFolder(t)
  const store = await openStore(folder)
  const syncs = recordSyncs(t, folder)
  await store.put('a/b/one', bytes)
  assert.deepEqual(inOrder(syncs()), ['(staged)', '', 'a', 'a/b'])
  await store.put('a/b/two', bytes, { mode: 'create' })
  assert.deepEqual(inOrder(syncs()), ['(staged)', 'a/b'])
  await store.copy('a/b/two', 'a/three')
  assert.deepEqual(inOrder(syncs()), ['(staged)', 'a'])
  await store.delete('a/b/one')
  assert.deepEqual(syncs(), ['a/b'])
  await store.delete('a/b/two')
  assert.deepEqual(syncs(), ['a'])
})

test('a sealed upload is on the disk with its folders, a completed one with its own', { skip }, async t => {
  const folder = tempFolder(t)
  const store = await openStore(folder)
  const writer = await store.stage('a/key')
  await writer.write(bytes)
  const syncs = recordSyncs(t, folder)
  const upload = await writer.seal()
  const sealed = syncs()
  assert.equal(sealed[0], '(staged)')
  assert.deepEqual(
    sealed
      .slice(1)
      .map(path => path.split('/').length)
      .sort(),
    [1, 1, 2],
  )
  await store.completeStaged(upload)
  assert.deepEqual(syncs().sort(), ['', 'a'])
  // Whoever completed it first may have died before syncing.
  await (await openStore(folder)).completeStaged(upload)
  assert.deepEqual(syncs().sort(), ['', 'a'])
})

test('many puts into a folder share the syncs of it', { skip }, async t => {
  const folder = tempFolder(t)
  const store = await openStore(folder)
  await store.put('a/first', bytes)
  const syncs = recordSyncs(t, folder)
  await Promise.all(Array.from({ length: 100 }, (_, i) => store.put(`a/${i}`, bytes)))
  const synced = syncs()
  assert.equal(synced.filter(path => path === '(staged)').length, 100)
  const folders = synced.filter(path => path === 'a').length
  assert.ok(folders > 0 && folders < 100, `${folders} syncs of the folder`)
})

test("durability 'none' syncs nothing", { skip }, async t => {
  const folder = tempFolder(t)
  const store = await openStore(folder, { durability: 'none' })
  const syncs = recordSyncs(t, folder)
  await store.put('a/b/one', bytes)
  const writer = await store.stage('a/key')
  await store.completeStaged(await writer.seal())
  await store.delete('a/key')
  assert.deepEqual(syncs(), [])
})

/** The file first, then the folders, in any order, each once. */
function inOrder([first, ...rest]: string[]): string[] {
  return [first!, ...[...new Set(rest)].sort()]
}
