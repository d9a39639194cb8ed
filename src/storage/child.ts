import type { SluiceError } from '../core/errors.ts'
import { folderPrefix, joinUrl } from './keys.ts'
import { showStores } from './shown.ts'
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
} from './store.ts'

/** The store of the keys below `prefix`, in terms of the root store: what every driver's `child()` returns. */
export function childOf(store: Store, prefix: string): Store {
  const { store: root, prefix: base } = store.root
  const full = base + folderPrefix(prefix)
  return full === '' ? root : new ChildStore(root, full)
}

class ChildStore implements Store {
  readonly url: string
  readonly capabilities: Capabilities
  readonly root: { store: Store; prefix: string }
  readonly #store: Store
  readonly #prefix: string

  constructor(store: Store, prefix: string) {
    this.url = joinUrl(store.url, prefix.slice(0, -1))
    this.capabilities = store.capabilities
    this.root = { store, prefix }
    this.#store = store
    this.#prefix = prefix
  }

  child(prefix: string): Store {
    return childOf(this, prefix)
  }

  unwrap(): UnwrappedStore {
    const below = this.#store.unwrap()
    return { ...below, prefix: below.prefix + this.#prefix }
  }

  async head(key: string, options?: SignalOption): Promise<ObjectInfo> {
    return this.#relative(await this.#store.head(this.#prefix + key, options))
  }

  async get(key: string, options?: GetOptions): Promise<GetResult> {
    const result = await this.#store.get(this.#prefix + key, options)
    return { ...result, meta: this.#relative(result.meta) }
  }

  getRanges(key: string, ranges: readonly ByteRange[], options?: GetRangesOptions): Promise<Uint8Array[]> {
    return this.#store.getRanges(this.#prefix + key, ranges, options)
  }

  async put(
    key: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    options?: PutOptions,
  ): Promise<ObjectMeta> {
    return this.#relative(await this.#store.put(this.#prefix + key, body, options))
  }

  delete(key: string, options?: SignalOption): Promise<void> {
    return this.#store.delete(this.#prefix + key, options)
  }

  async deleteMany(keys: readonly string[], options?: SignalOption): Promise<Map<string, SluiceError>> {
    const absolute = keys.map(key => this.#prefix + key)
    const failures = await this.#store.deleteMany(absolute, options)
    return new Map([...failures].map(([key, error]) => [key.slice(this.#prefix.length), error]))
  }

  async *list(options: ListOptions = {}): AsyncGenerator<ObjectMeta, void, undefined> {
    for await (const meta of this.#store.list(this.#absolute(options))) yield this.#relative(meta)
  }

  async listLevel(options: ListOptions = {}): Promise<ListLevel> {
    const { objects, prefixes } = await this.#store.listLevel(this.#absolute(options))
    return {
      objects: objects.map(meta => this.#relative(meta)),
      prefixes: prefixes.map(prefix => prefix.slice(this.#prefix.length)),
    }
  }

  async copy(from: string, to: string, options?: CopyOptions): Promise<ObjectMeta> {
    return this.#relative(await this.#store.copy(this.#prefix + from, this.#prefix + to, options))
  }

  async stage(key: string, options?: StageOptions): Promise<StagedWriter> {
    return this.#writer(await this.#store.stage(this.#prefix + key, options))
  }

  async resumeStaged(checkpoint: StagedUpload, options?: SignalOption): Promise<StagedWriter> {
    const absolute = { ...checkpoint, key: this.#prefix + checkpoint.key }
    return this.#writer(await this.#store.resumeStaged(absolute, options))
  }

  async completeStaged(upload: StagedUpload, options?: SignalOption): Promise<ObjectMeta> {
    const absolute = { ...upload, key: this.#prefix + upload.key }
    return this.#relative(await this.#store.completeStaged(absolute, options))
  }

  abortStaged(upload: StagedUpload, options?: SignalOption): Promise<void> {
    return this.#store.abortStaged({ ...upload, key: this.#prefix + upload.key }, options)
  }

  async *listStaged(
    prefix: string,
    options?: SignalOption,
  ): AsyncGenerator<{ upload: StagedUpload; started: Date }, void, undefined> {
    for await (const { upload, started } of this.#store.listStaged(this.#prefix + prefix, options)) {
      yield { upload: this.#relative(upload), started }
    }
  }

  #writer(writer: StagedWriter): StagedWriter {
    return {
      write: (bytes, options) => writer.write(bytes, options),
      checkpoint: async options => this.#relative(await writer.checkpoint(options)),
      seal: async options => this.#relative(await writer.seal(options)),
      abort: () => writer.abort(),
    }
  }

  #absolute({ prefix = '', startAfter, ...rest }: ListOptions): ListOptions {
    const absolute: ListOptions = { ...rest, prefix: this.#prefix + prefix }
    if (startAfter !== undefined) absolute.startAfter = this.#prefix + startAfter
    return absolute
  }

  #relative<T extends { key: string }>(value: T): T {
    return { ...value, key: value.key.slice(this.#prefix.length) }
  }
}

showStores(ChildStore.prototype)
