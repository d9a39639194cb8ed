import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { inspect } from 'node:util'
import { type ErrorCode, isSluiceError, type OpenStoreOptions, type Store } from '../../src/index.ts'
import { readAll } from '../../src/storage/read.ts'
import {
  assertEmpty,
  bytesOf,
  collect,
  keysOf,
  pattern,
  posted,
  rejectsWith,
  textOf,
} from '../../src/testing/conformance/context.ts'
import {
  type FaultServer,
  startFaultServer,
  type WireFault,
  type WireRequest,
} from '../../src/testing/index.ts'

const MIB = 1024 * 1024
const fast = { minDelayMs: 0, maxDelayMs: 0 }

type IsRequest = (request: WireRequest) => boolean

/** What the cases ask of any store. */
export type FaultOptions = Pick<OpenStoreOptions<'s3://bucket'>, 'retry' | 'concurrency' | 'idleTimeoutMs'>

/** What the cases need to know of a service, and of how its driver speaks with it. */
export interface FaultBackend {
  /** Why the tests cannot run here, if they cannot. */
  skip: string | false
  /** URL of the running service. */
  endpoint: () => string
  /** Makes an empty bucket, and gives what opens it at an endpoint: the service's own, or that of a fault server. */
  createBucket: () => Promise<(endpoint: string, options?: FaultOptions) => Promise<Store>>
  /** Reads bytes of an object. */
  isGet: IsRequest
  /** Puts an object whole. */
  isPut: IsRequest
  /** Sends a part of a staged upload, and what the driver calls that in messages. */
  isPart: IsRequest
  partName: string
  /** Makes a staged upload an object. */
  isCompletion: IsRequest
  /** Headers by which an answer with bytes describes an object whose tag is `tag`. */
  objectHeaders: (tag: string) => Record<string, string>
  /** Answers to a put that are to be final: neither repeated nor without advice. */
  refusals: [WireFault & { status: number }, ErrorCode, RegExp][]
  /** What must not be shown by an error. */
  secrets: () => string[]
}

export interface Spoiled {
  /** Through the fault server. */
  store: Store
  /** Past it. */
  direct: Store
  wire: FaultServer
}

/** A new bucket behind a server that spoils requests. */
export async function spoiled(
  { createBucket, endpoint }: Pick<FaultBackend, 'createBucket' | 'endpoint'>,
  t: TestContext,
  fault: (request: WireRequest, ordinal: number) => WireFault | undefined,
  options: FaultOptions = {},
): Promise<Spoiled> {
  const open = await createBucket()
  const wire = await startFaultServer(endpoint(), fault)
  t.after(() => wire.stop())
  return {
    store: await open(wire.endpoint, { retry: fast, ...options }),
    direct: await open(endpoint()),
    wire,
  }
}

/** Faults for the requests of one kind, one after the other, and then no more. */
export function sequence(
  kind: IsRequest,
  ...faults: (WireFault | undefined)[]
): (request: WireRequest) => WireFault | undefined {
  return request => (kind(request) ? faults.shift() : undefined)
}

/** What the cases of reading need. */
export interface ReadBackend extends Pick<FaultBackend, 'skip' | 'isGet' | 'objectHeaders'> {
  /** A store behind a server that spoils requests, and what puts objects there past it. */
  spoil: (
    t: TestContext,
    fault: (request: WireRequest, ordinal: number) => WireFault | undefined,
    options?: OpenStoreOptions,
  ) => Promise<{ store: Store; wire: FaultServer; put: (key: string, bytes: Uint8Array) => Promise<unknown> }>
}

