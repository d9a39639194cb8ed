import { randomUUID } from 'node:crypto'
import type { CompleteMultipartUploadOutput, CreateMultipartUploadRequest } from '@aws-sdk/client-s3'
import { isSluiceError, SluiceError } from '../../core/errors.ts'
import { retrying } from '../../core/retry.ts'
import { failureOf } from '../remote/errors.ts'
import type { PartUpload } from '../remote/part-writer.ts'
import type { ObjectAttributes, ObjectMeta, PutMode, StagedUpload } from '../store.ts'
import { MARK, metaOf, type S3Bucket, unquoted } from './bucket.ts'
import { head } from './read.ts'

/**
 * Bytes of a part, by its number from 1 on. An upload has at most 10,000 parts of at most 5 GiB: growing from part
 * 1001 on, they hold 5 TiB. Up to there they are of one size, which some services demand of all parts but the last.
 */
export function partBytes(number: number): number {
  return PART + Math.max(0, number - EQUAL_PARTS) * GROWTH
}

const PART = 8 * 1024 * 1024
const EQUAL_PARTS = 1_000
const GROWTH = 136 * 1024

/** Content type and metadata as requests name them. */
export function propertiesOf({ contentType, metadata }: ObjectAttributes): {
  ContentType?: string
  Metadata?: Record<string, string>
} {
  return {
    ...(contentType === undefined ? {} : { ContentType: contentType }),
    ...(metadata === undefined ? {} : { Metadata: { ...metadata } }),
  }
}

/** A part that the service has, as the request wants it that completes the upload. */
export interface S3Part {
  etag: string
  /** Base64; for services that keep checksums, which want them back. */
  crc32?: string
}

/** What a conditional request says; `create` and `ifMatch` in the service's words. */
export function conditionOf(mode: PutMode): { IfNoneMatch?: '*'; IfMatch?: string } {
  if (mode === 'overwrite') return {}
  return mode === 'create' ? { IfNoneMatch: '*' } : { IfMatch: `"${mode.ifMatch}"` }
}

/** The failure of a conditional request, in terms of its condition. */
export function conditionError(error: unknown, mode: PutMode, file: string): unknown {
  const failure = failureOf(error)
  if (failure === undefined || mode === 'overwrite') return error
  const { code, status } = failure
  if (mode === 'create' && status === 412) {
    return new SluiceError('already-exists', 'the object exists already', { file, cause: failure })
  }
  // Where there is nothing, nothing matches; some services say that there is no such key.
  if (mode !== 'create' && (status === 412 || code === 'NoSuchKey')) {
    return new SluiceError('precondition', 'the object has been changed', { file, cause: failure })
  }
  return error
}

/**
 * Repeats a conditional request for as long as others for the same key are under way, which the service tells by
 * another status (409) than that of a condition that does not hold (412).
 */
export function untilAlone<T>(run: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const shouldRetry = (error: unknown) =>
    ['ConditionalRequestConflict', 'OperationAborted'].includes(failureOf(error)?.code ?? '')
  return retrying(run, { attempts: 12, minDelayMs: 10, maxDelayMs: 1_000, signal, shouldRetry })
}

/** Bytes as the SDK takes them: it does not digest what lies in shared memory. */
export function unshared(bytes: Uint8Array): Uint8Array {
  return bytes.buffer instanceof SharedArrayBuffer ? bytes.slice() : bytes
}

/** What the reply to a write does not tell: when. Asked of the object, unless another one is there by now. */
export async function described(
  bucket: S3Bucket,
  key: string,
  { etag, size }: { etag: string; size: number },
  signal: AbortSignal | undefined,
): Promise<ObjectMeta> {
  try {
    const reply = await head(bucket, key, { signal })
    if (unquoted(reply.ETag) === etag) return metaOf(key, reply, reply.ContentLength ?? size)
  } catch {
    // The write has succeeded, and whatever keeps its reader from being answered does not undo it.
  }
  return metaOf(key, { ETag: etag, LastModified: new Date() }, size)
}

/** A multipart upload: the service keeps its parts, out of everyone's sight, until it is completed or aborted. */
export class MultipartUpload implements PartUpload<S3Part> {
  readonly key: string
  readonly #bucket: S3Bucket
  readonly #uploadId: string
  readonly #id: string

