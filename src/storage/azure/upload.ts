import { randomUUID } from 'node:crypto'
import type { BlobGetPropertiesResponse, BlobHTTPHeaders } from '@azure/storage-blob'
import { isSluiceError, SluiceError } from '../../core/errors.ts'
import type { PartUpload } from '../remote/part-writer.ts'
import { unquoted } from '../remote/read.ts'
import type { ObjectAttributes, ObjectMeta, PutMode, SignalOption, StagedUpload } from '../store.ts'
import type { AzureContainer, Unfinished } from './container.ts'
import { blockId, copyVersion } from './copy.ts'
import { conditionError } from './errors.ts'
import { listStaging } from './list.ts'
import { head, MARK, metaOf } from './read.ts'

/**
 * Bytes of a block, by its number from 1 on. A blob has at most 50,000 blocks: growing from block 1001 on they hold
 * 18 TiB, and those of an object of 1 TiB stay below 192 MiB.
 */
export function blockBytes(number: number): number {
  return BLOCK + Math.max(0, number - EQUAL_BLOCKS) * GROWTH
}

const BLOCK = 8 * 1024 * 1024
const EQUAL_BLOCKS = 1_000
const GROWTH = 16 * 1024

/** The blob of an upload that is sealed. */
interface SealedBlob {
  etag: string
  size: number
}

/** Tries of a completion that others get in the way of. */
const ATTEMPTS = 16

/** Content type and metadata as requests name them. */
export function propertiesOf({ contentType, metadata }: ObjectAttributes): {
  blobHTTPHeaders?: BlobHTTPHeaders
  metadata?: Record<string, string>
} {
  return {
    ...(contentType === undefined ? {} : { blobHTTPHeaders: { blobContentType: contentType } }),
    ...(metadata === undefined ? {} : { metadata: { ...metadata } }),
  }
}

/**
 * An upload at a key of its own, which no listing shows: blocks until it is sealed, and then an object that is copied
 * to its key. Staged at that key, uploads would not be apart: who commits their blocks, or puts an object, discards
 * those of all others.
 */
export class BlockUpload implements PartUpload<string> {
  readonly key: string
  readonly #container: AzureContainer
  readonly #id: string
  /** Where it lies until it is completed. */
  readonly #hidden: Unfinished
  readonly #attributes: ObjectAttributes

  private constructor(container: AzureContainer, key: string, id: string, attributes: ObjectAttributes = {}) {
    this.#container = container
    this.key = key
    this.#id = id
    this.#hidden = { key, name: `${encode(key)}.${id}` }
    this.#attributes = attributes
  }

  get place(): string {
    return this.#container.place(this.key)
  }

  partBytes(number: number): number {
    return blockBytes(number)
  }

  /**
   * Begins an upload, by a block that shows others that it is there. One that has begun although the signal was
   * aborted is ended, so that none is left behind.
   */
  static async create(
    container: AzureContainer,
    key: string,
    signal: AbortSignal | undefined,
    attributes: ObjectAttributes,
  ): Promise<BlockUpload> {
    signal?.throwIfAborted()
    container.absolute(key)
    const id = `${Date.now().toString(36)}-${randomUUID()}`
    const upload = new BlockUpload(container, key, id, attributes)
    await upload.#stage(0, new Uint8Array(1), undefined)
    if (signal?.aborted) {
      await upload.abort()
      throw signal.reason
    }
    return upload
  }

  /** The upload that another process has begun; `invalid-argument` if its coordinates are none. */
  static of(
    container: AzureContainer,
    { key, size, token }: StagedUpload,
  ): { upload: BlockUpload; sealed: SealedBlob | undefined; parts: string[] | undefined } {
    container.absolute(key)
    const { id, etag, blocks, attributes } = token
    if (typeof id !== 'string' || !ID.test(id)) {
      throw new SluiceError('invalid-argument', 'is no staged upload of an Azure store', { option: 'upload' })
    }
    const open = Number.isSafeInteger(blocks) && typeof attributes === 'object' && attributes !== null
    return {
      upload: new BlockUpload(container, key, id, open ? attributes : {}),
      sealed: typeof etag === 'string' ? { etag, size } : undefined,
      parts: open ? Array.from({ length: Number(blocks) }, (_, i) => blockId(id, i + 1)) : undefined,
    }
  }

  /** `not-found` unless it is neither sealed nor aborted. */
  async assertOpen(signal: AbortSignal | undefined): Promise<void> {
    const first = blockId(this.#id, 0)
    const { uncommittedBlocks = [] } = await this.#container.sendTo(
      'GetBlockList',
      this.#hidden,
      signal,
      (blob, abort) => blob.getBlockList('uncommitted', abort),
    )
    if (!uncommittedBlocks.some(({ name }) => name === first)) throw this.#gone()
  }

