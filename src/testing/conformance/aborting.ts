import assert from 'node:assert/strict'
import { isSluiceError } from '../../core/errors.ts'
import type { StagedUpload, Store } from '../../storage/store.ts'
import { bytesOf, type Check, collect, keysOf, pattern, stageText, textOf } from './context.ts'

type Call = (store: Store, signal: AbortSignal, staged: StagedUpload) => Promise<unknown>

/** Every call of the contract that takes a signal. */
const CALLS: Record<string, Call> = {
  head: (store, signal) => store.head('key', { signal }),
  get: async (store, signal) => collect((await store.get('key', { signal })).body),
  getRanges: (store, signal) => store.getRanges('key', [{ start: 0, end: 3 }], { signal }),
  put: (store, signal) => store.put('new', bytesOf('new'), { signal }),
  create: (store, signal) => store.put('new', bytesOf('new'), { signal, mode: 'create' }),
  delete: (store, signal) => store.delete('key', { signal }),
  list: (store, signal) => collect(store.list({ signal })),
  listLevel: (store, signal) => store.listLevel({ signal }),
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

  check('a body and a listing stop at the next item', async ({ store }) => {
    await store.put('key', pattern(2_000_000))
    for (let i = 0; i < 5; i++) await store.put(`other/${i}`, bytesOf('x'))
    for (let i = 0; i < 3; i++) await stageText(store, `staged/${i}`, 'x')
    const streams = {
      get: async (signal: AbortSignal) => (await store.get('key', { signal })).body,
      list: async (signal: AbortSignal) => store.list({ signal }),
      listStaged: async (signal: AbortSignal) => store.listStaged('', { signal }),
    }
    for (const [name, open] of Object.entries(streams)) {
      const controller = new AbortController()
      const reason = new Error('stop')
      let items = 0
      const reading = async () => {
        for await (const _ of await open(controller.signal)) {
          items++
          controller.abort(reason)
        }
      }
      await assert.rejects(reading(), error => error === reason, name)
      assert.equal(items, 1, name)
    }
  })

  check('no listener is left on a signal', async ({ store }) => {
    const staged = await stageText(store, 'staged', 'x')
    const { signal } = new AbortController()
    let listeners = 0
    const { addEventListener, removeEventListener } = signal
    const added = new Set<unknown>()
    signal.addEventListener = (type: string, listener: unknown, ...rest: unknown[]) => {
      listeners++
      added.add(listener)
      Reflect.apply(addEventListener, signal, [type, listener, ...rest])
    }
    signal.removeEventListener = (type: string, listener: unknown, ...rest: unknown[]) => {
      added.delete(listener)
      Reflect.apply(removeEventListener, signal, [type, listener, ...rest])
    }
    async function* source() {
      yield bytesOf('x')
    }
    await store.put('key', source(), { signal })
    assert.ok(listeners > 0, 'a streamed put listens')
    for (const call of Object.values(CALLS)) {
      await call(store, signal, staged).catch(() => undefined)
      await store.put('key', bytesOf('old'))
    }
    assert.equal(added.size, 0)
  })
}

async function textIfThere(store: Store, key: string): Promise<string> {
  try {
    return await textOf(store, key)
  } catch (error) {
    if (isSluiceError(error) && error.code === 'not-found') return ''
    throw error
  }
}