  private constructor(bucket: S3Bucket, key: string, uploadId: string, id: string) {
    this.#bucket = bucket
    this.key = key
    this.#uploadId = uploadId
    this.#id = id
  }

  get place(): string {
    return this.#bucket.place(this.key)
  }

  partBytes(number: number): number {
    return partBytes(number)
  }

  /** Begins an upload. One that has begun although the signal was aborted is ended, so that none is left behind. */
  static async create(
    bucket: S3Bucket,
    key: string,
    signal: AbortSignal | undefined,
    properties: Partial<CreateMultipartUploadRequest> = {},
  ): Promise<MultipartUpload> {
    signal?.throwIfAborted()
    const id = randomUUID()
    const { all, customerKey, create, multipart } = bucket.defaults
    const request = {
      ...all,
      ...customerKey,
      ...create,
      ...multipart,
      ...properties,
      Key: bucket.absolute(key),
      Metadata: { ...properties.Metadata, [MARK]: id },
    }
    const { UploadId } = await bucket.send('CreateMultipartUpload', key, undefined, (s3, http) =>
      s3.createMultipartUpload(request, http),
    )
    const upload = new MultipartUpload(bucket, key, UploadId ?? '', id)
    if (signal?.aborted) {
      await upload.abort()
      throw signal.reason
    }
    return upload
  }

  /** The upload that another process has begun; `invalid-argument` if its coordinates are none. */
  static of(
    bucket: S3Bucket,
    { key, token }: StagedUpload,
  ): { upload: MultipartUpload; parts: S3Part[] | undefined } {
    const { uploadId, id, parts } = token
    const sealed = Array.isArray(parts) && parts.every(isPart) && typeof id === 'string'
    if (typeof uploadId !== 'string' || uploadId === '') {
      throw new SluiceError('invalid-argument', 'is no staged upload of an S3 store', { option: 'upload' })
    }
    const upload = new MultipartUpload(bucket, key, uploadId, String(id))
    return { upload, parts: sealed ? parts : undefined }
  }

