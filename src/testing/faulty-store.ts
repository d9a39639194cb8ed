import { SluiceError } from '../core/errors.ts'
import type { Store } from '../storage/store.ts'
import { type StoreRequest, through, WrappedStore, wrap } from '../storage/wrappers/wrapped.ts'

/**
 * How a request goes wrong. `before`: it does not reach the store. `after`: the store does it, and its answer is
 * lost. A number: a body breaks off after so many bytes, a listing after so many items.
 */
export type Fault = 'before' | 'after' | number

/**
 * A store whose requests fail as told, with `io`: for tests of retries and of what happens when they are at
 * their end.
 *
 * @param fault Called for each request; nothing means that this one goes well.
 */
export function withFaults(store: Store, fault: (request: StoreRequest) => Fault | undefined): Store {
  return wrap(store, root => new FaultyStore(root, fault))
}

class FaultyStore extends WrappedStore {
  readonly #fault: (request: StoreRequest) => Fault | undefined
  readonly #breaks = new WeakMap<StoreRequest, number>()

  constructor(inner: Store, fault: (request: StoreRequest) => Fault | undefined) {
    super(inner)
    this.#fault = fault
  }

  protected override async call<T>(request: StoreRequest, run: () => Promise<T>): Promise<T> {
    const fault = this.#fault(request)
    // A write that fails has appended nothing, says the contract: drivers see to that below their wrappers.
    if (fault === 'before' || (fault === 'after' && request.method === 'write'))
      throw failure(request, 'did not arrive')
    if (typeof fault === 'number') this.#breaks.set(request, fault)
    const result = await run()
    if (fault === 'after') throw failure(request, 'was not answered')
    return result
  }

  protected override received<T>(request: StoreRequest, items: AsyncIterable<T>): AsyncIterable<T> {
    // A listing has no answer before its first item: it has not been through `call`.
    const fault = request.method === 'get' ? this.#breaks.get(request) : this.#fault(request)
    if (fault === undefined) return items
    let left = typeof fault === 'number' ? fault : 0
    return through(items, async next => {
      if (left <= 0) throw failure(request, 'broke off')
      const result = await next()
      if (result.done) return result
      const { value } = result
      if (!(value instanceof Uint8Array)) left--
      else {
        const kept = value.subarray(0, left) as T & Uint8Array
        left -= value.length
        return { done: false, value: kept }
      }
      return result
    })
  }
}

function failure({ method, key }: StoreRequest, reason: string): SluiceError {
  return new SluiceError('io', `${method} ${reason}`, { file: key })
}
