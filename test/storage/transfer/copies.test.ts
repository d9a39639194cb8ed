import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  openStore,
  type Store,
  TransferError,
  type TransferProgress,
  type TransferReport,
  transfer,
  withObserver,
  withRetry,
} from '../../../src/index.ts'
import { readAll } from '../../../src/storage/read.ts'
import {
  assertEmpty,
  bytesOf,
  collect,
  keysOf,
  pattern,
  rejectsWith,
  textOf,
} from '../../../src/testing/conformance/context.ts'
import { withFaults } from '../../../src/testing/index.ts'
import { tempFolder } from '../../support/temp.ts'
import { contentsOf, fill } from './support.ts'

const LARGE = 45_000_000

/** The report of a transfer of which some objects fail. */
async function failing(running: Promise<unknown>): Promise<TransferReport> {
  const error = await running.then(
    () => assert.fail('it did not fail'),
    (error: unknown) => error,
  )
  assert.ok(error instanceof TransferError, String(error))
  return error.report
}

function codes({ failed }: TransferReport): Record<string, string> {
  return Object.fromEntries(failed.map(({ key, error }) => [key, error.code]))
}

async function sameBytes(store: Store, key: string, expected: Uint8Array): Promise<void> {
  assert.ok(Buffer.compare(await readAll(store, key), expected) === 0, `${key} is as it should be`)
}

test('content type and metadata go with the object, and of which version it is', async () => {
  const [from, to] = [await openStore('memory:'), await openStore('memory:')]
  const attributes = { contentType: 'text/csv', metadata: { owner: 'me' } }
  await from.put('small', bytesOf('x'), attributes)
  await from.put('large', new Uint8Array(9_000_000), attributes)
  await transfer(from, to)
  for (const key of ['small', 'large']) {
    const { etag } = await from.head(key)
    const { contentType, metadata } = await to.head(key)
    assert.deepEqual(
      { contentType, metadata },
      { ...attributes, metadata: { owner: 'me', sluice_source: etag } },
    )
  }
  // Of the same size, but another version, and older than the copy by the clock.
  await from.put('small', bytesOf('y'))
  to.head = async key => ({
    ...(await Object.getPrototypeOf(to).head.call(to, key)),
    lastModified: new Date(9e12),
  })
  const { copied, skipped } = await transfer(from, to)
  assert.deepEqual([copied.objects, skipped.objects], [1, 1])
  assert.equal(await textOf(to, 'small'), 'y')
})

test('an object that is replaced while it is read is begun anew', async () => {
  const source = await openStore('memory:')
  await source.put('large', pattern(LARGE))
  const next = pattern(LARGE + 7, 2)
  let reads = 0
  const from = withFaults(source, ({ method }) => {
    if (method === 'getRanges' && ++reads === 2) void source.put('large', next)
    return undefined
  })
  const to = await openStore('memory:')
  await transfer(from, to)
  await sameBytes(to, 'large', next)
  assert.deepEqual(await collect(to.listStaged('')), [])
  assert.deepEqual(await keysOf(to), ['large'])
})

test('one that is replaced time and again fails, and leaves what was there', async () => {
  const source = await openStore('memory:')
  const bytes = pattern(LARGE)
  await source.put('large', bytes)
  await source.put('small', bytesOf('x'))
  const from = withFaults(source, ({ method }) => {
    if (method === 'getRanges') void source.put('large', bytes)
    return undefined
  })
  const to = await openStore('memory:')
  await to.put('large', bytesOf('before'))
  await to.put('surplus', bytesOf('stays'))
  assert.deepEqual(codes(await failing(transfer(from, to, { delete: true }))), { large: 'precondition' })
  assert.deepEqual(await contentsOf(to), { large: 'before', small: 'x', surplus: 'stays' })
  assert.deepEqual(await collect(to.listStaged('')), [])
})

test('faults that pass are survived, and others leave each object whole or absent', async () => {
  const source = await openStore('memory:')
  const large = pattern(LARGE)
  const objects: Record<string, string> = {}
  for (let i = 0; i < 30; i++) objects[`small/${i}`] = 'x'.repeat(i)
  await fill(source, objects)
  await source.put('large', large)
  const faults = ['before', 'after', 1_000_000] as const
  for (const survived of [true, false]) {
    let requests = 0
    const spoil = (store: Store) =>
      withFaults(store, ({ method }) => {
        if (method === 'abort' || method === 'abortStaged') return undefined
        // Without a listing there is nothing to report on.
        if (method === 'list' && !survived) return undefined
        return ++requests % 7 === 3 ? faults[requests % 3] : undefined
      })
    const retried = (store: Store) =>
      survived
        ? withRetry(spoil(store), { minDelayMs: 0, maxDelayMs: 0, attempts: 20, budget: 1e6 })
        : spoil(store)
    const target = await openStore('memory:')
    const run = transfer(retried(source), retried(target), { concurrency: 4 })
    const report = survived ? await run : await failing(run)
    assert.equal(report.failed.length === 0, survived)
    for (const { key } of await collect(target.list())) {
      if (key.startsWith('_sluice/')) continue
      if (key === 'large') await sameBytes(target, key, large)
      else assert.equal(await textOf(target, key), objects[key])
    }
    // Once nothing fails any longer a last run does the rest, and clears up.
    await transfer(source, target)
    assert.deepEqual(await keysOf(target), await keysOf(source))
    assert.deepEqual(await collect(target.listStaged('')), [])
  }
})

