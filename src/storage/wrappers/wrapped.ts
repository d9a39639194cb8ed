import type { SluiceError } from '../../core/errors.ts'
import { childOf } from '../child.ts'
import { atOnce } from '../ranges.ts'
import { showStores } from '../shown.ts'
import type {
  ByteRange,
  Capabilities,
  CopyOptions,
  EachRequest,
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
  /** Of a local file: how many stretches of it are read. @default 1 */
  count?: number | undefined
  /** Which try it is, where a layer above retries. @default 1 */
  attempt?: number | undefined
}

/** Makes a request, with what a layer has changed of its options. */
export type RunRequest<T> = (own?: SignalOption) => Promise<T>

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

  /** One request, from its beginning to the store's answer; of `getRanges` each one that it makes. */
  protected call<T>(_request: StoreRequest, run: RunRequest<T>): Promise<T> {
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
    return this.call(request('head', key, options), own => this.inner.head(key, changed(options, own)))
  }

  async get(key: string, options?: GetOptions): Promise<GetResult> {
    const asked = request('get', key, options)
    const result = await this.call(asked, own => this.inner.get(key, changed(options, own)))
    return { ...result, body: this.received(asked, result.body) }
  }

  getRanges(
    key: string,
    ranges: readonly ByteRange[],
    options: GetRangesOptions = {},
  ): Promise<Uint8Array[]> {
    const { eachRequest: above = atOnce } = options
    const eachRequest: EachRequest = (part, run) =>
      above(part, outer => {
        const asked = { ...request('getRanges', key, { ...options, ...outer }), ...part }
        return this.call(asked, own => run(changed(outer, own)))
      })
    return this.inner.getRanges(key, ranges, { ...options, eachRequest })
  }

  put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>, options?: PutOptions): Promise<ObjectMeta> {
    if (body instanceof Uint8Array) {
      const asked = request('put', key, options, body.length)
      return this.call(asked, own => this.inner.put(key, body, changed(options, own)))
    }
    const asked = request('put', key, options)
    return this.call(asked, own => this.inner.put(key, this.sent(asked, body), changed(options, own)))
  }

  delete(key: string, options?: SignalOption): Promise<void> {
    return this.call(request('delete', key, options), own => this.inner.delete(key, changed(options, own)))
  }

  deleteMany(keys: readonly string[], options?: SignalOption): Promise<Map<string, SluiceError>> {
    return this.call(request('deleteMany', '', options), own =>
      this.inner.deleteMany(keys, changed(options, own)),
    )
  }

  list(options?: ListOptions): AsyncIterable<ObjectMeta> {
    return this.received(request('list', options?.prefix ?? '', options), this.inner.list(options))
  }

  listLevel(options?: ListOptions): Promise<ListLevel> {
    return this.call(request('listLevel', options?.prefix ?? '', options), own =>
      this.inner.listLevel(changed(options, own)),
    )
  }

  copy(from: string, to: string, options?: CopyOptions): Promise<ObjectMeta> {
    return this.call(request('copy', to, options), own => this.inner.copy(from, to, changed(options, own)))
  }

  async stage(key: string, options?: StageOptions): Promise<StagedWriter> {
    const writer = await this.call(request('stage', key, options), own =>
      this.inner.stage(key, changed(options, own)),
    )
    return this.#writer(key, writer)
  }

  async resumeStaged(checkpoint: StagedUpload, options?: SignalOption): Promise<StagedWriter> {
    const { key } = checkpoint
    const writer = await this.call(request('resumeStaged', key, options), own =>
      this.inner.resumeStaged(checkpoint, changed(options, own)),
    )
    return this.#writer(key, writer)
  }

  completeStaged(upload: StagedUpload, options?: SignalOption): Promise<ObjectMeta> {
    return this.call(request('completeStaged', upload.key, options), own =>
      this.inner.completeStaged(upload, changed(options, own)),
    )
  }

  abortStaged(upload: StagedUpload, options?: SignalOption): Promise<void> {
    return this.call(request('abortStaged', upload.key, options), own =>
      this.inner.abortStaged(upload, changed(options, own)),
    )
  }

  listStaged(prefix: string, options?: SignalOption): AsyncIterable<{ upload: StagedUpload; started: Date }> {
    return this.received(request('listStaged', prefix, options), this.inner.listStaged(prefix, options))
  }

  #writer(key: string, writer: StagedWriter): StagedWriter {
    return {
      write: (bytes, options) =>
        this.call(request('write', key, options, bytes.length), own =>
          writer.write(bytes, changed(options, own)),
        ),
      checkpoint: options =>
        this.call(request('checkpoint', key, options), own => writer.checkpoint(changed(options, own))),
      seal: options => this.call(request('seal', key, options), own => writer.seal(changed(options, own))),
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
  return { method, key, signal: options?.signal, attempt: options?.attempt, bytes }
}

/** Options with what a layer has changed of them. */
function changed<T extends SignalOption>(
  options: T | undefined,
  own: SignalOption | undefined,
): T | SignalOption | undefined {
  if (own === undefined) return options
  return options === undefined ? own : { ...options, ...own }
}
