import { channels } from '../../core/diagnostics.ts'
import type { Store } from '../store.ts'
import { describeFailure, type RequestEvent } from './events.ts'
import {
  type RunRequest,
  type StoreMethod,
  type StoreRequest,
  through,
  WrappedStore,
  wrap,
} from './wrapped.ts'

/**
 * Tells of every request, once, when it has ended. Below a layer that retries it tells of each try, above it of what
 * has come of them.
 */
export function withObserver(store: Store, onRequest: (event: RequestEvent) => void): Store {
  return wrap(
    store,
    root => new ObservedStore(root, { active: true, start: () => undefined, end: onRequest }),
  )
}

/**
 * Tells of every request through the channels `sluice:request:start` and `sluice:request:end` of
 * `node:diagnostics_channel`: what `openStore` puts around each driver, below the layers that limit and retry.
 */
export function withDiagnostics(store: Store): Store {
  return wrap(store, root => new ObservedStore(root, CHANNELS))
}

/** Who is told of requests. */
interface Listener {
  /** Whether anybody wants to know: otherwise nothing is measured. */
  readonly active: boolean
  start(event: RequestEvent): void
  end(event: RequestEvent): void
}

const CHANNELS: Listener = {
  get active() {
    return channels.requestStart.hasSubscribers || channels.requestEnd.hasSubscribers
  },
  start: event => channels.requestStart.publish(event),
  end: event => channels.requestEnd.publish(event),
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

  readonly add = ({ method, bytes, ...event }: RequestEvent): void => {
    this.requests[method] = (this.requests[method] ?? 0) + 1
    if (method === 'get' || method === 'getRanges') this.bytesRead += bytes
    else this.bytesWritten += bytes
    if ('error' in event) this.errors++
  }
}

/** A request on its way, counting what passes. */
class Span {
  readonly event: RequestEvent
  readonly #begun = performance.now()
  readonly #listener: Listener
  #ended = false

  constructor(store: Store, request: StoreRequest, listener: Listener) {
    const { method, key, bytes, count = 1, attempt = 1 } = request
    this.event = { store: store.url, method, key, attempt, bytes, count, milliseconds: 0 }
    this.#listener = listener
    listener.start(this.event)
  }

  /** Tells, once. */
  end(failure?: { error: unknown }): void {
    if (this.#ended) return
    this.#ended = true
    this.event.milliseconds = performance.now() - this.#begun
    if (failure !== undefined) Object.assign(this.event, describeFailure(failure.error))
    this.#listener.end(this.event)
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
  readonly #listener: Listener
  /** Of requests that go on after the store's first answer, or whose bytes are counted on the way. */
  readonly #spans = new WeakMap<StoreRequest, Span>()

  constructor(inner: Store, listener: Listener) {
    super(inner)
    this.#listener = listener
  }

  protected override call<T>(request: StoreRequest, run: RunRequest<T>): Promise<T> {
    if (!this.#listener.active) return run()
    const span = new Span(this, request, this.#listener)
    const { method } = request
    if (method === 'get' || method === 'put') this.#spans.set(request, span)
    return span.watch(run, method !== 'get')
  }

  protected override received<T>(request: StoreRequest, items: AsyncIterable<T>): AsyncIterable<T> {
    const { method } = request
    const listing = method !== 'get'
    if (listing && !this.#listener.active) return items
    const span = listing ? new Span(this, { ...request, count: 0 }, this.#listener) : this.#spans.get(request)
    if (span === undefined) return items
    const step = async (next: () => Promise<IteratorResult<T>>) => {
      const result = await span.watch(next, false)
      if (result.done) span.end()
      else if (result.value instanceof Uint8Array) span.event.bytes += result.value.length
      else span.event.count++
      return result
    }
    return through(items, step, () => span.end())
  }

  protected override sent(request: StoreRequest, body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    const span = this.#spans.get(request)
    if (span === undefined) return body
    return through(body, async next => {
      const result = await next()
      if (!result.done) span.event.bytes += result.value.length
      return result
    })
  }
}