  /** Sends a block, or sends it anew; there is none of nothing. */
  async send(number: number, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<string> {
    return bytes.length === 0 ? '' : this.#stage(number, bytes, signal)
  }

  /** What a process needs to go on with it. */
  token(parts: readonly string[]): Record<string, unknown> {
    return { id: this.#id, blocks: parts.length, attributes: this.#attributes }
  }

  /** Makes an object of the blocks, which stays where it is; gives what a process needs to complete it. */
  async seal(parts: readonly string[], signal: AbortSignal | undefined): Promise<Record<string, unknown>> {
    const { contentType, metadata } = this.#attributes
    const properties = propertiesOf({ contentType, metadata: { ...metadata, [MARK]: this.#id } })
    const blocks = parts.filter(block => block !== '')
    const { etag } = await this.#container.sendTo('PutBlockList', this.#hidden, signal, (blob, abort) =>
      blob.commitBlockList(blocks, { ...properties, ...abort }),
    )
    return { id: this.#id, etag: unquoted(etag) }
  }

  /** Makes it the object at its key, on a condition, whatever becomes of that afterwards. */
  async put(source: SealedBlob, mode: PutMode, signal: AbortSignal | undefined): Promise<ObjectMeta> {
    const meta = await copyVersion(this.#container, this.#hidden, this.key, source, mode, signal).catch(
      async error => {
        // It may have succeeded all the same.
        const there = isSluiceError(error) && error.code === 'io' ? await this.#there(signal) : undefined
        if (there === undefined || !this.#isResult(there)) throw conditionError(error, mode, this.place)
        return metaOf(this.key, there, there.contentLength ?? 0)
      },
    )
    // What is left if this fails is listed, and does not undo the put.
    await this.#remove(signal).catch(() => undefined)
    return meta
  }

  /**
   * Makes it the object at its key, or finds that it is that already. Each copy is on the condition that the object
   * there is still the one that was seen: of many who complete the upload one does it.
   */
  async complete(source: SealedBlob, signal: AbortSignal | undefined): Promise<ObjectMeta> {
    for (let attempt = 1; ; attempt++) {
      const there = await this.#there(signal)
      if (there !== undefined && this.#isResult(there)) {
        await this.#remove(signal)
        return metaOf(this.key, there, there.contentLength ?? 0)
      }
      try {
        const mode = there === undefined ? 'create' : { ifMatch: unquoted(there.etag) }
        const meta = await copyVersion(this.#container, this.#hidden, this.key, source, mode, signal)
        await this.#remove(signal)
        return meta
      } catch (error) {
        const lost = isSluiceError(error) && (error.code === 'precondition' || error.code === 'not-found')
        if (!lost || attempt === ATTEMPTS) throw error
        if (!(await this.#isSealed(source, signal)) && !(await this.#isCompleted(signal))) throw this.#gone()
      }
    }
  }

  /** Ends it; no error if it has ended, and an object that it has become stays. */
  async abort(signal?: AbortSignal): Promise<void> {
    // Blocks alone cannot be deleted: an object of none of them can.
    await this.#container.sendTo('PutBlockList', this.#hidden, signal, (blob, abort) =>
      blob.commitBlockList([], abort),
    )
    await this.#remove(signal)
  }

  async #stage(number: number, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<string> {
    const block = blockId(this.#id, number)
    await this.#container.sendTo('PutBlock', this.#hidden, signal, (blob, abort) =>
      blob.stageBlock(block, bytes, bytes.length, abort),
    )
    return block
  }

  async #remove(signal: AbortSignal | undefined): Promise<void> {
    await this.#container.sendTo('DeleteBlob', this.#hidden, signal, (blob, abort) =>
      blob.deleteIfExists(abort),
    )
  }

  /** What is at its key. */
  #there(signal: AbortSignal | undefined): Promise<BlobGetPropertiesResponse | undefined> {
    return ifThere(head(this.#container, this.key, { signal }))
  }

  #isResult({ metadata }: BlobGetPropertiesResponse): boolean {
    return metadata?.[MARK] === this.#id
  }

  async #isCompleted(signal: AbortSignal | undefined): Promise<boolean> {
    const there = await this.#there(signal)
    return there !== undefined && this.#isResult(there)
  }

  async #isSealed({ etag }: SealedBlob, signal: AbortSignal | undefined): Promise<boolean> {
    return (await ifThere(head(this.#container, this.#hidden, { ifMatch: etag, signal }))) !== undefined
  }

  #gone(): SluiceError {
    return new SluiceError('not-found', 'there is no such staged upload', {
      file: this.place,
      hint: 'It was aborted, or was completed and the object has since been replaced or deleted.',
    })
  }
}

/** Uploads that are neither completed nor aborted, sealed or not. */
export async function* listUploads(
  container: AzureContainer,
  prefix: string,
  { signal }: SignalOption,
): AsyncGenerator<{ upload: StagedUpload; started: Date }, void, undefined> {
  for await (const { name, lastModified } of listStaging(container, encode(prefix), signal)) {
    const dot = name.lastIndexOf('.')
    const [key, id] = [decode(name.slice(0, dot)), name.slice(dot + 1)]
    if (!ID.test(id) || !key.startsWith(prefix)) continue
    // Of what is not sealed the service may not tell a time: then it is when it began.
    const began = Number.parseInt(id, 36)
    const started = new Date(Math.max(began, lastModified?.getTime() ?? 0))
    // Its size is not known before it is sealed.
    yield { upload: { key, size: 0, token: { id } }, started }
    signal?.throwIfAborted()
  }
}

/** When it began, in base 36, and what tells it from all others. */
const ID = /^[0-9a-z]{8,9}-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** A key as one segment of another; what it begins with as what that begins with. */
function encode(key: string): string {
  return key.replaceAll('%', '%25').replaceAll('/', '%2F')
}

function decode(segment: string): string {
  return segment.replaceAll('%2F', '/').replaceAll('%25', '%')
}

async function ifThere<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (isSluiceError(error) && (error.code === 'not-found' || error.code === 'precondition'))
      return undefined
    throw error
  }
}
