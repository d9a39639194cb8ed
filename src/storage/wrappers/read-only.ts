import { SluiceError } from '../../core/errors.ts'
import type { Capabilities, SignalOption, StagedUpload, Store } from '../store.ts'
import { type RunRequest, type StoreMethod, type StoreRequest, WrappedStore, wrap } from './wrapped.ts'

/** The store without its writes: each is `unsupported`, and says so before it is tried by its capabilities. */
export function readOnly(store: Store): Store {
  return wrap(store, root => new ReadOnlyStore(root))
}

const READS: ReadonlySet<StoreMethod> = new Set(['head', 'get', 'getRanges', 'list', 'listLevel'])

class ReadOnlyStore extends WrappedStore {
  override readonly capabilities: Capabilities = {
    ...this.inner.capabilities,
    write: false,
    putCreate: false,
    putIfMatch: false,
    stage: false,
    resume: false,
  }

  protected override async call<T>({ method, key }: StoreRequest, run: RunRequest<T>): Promise<T> {
    if (READS.has(method)) return run()
    throw this.#refusal(method, key)
  }

  override async deleteMany(
    keys: readonly string[],
    { signal }: SignalOption = {},
  ): Promise<Map<string, SluiceError>> {
    signal?.throwIfAborted()
    return new Map(keys.map(key => [key, this.#refusal('deleteMany', key)]))
  }

  // biome-ignore lint/correctness/useYield: it refuses with the first item that is asked for.
  override async *listStaged(
    prefix: string,
  ): AsyncGenerator<{ upload: StagedUpload; started: Date }, void, undefined> {
    throw this.#refusal('listStaged', prefix)
  }

  #refusal(method: StoreMethod, key: string): SluiceError {
    return new SluiceError('unsupported', `the store was made read-only, and refuses '${method}'`, {
      file: `${this.url}/${key}`,
      hint: "Use the store that 'readOnly' was given.",
    })
  }
}
