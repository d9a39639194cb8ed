import { untilAborted } from '../../core/abort.ts'
import type { SluiceError } from '../../core/errors.ts'
import { deleteEach } from '../batch.ts'
import { childOf } from '../child.ts'
import type { PartMemory } from '../remote/part-memory.ts'
import { PartWriter } from '../remote/part-writer.ts'
import { getObject, getRangesOf, type ObjectReader } from '../remote/read.ts'
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
import type { GcsBucket } from './bucket.ts'
import { completeStaged } from './compose.ts'
import { copyObject } from './copy.ts'
import { insertObject } from './insert.ts'
import { listLevel, listObjects } from './list.ts'
import { metaOf } from './object.ts'
import { gcsReader, headObject } from './read.ts'
import { abortStaged, listStaged, resumeStaged, stageObject } from './staging.ts'
import { deleteObject, ResumableUpload } from './upload.ts'

/**
 * A bucket of Google Cloud Storage, or a folder of one. It makes each request once: `withRetry` is what repeats them.
 * The tag of an object is its generation.
 *
 * The parts of a staged upload are objects below `_sluice/.staging/`, which no listing of the store shows, until they are
 * composed. Objects of such uploads, and of streamed puts of more than 8 MiB, carry the metadata `sluice-upload`.
 */
export class GcsStore implements Store {
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
  readonly #bucket: GcsBucket
  readonly #reader: ObjectReader
  readonly #memory: PartMemory

  constructor(bucket: GcsBucket, memory: PartMemory) {
    this.#bucket = bucket
    this.#memory = memory
    this.#reader = gcsReader(bucket)
    this.url = bucket.url
    this.root = { store: this, prefix: '' }
  }

  child(prefix: string): Store {
    return childOf(this, prefix)
  }

  unwrap(): UnwrappedStore {
    return this.#bucket.unwrap()
  }

  async head(key: string, options: SignalOption = {}): Promise<ObjectInfo> {
    return headObject(this.#bucket, key, { signal: options.signal })
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

  async put(
    key: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    options: PutOptions = {},
  ): Promise<ObjectMeta> {
    const { mode = 'overwrite', signal, ...attributes } = options
    const target = { key, name: this.#bucket.absolute(key), mode, attributes }
    if (body instanceof Uint8Array) {
      return metaOf(key, await insertObject(this.#bucket, target, body, signal))
    }
    const upload = new ResumableUpload(this.#bucket, target)
    const writer = new PartWriter(upload, this.#memory)
    try {
      for await (const bytes of untilAborted(body, signal)) await writer.write(bytes, { signal })
      await writer.seal({ signal })
      return metaOf(key, await upload.finish(signal))
    } catch (error) {
      // Failing to end the upload must not hide why.
      await writer.abort().catch(() => undefined)
      throw error
    }
  }

  async delete(key: string, { signal }: SignalOption = {}): Promise<void> {
    await deleteObject(this.#bucket, key, { name: this.#bucket.absolute(key) }, signal)
  }

  deleteMany(keys: readonly string[], options?: SignalOption): Promise<Map<string, SluiceError>> {
    return deleteEach(this, keys, options)
  }

  list(options: ListOptions = {}): AsyncIterable<ObjectMeta> {
    return listObjects(this.#bucket, options)
  }

  listLevel(options: ListOptions = {}): Promise<ListLevel> {
    return listLevel(this.#bucket, options)
  }

  async copy(from: string, to: string, options: CopyOptions = {}): Promise<ObjectMeta> {
    return copyObject(this.#bucket, from, to, options)
  }

  async stage(key: string, options: StageOptions = {}): Promise<StagedWriter> {
    this.#bucket.absolute(key)
    return stageObject(this.#bucket, key, options, this.#memory)
  }

  async resumeStaged(checkpoint: StagedUpload, options: SignalOption = {}): Promise<StagedWriter> {
    return resumeStaged(this.#bucket, checkpoint, options, this.#memory)
  }

  async completeStaged(upload: StagedUpload, options: SignalOption = {}): Promise<ObjectMeta> {
    return completeStaged(this.#bucket, upload, options)
  }

  async abortStaged(upload: StagedUpload, options: SignalOption = {}): Promise<void> {
    await abortStaged(this.#bucket, upload, options)
  }

  listStaged(
    prefix: string,
    options: SignalOption = {},
  ): AsyncIterable<{ upload: StagedUpload; started: Date }> {
    return listStaged(this.#bucket, prefix, options)
  }
}

showStores(GcsStore.prototype)
