import { untilAborted } from '../../core/abort.ts'
import { channels } from '../../core/diagnostics.ts'
import { type ErrorCode, isSluiceError, SluiceError } from '../../core/errors.ts'
import {
  isTransient,
  RetryBudget,
  type RetryOptions,
  retrying,
  validateRetryOptions,
} from '../../core/retry.ts'
import { validateKey } from '../keys.ts'
import { readAll } from '../read.ts'
import type {
  CopyOptions,
  GetOptions,
  GetResult,
  ListOptions,
  ObjectMeta,
  PutOptions,
  SignalOption,
  StagedWriter,
  StageOptions,
  Store,
} from '../store.ts'
import { describeFailure, type RetryEvent } from './events.ts'
import { type RunRequest, type StoreMethod, type StoreRequest, WrappedStore, wrap } from './wrapped.ts'

export interface StoreRetryOptions extends RetryOptions {
  /** Retries that all requests together may have outstanding; ten successes give one back. @default 100 */
  budget?: number | undefined
  /**
   * Longest time that one try may take in all, in milliseconds, until the store's answer, or until all bytes have come
   * of a request of `getRanges`; then it is ended with `timeout`, and tried again. What a body, a listing or a part
   * that is sent in the background may take is bounded by the driver's idle timeout alone. @default no limit
   */
  timeoutMs?: number | undefined
  /** Called before each retry's pause with what failed: the place to count them. */
  onRetry?: ((error: unknown, retry: RetryEvent) => void) | undefined
}

/** What may pass by itself, and does no harm when it is done twice or settled by whoever tries again. */
const PASSING: readonly ErrorCode[] = ['io', 'timeout']

/** By operation: failures after which it is tried again. */
const RETRYABLE: Readonly<Record<StoreMethod, readonly ErrorCode[]>> = {
  head: PASSING,
  get: PASSING,
  getRanges: PASSING,
  list: PASSING,
  listLevel: PASSING,
  // Uploads have no order to go on in.
  listStaged: [],
  // Settled by reading back, where there is a condition.
  put: PASSING,
  copy: PASSING,
  delete: PASSING,
  deleteMany: PASSING,
  // A lost answer leaves an upload without parts, for `vacuum`.
  stage: PASSING,
  resumeStaged: PASSING,
  write: PASSING,
  checkpoint: PASSING,
  seal: PASSING,
  abort: PASSING,
  completeStaged: PASSING,
  abortStaged: PASSING,
}

/**
 * Tries again what failed with `io` or `timeout` and may be done twice. A body that breaks off goes on where it
 * stopped, in the same version of the object, and so does each request that `getRanges` makes; a listing goes on after
 * the last key that it gave. What has been tried in vain says how often (`attempts` of the error), and no other layer
 * tries it again.
 *
 * A put with `create` or `ifMatch` may have succeeded although its answer was lost, and then find its own object
 * in its way: before that is called a failure, the object is read back, and if its bytes are those of this put
 * it has succeeded. (Two writers who put the same bytes under the same key may so both succeed; put something of
 * your own in it where that matters.)
 *
 * The body of a put that is a stream is read once: what fits into 8 MiB is kept until it is put, and a longer one
 * becomes a staged upload, of which each write can be repeated. (Should another writer replace the object in the
 * moment between its completion and a repetition of that, it is `not-found`.)
 *
 * Not retried: a longer stream with `create` or `ifMatch`, which staged uploads do not have; `listStaged`.
 */
export function withRetry(store: Store, options: StoreRetryOptions = {}): Store {
  const { budget = 100, timeoutMs, onRetry } = options
  if (!(budget >= 0)) {
    throw new SluiceError('invalid-argument', `must be 0 or more, not ${budget}`, { option: 'budget' })
  }
  // Node's timers take no more.
  if (timeoutMs !== undefined && !(timeoutMs > 0 && timeoutMs < 2 ** 31)) {
    throw new SluiceError('invalid-argument', `must be above 0 and below 2^31, not ${timeoutMs}`, {
      option: 'timeoutMs',
    })
  }
  const policy = { ...validateRetryOptions(options), budget: new RetryBudget(budget), timeoutMs }
  return wrap(store, root => new RetriedStore(root, policy, onRetry))
}

/** Most bytes of a stream that are kept, to be put again. */
const KEPT = 8 * 1024 * 1024

type Policy = ReturnType<typeof validateRetryOptions> & {
  budget: RetryBudget
  timeoutMs: number | undefined
}

class RetriedStore extends WrappedStore {
  readonly #policy: Policy
  readonly #onRetry: StoreRetryOptions['onRetry']

