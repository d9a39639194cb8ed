import { channels } from '../../core/diagnostics.ts'
import type { ByteRange, GetRangesOptions, Store } from '../store.ts'
import { request, type StoreMethod, type StoreRequest, through, WrappedStore, wrap } from './wrapped.ts'

/** One request that has ended, a stream with its last byte or item. Holds no contents and no credentials. */
export interface StorageRequestEvent {
  /** The store's URL. */
  store: string
  method: StoreMethod
  /** Key or prefix, from the root of the store. */
  key: string
  /** Bytes received or sent, of `getRanges` with the gaps that coalescing read. */
  bytes: number
  /** Reads that `getRanges` made of its ranges; objects that a listing gave; 1 otherwise. */
  count: number
  /** From the call to its end, with the time that a stream waited for its reader or writer. */
  milliseconds: number
  /** What it failed with. */
  error?: unknown
}

/**
 * Tells of every request, once, when it has ended: through a callback and through the channel
 * `sluice:storage:request` of `node:diagnostics_channel`.
 */
export function withObserver(store: Store, onRequest?: (event: StorageRequestEvent) => void): Store {
  const tell = (event: StorageRequestEvent) => {
    if (channels.storageRequest.hasSubscribers) channels.storageRequest.publish(event)
    onRequest?.(event)
  }
  return wrap(store, root => new ObservedStore(root, tell))
}

/**
 * Sums over the requests of an observed store.
 *
 * @example
 * ```ts
 * const counts = new RequestCounts()
 * const store = withObserver(lake, counts.add)
 * ```
 */
export class RequestCounts {
  /** Requests that have ended, by method. */
  readonly requests: Partial<Record<StoreMethod, number>> = {}
  bytesRead = 0
  bytesWritten = 0
  errors = 0

  readonly add = ({ method, bytes, ...event }: StorageRequestEvent): void => {
    this.requests[method] = (this.requests[method] ?? 0) + 1
    if (method === 'get' || method === 'getRanges') this.bytesRead += bytes
    else this.bytesWritten += bytes
    if ('error' in event) this.errors++
  }
}

/** A request on its way, counting what passes. */
class Span {
  bytes = 0
  count = 0
  readonly #begun = performance.now()
  #tell: ((event: StorageRequestEvent) => void) | undefined
  readonly #event: Pick<StorageRequestEvent, 'store' | 'method' | 'key'>

  constructor(store: Store, { method, key }: StoreRequest, tell: (event: StorageRequestEvent) => void) {
    this.#event = { store: store.url, method, key }
    this.#tell = tell
  }

  /** Tells, once. */
  end(failure?: { error: unknown }): void {
    const tell = this.#tell
    this.#tell = undefined
    const { bytes, count } = this
    tell?.({ ...this.#event, bytes, count, milliseconds: performance.now() - this.#begun, ...failure })
  }

  async watch<T>(run: () => Promise<T>, end = true): Promise<T> {
    try {
      const result = await run()
      if (end) this.end()
      return result
    } catch (error) {
      this.end({ error })
      throw error
    }
  }
}

class ObservedStore extends WrappedStore {
  readonly #tell: (event: StorageRequestEvent) => void
  /** Of requests that go on after the store's first answer, or whose bytes are counted on the way. */
  readonly #spans = new WeakMap<StoreRequest, Span>()

  constructor(inner: Store, tell: (event: StorageRequestEvent) => void) {
    super(inner)
    this.#tell = tell
  }

  protected override call<T>(request: StoreRequest, run: () => Promise<T>): Promise<T> {
    const span = this.#spanOf(request)
    span.bytes = request.bytes
    span.count = 1
    return span.watch(run, request.method !== 'get')
  }

  protected override received<T>(request: StoreRequest, items: AsyncIterable<T>): AsyncIterable<T> {
    const span = this.#spanOf(request)
    const step = async (next: () => Promise<IteratorResult<T>>) => {
      const result = await span.watch(next, false)
      if (result.done) span.end()
      else if (result.value instanceof Uint8Array) span.bytes += result.value.length
      else span.count++
      return result
    }
    return through(items, step, () => span.end())
  }

  protected override sent(request: StoreRequest, body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    const span = this.#spanOf(request)
    return through(body, async next => {
      const result = await next()
      if (!result.done) span.bytes += result.value.length
      return result
    })
  }

  /** The driver asks for memory once for each read that it makes: so reads are counted, not ranges. */
  override getRanges(
    key: string,
    ranges: readonly ByteRange[],
    options: GetRangesOptions = {},
  ): Promise<Uint8Array[]> {
    const span = new Span(this, request('getRanges', key, options), this.#tell)
    const { allocate = bytes => new Uint8Array(bytes) } = options
    const counted = (bytes: number) => {
      span.bytes += bytes
      span.count++
      return allocate(bytes)
    }
    return span.watch(() => this.inner.getRanges(key, ranges, { ...options, allocate: counted }))
  }

  #spanOf(request: StoreRequest): Span {
    let span = this.#spans.get(request)
    if (span === undefined) this.#spans.set(request, (span = new Span(this, request, this.#tell)))
    return span
  }
}
