import assert from 'node:assert/strict'
import { constants, readdirSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { LocalCalls } from '../../src/storage/local/calls.ts'
import { LocalFile } from '../../src/storage/local/file.ts'
import { tempFolder } from '../support/temp.ts'

/** A call that says which way it went, and takes `ms` when it is made directly. */
function call(calls: LocalCalls, ms: number): Promise<'direct' | 'pooled'> {
  const direct = () => {
    const end = performance.now() + ms
    while (performance.now() < end);
    return 'direct' as const
  }
  return calls.run(direct, async () => 'pooled' as const)
}

test('calls go through the pool after a slow one, until its time is paid back', async () => {
  const calls = new LocalCalls()
  assert.equal(await call(calls, 10), 'direct')
  let pooled = 0
  while ((await call(calls, 0)) === 'pooled') pooled++
  assert.ok(pooled >= 50, `${pooled} calls through the pool`)
})

test('a call that hung is forgiven', async () => {
  const calls = new LocalCalls()
  await call(calls, 200)
  let pooled = 0
  while ((await call(calls, 0)) === 'pooled') pooled++
  assert.ok(pooled < 1000, `${pooled} calls through the pool`)
})

test('a failing call is counted, and fails as it is', async () => {
  const calls = new LocalCalls()
  const failing = async () => {
    await calls.run(
      () => {
        const end = performance.now() + 10
        while (performance.now() < end);
        throw new RangeError('mine')
      },
      () => Promise.reject(new Error('not this one')),
    )
  }
  await assert.rejects(failing(), RangeError)
  assert.equal(await call(calls, 0), 'pooled')
})

test('either way does the same', async t => {
  const folder = tempFolder(t)
  await writeFile(join(folder, 'a'), 'hello')
  const results: unknown[][] = []
  for (const ms of [0, 200]) {
    const calls = new LocalCalls()
    await call(calls, ms)
    const made = join(folder, `made-${ms}/deep`)
    await mkdir(made, { recursive: true })
    await mkdir(join(made, 'empty'))
    const file = await LocalFile.open(calls, join(made, 'file'), constants.O_CREAT | constants.O_RDWR)
    const written = await file.write(new TextEncoder().encode('text'), 0)
    const into = new Uint8Array(8)
    const read = await file.read(into, 1)
    file.touch(1000)
    const { mtimeNs, size } = await file.stat()
    await file.sync()
    await file.close()
    await calls.rmdir(join(made, 'empty'))
    const entries = (await calls.readdir(made)).map(entry => [entry.name, entry.isFile()]).sort()
    await assert.rejects(calls.rmdir(made), { code: 'ENOTEMPTY' })
    await assert.rejects(calls.stat(join(made, 'moved')), { code: 'ENOENT' })
    await assert.rejects(LocalFile.open(calls, join(made, 'moved'), 0), { code: 'ENOENT' })
    results.push([
      [written, read, into, mtimeNs, size, entries],
      await calls.realpath(join(folder, 'a')),
      (await calls.lstat(join(folder, 'a'))).size,
    ])
  }
  assert.deepEqual(results[0]![0], [
    4,
    3,
    new Uint8Array([...new TextEncoder().encode('ext'), 0, 0, 0, 0, 0]),
    1_000_000_000_000n,
    4n,
    [['file', true]],
  ])
  assert.deepEqual(results[0], results[1])
})

test('a file closes after what is under way, once', { skip: process.platform !== 'linux' }, async t => {
  const path = join(tempFolder(t), 'file')
  await writeFile(path, new Uint8Array(4 << 20).fill(7))
  const descriptors = () => readdirSync('/proc/self/fd').length
  const before = descriptors()
  const file = await LocalFile.open(new LocalCalls(), path, constants.O_RDONLY)
  const into = new Uint8Array(4 << 20)
  const reading = file.read(into, 0)
  const closings = [file.close(), file.close()]
  await assert.rejects(file.read(into, 0), { code: 'io', message: /has been closed/ })
  assert.equal(await reading, into.length)
  assert.ok(into.every(byte => byte === 7))
  await Promise.all(closings)
  assert.equal(descriptors(), before)
})