/** Registers what every remote driver that reads survives, or says plainly that it does not, on a real server. */
export function readFaultCases(name: string, { skip, isGet, objectHeaders, spoil }: ReadBackend): void {
  const check = (title: string, run: (t: TestContext) => Promise<void>) =>
    test(`${name}: ${title}`, { skip }, run)

  check('a body that is cut, or stalls, goes on where it stopped', async t => {
    const whole = pattern(3 * MIB)
    for (const fault of [{ cut: MIB }, { cut: 0 }, { stall: MIB }, { drop: 'before' }] as const) {
      const { store, put, wire } = await spoil(t, sequence(isGet, fault, fault), { idleTimeoutMs: 300 })
      await put('key', whole)
      assert.ok(Buffer.from(await readAll(store, 'key')).equals(whole), JSON.stringify(fault))
      assert.equal(wire.requests.filter(isGet).length, 3)
      const [ranges] = await store.getRanges('key', [{ start: 5, end: whole.length }])
      assert.ok(Buffer.from(ranges!).equals(whole.subarray(5)))
    }
  })

  check('ranges that are cut or stall are read again', async t => {
    const whole = pattern(3 * MIB)
    for (const fault of [{ cut: MIB }, { stall: 1 }] as const) {
      const { store, put } = await spoil(t, sequence(isGet, fault, fault), { idleTimeoutMs: 300 })
      await put('key', whole)
      const [view] = await store.getRanges('key', [{ start: 5, end: whole.length }])
      assert.ok(Buffer.from(view!).equals(whole.subarray(5)))
    }
  })

  check('an object that is replaced while its body breaks is an error and no mix', async t => {
    const { store, put } = await spoil(t, sequence(isGet, { cut: MIB }))
    await put('key', new Uint8Array(3 * MIB).fill(1))
    const { body } = await store.get('key')
    await put('key', new Uint8Array(3 * MIB).fill(2))
    await rejectsWith(collect(body), 'precondition', 'key')
  })

  check('a range that is ignored, or answered with another, is noticed', async t => {
    const body = pattern(1_000)
    const headers = objectHeaders('tag')
    for (const fault of [
      { status: 200, headers, body },
      { status: 206, headers: { ...headers, 'content-range': 'bytes 0-999/1000' }, body },
    ]) {
      const { store } = await spoil(t, () => fault)
      await rejectsWith(store.get('key', { range: { start: 10, end: 20 } }), 'unsupported', 'Range')
      await rejectsWith(store.getRanges('key', [{ start: 10, end: 20 }]), 'unsupported', 'Range')
    }
  })

  check('a changed tag is noticed where the store has ignored the condition', async t => {
    const headers = objectHeaders('other')
    const { store, put } = await spoil(t, request => (isGet(request) ? { headers } : undefined))
    await put('key', bytesOf('x'))
    const { etag } = await store.head('key')
    await rejectsWith(store.get('key', { ifMatch: etag }), 'precondition', 'key')
  })
}

