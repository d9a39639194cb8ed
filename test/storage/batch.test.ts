import assert from 'node:assert/strict'
import { test } from 'node:test'
import { copyMany, deleteAll, existsMany, openStore, SluiceError, withObserver } from '../../src/index.ts'
import { bytesOf, keysOf, rejectsWith, textOf } from '../../src/testing/conformance/context.ts'
import { withFaults } from '../../src/testing/index.ts'

/** A store with these objects, each with its key in it. */
async function storeOf(...keys: string[]) {
  const store = await openStore('memory:')
  for (const key of keys) await store.put(key, bytesOf(key))
  return store
}

test('existsMany tells which keys have an object, and of which it could not find out', async () => {
  const store = await storeOf('a', 'b', 'bad')
  const faulty = withFaults(store, ({ key }) => (key === 'bad' ? 'before' : undefined))
  const seen: [string, string | undefined][] = []
  const { existing, failures, done } = await existsMany(faulty, ['a', 'bad', 'c', 'b', '../d'], {
    concurrency: 1,
    onKey: (key, error) => void seen.push([key, error?.code]),
  })
  assert.deepEqual([...existing], ['a', 'b'])
  assert.deepEqual(
    [...failures].map(([key, { code }]) => [key, code]),
    [
      ['bad', 'io'],
      ['../d', 'invalid-argument'],
    ],
  )
  assert.equal(done, 3)
  assert.deepEqual(seen, [
    ['a', undefined],
    ['bad', 'io'],
    ['c', undefined],
    ['b', undefined],
    ['../d', 'invalid-argument'],
  ])
})

test('copyMany copies what it can, a few at a time', async () => {
  const store = await storeOf(...Array.from({ length: 50 }, (_, i) => `from/${i}`), 'to/7')
  let running = 0
  let most = 0
  const { copy } = store
  store.copy = async (from, to, options) => {
    most = Math.max(most, ++running)
    await new Promise(resolve => setImmediate(resolve))
    running--
    return copy.call(store, from, to, options)
  }
  const faulty = withFaults(store, ({ key }) => (key === 'to/13' ? 'before' : undefined))
  const pairs = Array.from({ length: 51 }, (_, i) => ({ from: `from/${i}`, to: `to/${i}` }))
  const planned = await copyMany(store, pairs, { dryRun: true })
  assert.deepEqual([planned.done, (await keysOf(store, { prefix: 'to/' })).length], [51, 1])
  const { done, failures } = await copyMany(faulty, pairs, { mode: 'create', concurrency: 5 })
  assert.equal(done, 48)
  assert.deepEqual([...failures].map(([key, { code }]) => [key, code]).sort(), [
    ['to/13', 'io'],
    ['to/50', 'not-found'],
    ['to/7', 'already-exists'],
  ])
  assert.equal(most, 5)
  assert.equal(await textOf(store, 'to/49'), 'from/49')
  assert.equal((await keysOf(store, { prefix: 'to/' })).length, 49)
})

test('deleteAll deletes by keys, prefix or glob, in batches', async () => {
  const store = await storeOf('a/1.csv', 'a/2.parquet', 'a/b/3.parquet', 'ab', 'c')
  const would = await deleteAll(store, { glob: 'a/**/*.parquet' }, { dryRun: true })
  assert.deepEqual([would.done, (await keysOf(store)).length], [2, 5])
  assert.equal((await deleteAll(store, { glob: 'a/**/*.parquet' })).done, 2)
  assert.deepEqual(await keysOf(store), ['a/1.csv', 'ab', 'c'])
  const gone: string[] = []
  await deleteAll(store, { prefix: 'a' }, { onKey: key => void gone.push(key) })
  assert.deepEqual(gone, ['a/1.csv', 'ab'])
  const sizes: number[] = []
  const counted = withObserver(store, () => undefined)
  const { deleteMany } = store
  store.deleteMany = (keys, options) => {
    sizes.push(keys.length)
    return deleteMany.call(store, keys, options)
  }
  async function* keys() {
    for (let i = 0; i < 2_500; i++) yield `${i}`
    yield 'c'
    yield 'c'
  }
  assert.equal((await deleteAll(counted, keys())).done, 2_501)
  assert.deepEqual(sizes, [1_000, 1_000, 501])
  assert.deepEqual(await keysOf(store), [])
})

test('deleteAll reports each failure, and stops for a signal', async () => {
  const store = await storeOf('a', 'b', 'c')
  const bad = await storeOf('b')
  const denied = new SluiceError('permission', 'no')
  bad.deleteMany = async keys => new Map(keys.filter(key => key !== 'b').map(key => [key, denied]))
  const { failures, done } = await deleteAll(bad, ['a', 'b', 'c'])
  assert.deepEqual(
    [done, [...failures]],
    [
      1,
      [
        ['a', denied],
        ['c', denied],
      ],
    ],
  )
  await assert.rejects(
    deleteAll(store, { prefix: '' }, { signal: AbortSignal.abort('stop') }),
    error => error === 'stop',
  )
  await rejectsWith(deleteAll(store, 'abc'), 'invalid-argument', 'prefix')
  assert.deepEqual(await keysOf(store), ['a', 'b', 'c'])
})
