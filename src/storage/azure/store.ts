import { untilAborted } from '../../core/abort.ts'
import { SluiceError } from '../../core/errors.ts'
import { childOf } from '../child.ts'
import type { PartMemory } from '../remote/part-memory.ts'
import { isCheckpoint, PartWriter } from '../remote/part-writer.ts'
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
import type { AzureContainer } from './container.ts'
import { conditionsOf, copyObject } from './copy.ts'
import { deleteBatches } from './delete.ts'
import { conditionError } from './errors.ts'
import { listLevel, listObjects } from './list.ts'
import { azureReader, headObject, metaOf } from './read.ts'
import { BlockUpload, blockBytes, listUploads, propertiesOf } from './upload.ts'

/**
 * A container of Azure Blob Storage, or a folder of one. It makes each request once: `withRetry` is what repeats
 * them.
 *
 * A staged upload, and a streamed put of more than a block until it ends, is a blob below `_sluice/.staging/`, first
 * of uncommitted blocks and from its sealing on whole; it ends in a copy within the service. Objects of such uploads
 * carry the metadata `sluice_upload`.
 */
export class AzureStore implements Store {
  readonly url: string
  readonly capabilities: Capabilities
  readonly root: { store: Store; prefix: string }
  readonly #container: AzureContainer
  readonly #reader: ObjectReader
  readonly #memory: PartMemory

  constructor(container: AzureContainer, memory: PartMemory) {
    this.#memory = memory
    this.#container = container
    this.#reader = azureReader(container)
    this.url = container.url
    this.capabilities = {
      write: true,
      list: true,
      putCreate: true,
      putIfMatch: true,
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
    return this.#container.unwrap()
  }

  async head(key: string, options: SignalOption = {}): Promise<ObjectInfo> {
    return headObject(this.#container, key, { signal: options.signal })
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
    this.#container.absolute(key)
    return body instanceof Uint8Array
      ? this.#putBytes(key, body, options)
      : this.#putStream(key, body, options)
  }

  async delete(key: string, { signal }: SignalOption = {}): Promise<void> {
    await this.#container.sendTo('DeleteBlob', key, signal, (blob, abort) => blob.deleteIfExists(abort))
  }

  deleteMany(keys: readonly string[], options?: SignalOption): Promise<Map<string, SluiceError>> {
    return deleteBatches(this, this.#container, keys, options)
  }

  list(options: ListOptions = {}): AsyncIterable<ObjectMeta> {
    return listObjects(this.#container, options)
  }

  listLevel(options: ListOptions = {}): Promise<ListLevel> {
    return listLevel(this.#container, options)
  }

  async copy(
    from: string,
    to: string,
    { mode = 'overwrite', signal }: CopyOptions = {},
  ): Promise<ObjectMeta> {
    this.#container.absolute(to)
    return copyObject(this.#container, from, to, mode, { signal })
  }

  async stage(key: string, { signal, ...attributes }: StageOptions = {}): Promise<StagedWriter> {
    return new PartWriter(await BlockUpload.create(this.#container, key, signal, attributes), this.#memory)
  }

  async resumeStaged(checkpoint: StagedUpload, { signal }: SignalOption = {}): Promise<StagedWriter> {
    const { upload, parts } = BlockUpload.of(this.#container, checkpoint)
    if (parts === undefined || !isCheckpoint(checkpoint)) {
      throw new SluiceError('invalid-argument', 'is no checkpoint of a staged upload', {
        option: 'checkpoint',
        file: upload.place,
      })
    }
    await upload.assertOpen(signal)
    return new PartWriter(upload, this.#memory, parts)
  }

  async completeStaged(staged: StagedUpload, { signal }: SignalOption = {}): Promise<ObjectMeta> {
    signal?.throwIfAborted()
    const { upload, sealed } = BlockUpload.of(this.#container, staged)
    if (sealed === undefined) {
      throw new SluiceError('invalid-argument', 'the upload is not sealed', {
        option: 'upload',
        file: upload.place,
      })
    }
    return upload.complete(sealed, signal)
  }

  async abortStaged(staged: StagedUpload, { signal }: SignalOption = {}): Promise<void> {
    signal?.throwIfAborted()
    await BlockUpload.of(this.#container, staged).upload.abort(signal)
  }

  listStaged(
    prefix: string,
    options: SignalOption = {},
  ): AsyncIterable<{ upload: StagedUpload; started: Date }> {
    return listUploads(this.#container, prefix, options)
  }

  async #putBytes(
    key: string,
    bytes: Uint8Array,
    { mode = 'overwrite', signal, ...attributes }: PutOptions,
  ): Promise<ObjectMeta> {
    const settings = { ...conditionsOf(mode), ...propertiesOf(attributes) }
    try {
      const reply = await this.#container.sendTo('PutBlob', key, signal, (blob, abort) =>
        blob.upload(bytes, bytes.length, { ...settings, ...abort }),
      )
      return metaOf(key, reply, bytes.length)
    } catch (error) {
      throw conditionError(error, mode, this.#container.place(key))
    }
  }

  /** What fits into a block is put at once; more is staged. */
  async #putStream(key: string, body: AsyncIterable<Uint8Array>, options: PutOptions): Promise<ObjectMeta> {
    const { mode = 'overwrite', signal, ...attributes } = options
    const first: Uint8Array[] = []
    let length = 0
    let writer: StagedWriter | undefined
    try {
      for await (const bytes of untilAborted(body, signal)) {
        if (writer === undefined && length + bytes.length <= blockBytes(1)) {
          first.push(bytes.slice())
          length += bytes.length
          continue
        }
        if (writer === undefined) {
          writer = await this.stage(key, { signal, ...attributes })
          for (const piece of first.splice(0)) await writer.write(piece, { signal })
        }
        await writer.write(bytes, { signal })
      }
      if (writer === undefined) return await this.#putBytes(key, Buffer.concat(first), options)
      const { upload, sealed } = BlockUpload.of(this.#container, await writer.seal({ signal }))
      return await upload.put(sealed!, mode, signal)
    } catch (error) {
      // Failing to end the upload must not hide why.
      await writer?.abort().catch(() => undefined)
      throw error
    }
  }
}

showStores(AzureStore.prototype)
