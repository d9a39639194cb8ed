import assert from 'node:assert/strict'
import { isSluiceError } from '../../core/errors.ts'
import type { StagedUpload, Store } from '../../storage/store.ts'
import {
  bytesOf,
  type Check,
  type ConformanceOptions,
  collect,
  keysOf,
  pattern,
  stageText,
  textOf,
} from './context.ts'

type Call = (store: Store, signal: AbortSignal, staged: StagedUpload) => Promise<unknown>

type Read = (store: Store, signal: AbortSignal) => Promise<unknown>

/** Every call of the contract that takes a signal. */
const READS: Record<string, Read> = {
  head: (store, signal) => store.head('key', { signal }),
  get: async (store, signal) => collect((await store.get('key', { signal })).body),
  getRanges: (store, signal) => store.getRanges('key', [{ start: 0, end: 3 }], { signal }),
}
const LISTINGS: Record<string, Read> = {
  list: (store, signal) => collect(store.list({ signal })),
  listLevel: (store, signal) => store.listLevel({ signal }),
}
const CALLS: Record<string, Call> = {
  ...READS,
  ...LISTINGS,
  put: (store, signal) => store.put('new', bytesOf('new'), { signal }),
  create: (store, signal) => store.put('new', bytesOf('new'), { signal, mode: 'create' }),
  delete: (store, signal) => store.delete('key', { signal }),
  copy: (store, signal) => store.copy('key', 'new', { signal }),
  stage: async (store, signal) => (await store.stage('new', { signal })).abort(),
  completeStaged: (store, signal, staged) => store.completeStaged(staged, { signal }),
  abortStaged: (store, signal, staged) => store.abortStaged(staged, { signal }),
  listStaged: (store, signal) => collect(store.listStaged('', { signal })),
}

const REASONS = [
  new Error('stop'),
  'a string',
  { any: 'thing' },
  Object.assign(new Error('of a system call elsewhere'), { code: 'ENOENT', syscall: 'open' }),
]

/** Signals: before and during every call that reads. */
export function checkAbortingReads(check: Check, { unlisted = false }: ConformanceOptions): void {
  const reads = unlisted ? READS : { ...READS, ...LISTINGS }

  check('reading that is aborted rejects with the reason itself', async ({ store, seed }) => {
    await seed.put('key', bytesOf('old'))
    for (const [name, read] of Object.entries(reads)) {
      for (const reason of REASONS) {
        const aborted = read(store, AbortSignal.abort(reason))
        await assert.rejects(aborted, error => Object.is(error, reason), name)
      }
    }
  })

  check('reading that is aborted on its way rejects with the reason or succeeds', async ({ store, seed }) => {
    await seed.put('key', bytesOf('old'))
    for (const [name, read] of Object.entries(reads)) {
      for (let ticks = 0; ticks < 12; ticks++) {
        const controller = new AbortController()
        const reason = REASONS[ticks % REASONS.length]
        const outcome = read(store, controller.signal).then(
          () => undefined,
          error => assert.equal(error, reason, name),
        )
        for (let i = 0; i < ticks; i++) await (i % 2 === 0 ? null : new Promise(r => setImmediate(r)))
        controller.abort(reason)
        await outcome
      }
    }
    assert.equal(await textOf(store, 'key'), 'old')
  })

  check('a body and a listing stop at the next item', async ({ store, seed }) => {
    await seed.put('key', pattern(2_000_000))
    for (let i = 0; i < 5; i++) await seed.put(`other/${i}`, bytesOf('x'))
    const streams = {
      get: async (signal: AbortSignal) => (await store.get('key', { signal })).body,
      ...(unlisted ? {} : { list: async (signal: AbortSignal) => store.list({ signal }) }),
    }
    for (const [name, open] of Object.entries(streams)) {
      assert.equal(await itemsUntilAborted(open), 1, name)
    }
  })

  check('no listener is left on a signal by reading', async ({ store, seed }) => {
    await seed.put('key', bytesOf('old'))
    const { signal, left } = watchedSignal()
    for (const read of Object.values(reads)) await read(store, signal)
    assert.equal(left.size, 0)
  })
}

