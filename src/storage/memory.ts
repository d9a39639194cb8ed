import { randomUUID } from 'node:crypto'
import { untilAborted } from '../core/abort.ts'
import { SluiceError } from '../core/errors.ts'
import { deleteEach } from './batch.ts'
import { childOf } from './child.ts'
import { compareKeys, keyMatches, validateKey } from './keys.ts'
import {
  atOnce,
  coalesceRanges,
  extentOf,
  resolveRange,
  validateRanges,
  validateReadOptions,
  viewsOf,
} from './ranges.ts'
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
  ObjectAttributes,
  ObjectInfo,
  ObjectMeta,
  PutMode,
  PutOptions,
  SignalOption,
  StagedUpload,
  StagedWriter,
  StageOptions,
  Store,
  UnwrappedStore,
} from './store.ts'

interface StoredObject {
  bytes: Uint8Array
  meta: ObjectInfo
  /** The staged upload that it was, if any. */
  upload?: string
}

interface Upload {
  attributes: ObjectAttributes
  key: string
  chunks: Uint8Array[]
  size: number
  sealed: boolean
  started: Date
}

const CHUNK = 256 * 1024
const DEFAULT_GAP = 64 * 1024

/** Objects in this thread's memory, for tests and small work. It keeps what it is given as a copy. */
export class MemoryStore implements Store {
  readonly url: string
  readonly capabilities: Capabilities = {
    write: true,
    list: true,
    putCreate: true,
    putIfMatch: true,
    stage: true,
    resume: true,
    attributes: true,
  }
  readonly root: { store: Store; prefix: string }
  readonly #objects = new Map<string, StoredObject>()
  readonly #uploads = new Map<string, Upload>()
  /** The keys in order; made by the first listing after a change of them. */
  #keys: string[] | undefined
  #versions = 0

  constructor(name = '') {
    this.url = `memory:${encodeURIComponent(name)}`
    this.root = { store: this, prefix: '' }
  }

  child(prefix: string): Store {
    return childOf(this, prefix)
  }

  unwrap(): UnwrappedStore {
    return { client: undefined, container: this.url, prefix: '' }
  }

