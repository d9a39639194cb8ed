import assert from 'node:assert/strict'
import type { ListLevel, ListOptions } from '../../storage/store.ts'
import { bytesOf, type Check, type ConformanceOptions, keysOf, type Seed, textOf } from './context.ts'

/** Keys whose order by folders, by UTF-16 or after percent-decoding is another than that of their bytes. */
export const KEYS: readonly string[] = [
  'a!',
  'a-b',
  'a-/c',
  'a.b',
  'a/b',
  'a/b-c',
  'a/c/d',
  'a0',
  'ab/c',
  'b/.hidden',
  'b/_SUCCESS',
  'b/_temporary/x',
  'dt=2024-01-01/k=__HIVE_DEFAULT_PARTITION__/x.parquet',
  'dt=2024-01-01/k=a%2Fb/x.parquet',
  'dt=2024-01-02/x.parquet',
  'odd/%41',
  'odd/A',
  'odd/a b+c',
  'odd/a&b;c',
  'odd/back\\slash',
  'odd/hash#and?query',
  'odd/line\nbreak',
  'odd/quote"\'`',
  'odd/star*[x]{y}',
  'odd/~',
  'uni/e\u0301',
  'uni/é',
  'uni/日本/x',
  'uni/\ue000',
  'uni/\uffee',
  'uni/😀/deep',
  'Z/upper',
]

const PREFIXES = [
  '',
  'a',
  'a/',
  'a-',
  'a/b',
  'dt=2024-01-0',
  'dt=2024-01-01/k=',
  'odd/',
  'odd/%4',
  'uni/😀',
  'b/_',
]
const NO_PREFIXES = ['missing', 'missing/', 'a/b/', '/', '/a', 'a//', '../', './a', 'a/../', '\0']

