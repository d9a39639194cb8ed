import { Budget, type Lease } from '../../core/budget.ts'
import { assertCount } from '../../core/count.ts'
import type { Store } from '../store.ts'
import { type RunRequest, type StoreRequest, through, WrappedStore, wrap } from './wrapped.ts'

export interface LimitOptions {
  /** Most requests under way at once; at least 1. */
  requests: number
}

/**
 * Lets no more than so many requests be under way at once, each of a `getRanges` counted; the others wait in order. A
 * stream counts while it
 * moves, not while it waits for whoever reads or feeds it: a copy from one object to another cannot block
 * itself.
 */
export function withLimit(store: Store, { requests }: LimitOptions): Store {
  assertCount('requests', requests)
  return wrap(store, root => new LimitedStore(root, new Budget(requests)))
}

class LimitedStore extends WrappedStore {
  readonly #free: Budget
  readonly #slots = new WeakMap<StoreRequest, Slot>()

  constructor(inner: Store, free: Budget) {
    super(inner)
    this.#free = free
  }

  protected override async call<T>(request: StoreRequest, run: RunRequest<T>): Promise<T> {
    using slot = new Slot(this.#free)
    await slot.take(request.signal)
    this.#slots.set(request, slot)
    return await run()
  }

  protected override received<T>(request: StoreRequest, items: AsyncIterable<T>): AsyncIterable<T> {
    return through(items, next => this.call(request, next))
  }

  protected override sent(request: StoreRequest, body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    return through(body, async next => {
      const slot = this.#slots.get(request)!
      slot.pause()
      const result = await next()
      await slot.take(request.signal)
      return result
    })
  }
}

/** A request's place among those under way, which it may leave and take again until it has ended. */
class Slot implements Disposable {
  readonly #free: Budget
  #lease: Lease | undefined
  #ended = false

  constructor(free: Budget) {
    this.#free = free
  }

  async take(signal: AbortSignal | undefined): Promise<void> {
    const lease = await this.#free.acquire(1, signal)
    if (this.#ended) lease.release()
    else this.#lease = lease
  }

  pause(): void {
    this.#lease?.release()
  }

  [Symbol.dispose](): void {
    this.#ended = true
    this.pause()
  }
}
