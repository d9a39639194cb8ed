import { SluiceError } from '../../core/errors.ts'
import { deleteEach } from '../batch.ts'
import { childOf } from '../child.ts'
import { getObject, getRangesOf } from '../remote/read.ts'
import { showStores } from '../shown.ts'
import type {
  ByteRange,
  Capabilities,
  GetOptions,
  GetRangesOptions,
  GetResult,
  ListLevel,
  ListOptions,
  ObjectInfo,
  ObjectMeta,
  SignalOption,
  StagedUpload,
  StagedWriter,
  Store,
  UnwrappedStore,
} from '../store.ts'
import type { HttpFolder } from './client.ts'
import { HttpIndex } from './index-file.ts'
import { HttpReader } from './read.ts'

/**
 * A folder of an HTTP server, read-only. It lists if the user has named a file that does. It makes each request once:
 * `withRetry` is what repeats them.
 */
export class HttpStore implements Store {
  readonly url: string
  readonly capabilities: Capabilities
  readonly root: { store: Store; prefix: string }
  readonly #folder: HttpFolder
  readonly #reader: HttpReader
  readonly #index: HttpIndex | undefined

  constructor(folder: HttpFolder) {
    this.#folder = folder
    this.#reader = new HttpReader(folder)
    const head = (key: string, { signal }: SignalOption) => this.#reader.head(key, { signal })
    this.#index = folder.index && new HttpIndex(folder, folder.index, head)
    this.url = folder.url
    this.capabilities = {
      write: false,
      list: this.#index !== undefined,
      putCreate: false,
      putIfMatch: false,
      stage: false,
      resume: false,
      attributes: false,
    }
    this.root = { store: this, prefix: '' }
  }

  child(prefix: string): Store {
    return childOf(this, prefix)
  }

  unwrap(): UnwrappedStore {
    return this.#folder.unwrap()
  }

  async head(key: string, { signal }: SignalOption = {}): Promise<ObjectInfo> {
    return this.#reader.head(key, { signal })
  }

  get(key: string, options: GetOptions = {}): Promise<GetResult> {
    return getObject(this.#reader, key, options)
  }

  getRanges(
    key: string,
    ranges: readonly ByteRange[],
    options: GetRangesOptions = {},
  ): Promise<Uint8Array[]> {
    return getRangesOf(this.#reader, key, ranges, options)
  }

  list(options: ListOptions = {}): AsyncIterable<ObjectMeta> {
    return this.#index?.list(options) ?? failing(this.#unlisted(options))
  }

  async listLevel(options: ListOptions = {}): Promise<ListLevel> {
    if (this.#index === undefined) throw this.#unlisted(options)
    return this.#index.listLevel(options)
  }

  async put(key: string): Promise<ObjectMeta> {
    throw this.#readOnly(key)
  }

  async delete(key: string, { signal }: SignalOption = {}): Promise<void> {
    signal?.throwIfAborted()
    throw this.#readOnly(key)
  }

  deleteMany(keys: readonly string[], options?: SignalOption): Promise<Map<string, SluiceError>> {
    return deleteEach(this, keys, options)
  }

  async copy(_from: string, to: string): Promise<ObjectMeta> {
    throw this.#readOnly(to)
  }

  async stage(key: string): Promise<StagedWriter> {
    throw this.#readOnly(key)
  }

  async resumeStaged({ key }: StagedUpload): Promise<StagedWriter> {
    throw this.#readOnly(key)
  }

  async completeStaged({ key }: StagedUpload): Promise<ObjectMeta> {
    throw this.#readOnly(key)
  }

  async abortStaged({ key }: StagedUpload): Promise<void> {
    throw this.#readOnly(key)
  }

  listStaged(prefix: string): AsyncIterable<{ upload: StagedUpload; started: Date }> {
    return failing(this.#readOnly(prefix))
  }

  #readOnly(key: string): SluiceError {
    return new SluiceError('unsupported', "'http:' and 'https:' stores are read-only", {
      file: this.#folder.place(key),
      hint: 'Write to another store, such as a folder or a bucket.',
    })
  }

  #unlisted({ prefix = '' }: ListOptions): SluiceError {
    return new SluiceError('unsupported', 'the store does not know which objects there are', {
      file: this.#folder.place(prefix),
      hint: "Name each file, or a file that lists them with the option 'index'.",
    })
  }
}

showStores(HttpStore.prototype)

/** Fails as soon as it is iterated. */
function failing(error: SluiceError): AsyncIterable<never> {
  return { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) }) }
}