/** `list`, `listLevel` and `child`. */
export function checkListing(check: Check, { refused }: ConformanceOptions): void {
  const ordered = KEYS.filter(key => !refused?.test(key)).sort((a, b) =>
    Buffer.compare(Buffer.from(a), Buffer.from(b)),
  )

  check('a listing has every object in the order of its UTF-8 bytes', async ({ store, seed }) => {
    await fill(seed, ordered)
    assert.deepEqual(await keysOf(store), ordered)
    for (const key of ordered) assert.equal(await textOf(store, key), key)
  })

  check('a prefix is the beginning of keys, not a folder', async ({ store, seed }) => {
    await fill(seed, ordered)
    for (const prefix of [...PREFIXES, ...NO_PREFIXES, ...KEYS]) {
      const expected = ordered.filter(key => key.startsWith(prefix))
      assert.deepEqual(await keysOf(store, { prefix }), expected, JSON.stringify(prefix))
    }
  })

  check('startAfter goes on after any string, of a key or not', async ({ store, seed }) => {
    await fill(seed, ordered)
    const starts = [
      ...KEYS,
      ...KEYS.map(key => `${key}/`),
      ...KEYS.map(key => key.slice(0, -1)),
      '',
      'zzz',
      '\uffff',
    ]
    for (const startAfter of starts) {
      for (const prefix of ['', 'a', 'uni/']) {
        const expected = expectedOf(ordered, { prefix, startAfter })
        const message = JSON.stringify({ prefix, startAfter })
        assert.deepEqual(await keysOf(store, { prefix, startAfter }), expected, message)
      }
    }
  })

  check('a level has objects and, once each, the prefixes that go deeper', async ({ store, seed }) => {
    await fill(seed, ordered)
    for (const prefix of [...PREFIXES, ...NO_PREFIXES]) {
      for (const startAfter of [undefined, '', 'a/b', 'a/c', 'dt=2024-01-01/k=a', 'uni/日本/x']) {
        const options: ListOptions = startAfter === undefined ? { prefix } : { prefix, startAfter }
        assert.deepEqual(
          keysOfLevel(await store.listLevel(options)),
          levelOf(ordered, options),
          JSON.stringify(options),
        )
      }
    }
  })

  check('a store with nothing in it lists as empty', async ({ store, seed }) => {
    assert.deepEqual(await keysOf(store), [])
    assert.deepEqual(await store.listLevel(), { objects: [], prefixes: [] })
    await seed.put('a/b/c', bytesOf('x'))
    await seed.delete('a/b/c')
    assert.deepEqual(await store.listLevel(), { objects: [], prefixes: [] })
  })

  check('a listing may be left early and goes on while its objects vanish', async ({ store, seed }) => {
    await fill(seed, ordered)
    for await (const { key } of store.list()) {
      assert.equal(key, ordered[0])
      break
    }
    const seen: string[] = []
    for await (const { key } of store.list()) {
      seen.push(key)
      if (seen.length === 1) for (const other of ordered) if (other !== key) await seed.delete(other)
    }
    // What has gone may or may not have been seen; nothing else, and in order.
    assert.deepEqual(
      seen,
      ordered.filter(key => seen.includes(key)),
    )
    assert.deepEqual(await keysOf(store), [ordered[0]])
  })

  check(
    'a listing of what is being written to has all that was there, once, in order',
    async ({ store, seed }) => {
      await fill(seed, ordered)
      const seen: string[] = []
      for await (const { key } of store.list()) {
        seen.push(key)
        if (seen.length > 5) continue
        for (const other of [`${key}.new`, `0/${seen.length}`, `zz/${seen.length}`]) {
          await seed.put(other, bytesOf(other))
        }
        await seed.put(key, bytesOf('written anew'))
      }
      assert.deepEqual(
        seen.filter(key => ordered.includes(key)),
        ordered,
      )
      const sorted = [...new Set(seen)].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      assert.deepEqual(seen, sorted)
    },
  )

  check('more objects than fit into a page of a listing', async ({ store, seed }) => {
    const keys = Array.from({ length: 1_100 }, (_, i) => `page/${String(i).padStart(4, '0')}`)
    const todo = [...keys]
    const worker = async () => {
      for (let key = todo.pop(); key !== undefined; key = todo.pop()) await seed.put(key, bytesOf('x'))
    }
    await Promise.all(Array.from({ length: 16 }, worker))
    assert.deepEqual(await keysOf(store), keys)
    assert.deepEqual(keysOfLevel(await store.listLevel({ prefix: 'page/' })).objects, keys)
  })

  check('a child sees what lies below its prefix, by relative keys', async ({ store, seed }) => {
    await fill(seed, ordered)
    const child = store.child('a')
    assert.equal(child.root.store, store.root.store)
    assert.equal(child.root.prefix, `${store.root.prefix}a/`)
    const below = ordered.filter(key => key.startsWith('a/')).map(key => key.slice(2))
    assert.deepEqual(await keysOf(child), below)
    assert.deepEqual(await keysOf(store.child('a/')), below)
    assert.deepEqual(await keysOf(store.child('')), ordered)
    assert.deepEqual(await keysOf(child, { startAfter: 'b' }), below.slice(1))
    assert.deepEqual(await keysOf(child, { prefix: 'b' }), ['b', 'b-c'])
    assert.deepEqual(keysOfLevel(await child.listLevel()), { objects: ['b', 'b-c'], prefixes: ['c/'] })
    assert.deepEqual(await keysOf(child.child('c')), ['d'])
  })
}

async function fill(seed: Seed, keys: readonly string[]): Promise<void> {
  await Promise.all(keys.map(key => seed.put(key, bytesOf(key))))
}

function expectedOf(ordered: readonly string[], { prefix = '', startAfter }: ListOptions): string[] {
  const after = startAfter === undefined ? undefined : Buffer.from(startAfter)
  return ordered.filter(
    key => key.startsWith(prefix) && (after === undefined || Buffer.compare(Buffer.from(key), after) > 0),
  )
}

function levelOf(
  ordered: readonly string[],
  options: ListOptions,
): { objects: string[]; prefixes: string[] } {
  const from = options.prefix?.length ?? 0
  const keys = expectedOf(ordered, options)
  const deeper = keys.filter(key => key.indexOf('/', from) >= 0)
  return {
    objects: keys.filter(key => !deeper.includes(key)),
    prefixes: [...new Set(deeper.map(key => key.slice(0, key.indexOf('/', from) + 1)))],
  }
}

function keysOfLevel({ objects, prefixes }: ListLevel): { objects: string[]; prefixes: string[] } {
  return { objects: objects.map(({ key }) => key), prefixes }
}
