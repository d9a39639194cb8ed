import { untilAborted } from '../../core/abort.ts'
import { SluiceError } from '../../core/errors.ts'
import { childOf } from '../child.ts'
import type { PartMemory } from '../remote/part-memory.ts'
import { isCheckpoint, PartWriter } from '../remote/part-writer.ts'
import { getObject, getRangesOf, type ObjectReader, unquoted } from '../remote/read.ts'
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
  PutMode,
  PutOptions,
  SignalOption,
  StagedUpload,
  StagedWriter,
  StageOptions,
  Store,
  UnwrappedStore,
} from '../store.ts'
import type { S3Bucket } from './bucket.ts'
import { copyObject } from './copy.ts'
import { deleteObject, deleteObjects } from './delete.ts'
import { listLevel, listObjects, listUploads } from './list.ts'
import { headObject, s3Reader } from './read.ts'
import {
  conditionError,
  conditionOf,
  described,
  MultipartUpload,
  partBytes,
  propertiesOf,
  type S3Part,
  untilAlone,
} from './upload.ts'

/**
 * A bucket of Amazon S3 or of a service that speaks its protocol, or a folder of one. It makes each request once:
 * `withRetry` is what repeats them.
 *
 * A staged upload is a multipart upload, and a streamed put of more than a part is one until it ends: a bucket's
 * lifecycle rule for incomplete uploads removes what dead processes have left, and must give living ones the time
 * they need. Objects of such uploads carry the metadata `sluice-upload`.
 */
export class S3Store implements Store {
  readonly url: string
  readonly capabilities: Capabilities
  readonly root: { store: Store; prefix: string }
  readonly #bucket: S3Bucket
  readonly #reader: ObjectReader
  readonly #memory: PartMemory

  constructor(bucket: S3Bucket, conditionalPut: boolean, memory: PartMemory) {
    this.#memory = memory
    this.#bucket = bucket
    this.#reader = s3Reader(bucket)
    this.url = bucket.url
    this.capabilities = {
      write: true,
      list: true,
      putCreate: conditionalPut,
      putIfMatch: conditionalPut,
      stage: true,
      resume: true,
      attributes: true,
    }
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
    this.#assertCondition(key, options.mode)
    this.#bucket.absolute(key)
    return body instanceof Uint8Array
      ? this.#putBytes(key, body, options)
      : this.#putStream(key, body, options)
  }