test('aborted, it rejects with the reason and leaves nothing half-way', async () => {
  const source = await openStore('memory:')
  await source.put('large', pattern(LARGE))
  await source.put('larger', pattern(LARGE + 1))
  for (const at of [1, 2, 5, 12, 30]) {
    const target = await openStore('memory:')
    const stop = new AbortController()
    let requests = 0
    const to = withObserver(target, () => {
      if (++requests === at) stop.abort('stop')
    })
    await assert.rejects(transfer(source, to, { signal: stop.signal }), reason => reason === 'stop')
    await assertEmpty(target)
  }
  await assert.rejects(
    transfer(source, await openStore('memory:'), { signal: AbortSignal.abort('before') }),
    reason => reason === 'before',
  )
})

test('progress never goes back, and ends with everything', async t => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const source = await openStore('memory:')
  await source.put('large', pattern(LARGE))
  for (let i = 0; i < 20; i++) await source.put(`${i}`, pattern(i * 1_000))
  let requests = 0
  const from = withFaults(source, ({ method }) => {
    // Begun anew once.
    if (method === 'getRanges' && ++requests === 3) void source.put('large', pattern(LARGE))
    t.mock.timers.tick(200)
    return undefined
  })
  const seen: TransferProgress[] = []
  await transfer(from, await openStore('memory:'), { progress: moment => void seen.push(moment) })
  assert.ok(seen.length > 20, `${seen.length} moments`)
  seen.reduce((before, now) => {
    assert.ok(now.bytes >= before.bytes && now.objects >= before.objects)
    assert.ok(now.bytes <= (now.bytesTotal ?? Number.POSITIVE_INFINITY))
    return now
  })
  const last = seen.at(-1)!
  assert.equal(last.phase, 'done')
  assert.deepEqual([last.objects, last.bytes], [21, LARGE + 190_000])
  assert.deepEqual([last.objectsTotal, last.bytesTotal, last.secondsLeft], [21, LARGE + 190_000, 0])
})

test('a function of the caller that throws ends the transfer', async () => {
  const source = await openStore('memory:')
  await fill(source, { a: 'x', b: 'x', c: 'x' })
  const fails = () => {
    throw new Error('mine')
  }
  for (const options of [{ progress: fails }, { onObject: fails }, { select: fails }]) {
    const to = await openStore('memory:')
    const [option] = Object.keys(options)
    await rejectsWith(transfer(source, to, { ...options, concurrency: 1 }), 'callback', option)
  }
})

test('what does not arrive as it was read is removed, and the others stay', async () => {
  const source = await openStore('memory:')
  const large = pattern(LARGE)
  await source.put('large', large)
  await source.put('bad', bytesOf('0123456789'))
  await source.put('good', bytesOf('0123456789'))
  const target = await openStore('memory:')
  const { put } = target
  target.put = (key, body, options) =>
    put.call(target, key, key === 'bad' ? bytesOf('0123456788') : body, options)
  const report = await failing(transfer(source, target, { verify: 'checksum' }))
  assert.deepEqual(codes(report), { bad: 'corrupt' })
  assert.deepEqual(await keysOf(target), ['good', 'large'])
  await transfer(source, target, { verify: 'size' })
  assert.equal(await textOf(target, 'bad'), '0123456788', 'only a checksum tells')
})

test('what an upload that could not be ended has got is used by the next run, if it is of that version', async () => {
  for (const replaced of [false, true]) {
    const source = await openStore('memory:')
    const target = await openStore('memory:')
    const bytes = [pattern(LARGE), pattern(LARGE, 2)]
    await source.put('large', bytes[0]!)
    let reads = 0
    const from = withFaults(source, ({ method }) => {
      return method === 'getRanges' && ++reads > 4 ? 'before' : undefined
    })
    const to = withFaults(target, ({ method }) => (method === 'abort' ? 'before' : undefined))
    assert.deepEqual(codes(await failing(transfer(from, to))), { large: 'io' })
    const [record] = await keysOf(target)
    assert.match(record ?? '', /^_sluice\/transfers\/[0-9a-f]{16}\/[0-9a-f]{32}\.json$/)
    await target.put(record!.replace(/[^/]*$/, 'torn.json'), bytesOf('{"version":1,'))
    if (replaced) await source.put('large', bytes[1]!)
    const { resumed } = await transfer(source, target, { verify: 'checksum' })
    if (replaced) assert.deepEqual(resumed, { objects: 0, bytes: 0 })
    else assert.ok(resumed.bytes >= 32_000_000, `${resumed.bytes} bytes`)
    await sameBytes(target, 'large', bytes[Number(replaced)]!)
    assert.deepEqual(await keysOf(target), ['large'])
    assert.deepEqual(await collect(target.listStaged('')), [])
  }
})

