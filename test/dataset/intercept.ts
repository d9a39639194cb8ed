import { SluiceError } from '../../src/core/errors.ts'
import type { Store } from '../../src/storage/store.ts'
import { type StoreRequest, WrappedStore, wrap } from '../../src/storage/wrappers/wrapped.ts'

/** Runs a request, or does something else. Whatever it throws is what the caller of the store gets. */
export type Interceptor = <T>(request: StoreRequest, run: () => Promise<T>) => Promise<T>

/** A store all of whose requests go through a function. A listing is one request, read to its end at once. */
export function interceptStore(store: Store, intercept: Interceptor): Store {
  return wrap(store, root => new InterceptedStore(root, intercept))
}

class InterceptedStore extends WrappedStore {
  readonly #intercept: Interceptor

  constructor(inner: Store, intercept: Interceptor) {
    super(inner)
    this.#intercept = intercept
  }

  protected override call<T>(request: StoreRequest, run: () => Promise<T>): Promise<T> {
    return this.#intercept(request, run)
  }

  protected override received<T>(request: StoreRequest, items: AsyncIterable<T>): AsyncIterable<T> {
    return request.method === 'get' ? items : this.#listing(request, items)
  }

  async *#listing<T>(request: StoreRequest, items: AsyncIterable<T>): AsyncGenerator<T> {
    const all: T[] = []
    await this.#intercept(request, async () => {
      for await (const item of items) all.push(item)
    })
    yield* all
  }
}

/** A fault that a {@link faultyStore} has. */
export interface Fault {
  /** Ordinal of the request that fails, from 0. */
  at: number
  /** `before`: the store never hears of the request. `after`: it takes effect, and only the reply is lost. */
  when: 'before' | 'after'
  /** `true`: every later request fails, too, without effect, as if the process had been killed. */
  fatal?: boolean
}

/** A store of which one request fails; `requests` are those so far. */
export function faultyStore(store: Store, fault: Fault): { store: Store; requests: StoreRequest[] } {
  const requests: StoreRequest[] = []
  const faulty = interceptStore(store, async (request, run) => {
    const ordinal = requests.push(request) - 1
    const failure = new SluiceError('io', `${request.method} fails`, { file: request.key })
    if (ordinal > fault.at && fault.fatal) throw failure
    if (ordinal !== fault.at) return run()
    if (fault.when === 'after') await run()
    throw failure
  })
  return { store: faulty, requests }
}