  async delete(key: string, { signal }: SignalOption = {}): Promise<void> {
    await deleteObject(this.#bucket, key, { signal })
  }

  deleteMany(keys: readonly string[], options: SignalOption = {}): Promise<Map<string, SluiceError>> {
    return deleteObjects(this.#bucket, keys, options)
  }

  list(options: ListOptions = {}): AsyncIterable<ObjectMeta> {
    return listObjects(this.#bucket, options)
  }

  listLevel(options: ListOptions = {}): Promise<ListLevel> {
    return listLevel(this.#bucket, options)
  }

  async copy(
    from: string,
    to: string,
    { mode = 'overwrite', signal }: CopyOptions = {},
  ): Promise<ObjectMeta> {
    this.#assertCondition(to, mode)
    this.#bucket.absolute(to)
    const copied = await copyObject(this.#bucket, from, to, mode, { signal })
    if (!('empty' in copied)) return copied
    return this.#putBytes(to, new Uint8Array(0), { ...copied.empty, mode, signal })
  }

  async stage(key: string, { signal, ...attributes }: StageOptions = {}): Promise<StagedWriter> {
    const upload = await MultipartUpload.create(this.#bucket, key, signal, propertiesOf(attributes))
    return new PartWriter(upload, this.#memory)
  }

  async resumeStaged(checkpoint: StagedUpload, { signal }: SignalOption = {}): Promise<StagedWriter> {
    this.#bucket.absolute(checkpoint.key)
    const { upload, parts } = MultipartUpload.of(this.#bucket, checkpoint)
    if (parts === undefined || !isCheckpoint(checkpoint)) {
      throw new SluiceError('invalid-argument', 'is no checkpoint of a staged upload', {
        option: 'checkpoint',
        file: this.#bucket.place(checkpoint.key),
      })
    }
    await upload.assertOpen(signal)
    return new PartWriter(upload, this.#memory, parts)
  }

  async completeStaged(staged: StagedUpload, { signal }: SignalOption = {}): Promise<ObjectMeta> {
    signal?.throwIfAborted()
    this.#bucket.absolute(staged.key)
    const { upload, parts } = MultipartUpload.of(this.#bucket, staged)
    if (parts === undefined || isCheckpoint(staged)) {
      throw new SluiceError('invalid-argument', 'the upload is not sealed', {
        option: 'upload',
        file: this.#bucket.place(staged.key),
      })
    }
    return upload.complete(parts, signal)
  }

  async abortStaged(staged: StagedUpload, { signal }: SignalOption = {}): Promise<void> {
    this.#bucket.absolute(staged.key)
    await MultipartUpload.of(this.#bucket, staged).upload.abort(signal)
  }

  listStaged(
    prefix: string,
    options: SignalOption = {},
  ): AsyncIterable<{ upload: StagedUpload; started: Date }> {
    return listUploads(this.#bucket, prefix, options)
  }

  async #putBytes(
    key: string,
    bytes: Uint8Array,
    { mode = 'overwrite', signal, ...attributes }: PutOptions,
  ): Promise<ObjectMeta> {
    const { customerKey, create } = this.#bucket.defaults
    const properties = {
      ...conditionOf(mode),
      ...propertiesOf(attributes),
      ...this.#bucket.checksumOf(bytes),
    }
    const headers = { ...customerKey, ...create, ...properties }
    const request = { name: 'PutObject', method: 'PUT', key, headers, body: bytes, signal } as const
    try {
      const reply = await untilAlone(() => this.#bucket.call(request), signal)
      return await described(this.#bucket, key, { etag: unquoted(reply.etag), size: bytes.length }, signal)
    } catch (error) {
      throw conditionError(error, mode, this.#bucket.place(key))
    }
  }

  /** What fits into a part is put at once; more becomes a multipart upload. */
  async #putStream(key: string, body: AsyncIterable<Uint8Array>, options: PutOptions): Promise<ObjectMeta> {
    const { mode = 'overwrite', signal } = options
    const first: Uint8Array[] = []
    let length = 0
    let upload: MultipartUpload | undefined
    let writer: PartWriter<S3Part> | undefined
    try {
      for await (const bytes of untilAborted(body, signal)) {
        if (writer === undefined && length + bytes.length <= partBytes(1, this.#bucket.partSize)) {
          first.push(bytes.slice())
          length += bytes.length
          continue
        }
        if (upload === undefined || writer === undefined) {
          upload = await MultipartUpload.create(this.#bucket, key, signal, propertiesOf(options))
          writer = new PartWriter(upload, this.#memory)
          for (const piece of first.splice(0)) await writer.write(piece, { signal })
        }
        await writer.write(bytes, { signal })
      }
      if (upload === undefined || writer === undefined) {
        return await this.#putBytes(key, Buffer.concat(first), options)
      }
      const { token, size } = await writer.seal({ signal })
      const { parts = [] } = MultipartUpload.of(this.#bucket, { key, size, token })
      return await upload.put(parts, size, mode, signal)
    } catch (error) {
      // Failing to end the upload must not hide why.
      await writer?.abort().catch(() => undefined)
      throw error
    }
  }

  #assertCondition(key: string, mode: PutMode = 'overwrite'): void {
    if (mode === 'overwrite' || this.capabilities.putCreate) return
    throw new SluiceError('unsupported', 'the store does not honour conditions', {
      file: this.#bucket.place(key),
      hint: "It was opened with 'conditionalPut: false'.",
    })
  }
}

showStores(S3Store.prototype)
