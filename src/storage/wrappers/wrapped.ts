import type { SluiceError } from '../../core/errors.ts'
import { childOf } from '../child.ts'
import { showStores } from '../shown.ts'
import type {
  ByteRange,
  Capabilities,
  CopyOptions,
  GetOptions,
  GetRangesOptions,
  GetResult,
  ListLevel,
  ListOptions,
  ObjectInfo,
  ObjectMeta,
  PutOptions,
  SignalOption,
  StagedUpload,
  StagedWriter,
  StageOptions,
  Store,
  UnwrappedStore,
} from '../store.ts'

/** What a store is asked for; `write`, `checkpoint`, `seal` and `abort` are those of a staged upload. */
export type StoreMethod =
  | Exclude<keyof Store, 'url' | 'capabilities' | 'root' | 'child' | 'unwrap'>
  | keyof StagedWriter

export interface StoreRequest {
  method: StoreMethod
  /** Key, or the prefix of a listing, from the root of the store. */
  key: string
  signal: AbortSignal | undefined
  /** Bytes that are known beforehand to be sent or to be received. */
  bytes: number
}

/**
 * Passes everything on to another store: the base of all wrappers. A wrapper overrides `call`, through which
 * every request goes, and `received` and `sent`, through which streams go.
 */
export abstract class WrappedStore implements Store {
  readonly url: string
  readonly capabilities: Capabilities
  readonly root: { store: Store; prefix: string }
  protected readonly inner: Store

  constructor(inner: Store) {
    this.inner = inner
    this.url = inner.url
    this.capabilities = inner.capabilities
    this.root = { store: this, prefix: '' }
  }

  /** One request, from its beginning to the store's answer. */
  protected call<T>(_request: StoreRequest, run: () => Promise<T>): Promise<T> {
    return run()
  }

  /** The body of a `get`, or the items of a listing. */
  protected received<T>(_request: StoreRequest, items: AsyncIterable<T>): AsyncIterable<T> {
    return items
  }

  /** The streamed body of a `put`. */
  protected sent(_request: StoreRequest, body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    return body
  }

  child(prefix: string): Store {
    return childOf(this, prefix)
  }

  unwrap(): UnwrappedStore {
    return this.inner.unwrap()
  }

  head(key: string, options?: SignalOption): Promise<ObjectInfo> {
    return this.call(request('head', key, options), () => this.inner.head(key, options))
  }

  async get(key: string, options?: GetOptions): Promise<GetResult> {
    const asked = request('get', key, options)
    const result = await this.call(asked, () => this.inner.get(key, options))
    return { ...result, body: this.received(asked, result.body) }
  }

  getRanges(key: string, ranges: readonly ByteRange[], options?: GetRangesOptions): Promise<Uint8Array[]> {
    const bytes = ranges.reduce((sum, { start, end }) => sum + end - start, 0)
    return this.call(request('getRanges', key, options, bytes), () =>
      this.inner.getRanges(key, ranges, options),
    )
  }

  put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>, options?: PutOptions): Promise<ObjectMeta> {
    if (body instanceof Uint8Array) {
      const asked = request('put', key, options, body.length)
      return this.call(asked, () => this.inner.put(key, body, options))
    }
    const asked = request('put', key, options)
    return this.call(asked, () => this.inner.put(key, this.sent(asked, body), options))
  }

  delete(key: string, options?: SignalOption): Promise<void> {
    return this.call(request('delete', key, options), () => this.inner.delete(key, options))
  }

  deleteMany(keys: readonly string[], options?: SignalOption): Promise<Map<string, SluiceError>> {
    return this.call(request('deleteMany', '', options), () => this.inner.deleteMany(keys, options))
  }

  list(options?: ListOptions): AsyncIterable<ObjectMeta> {
    return this.received(request('list', options?.prefix ?? '', options), this.inner.list(options))
  }

  listLevel(options?: ListOptions): Promise<ListLevel> {
    return this.call(request('listLevel', options?.prefix ?? '', options), () =>
      this.inner.listLevel(options),
    )
  }

  copy(from: string, to: string, options?: CopyOptions): Promise<ObjectMeta> {
    return this.call(request('copy', to, options), () => this.inner.copy(from, to, options))
  }

  async stage(key: string, options?: StageOptions): Promise<StagedWriter> {
    const writer = await this.call(request('stage', key, options), () => this.inner.stage(key, options))
    return this.#writer(key, writer)
  }

  async resumeStaged(checkpoint: StagedUpload, options?: SignalOption): Promise<StagedWriter> {
    const { key } = checkpoint
    const resume = () => this.inner.resumeStaged(checkpoint, options)
    return this.#writer(key, await this.call(request('resumeStaged', key, options), resume))
  }

  completeStaged(upload: StagedUpload, options?: SignalOption): Promise<ObjectMeta> {
    return this.call(request('completeStaged', upload.key, options), () =>
      this.inner.completeStaged(upload, options),
    )
  }

  abortStaged(upload: StagedUpload, options?: SignalOption): Promise<void> {
    return this.call(request('abortStaged', upload.key, options), () =>
      this.inner.abortStaged(upload, options),
    )
  }

  listStaged(prefix: string, options?: SignalOption): AsyncIterable<{ upload: StagedUpload; started: Date }> {
    return this.received(request('listStaged', prefix, options), this.inner.listStaged(prefix, options))
  }

  #writer(key: string, writer: StagedWriter): StagedWriter {
    return {
      write: (bytes, options) =>
        this.call(request('write', key, options, bytes.length), () => writer.write(bytes, options)),
      checkpoint: options => this.call(request('checkpoint', key, options), () => writer.checkpoint(options)),
      seal: options => this.call(request('seal', key, options), () => writer.seal(options)),
      abort: () => this.call(request('abort', key), () => writer.abort()),
    }
  }
}

showStores(WrappedStore.prototype)

/** Wraps a store from its root on, so that children of it, and what it stages, pass the wrapper too. */
export function wrap(store: Store, wrapRoot: (root: Store) => WrappedStore): Store {
  const { store: root, prefix } = store.root
  return wrapRoot(root).child(prefix)
}

/**
 * The items of `source`, each fetched by `step`. Closing it closes the source, also before the first item, where
 * a generator would not: a body holds a connection from the beginning.
 */
export function through<T>(
  source: AsyncIterable<T>,
  step: (next: () => Promise<IteratorResult<T>>) => Promise<IteratorResult<T>>,
  onClose?: () => void,
): AsyncIterableIterator<T, void, undefined> {
  const iterator = source[Symbol.asyncIterator]()
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      try {
        const result = await step(() => iterator.next())
        return result.done ? { done: true, value: undefined } : result
      } catch (error) {
        await iterator.return?.()
        throw error
      }
    },
    async return() {
      onClose?.()
      await iterator.return?.()
      return { done: true, value: undefined }
    },
  }
}

export function request(method: StoreMethod, key: string, options?: SignalOption, bytes = 0): StoreRequest {
  return { method, key, signal: options?.signal, bytes }
}
