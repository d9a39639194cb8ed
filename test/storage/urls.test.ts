import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { type OpenStoreOptions, openStore, type Store } from '../../src/index.ts'
import { joinUrl } from '../../src/storage/keys.ts'
import { tempFolder } from '../support/temp.ts'

const REMOTE: [string, OpenStoreOptions][] = [
  ['memory:urls', {}],
  ['s3://bucket', { endpoint: 'http://127.0.0.1:9' }],
  ['az://container', { connectionString: 'UseDevelopmentStorage=true' }],
  ['gs://bucket', { endpoint: 'http://127.0.0.1:9' }],
  ['http://127.0.0.1:9', {}],
]
const ODD = [
  'a b',
  'a+b',
  '%41',
  '%2F',
  'é',
  'e\u0301',
  'k=v',
  'a#b',
  'a?b',
  'a&b;c',
  '😀',
  '..a',
  "it's",
  '~',
  '*[{',
]

/** Before each key, as the service gets it. */
const prefixOf = (store: Store): string => store.unwrap().prefix

test('odd names go through the URL of every kind of store, both ways, exactly', async () => {
  for (const [base, options] of REMOTE) {
    const http = base.startsWith('http')
    for (const name of [...ODD, ODD.join('/')]) {
      const store = await openStore(joinUrl(base, name), options)
      const child = (await openStore(base, options)).child(name)
      assert.equal((await openStore(store.url, options)).url, store.url, `${base} ${name}`)
      assert.equal((await openStore(child.url, options)).url, store.url, `${base} ${name}`)
      if (http) assert.equal(decodeURIComponent(new URL(store.url).pathname).replace(/\/$/, ''), `/${name}`)
      else if (!base.startsWith('memory')) assert.equal(prefixOf(store), `${name}/`, base)
    }
  }
})

test('any name does', async () => {
  const segment = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
    .filter(text => !/^\.\.?$|[/\0\\]|\p{Surrogate}/u.test(text))
  for (const [base, options] of REMOTE.slice(0, 4)) {
    await fc.assert(
      fc.asyncProperty(fc.array(segment, { minLength: 1, maxLength: 3 }), async names => {
        const store = await openStore(joinUrl(base, names.join('/')), options)
        if (base !== 'memory:urls') assert.equal(prefixOf(store), `${names.join('/')}/`)
        assert.equal((await openStore(store.url, options)).url, store.url)
      }),
      { numRuns: 50 },
    )
  }
})

test('what is put under an odd name is there under it, by URL, by path and in listings', async t => {
  const folder = tempFolder(t)
  for (const name of ODD) {
    mkdirSync(join(folder, name))
    const places = [pathToFileURL(join(folder, name)).href, join(folder, name), joinUrl('memory:odd', name)]
    for (const place of places) {
      const store = await openStore(place)
      await store.put(`${name}/${name}`, Buffer.from(place), { mode: 'overwrite' })
      const again = await openStore(store.url)
      assert.deepEqual(
        (await again.listLevel({ prefix: `${name}/` })).objects.map(({ key }) => key),
        [`${name}/${name}`],
      )
      assert.deepEqual((await again.listLevel()).prefixes, [`${name}/`])
      assert.equal((await again.head(`${name}/${name}`)).size, Buffer.byteLength(place))
    }
  }
})

test('a URL that means something else than it says is refused', async () => {
  // What a path means to a web server is its own business.
  for (const [base, options] of REMOTE.slice(0, 4)) {
    for (const path of ['a//b', 'a/%2E%2E/b', '%00', '100%', 'a?b', 'a#b', '%FF']) {
      const opening = openStore(`${base}/${path}`, options)
      if (base.startsWith('memory') && /[?#]/.test(path))
        assert.ok((await opening).url.includes(encodeURIComponent(path)))
      else await assert.rejects(opening, { code: 'invalid-argument' }, `${base}/${path}`)
    }
  }
})