  async head(key: string, { signal }: SignalOption = {}): Promise<ObjectInfo> {
    signal?.throwIfAborted()
    return { ...this.#find(key).meta }
  }

  async get(key: string, { range, ifMatch, signal }: GetOptions = {}): Promise<GetResult> {
    signal?.throwIfAborted()
    const { bytes, meta } = this.#find(key, ifMatch)
    const wanted = resolveRange(range, meta.size, this.#place(key))
    const body = chunks(bytes.subarray(wanted.start, wanted.end), signal)
    return { meta: { ...meta }, range: wanted, body }
  }

  async getRanges(
    key: string,
    ranges: readonly ByteRange[],
    {
      ifMatch,
      signal,
      coalesceGap: gap = DEFAULT_GAP,
      allocate = bytes => new Uint8Array(bytes),
      eachRequest = atOnce,
      ...options
    }: GetRangesOptions = {},
  ): Promise<Uint8Array[]> {
    validateReadOptions({ coalesceGap: gap, ...options })
    const joined = coalesceRanges(ranges, { gap })
    const memory: Uint8Array[] = []
    await eachRequest(extentOf(joined), async () => {
      signal?.throwIfAborted()
      const { bytes } = this.#find(key, ifMatch)
      validateRanges(ranges, bytes.length, this.#place(key))
      joined.forEach(({ start, end }, group) => {
        memory[group] ??= allocate(end - start)
        memory[group].set(bytes.subarray(start, end))
      })
    })
    return viewsOf(ranges, joined, memory)
  }

  async put(
    key: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    { mode = 'overwrite', signal, ...attributes }: PutOptions = {},
  ): Promise<ObjectMeta> {
    signal?.throwIfAborted()
    validateKey(key)
    this.#check(key, mode)
    const chunks = body instanceof Uint8Array ? [body.slice()] : []
    if (!(body instanceof Uint8Array)) {
      for await (const bytes of untilAborted(body, signal)) chunks.push(bytes.slice())
      signal?.throwIfAborted()
      this.#check(key, mode)
    }
    return this.#store(key, join(chunks), attributes)
  }

  async delete(key: string, { signal }: SignalOption = {}): Promise<void> {
    signal?.throwIfAborted()
    if (this.#objects.delete(validateKey(key))) this.#keys = undefined
  }

  deleteMany(keys: readonly string[], options?: SignalOption): Promise<Map<string, SluiceError>> {
    return deleteEach(this, keys, options)
  }

  async *list({
    prefix = '',
    startAfter,
    signal,
  }: ListOptions = {}): AsyncGenerator<ObjectMeta, void, undefined> {
    signal?.throwIfAborted()
    for (const key of this.#sorted()) {
      if (!keyMatches(key, prefix, startAfter)) continue
      const object = this.#objects.get(key)
      if (object === undefined) continue
      yield metaOf(object)
      signal?.throwIfAborted()
    }
  }

  async listLevel(options: ListOptions = {}): Promise<ListLevel> {
    const from = options.prefix?.length ?? 0
    const level: ListLevel = { objects: [], prefixes: [] }
    for await (const meta of this.list(options)) {
      const slash = meta.key.indexOf('/', from)
      const prefix = meta.key.slice(0, slash + 1)
      if (slash < 0) level.objects.push(meta)
      else if (level.prefixes.at(-1) !== prefix) level.prefixes.push(prefix)
    }
    return level
  }

  async copy(
    from: string,
    to: string,
    { mode = 'overwrite', signal }: CopyOptions = {},
  ): Promise<ObjectMeta> {
    signal?.throwIfAborted()
    const { bytes, meta } = this.#find(from)
    validateKey(to)
    this.#check(to, mode)
    return this.#store(to, bytes, meta)
  }

  async stage(key: string, { signal, ...attributes }: StageOptions = {}): Promise<StagedWriter> {
    signal?.throwIfAborted()
    validateKey(key)
    const id = randomUUID()
    const upload: Upload = { attributes, key, chunks: [], size: 0, sealed: false, started: new Date() }
    this.#uploads.set(id, upload)
    return this.#writer(id, upload)
  }

  async resumeStaged(
    { key, size, token }: StagedUpload,
    { signal }: SignalOption = {},
  ): Promise<StagedWriter> {
    signal?.throwIfAborted()
    const id = idOf(token)
    const upload = this.#uploads.get(id)
    if (upload?.key !== validateKey(key) || upload.size < size) throw this.#noUpload(key)
    if (upload.sealed && token['open'] !== true) {
      throw new SluiceError('invalid-argument', 'is no checkpoint of a staged upload', {
        option: 'checkpoint',
        file: this.#place(key),
      })
    }
    // Whoever wrote to it until now has no say any longer.
    const resumed: Upload = {
      ...upload,
      chunks: [join(upload.chunks).subarray(0, size)],
      size,
      sealed: false,
    }
    this.#uploads.set(id, resumed)
    return this.#writer(id, resumed)
  }

  async completeStaged({ key, token }: StagedUpload, { signal }: SignalOption = {}): Promise<ObjectMeta> {
    signal?.throwIfAborted()
    const id = idOf(token)
    const upload = this.#uploads.get(id)
    if (upload?.key === validateKey(key)) {
      if (!upload.sealed || token['open'] === true) {
        throw new SluiceError('invalid-argument', 'the upload is not sealed', {
          option: 'upload',
          file: this.#place(key),
        })
      }
      this.#uploads.delete(id)
      return this.#store(key, join(upload.chunks), upload.attributes, id)
    }
    const object = this.#objects.get(key)
    if (object?.upload === id) return metaOf(object)
    throw this.#noUpload(key)
  }

  async abortStaged({ key, token }: StagedUpload, { signal }: SignalOption = {}): Promise<void> {
    signal?.throwIfAborted()
    const id = idOf(token)
    if (this.#uploads.get(id)?.key === validateKey(key)) this.#uploads.delete(id)
  }

  async *listStaged(
    prefix: string,
    { signal }: SignalOption = {},
  ): AsyncGenerator<{ upload: StagedUpload; started: Date }, void, undefined> {
    signal?.throwIfAborted()
    for (const [id, { key, size, started }] of [...this.#uploads]) {
      if (!key.startsWith(prefix)) continue
      yield { upload: { key, size, token: { id } }, started }
      signal?.throwIfAborted()
    }
  }

  #writer(id: string, upload: Upload): StagedWriter {
    const { key } = upload
    const assertOpen = () => {
      if (this.#uploads.get(id) === upload && !upload.sealed) return
      const end = upload.sealed ? 'sealed' : 'aborted'
      throw new SluiceError('invalid-argument', `the upload is ${end} already`, { file: this.#place(key) })
    }
    return {
      write: async (bytes, { signal } = {}) => {
        signal?.throwIfAborted()
        assertOpen()
        upload.chunks.push(bytes.slice())
        upload.size += bytes.length
      },
      checkpoint: async ({ signal } = {}) => {
        signal?.throwIfAborted()
        assertOpen()
        return { key, size: upload.size, token: { id, open: true } }
      },
      seal: async ({ signal } = {}) => {
        signal?.throwIfAborted()
        if (!upload.sealed) assertOpen()
        upload.sealed = true
        return { key, size: upload.size, token: { id } }
      },
      abort: async () => {
        this.#uploads.delete(id)
      },
    }
  }

  #find(key: string, ifMatch?: string): StoredObject {
    const object = this.#objects.get(validateKey(key))
    if (object === undefined) {
      throw new SluiceError('not-found', 'there is no such object', { file: this.#place(key) })
    }
    if (ifMatch !== undefined && ifMatch !== object.meta.etag) throw this.#changed(key)
    return object
  }

  #check(key: string, mode: PutMode): void {
    const object = this.#objects.get(key)
    if (mode === 'create' && object !== undefined) {
      throw new SluiceError('already-exists', 'the object exists already', { file: this.#place(key) })
    }
    if (typeof mode === 'object' && object?.meta.etag !== mode.ifMatch) throw this.#changed(key)
  }

  #store(
    key: string,
    bytes: Uint8Array,
    { contentType, metadata }: ObjectAttributes,
    upload?: string,
  ): ObjectMeta {
    if (!this.#objects.has(key)) this.#keys = undefined
    const etag = `v${++this.#versions}`
    const meta: ObjectInfo = { key, size: bytes.length, etag, lastModified: new Date() }
    if (contentType !== undefined) meta.contentType = contentType
    if (metadata !== undefined) meta.metadata = { ...metadata }
    const object = upload === undefined ? { bytes, meta } : { bytes, meta, upload }
    this.#objects.set(key, object)
    return metaOf(object)
  }

  #sorted(): string[] {
    return (this.#keys ??= [...this.#objects.keys()].sort(compareKeys))
  }

  #place(key: string): string {
    return `${this.url}/${key}`
  }

  #noUpload(key: string): SluiceError {
    return new SluiceError('not-found', 'there is no such staged upload', {
      file: this.#place(key),
      hint: 'It was aborted, or completed and the object has since been replaced or deleted.',
    })
  }

  #changed(key: string): SluiceError {
    return new SluiceError('precondition', 'the object has been changed', { file: this.#place(key) })
  }
}

showStores(MemoryStore.prototype)

/** What listings and writes tell. */
function metaOf({ meta: { key, size, etag, lastModified } }: StoredObject): ObjectMeta {
  return { key, size, etag, lastModified }
}

async function* chunks(
  bytes: Uint8Array,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  signal?.throwIfAborted()
  for (let start = 0; start < bytes.length; start += CHUNK) {
    yield bytes.slice(start, start + CHUNK)
    signal?.throwIfAborted()
  }
}

function join(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0]!
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.length
  }
  return bytes
}

function idOf({ id }: StagedUpload['token']): string {
  if (typeof id === 'string') return id
  throw new SluiceError('invalid-argument', 'is no staged upload of a memory store', { option: 'upload' })
}