  /** What a process needs to complete it. */
  token(parts: readonly S3Part[]): Record<string, unknown> {
    return { uploadId: this.#uploadId, id: this.#id, parts }
  }

  /** `not-found` if it has been completed or aborted. */
  async assertOpen(signal: AbortSignal | undefined): Promise<void> {
    const { all, customerKey } = this.#bucket.defaults
    const request = { ...all, ...customerKey, ...this.#coordinates(), MaxParts: 1 }
    await this.#bucket.send('ListParts', this.key, signal, (s3, http) => s3.listParts(request, http))
  }

  /** Sends a part, or sends it anew. */
  async send(number: number, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<S3Part> {
    const { all, customerKey } = this.#bucket.defaults
    const request = {
      ...all,
      ...customerKey,
      ...this.#coordinates(),
      PartNumber: number,
      Body: unshared(bytes),
    }
    return partOf(
      await this.#bucket.send('UploadPart', this.key, signal, (s3, http) => s3.uploadPart(request, http)),
    )
  }

  /** Makes a part of bytes of another object that the service has. */
  async copy(
    number: number,
    source: { CopySource: string; CopySourceIfMatch: string; CopySourceRange?: string },
    signal: AbortSignal | undefined,
  ): Promise<S3Part> {
    const { all, customerKey } = this.#bucket.defaults
    const coordinates = { ...this.#coordinates(), ...source, PartNumber: number }
    const request = { ...all, ...customerKey, ...sourceKey(this.#bucket), ...coordinates }
    const { CopyPartResult } = await this.#bucket.send('UploadPartCopy', this.key, signal, (s3, http) =>
      s3.uploadPartCopy(request, http),
    )
    return partOf(CopyPartResult ?? {})
  }

  /** Makes it an object, whatever has become of that since. */
  async put(
    parts: readonly S3Part[],
    size: number,
    mode: PutMode,
    signal: AbortSignal | undefined,
  ): Promise<ObjectMeta> {
    try {
      const { ETag } = await this.#complete(parts, mode, signal)
      return await described(this.#bucket, this.key, { etag: unquoted(ETag), size }, signal)
    } catch (error) {
      const meta = isUnsettled(error) ? await this.#result(signal) : undefined
      if (meta === undefined) throw conditionError(error, mode, this.place)
      return meta
    }
  }

  /**
   * Makes it an object, or finds that it is one already. Services answer a repetition with success or with
   * "no such upload", and do not look at what has become of the object.
   */
  async complete(parts: readonly S3Part[], signal: AbortSignal | undefined): Promise<ObjectMeta> {
    try {
      await this.#complete(parts, 'overwrite', signal)
    } catch (error) {
      if (!isUnsettled(error)) throw error
      const meta = await this.#result(signal)
      if (meta === undefined) throw error
      return meta
    }
    const meta = await this.#result(signal)
    if (meta !== undefined) return meta
    throw new SluiceError('not-found', 'there is no such staged upload', {
      file: this.place,
      hint: 'It was completed, and the object has since been replaced or deleted.',
    })
  }

  /** Ends it; no error if it has ended, and an object that it has become stays. */
  async abort(signal?: AbortSignal): Promise<void> {
    const request = { ...this.#bucket.defaults.all, ...this.#coordinates() }
    try {
      await this.#bucket.send('AbortMultipartUpload', this.key, signal, (s3, http) =>
        s3.abortMultipartUpload(request, http),
      )
    } catch (error) {
      if (failureOf(error)?.code !== 'NoSuchUpload') throw error
    }
  }

  #complete(
    parts: readonly S3Part[],
    mode: PutMode,
    signal: AbortSignal | undefined,
  ): Promise<CompleteMultipartUploadOutput> {
    const { all, customerKey } = this.#bucket.defaults
    const request = {
      ...all,
      ...customerKey,
      ...this.#coordinates(),
      ...conditionOf(mode),
      MultipartUpload: {
        Parts: parts.map(({ etag, crc32 }, i) => ({
          PartNumber: i + 1,
          ETag: `"${etag}"`,
          ...(crc32 === undefined ? {} : { ChecksumCRC32: crc32 }),
        })),
      },
    }
    const send = () =>
      this.#bucket.send('CompleteMultipartUpload', this.key, signal, (s3, http) =>
        s3.completeMultipartUpload(request, http),
      )
    return untilAlone(send, signal)
  }

  #coordinates(): { Key: string; UploadId: string } {
    return { Key: this.#bucket.absolute(this.key), UploadId: this.#uploadId }
  }

  /** The object that the upload has become, known by its mark, if it has. */
  async #result(signal: AbortSignal | undefined): Promise<ObjectMeta | undefined> {
    try {
      const reply = await head(this.#bucket, this.key, { signal })
      if (reply.Metadata?.[MARK] !== this.#id) return undefined
      return metaOf(this.key, reply, reply.ContentLength ?? 0)
    } catch (error) {
      if (isSluiceError(error) && error.code === 'not-found') return undefined
      throw error
    }
  }
}

/** Whether the upload may have been completed although the request for it failed. */
function isUnsettled(error: unknown): boolean {
  return isSluiceError(error) && (failureOf(error)?.code === 'NoSuchUpload' || error.code === 'io')
}

function partOf(reply: { ETag?: string | undefined; ChecksumCRC32?: string | undefined }): S3Part {
  const { ETag, ChecksumCRC32: crc32 } = reply
  return { etag: unquoted(ETag), ...(crc32 === undefined ? {} : { crc32 }) }
}

function isPart(value: unknown): value is S3Part {
  return typeof value === 'object' && value !== null && 'etag' in value && typeof value.etag === 'string'
}

/** The customer's key as requests name it that read one object to make another. */
export function sourceKey({ defaults }: S3Bucket): {
  CopySourceSSECustomerAlgorithm?: string
  CopySourceSSECustomerKey?: string
} {
  const { SSECustomerAlgorithm: algorithm, SSECustomerKey: key } = defaults.customerKey
  if (algorithm === undefined || key === undefined) return {}
  return { CopySourceSSECustomerAlgorithm: algorithm, CopySourceSSECustomerKey: key }
}