/** Registers what every remote driver survives, or says plainly that it does not, on a real server. */
export function faultCases(name: string, backend: FaultBackend): void {
  const { isPut, isPart, isCompletion } = backend
  const check = (title: string, run: (t: TestContext) => Promise<void>) =>
    test(`${name}: ${title}`, { skip: backend.skip }, run)
  const spoil = (
    t: TestContext,
    fault: (request: WireRequest, ordinal: number) => WireFault | undefined,
    options?: FaultOptions,
  ) => spoiled(backend, t, fault, options)

  readFaultCases(name, {
    ...backend,
    spoil: async (t, fault, options) => {
      const { store, wire, direct } = await spoil(t, fault, options)
      return { store, wire, put: (key, bytes) => direct.put(key, bytes) }
    },
  })

  check('503 twice, then fine', async t => {
    for (const status of [500, 503, 429]) {
      const { store, direct, wire } = await spoil(t, sequence(isPut, { status }, { status }))
      await store.put('key', bytesOf('x'))
      assert.equal(await textOf(direct, 'key'), 'x')
      assert.equal(wire.requests.filter(isPut).length, 3, 'the SDK repeats nothing by itself')
    }
  })

  check('a pause that the service asks for is made', async t => {
    const inTwoSeconds = () => new Date(Math.ceil(Date.now() / 1000) * 1000 + 2_000).toUTCString()
    for (const after of ['1', inTwoSeconds()]) {
      const busy = { status: 503, headers: { 'retry-after': after } }
      const { store } = await spoil(t, sequence(isPut, busy))
      const begun = performance.now()
      await store.put('key', bytesOf('x'))
      assert.ok(performance.now() - begun > 900, after)
    }
  })

  check('503 for ever: as many requests as were to be tried, and a typed error', async t => {
    const { store, wire } = await spoil(t, () => ({ status: 503 }), { retry: { ...fast, attempts: 3 } })
    for (const call of [() => store.head('key'), () => readAll(store, 'key'), () => store.stage('key')]) {
      wire.requests.length = 0
      await rejectsWith(call(), 'io', '503')
      assert.equal(wire.requests.length, 3)
    }
  })

  check('a part that fails for ever costs no more requests than were to be tried', async t => {
    const fault = (request: WireRequest) => (isPart(request) ? { status: 503 } : undefined)
    const { store, direct, wire } = await spoil(t, fault, { retry: { ...fast, attempts: 3 } })
    const writer = await store.stage('key')
    await writer.write(new Uint8Array(9 * MIB))
    await rejectsWith(writer.seal(), 'io', `${backend.partName}, 503`)
    // One was sent in the background before anybody could wait for it.
    assert.equal(wire.requests.filter(isPart).length, 3)
    await writer.abort()
    await assertEmpty(direct)
  })

  check('a long stream gets through although every third part fails', async t => {
    let parts = 0
    const fault = (request: WireRequest) =>
      isPart(request) && parts++ % 3 === 0 ? { status: 503 } : undefined
    const { store, direct } = await spoil(t, fault)
    const whole = pattern(50 * MIB)
    async function* stream() {
      for (let start = 0; start < whole.length; start += MIB) yield whole.subarray(start, start + MIB)
    }
    await store.put('key', stream())
    assert.ok(Buffer.from(await readAll(direct, 'key')).equals(whole))
    // A write that fills several parts at once, of which one fails.
    const writer = await store.stage('staged')
    await writer.write(whole.subarray(0, 100))
    await writer.write(whole.subarray(100))
    await store.completeStaged(await writer.seal())
    assert.ok(Buffer.from(await readAll(direct, 'staged')).equals(whole))
  })

  check('an upload that dies midway shows nothing, is listed, and can be ended by others', async t => {
    let dead = false
    const { store, direct } = await spoil(t, () => (dead ? { drop: 'before' } : undefined), {
      retry: { ...fast, attempts: 2 },
    })
    const writer = await store.stage('a/key')
    await writer.write(pattern(9 * MIB))
    dead = true
    await rejectsWith(writer.seal(), 'io', 'a/key')
    assert.deepEqual(await keysOf(direct), [])
    assert.deepEqual(await direct.listLevel(), { objects: [], prefixes: [] })
    await rejectsWith(direct.head('a/key'), 'not-found')
    const left = await collect(direct.listStaged(''))
    assert.deepEqual(
      left.map(({ upload }) => upload.key),
      ['a/key'],
    )
    for (const { upload } of left) await direct.abortStaged(posted(upload))
    await assertEmpty(direct)
  })

  check('a put whose answer is lost has succeeded, once', async t => {
    for (const mode of ['overwrite', 'create', 'ifMatch'] as const) {
      const { store, direct, wire } = await spoil(t, sequence(isPut, { drop: 'after' }))
      const { etag } = mode === 'ifMatch' ? await direct.put('key', bytesOf('old')) : { etag: '' }
      await store.put('key', bytesOf('new'), { mode: mode === 'ifMatch' ? { ifMatch: etag } : mode })
      assert.equal(await textOf(direct, 'key'), 'new')
      assert.deepEqual(await keysOf(direct), ['key'])
      assert.equal(wire.requests.filter(isPut).length, 2)
    }
  })

  check('a completion whose answer is lost has succeeded', async t => {
    const lost: WireFault = { drop: 'after' }
    const { store, direct } = await spoil(t, sequence(isCompletion, lost, undefined, lost))
    const writer = await store.stage('staged')
    await writer.write(bytesOf('staged'))
    await store.completeStaged(await writer.seal())
    assert.equal(await textOf(direct, 'staged'), 'staged')
    async function* stream() {
      for (let i = 0; i < 9; i++) yield new Uint8Array(MIB).fill(i)
    }
    const meta = await store.put('large', stream(), { mode: 'create' })
    assert.equal(meta.size, 9 * MIB)
    assert.deepEqual(await keysOf(direct), ['large', 'staged'])
    assert.deepEqual(await collect(direct.listStaged('')), [])
  })

  check('a condition that does not hold is a conflict, and not repeated', async t => {
    const { store, direct, wire } = await spoil(t, () => undefined)
    const { etag } = await direct.put('key', bytesOf('one'))
    await rejectsWith(store.put('key', bytesOf('two'), { mode: 'create' }), 'already-exists', 'key')
    await direct.put('key', bytesOf('three'))
    await rejectsWith(store.put('key', bytesOf('four'), { mode: { ifMatch: etag } }), 'precondition', 'key')
    assert.equal(wire.requests.filter(isPut).length, 2)
    assert.equal(await textOf(direct, 'key'), 'three')
  })

  check('what is no fault is not repeated, says what to do, and tells no secret', async t => {
    for (const [fault, code, message] of backend.refusals) {
      const { store, wire } = await spoil(t, () => fault)
      const error = await store.put('folder/the key', bytesOf('x')).then(
        () => assert.fail('it was put'),
        (error: unknown) => error,
      )
      assert.ok(isSluiceError(error), String(error))
      assert.equal(error.code, code, error.message)
      assert.match(error.message, message)
      assert.match(error.message, /folder\/the key/)
      assert.equal(wire.requests.length, 1, error.message)
      const shown = [
        inspect(error, { depth: 20, showHidden: true }),
        JSON.stringify(error),
        inspect(store, { depth: 20 }),
      ]
      for (const text of shown)
        for (const secret of backend.secrets()) assert.ok(!text.includes(secret), text)
    }
  })

  check('what is not there is asked for once', async t => {
    const { store, wire } = await spoil(t, () => undefined)
    for (const call of [() => store.head('key'), () => readAll(store, 'key')]) {
      wire.requests.length = 0
      await rejectsWith(call(), 'not-found', 'key')
      assert.equal(wire.requests.length, 1)
    }
  })
}