test('keys that the destination cannot hold fail by name', async t => {
  const source = await openStore('memory:')
  const long = 'x'.repeat(300)
  await fill(source, { a: 'file', 'a/b': 'within', [long]: 'x', 'é %41+#?': 'odd' })
  const folder = tempFolder(t)
  const report = await failing(transfer(source, await openStore(folder), { concurrency: 1 }))
  assert.deepEqual(Object.keys(codes(report)), ['a/b', long])
  assert.equal(codes(report)['a/b'], 'unsupported')
  assert.deepEqual(readdirSync(folder).sort(), ['a', 'é %41+#?'])
})

test('with delete, what is in the way of a file or folder is removed', async t => {
  for (const [source, before] of [
    [{ 'a/b': 'x', c: 'y' }, 'a'],
    [{ a: 'x', c: 'y' }, 'a/b/c'],
  ] as const) {
    const from = await openStore('memory:')
    await fill(from, source)
    const folder = tempFolder(t)
    mkdirSync(join(folder, before, '..'), { recursive: true })
    writeFileSync(join(folder, before), 'in the way')
    const to = await openStore(folder)
    assert.deepEqual(Object.keys(codes(await failing(transfer(from, to)))).length, 1)
    await transfer(from, to, { delete: true })
    assert.deepEqual(await contentsOf(to), source)
  }
})

test('existing: error leaves large objects alone, too', async () => {
  const [from, to] = [await openStore('memory:'), await openStore('memory:')]
  await from.put('large', pattern(LARGE))
  await from.put('new', pattern(LARGE))
  await to.put('large', bytesOf('mine'))
  assert.deepEqual(codes(await failing(transfer(from, to, { existing: 'error' }))), {
    large: 'already-exists',
  })
  assert.deepEqual(await keysOf(to), ['large', 'new'])
  assert.equal(await textOf(to, 'large'), 'mine')
})

test('stopOnError begins nothing more', async () => {
  const source = await openStore('memory:')
  await fill(source, { a: 'x', b: 'x', c: 'x', d: 'x' })
  const from = withFaults(source, ({ method, key }) =>
    method === 'get' && key === 'b' ? 'before' : undefined,
  )
  const to = await openStore('memory:')
  const report = await failing(transfer(from, to, { concurrency: 1, stopOnError: true }))
  assert.deepEqual([codes(report), await keysOf(to)], [{ b: 'io' }, ['a']])
})

test('a store without staged uploads gets large objects as streams', async () => {
  const from = await openStore('memory:')
  const large = pattern(LARGE)
  await from.put('large', large, { contentType: 'text/plain' })
  const to = await openStore('memory:')
  Object.defineProperty(to, 'capabilities', { value: { ...to.capabilities, stage: false, resume: false } })
  to.stage = () => assert.fail('it cannot stage')
  await transfer(from, to, { verify: 'checksum' })
  await sameBytes(to, 'large', large)
  assert.equal((await to.head('large')).contentType, 'text/plain')
})

test('places that cannot be are refused before anything is done', async t => {
  const store = await openStore('memory:')
  const folder = tempFolder(t)
  for (const [from, to] of [
    [store, store],
    [store, store.child('a')],
    [store.child('a/b'), store.child('a')],
    [await openStore(folder), (await openStore(folder)).child('a')],
  ] as const) {
    await rejectsWith(transfer(from, to), 'invalid-argument', "option 'to'")
  }
  const other = await openStore('memory:')
  const sibling = store.child('ab')
  await fill(store, { 'a/x': 'x' })
  await transfer(store.child('a'), sibling)
  assert.equal(await textOf(store, 'ab/x'), 'x')
  await rejectsWith(transfer(store, other, { memory: '1MiB' }), 'invalid-argument', 'memory')
  await rejectsWith(transfer(store, other, { concurrency: 0 }), 'invalid-argument', 'concurrency')
  // @ts-expect-error: no such choice
  await rejectsWith(transfer(store, other, { existing: 'append' }), 'invalid-argument', 'existing')
  await rejectsWith(transfer(store, other, { select: '[' }), 'invalid-argument', 'glob')
  await assertEmpty(other)
})
