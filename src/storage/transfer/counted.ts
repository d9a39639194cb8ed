import type { Store } from '../store.ts'
import { type StoreRequest, WrappedStore, wrap } from '../wrappers/wrapped.ts'

/** A store whose requests are counted. */
export function counted(store: Store, count: () => void): Store {
  return wrap(store, root => new CountedStore(root, count))
}

class CountedStore extends WrappedStore {
  readonly #count: () => void

  constructor(inner: Store, count: () => void) {
    super(inner)
    this.#count = count
  }

  protected override call<T>(_request: StoreRequest, run: () => Promise<T>): Promise<T> {
    this.#count()
    return run()
  }

  protected override received<T>({ method }: StoreRequest, items: AsyncIterable<T>): AsyncIterable<T> {
    if (method !== 'get') this.#count()
    return items
  }
}
