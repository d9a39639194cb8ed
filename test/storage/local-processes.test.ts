import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openStore, type StagedUpload, type Store } from '../../src/index.ts'
import { readText } from '../../src/storage/read.ts'
import { root } from '../support/root.ts'
import { tempFolder } from '../support/temp.ts'

const program = fileURLToPath(new URL('local-process.ts', import.meta.url))

function start(...args: string[]): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', program, ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

async function run(...args: string[]): Promise<string> {
  const child = start(...args)
  const exit = once(child, 'exit')
  let output = ''
  for await (const chunk of child.stdout!) output += chunk
  assert.equal((await exit)[0], 0)
  return output
}

async function keysOf(store: Store): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list()) keys.push(key)
  return keys
}

test('processes that race create each object once and lose no count', async t => {
  const folder = tempFolder(t)
  const store = await openStore(folder)
  await store.put('counter', new TextEncoder().encode('0'))
  const won = await Promise.all([run('race', folder), run('race', folder), run('race', folder)])
  const numbers = won.flatMap(output => JSON.parse(output) as number[])
  assert.deepEqual(
    numbers.sort((a, b) => a - b),
    Array.from({ length: 60 }, (_, i) => i),
  )
  assert.equal(await readText(store, 'counter'), '45')
  assert.deepEqual(readdirSync(folder).sort(), ['commits', 'counter'])
})

test('what a killed process staged is completed or aborted by another', async t => {
  const folder = tempFolder(t)
  const child = start('stage', folder)
  const exit = once(child, 'exit')
  const lines = createInterface({ input: child.stdout! })
  const [line] = (await once(lines, 'line')) as [string]
  child.kill('SIGKILL')
  await exit
  const store = await openStore(folder)
  assert.deepEqual(await keysOf(store), [])
  await store.completeStaged(JSON.parse(line) as StagedUpload)
  assert.equal(await readText(store, 'a/sealed'), 'staged')
  const left: StagedUpload[] = []
  for await (const { upload } of store.listStaged('')) left.push(upload)
  assert.deepEqual(
    left.map(({ key, size }) => [key, size]),
    [['a/open', 4]],
  )
  await store.abortStaged(left[0]!)
  assert.deepEqual(readdirSync(folder, { recursive: true }).sort(), ['a', join('a', 'sealed')])
})

test('what the system refuses is a permission error', async t => {
  // Root may do anything: then another user has to try.
  if (process.getuid?.() === 0) {
    process.seteuid!(65534)
    t.after(() => process.seteuid!(0))
  }
  const folder = tempFolder(t)
  const store = await openStore(folder, { durability: 'none' })
  await store.put('secret/object', new Uint8Array(1))
  await store.put('locked/object', new Uint8Array(1))
  chmodSync(join(folder, 'secret/object'), 0)
  chmodSync(join(folder, 'locked'), 0)
  const denied = { code: 'permission', name: 'SluiceError' }
  await assert.rejects(store.get('secret/object'), denied)
  await assert.rejects(store.head('locked/object'), denied)
  await assert.rejects(store.put('locked/new', new Uint8Array(1)), denied)
  await assert.rejects(store.put('locked/new', new Uint8Array(1), { mode: 'create' }), denied)
  await assert.rejects(store.delete('locked/object'), denied)
  await assert.rejects(keysOf(store), denied)
  chmodSync(folder, 0o500)
  await assert.rejects(store.stage('new'), denied)
  const staged: unknown[] = []
  for await (const { upload } of store.listStaged('')) staged.push(upload)
  assert.deepEqual(staged, [])
  for (const path of [folder, join(folder, 'locked')]) chmodSync(path, 0o700)
})
