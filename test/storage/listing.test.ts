import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import {
  glob,
  globToRegExp,
  openStore,
  type RequestEvent,
  type Store,
  walk,
  withObserver,
} from '../../src/index.ts'
import { compareKeys } from '../../src/storage/keys.ts'
import { onOneNode } from '../support/cases.ts'
import { root } from '../support/root.ts'
import { tempFolder } from '../support/temp.ts'

const NOTHING = new Uint8Array(0)

async function storeOf(keys: Iterable<string>): Promise<Store> {
  const store = await openStore('memory:')
  for (const key of keys) await store.put(key, NOTHING)
  return store
}

async function collect<T, R = T>(
  items: AsyncIterable<T>,
  of: (item: T) => R = item => item as never,
): Promise<R[]> {
  const all: R[] = []
  for await (const item of items) all.push(of(item))
  return all
}

/** The store with another way to list a level. */
function withLevels(inner: Store, listLevel: Store['listLevel']): Store {
  return Object.create(inner, { listLevel: { value: listLevel } })
}

/** Years of months of parts, as if partitioned. */
async function partitioned(): Promise<Store> {
  const keys = [2023, 2024, 2025].flatMap(year =>
    [1, 2, 3].flatMap(month =>
      ['part-0.parquet', 'part-1.parquet', 'notes.txt'].map(name => `year=${year}/month=${month}/${name}`),
    ),
  )
  return storeOf([...keys, 'year=2024/README', 'README', 'year=2024/weeks/part-0.parquet'])
}

/** The keys, and what was listed for them. */
async function counted(
  store: Store,
  list: (store: Store) => AsyncIterable<{ key?: string; prefix?: string }>,
) {
  const events: RequestEvent[] = []
  const found = await collect(
    list(withObserver(store, event => events.push(event))),
    ({ key, prefix }) => key ?? prefix!,
  )
  return { found, listed: events.map(({ method, key }) => `${method} ${key}`).sort() }
}

test('a glob lists the folders that it must, and no others', async () => {
  const store = await partitioned()
  const parts = (year: number) =>
    [1, 2, 3].flatMap(month => [0, 1].map(i => `year=${year}/month=${month}/part-${i}.parquet`))
  const cases: [string | string[], string[], string[]][] = [
    [
      'year=2024/month=*/part-*.parquet',
      parts(2024),
      ['listLevel year=2024/month=', ...[1, 2, 3].map(month => `listLevel year=2024/month=${month}/part-`)],
    ],
    [
      'year=202[35]/month=2/part-0.*',
      ['year=2023/month=2/part-0.parquet', 'year=2025/month=2/part-0.parquet'],
      ['listLevel year=2023/month=2/part-0.', 'listLevel year=2025/month=2/part-0.', 'listLevel year=202'],
    ],
    [
      'year={2023,2025}/month=1/*.txt',
      ['year=2023/month=1/notes.txt', 'year=2025/month=1/notes.txt'],
      ['listLevel year=2023/month=1/', 'listLevel year=2025/month=1/'],
    ],
    [
      'year=2024/**/part-0.parquet',
      [
        'year=2024/month=1/part-0.parquet',
        'year=2024/month=2/part-0.parquet',
        'year=2024/month=3/part-0.parquet',
        'year=2024/weeks/part-0.parquet',
      ],
      ['list year=2024/'],
    ],
    [
      '*/*/notes.txt',
      (await collect(store.list())).map(({ key }) => key).filter(key => key.endsWith('notes.txt')),
      ['list '],
    ],
    ['R*', ['README'], ['listLevel R']],
    ['year=2024/README', ['year=2024/README'], ['listLevel year=2024/README']],
    ['absent/*/x', [], ['list absent/']],
    [
      ['year=2025/month=3/n*', 'README', 'year=2025/month=3/*.txt'],
      ['README', 'year=2025/month=3/notes.txt'],
      ['listLevel ', 'listLevel year=2025/month=3/'],
    ],
  ]
  for (const [pattern, keys, listed] of cases) {
    const result = await counted(store, observed => glob(observed, pattern))
    assert.deepEqual(result.found, keys, String(pattern))
    assert.deepEqual(result.listed, listed.sort(), String(pattern))
  }
})

test('a walk goes down so far, with a request for each folder above', async () => {
  const store = await partitioned()
  const walked = (depth: number, prefix?: string) =>
    counted(store, observed => walk(observed, { depth, prefix }))
  assert.deepEqual(await walked(1), {
    found: ['README', 'year=2023/', 'year=2024/', 'year=2025/'],
    listed: ['listLevel '],
  })
  assert.deepEqual(await walked(2), {
    found: [
      'README',
      ...[1, 2, 3].map(month => `year=2023/month=${month}/`),
      'year=2024/README',
      ...[1, 2, 3].map(month => `year=2024/month=${month}/`),
      'year=2024/weeks/',
      ...[1, 2, 3].map(month => `year=2025/month=${month}/`),
    ],
    listed: ['listLevel ', 'listLevel year=2023/', 'listLevel year=2024/', 'listLevel year=2025/'],
  })
  assert.deepEqual((await walked(1, 'year=2024/w')).found, ['year=2024/weeks/'])
  const all = await counted(store, observed => walk(observed))
  assert.deepEqual(
    all.found,
    (await collect(store.list())).map(({ key }) => key),
  )
  assert.deepEqual(all.listed, ['list '])
  for (const depth of [0, -1, 1.5, Number.NaN]) {
    assert.throws(() => walk(store, { depth }), { code: 'invalid-argument', option: 'depth' })
  }
})

