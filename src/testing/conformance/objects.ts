import assert from 'node:assert/strict'
import { isSluiceError } from '../../core/errors.ts'
import { readAll } from '../../storage/read.ts'
import type { Store } from '../../storage/store.ts'
import {
  assertEmpty,
  bytesOf,
  type Check,
  type ConformanceOptions,
  collect,
  keysOf,
  NO_KEYS,
  pattern,
  posted,
  rejectsWith,
  sameObject,
  stageText,
  streamOf,
  textOf,
} from './context.ts'
import { KEYS } from './listing.ts'

const WRITERS = 24

/** Putting, deleting and copying objects. */
export function checkObjects(
  check: Check,
  {
    nesting = true,
    sharedFolders = true,
    nestingFound = 'unsupported',
    contentTags = false,
    refused,
  }: ConformanceOptions,
): void {
  check('an object is what was put, wherever its description comes from', async ({ store }) => {
    for (const length of [0, 1, 300_000]) {
      const key = `objects/${length}`
      const put = await store.put(key, pattern(length))
      assert.equal(put.key, key)
      assert.equal(put.size, length)
      sameObject(await store.head(key), put)
      sameObject((await store.get(key)).meta, put)
      sameObject((await collect(store.list({ prefix: key })))[0]!, put)
      assert.deepEqual(await readAll(store, key), pattern(length))
    }
  })

  check('content type and metadata are kept, or dropped as declared', async ({ store, reopen }) => {
    const given = { contentType: 'text/x-sluice', metadata: { origin: 'a b', line_2: '%41+~' } }
    await store.put('bytes', bytesOf('text'), given)
    await store.put('stream', streamOf(bytesOf('te'), bytesOf('xt')), given)
    await store.copy('bytes', 'copy')
    const keys = ['bytes', 'stream', 'copy']
    if (store.capabilities.stage) {
      const writer = await store.stage('staged', given)
      await writer.write(bytesOf('text'))
      const upload = posted(await writer.seal())
      await (await reopen()).completeStaged(upload)
      keys.push('staged')
    }
    for (const key of keys) {
      for (const found of [await store.head(key), (await store.get(key)).meta]) {
        const { contentType, metadata } = found
        assert.equal(found.size, 4, key)
        if (store.capabilities.attributes) assert.deepEqual({ contentType, metadata }, given, key)
        else assert.deepEqual({ contentType, metadata }, { contentType: undefined, metadata: undefined }, key)
      }
    }
    await store.put('bytes', bytesOf('text'))
    assert.deepEqual((await store.head('bytes')).metadata ?? {}, {}, 'another put has its own')
  })

  check('deleteMany removes what is there, and tells of each key that it could not', async ({ store }) => {
    const keys = Array.from({ length: 1_100 }, (_, i) => `many/${i} +é`)
    await Promise.all(keys.slice(0, 40).map(key => store.put(key, bytesOf(key))))
    await store.put('kept', bytesOf('kept'))
    const failures = await store.deleteMany([...keys, '../outside', keys[0]!])
    assert.deepEqual([...failures.keys()], ['../outside'])
    assert.equal(failures.get('../outside')?.code, 'invalid-argument')
    assert.deepEqual(await keysOf(store), ['kept'])
    assert.deepEqual([...(await store.child('many').deleteMany(['1', 'x//y'])).keys()], ['x//y'])
    assert.deepEqual(await store.deleteMany([]), new Map())
    await assert.rejects(
      store.deleteMany(['kept'], { signal: AbortSignal.abort('no') }),
      error => error === 'no',
    )
    assert.deepEqual(await keysOf(store), ['kept'])
  })

  check('a put keeps no hold of the bytes it was given', async ({ store }) => {
    const bytes = bytesOf('mine')
    await store.put('key', bytes)
    bytes.fill(0)
    assert.equal(await textOf(store, 'key'), 'mine')
    const read = await readAll(store, 'key')
    read.fill(0)
    assert.equal(await textOf(store, 'key'), 'mine')
  })

  check('a put takes bytes in shared memory and in the middle of a buffer', async ({ store }) => {
    const shared = new Uint8Array(new SharedArrayBuffer(100), 10, 5)
    shared.set(bytesOf('share'))
    await store.put('bytes', shared)
    await store.put('stream', streamOf(shared, shared.subarray(1, 3)))
    assert.equal(await textOf(store, 'bytes'), 'share')
    assert.equal(await textOf(store, 'stream'), 'shareha')
  })

  check('a put replaces, and the tag changes with it each time', async ({ store }) => {
    const tags = new Set<string>()
    // Of the same length and as fast as can be: a tag made of size and time alone would repeat.
    for (let i = 0; i < 50; i++) tags.add((await store.put('key', bytesOf(`v${i % 10}`))).etag)
    assert.equal(tags.size, contentTags ? 10 : 50)
    assert.equal(await textOf(store, 'key'), 'v9')
    assert.equal((await store.head('key')).etag, [...tags].at(-1))
  })

  check('a stream is put in its order, whatever its pieces; they may be reused', async ({ store }) => {
    const whole = pattern(200_000)
    const piece = new Uint8Array(70_001)
    async function* reusing() {
      for (let start = 0; start < whole.length; start += piece.length) {
        const part = whole.subarray(start, start + piece.length)
        piece.set(part)
        yield piece.subarray(0, part.length)
        piece.fill(0)
        yield new Uint8Array(0)
      }
    }
    assert.equal((await store.put('key', reusing())).size, whole.length)
    assert.deepEqual(await readAll(store, 'key'), whole)
    assert.equal((await store.put('empty', streamOf())).size, 0)
  })

  check('a stream that throws leaves what was there, and its error comes back itself', async ({ store }) => {
    const failure = Object.assign(new Error('of a system call elsewhere'), {
      code: 'ENOENT',
      syscall: 'open',
    })
    async function* failing() {
      yield pattern(100_000)
      throw failure
    }
    await assert.rejects(store.put('a/b/new', failing()), error => error === failure)
    await assertEmpty(store)
    await store.put('old', bytesOf('old'))
    await assert.rejects(store.put('old', failing()), error => error === failure)
    assert.equal(await textOf(store, 'old'), 'old')
    assert.deepEqual(await collect(store.listStaged('')), [])
  })

  check('to copy what is not there is not-found and the error names it', async ({ store }) => {
    await store.put('folder/object', bytesOf('x'))
    for (const key of ['missing', 'folder', 'folder/other', 'folder/object/below']) {
      await rejectsWith(store.copy(key, 'to'), 'not-found', key)
    }
    assert.deepEqual(await keysOf(store), ['folder/object'])
  })

  check('delete removes one object; nothing to remove is no error', async ({ store }) => {
    for (const key of ['a/b/c', 'a/b/cc', 'a/d']) await store.put(key, bytesOf(key))
    await store.delete('a/b/c')
    await store.delete('a/b/c')
    await store.delete('a')
    await store.delete('a/d/below')
    await store.delete('never/there')
    await rejectsWith(store.head('a/b/c'), 'not-found')
    assert.deepEqual(await keysOf(store), ['a/b/cc', 'a/d'])
  })

  check('puts and deletes side by side do not disturb one another', async ({ store }) => {
    await Promise.all(
      Array.from({ length: 12 }, async (_, i) => {
        const key = sharedFolders ? `deep/er/${i}` : `deep-${i}/er/${i}`
        for (let round = 0; round < 8; round++) {
          await store.put(key, bytesOf(`${i}`))
          assert.equal(await textOf(store, key), `${i}`)
          await store.delete(key)
        }
      }),
    )
    await assertEmpty(store)
  })

  check('create puts only where nothing is', async ({ store }) => {
    const first = await store.put('key', bytesOf('first'), { mode: 'create' })
    await rejectsWith(store.put('key', bytesOf('second'), { mode: 'create' }), 'already-exists', 'key')
    await rejectsWith(store.put('key', streamOf(bytesOf('third')), { mode: 'create' }), 'already-exists')
    await rejectsWith(store.copy('key', 'key', { mode: 'create' }), 'already-exists')
    sameObject(await store.head('key'), first)
    await store.delete('key')
    await store.put('key', bytesOf('again'), { mode: 'create' })
    assert.equal(await textOf(store, 'key'), 'again')
    assert.deepEqual(await collect(store.listStaged('')), [])
  })

  check('of many who create the same object exactly one succeeds', async ({ store, reopen }) => {
    const stores = [store, await reopen()]
    for (let round = 0; round < 5; round++) {
      const key = `commits/${round}`
      const results = await Promise.allSettled(
        Array.from({ length: WRITERS }, (_, i) => {
          const body = bytesOf(`writer ${i}`)
          return stores[i % 2]!.put(key, i % 3 === 0 ? streamOf(body) : body, { mode: 'create' })
        }),
      )
      await assertOneWinner(results, 'already-exists', winner => `writer ${winner}`, await textOf(store, key))
    }
  })

  check('ifMatch puts only over the version it names', async ({ store }) => {
    const old = await store.put('key', bytesOf('old'))
    const now = await store.put('key', bytesOf('now'), { mode: { ifMatch: old.etag } })
    const stale = { mode: { ifMatch: old.etag } }
    await rejectsWith(store.put('key', bytesOf('late'), stale), 'precondition', 'key')
    await rejectsWith(store.put('key', streamOf(bytesOf('late')), stale), 'precondition')
    await rejectsWith(store.copy('key', 'key', stale), 'precondition')
    await rejectsWith(store.put('missing', bytesOf('late'), stale), 'precondition', 'missing')
    sameObject(await store.head('key'), now)
    assert.deepEqual(await keysOf(store), ['key'])
    assert.deepEqual(await collect(store.listStaged('')), [])
  })

  check('of many who replace the same version exactly one succeeds', async ({ store, reopen }) => {
    const stores = [store, await reopen()]
    const { etag } = await store.put('key', bytesOf('start'))
    const results = await Promise.allSettled(
      Array.from({ length: WRITERS }, (_, i) =>
        stores[i % 2]!.put('key', bytesOf(`writer ${i}`), { mode: { ifMatch: etag } }),
      ),
    )
    await assertOneWinner(results, 'precondition', winner => `writer ${winner}`, await textOf(store, 'key'))
  })

  check('a counter that many replace by ifMatch loses no update', async ({ store, reopen }) => {
    const stores = [store, await reopen()]
    await store.put('counter', bytesOf('0'))
    const increment = async (through: Store) => {
      while (true) {
        try {
          const { etag } = await through.head('counter')
          const count = Number(new TextDecoder().decode(await readAll(through, 'counter', { ifMatch: etag })))
          await through.put('counter', bytesOf(String(count + 1)), { mode: { ifMatch: etag } })
          return
        } catch (error) {
          if (!isSluiceError(error) || error.code !== 'precondition') throw error
        }
      }
    }
    const writer = async (i: number) => {
      for (let n = 0; n < 4; n++) await increment(stores[i % 2]!)
    }
    await Promise.all(Array.from({ length: 6 }, (_, i) => writer(i)))
    assert.equal(await textOf(store, 'counter'), '24')
  })

  check('copy makes an equal object, on condition if asked', async ({ store }) => {
    const source = await store.put('from/a', pattern(100_000))
    const copied = await store.copy('from/a', 'to/b')
    assert.equal(copied.key, 'to/b')
    assert.equal(copied.size, source.size)
    sameObject(await store.head('to/b'), copied)
    assert.deepEqual(await readAll(store, 'to/b'), pattern(100_000))
    sameObject(await store.head('from/a'), source)
    const again = await store.copy('from/a', 'to/b', { mode: { ifMatch: copied.etag } })
    if (!contentTags) assert.notEqual(again.etag, copied.etag)
    assert.deepEqual(await keysOf(store), ['from/a', 'to/b'])
  })

  check('a child writes below its prefix, by relative keys', async ({ store }) => {
    await store.put('a/c/d', bytesOf('old'))
    const child = store.child('a').child('c')
    assert.equal((await child.put('e', bytesOf('new'))).key, 'e')
    assert.equal((await child.copy('e', 'f')).key, 'f')
    assert.equal(await textOf(store, 'a/c/f'), 'new')
    await child.delete('e')
    assert.deepEqual(await keysOf(store), ['a/c/d', 'a/c/f'])
  })

  check('a key that the store cannot keep is refused, and not put under another name', async ({ store }) => {
    await store.put('from', bytesOf('x'))
    for (const key of KEYS.filter(key => refused?.test(key))) {
      await rejectsWith(store.put(key, bytesOf(key)), 'unsupported')
      await rejectsWith(store.copy('from', key), 'unsupported')
      await rejectsWith(store.stage(key), 'unsupported')
    }
    assert.deepEqual(await keysOf(store), ['from'])
  })

  check('an object beside others below its name', async ({ store }) => {
    await store.put('a/b', bytesOf('inner'))
    if (nesting) {
      await store.put('a', bytesOf('outer'))
      assert.equal(await textOf(store, 'a'), 'outer')
      return
    }
    await rejectsWith(store.put('a', bytesOf('outer')), 'unsupported', 'a')
    await rejectsWith(store.put('a', bytesOf('outer'), { mode: 'create' }), 'unsupported', 'a')
    await rejectsWith(store.put('a/b/c', bytesOf('inmost')), 'unsupported', 'a/b')
    await rejectsWith(store.completeStaged(await stageText(store, 'a', 'x')), nestingFound, 'a')
    assert.equal(await textOf(store, 'a/b'), 'inner')
    assert.deepEqual(await keysOf(store), ['a/b'])
  })

  check('to write a key that is none is invalid-argument in every call', async ({ store }) => {
    const upload = await stageText(store, 'key', 'x')
    await store.put('from', bytesOf('x'))
    for (const key of NO_KEYS) {
      await rejectsWith(store.copy('from', key), 'invalid-argument')
      for (const at of [store, store.child('child')]) {
        await rejectsWith(at.put(key, bytesOf('x')), 'invalid-argument')
        await rejectsWith(at.delete(key), 'invalid-argument')
        await rejectsWith(at.copy(key, 'to'), 'invalid-argument')
        await rejectsWith(at.stage(key), 'invalid-argument')
        await rejectsWith(at.completeStaged({ ...upload, key }), 'invalid-argument')
        await rejectsWith(at.abortStaged({ ...upload, key }), 'invalid-argument')
      }
    }
    await store.abortStaged(upload)
    await store.delete('from')
    await assertEmpty(store)
  })
}

async function assertOneWinner(
  results: PromiseSettledResult<unknown>[],
  code: string,
  written: (winner: number) => string,
  found: string,
): Promise<void> {
  const winners = results.flatMap((result, i) => (result.status === 'fulfilled' ? [i] : []))
  assert.equal(winners.length, 1)
  assert.equal(found, written(winners[0]!))
  for (const result of results) {
    if (result.status === 'fulfilled') continue
    assert.ok(isSluiceError(result.reason) && result.reason.code === code, String(result.reason))
  }
}