/** Signals: before and during every call. */
export function checkAborting(check: Check): void {
  check('an aborted call rejects with the reason itself and does nothing', async ({ store }) => {
    await store.put('key', bytesOf('old'))
    const staged = await stageText(store, 'staged', 'x')
    for (const [name, call] of Object.entries(CALLS)) {
      for (const reason of REASONS) {
        const result = await call(store, AbortSignal.abort(reason), staged).then(
          () => assert.fail(`${name} succeeded`),
          error => ({ error }),
        )
        assert.equal(result.error, reason, name)
      }
    }
    const writer = await store.stage('new')
    const reason = new Error('stop')
    const signal = AbortSignal.abort(reason)
    await assert.rejects(writer.write(bytesOf('x'), { signal }), error => error === reason)
    await assert.rejects(writer.seal({ signal }), error => error === reason)
    await writer.write(bytesOf('y'))
    await store.completeStaged(await writer.seal())
    assert.equal(await textOf(store, 'new'), 'y')
    assert.equal(await textOf(store, 'key'), 'old')
    assert.equal((await collect(store.listStaged(''))).length, 1)
    assert.deepEqual(await keysOf(store), ['key', 'new'])
  })

  check('a call that is aborted on its way rejects with the reason or has succeeded', async ({ store }) => {
    for (const [name, call] of Object.entries(CALLS)) {
      for (let ticks = 0; ticks < 12; ticks++) {
        await store.put('key', bytesOf('old'))
        await store.delete('new')
        const staged = await stageText(store, 'staged', 'x')
        const controller = new AbortController()
        const reason = REASONS[ticks % REASONS.length]
        const outcome = call(store, controller.signal, staged).then(
          () => undefined,
          error => assert.equal(error, reason, name),
        )
        for (let i = 0; i < ticks; i++) await (i % 2 === 0 ? null : new Promise(r => setImmediate(r)))
        controller.abort(reason)
        await outcome
        // Whatever came of it, or is still to come, nothing is half done.
        assert.match(await textIfThere(store, 'key'), /^(old)?$/)
        assert.match(await textIfThere(store, 'new'), /^(new|old)?$/)
        await store.abortStaged(staged)
        assert.deepEqual(await collect(store.listStaged('')), [], name)
      }
    }
  })

  check('a put is aborted while its source is waiting, and leaves nothing', async ({ store }) => {
    for (const waits of [true, false]) {
      const controller = new AbortController()
      const reason = REASONS.at(-1)
      let closed = false
      async function* source() {
        try {
          yield pattern(100_000)
          if (waits) {
            queueMicrotask(() => controller.abort(reason))
            await new Promise(() => undefined)
          }
          controller.abort(reason)
          yield pattern(100_000)
          yield pattern(100_000)
        } finally {
          closed = true
        }
      }
      const put = store.put('a/b/key', source(), { signal: controller.signal })
      await assert.rejects(put, error => error === reason)
      assert.equal(closed, !waits)
      assert.deepEqual(await keysOf(store), [])
      assert.deepEqual(await collect(store.listStaged('')), [])
    }
  })

  check('a listing of staged uploads stops at the next item', async ({ store }) => {
    for (let i = 0; i < 3; i++) await stageText(store, `staged/${i}`, 'x')
    assert.equal(await itemsUntilAborted(async signal => store.listStaged('', { signal })), 1)
  })

  check('no listener is left on a signal', async ({ store }) => {
    const staged = await stageText(store, 'staged', 'x')
    const { signal, left, added } = watchedSignal()
    async function* source() {
      yield bytesOf('x')
    }
    await store.put('key', source(), { signal })
    assert.ok(added() > 0, 'a streamed put listens')
    for (const call of Object.values(CALLS)) {
      await call(store, signal, staged).catch(() => undefined)
      await store.put('key', bytesOf('old'))
    }
    assert.equal(left.size, 0)
  })
}

/** How many items come of a stream that is aborted at its first. */
async function itemsUntilAborted(
  open: (signal: AbortSignal) => Promise<AsyncIterable<unknown>>,
): Promise<number> {
  const controller = new AbortController()
  const reason = new Error('stop')
  let items = 0
  const reading = async () => {
    for await (const _ of await open(controller.signal)) {
      items++
      controller.abort(reason)
    }
  }
  await assert.rejects(reading(), error => error === reason)
  return items
}

/** A signal that tells how many listeners were added, and which have not been removed. */
function watchedSignal(): { signal: AbortSignal; left: Set<unknown>; added: () => number } {
  const { signal } = new AbortController()
  const { addEventListener, removeEventListener } = signal
  const left = new Set<unknown>()
  let added = 0
  signal.addEventListener = (type: string, listener: unknown, ...rest: unknown[]) => {
    added++
    left.add(listener)
    Reflect.apply(addEventListener, signal, [type, listener, ...rest])
  }
  signal.removeEventListener = (type: string, listener: unknown, ...rest: unknown[]) => {
    left.delete(listener)
    Reflect.apply(removeEventListener, signal, [type, listener, ...rest])
  }
  return { signal, left, added: () => added }
}

async function textIfThere(store: Store, key: string): Promise<string> {
  try {
    return await textOf(store, key)
  } catch (error) {
    if (isSluiceError(error) && error.code === 'not-found') return ''
    throw error
  }
}