  constructor(inner: Store, policy: Policy, onRetry: StoreRetryOptions['onRetry']) {
    super(inner)
    this.#policy = policy
    this.#onRetry = onRetry
  }

  protected override call<T>(request: StoreRequest, run: RunRequest<T>): Promise<T> {
    const { method, key, signal } = request
    return retrying(attempt => this.#tryOnce(request, attempt, run), {
      ...this.#policy,
      signal,
      shouldRetry: error => isTransient(error, RETRYABLE[method]),
      onRetry: (error, retry) => {
        if (this.#onRetry === undefined && !channels.requestRetry.hasSubscribers) return
        const event: RetryEvent = { store: this.url, method, key, ...retry, ...describeFailure(error) }
        channels.requestRetry.publish(event)
        this.#onRetry?.(error, event)
      },
    })
  }

  async #tryOnce<T>({ key, signal }: StoreRequest, attempt: number, run: RunRequest<T>): Promise<T> {
    const { timeoutMs } = this.#policy
    if (timeoutMs === undefined) return run(attempt === 1 ? undefined : { attempt })
    const timeout = new AbortController()
    const end = () => {
      const reason = `no answer came within ${timeoutMs} ms`
      timeout.abort(new SluiceError('timeout', reason, { option: 'timeoutMs', file: `${this.url}/${key}` }))
    }
    const timer = setTimeout(end, timeoutMs)
    try {
      const both = signal === undefined ? timeout.signal : AbortSignal.any([signal, timeout.signal])
      return await run({ signal: both, attempt })
    } finally {
      clearTimeout(timer)
    }
  }

  /** The next step of a stream. Only once it has failed does it cost what trying again does. */
  async #step<T>(request: StoreRequest, step: () => Promise<T>): Promise<T> {
    let failure: { error: unknown } | undefined
    try {
      return await step()
    } catch (error) {
      failure = { error }
    }
    return this.call(request, () => {
      if (failure === undefined) return step()
      const { error } = failure
      failure = undefined
      return Promise.reject(error)
    })
  }

  override async get(key: string, options: GetOptions = {}): Promise<GetResult> {
    const request: StoreRequest = { method: 'get', key, signal: options.signal, bytes: 0 }
    const first = await this.call(request, own => this.inner.get(key, { ...options, ...own }))
    const { meta, range } = first
    let tries = 1
    const reopen = async (start: number) => {
      const rest = { range: { start, end: range.end }, ifMatch: meta.etag, attempt: ++tries }
      return (await this.inner.get(key, { ...options, ...rest })).body[Symbol.asyncIterator]()
    }
    let position = range.start
    let body: AsyncIterator<Uint8Array> | undefined = first.body[Symbol.asyncIterator]()
    const next = async (): Promise<IteratorResult<Uint8Array, void>> => {
      if (position === range.end && body === undefined) return { done: true, value: undefined }
      try {
        body ??= await reopen(position)
        const result = await body.next()
        if (!result.done) {
          position += result.value.length
          return result
        }
        if (position === range.end) return { done: true, value: undefined }
        throw new SluiceError('io', `the body ended ${range.end - position} bytes early`, {
          file: `${this.url}/${key}`,
        })
      } catch (error) {
        body = undefined
        throw error
      }
    }
    const iterator: AsyncIterableIterator<Uint8Array, void, undefined> = {
      [Symbol.asyncIterator]: () => iterator,
      next: () => this.#step(request, next),
      return: async () => {
        position = range.end
        await body?.return?.()
        body = undefined
        return { done: true, value: undefined }
      },
    }
    return { ...first, body: iterator }
  }

  override put(
    key: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    options: PutOptions = {},
  ): Promise<ObjectMeta> {
    if (!(body instanceof Uint8Array)) return this.#putStream(key, body, options)
    return this.#write(
      'put',
      key,
      options,
      own => this.inner.put(key, body, { ...options, ...own }),
      () => body,
    )
  }

  override copy(from: string, to: string, options: CopyOptions = {}): Promise<ObjectMeta> {
    const source = () => readAll(this.inner, from, { signal: options.signal })
    const write = (own: SignalOption | undefined) => this.inner.copy(from, to, { ...options, ...own })
    return this.#write('copy', to, options, write, source)
  }

  /** Only those keys are tried again that failed for what may pass. */
  override async deleteMany(
    keys: readonly string[],
    options: SignalOption = {},
  ): Promise<Map<string, SluiceError>> {
    const failures = new Map<string, SluiceError>()
    let pending = keys
    const request: StoreRequest = { method: 'deleteMany', key: '', signal: options.signal, bytes: 0 }
    try {
      await this.call(request, async own => {
        const failed = await this.inner.deleteMany(pending, { ...options, ...own })
        for (const key of pending) failures.delete(key)
        for (const [key, error] of failed) failures.set(key, error)
        const mayPass = ([, error]: [string, SluiceError]) => isTransient(error, RETRYABLE.deleteMany)
        pending = [...failed].filter(mayPass).map(([key]) => key)
        if (pending.length > 0) throw failed.get(pending[0]!)
      })
    } catch (error) {
      options.signal?.throwIfAborted()
      if (!isSluiceError(error) || failures.size === 0) throw error
    }
    return failures
  }

  override async *list(options: ListOptions = {}): AsyncGenerator<ObjectMeta, void, undefined> {
    const request: StoreRequest = {
      method: 'list',
      key: options.prefix ?? '',
      signal: options.signal,
      bytes: 0,
    }
    let last = options.startAfter
    let listing: AsyncIterator<ObjectMeta> | undefined
    const next = async () => {
      try {
        const rest = last === undefined ? options : { ...options, startAfter: last }
        listing ??= this.inner.list(rest)[Symbol.asyncIterator]()
        return await listing.next()
      } catch (error) {
        listing = undefined
        throw error
      }
    }
    try {
      for (let item = await this.#step(request, next); !item.done; item = await this.#step(request, next)) {
        last = item.value.key
        yield item.value
      }
    } finally {
      await listing?.return?.()
    }
  }

  async #putStream(key: string, body: AsyncIterable<Uint8Array>, options: PutOptions): Promise<ObjectMeta> {
    const { mode = 'overwrite', ...rest } = options
    const { signal } = rest
    validateKey(key)
    const source = untilAborted(body, signal)
    const kept: Uint8Array[] = []
    let length = 0
    let last = await source.next()
    for (; !last.done && length + last.value.length <= KEPT; last = await source.next()) {
      kept.push(last.value.slice())
      length += last.value.length
    }
    if (last.done) return this.put(key, Buffer.concat(kept), options)
    const whole = continued([...kept.splice(0), last.value], source)
    const staged = mode === 'overwrite' && this.capabilities.stage
    return staged ? this.#putStaged(key, whole, rest) : this.inner.put(key, whole, options)
  }

  async #putStaged(key: string, body: AsyncIterable<Uint8Array>, options: StageOptions): Promise<ObjectMeta> {
    const { signal } = options
    let writer: StagedWriter | undefined
    try {
      writer = await this.stage(key, options)
      for await (const bytes of body) await writer.write(bytes, { signal })
      return await this.completeStaged(await writer.seal({ signal }), { signal })
    } catch (error) {
      // Failing to end the upload must not hide why.
      await writer?.abort().catch(() => undefined)
      throw error
    }
  }

  /** Puts something, and settles whether an earlier try of it has succeeded unnoticed. */
  async #write(
    method: 'put' | 'copy',
    key: string,
    { mode, signal }: CopyOptions,
    write: RunRequest<ObjectMeta>,
    written: () => Uint8Array | Promise<Uint8Array>,
  ): Promise<ObjectMeta> {
    let attempt = 0
    return this.call({ method, key, signal, bytes: 0 }, async own => {
      attempt++
      try {
        return await write(own)
      } catch (error) {
        const inTheWay =
          isSluiceError(error) && (error.code === 'already-exists' || error.code === 'precondition')
        if (attempt === 1 || mode === undefined || mode === 'overwrite' || !inTheWay) throw error
        const meta = await this.#holds(key, await written(), signal)
        if (meta === undefined) throw error
        return meta
      }
    })
  }

  /** What the store knows about the object if its bytes are these. */
  async #holds(
    key: string,
    bytes: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<ObjectMeta | undefined> {
    try {
      const meta = await this.inner.head(key, { signal })
      if (meta.size !== bytes.length) return undefined
      const found = await readAll(this.inner, key, { ifMatch: meta.etag, signal })
      return Buffer.compare(found, bytes) === 0 ? meta : undefined
    } catch (error) {
      if (isSluiceError(error) && (error.code === 'not-found' || error.code === 'precondition'))
        return undefined
      throw error
    }
  }
}

/** What has been read of a stream, and then the rest of it. */
async function* continued(
  first: Uint8Array[],
  rest: AsyncGenerator<Uint8Array, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for (let bytes = first.shift(); bytes !== undefined; bytes = first.shift()) yield bytes
    yield* rest
  } finally {
    await rest.return()
  }
}