const name = fc.string({
  unit: fc.constantFrom('a', 'b', '!', '0', '=', '😀', '\uffee', '[', '*'),
  minLength: 1,
  maxLength: 3,
})
const key = fc.array(name, { minLength: 1, maxLength: 4 }).map(names => names.join('/'))
const piece = fc.constantFrom(
  '*',
  '?',
  '**',
  'a',
  'b',
  '[ab!]',
  '[!a]',
  '{a,b*}',
  '{a/b,*}',
  '{**/,}',
  '/',
  '😀',
  String.raw`\*`,
  '=',
)
const pattern = fc.array(piece, { minLength: 1, maxLength: 6 }).map(pieces => pieces.join(''))

test('a glob finds what matches among all keys, in their order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(key, { maxLength: 30 }),
      fc.array(pattern, { minLength: 1, maxLength: 3 }),
      async (keys, patterns) => {
        const store = await storeOf(keys)
        const found = (await collect(glob(store, patterns))).map(({ key }) => key)
        const expected = keys.filter(key => patterns.some(pattern => globToRegExp(pattern).test(key)))
        assert.deepEqual(found, expected.sort(compareKeys))
      },
    ),
    { numRuns: 500 },
  )
})

test('a walk gives each object that is not too deep, and the folders of the others', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(key, { maxLength: 30 }),
      fc.integer({ min: 1, max: 5 }),
      async (keys, depth) => {
        const store = await storeOf(keys)
        const found = await collect(walk(store, { depth }), entry =>
          'prefix' in entry ? entry.prefix : entry.key,
        )
        const cut = keys.map(key => {
          const names = key.split('/')
          return names.length <= depth ? key : `${names.slice(0, depth).join('/')}/`
        })
        assert.deepEqual(found, [...new Set(cut)].sort(compareKeys))
      },
    ),
  )
})

test('a local folder is walked like any other store', async t => {
  const store = await openStore(tempFolder(t), { durability: 'none' })
  for (const key of ['a/b/c', 'a/d', 'a!/e', 'a0/f']) await store.put(key, NOTHING)
  const found = await collect(walk(store, { depth: 2 }), entry =>
    'prefix' in entry ? entry.prefix : entry.key,
  )
  assert.deepEqual(found, ['a!/e', 'a/b/', 'a/d', 'a0/f'])
  assert.deepEqual(await collect(glob(store, 'a{,0}/[df]'), ({ key }) => key), ['a/d', 'a0/f'])
})

test('folders are listed several at once, no more than allowed, and as many as are read', async () => {
  const inner = await storeOf(Array.from({ length: 300 }, (_, i) => `k=${String(i).padStart(3, '0')}/x`))
  let running = 0
  let most = 0
  let begun = 0
  const store = withLevels(inner, async options => {
    most = Math.max(most, ++running)
    begun++
    await sleep(1)
    running--
    return inner.listLevel(options)
  })
  const listing = walk(store, { depth: 2, concurrency: 8 })
  for (let i = 0; i < 10; i++) await listing.next()
  await sleep(50)
  assert.ok(begun < 100, `${begun} of 301 listed for 10 entries`)
  await listing.return()
  assert.equal(running, 0)
  assert.ok(most > 4 && most <= 8, `${most} at once`)
})

test('a failure comes in its turn, after what is before it', async () => {
  const inner = await storeOf(['a/1', 'b/2', 'c/3'])
  const failing = withLevels(inner, async options => {
    if (options?.prefix === 'b/') throw new Error('boom')
    return inner.listLevel(options)
  })
  const found: unknown[] = []
  await assert.rejects(async () => {
    for await (const entry of walk(failing, { depth: 2 })) found.push('key' in entry && entry.key)
  }, /boom/)
  assert.deepEqual(found, ['a/1'])
})

test('any number of keys is listed in the same memory', { skip: onOneNode }, () => {
  const program = join(root, 'test/storage/many-keys.ts')
  for (const how of ['list', 'deep', 'glob', 'walk']) {
    const args = ['--expose-gc', '--import', 'tsx', program, '200000', how]
    const printed = execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
    const { found, most } = JSON.parse(printed) as { found: number; most: number }
    assert.equal(found, 200_000)
    // All of them would be some 50 MB.
    assert.ok(most < (how === 'list' || how === 'deep' ? 4e6 : 15e6), `${how}: ${most} bytes`)
  }
})
