import { randomUUID } from 'node:crypto'
import { delay } from '../../core/abort.ts'
import { isSluiceError, SluiceError } from '../../core/errors.ts'
import { retrying } from '../../core/retry.ts'
import { failureOf } from '../remote/errors.ts'
import type { PartUpload } from '../remote/part-writer.ts'
import { unquoted } from '../remote/read.ts'
import type { ObjectAttributes, ObjectMeta, PutMode, StagedUpload } from '../store.ts'
import { metaOf, type S3Bucket, type S3Headers, type S3Request } from './bucket.ts'
import { head, MARK, METADATA, sizeOf } from './read.ts'
import { escapeXml, NAMESPACE, textOf } from './xml.ts'

/**
 * Bytes of a part, by its number from 1 on. An upload has at most 10,000 parts of at most 5 GiB: growing from part
 * 1001 on, they hold 5 TiB. Up to there they are of one size, which some services demand of all parts but the last;
 * with `partSize` they all are.
 */
export function partBytes(number: number, partSize?: number): number {
  return partSize ?? PART + Math.max(0, number - EQUAL_PARTS) * GROWTH
}

/** What the protocol allows. */
const MAX_PARTS = 10_000
const PART = 8 * 1024 * 1024
const EQUAL_PARTS = 1_000
const GROWTH = 136 * 1024

/** Content type and metadata as headers. */
export function propertiesOf({ contentType, metadata = {} }: ObjectAttributes): S3Headers {
  const headers: Record<string, string> = {}
  if (contentType !== undefined) headers['content-type'] = printable('contentType', contentType)
  for (const [name, value] of Object.entries(metadata)) {
    // Those of objects that others have put may be any that a header can have.
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) {
      const reason = `${JSON.stringify(name)} is no name of letters, digits and '_'`
      throw new SluiceError('invalid-argument', reason, { option: 'metadata' })
    }
    headers[METADATA + name.toLowerCase()] = printable(`metadata.${name}`, value)
  }
  return headers
}

function printable(option: string, value: string): string {
  if (/^[\x20-\x7e]*$/.test(value)) return value
  throw new SluiceError('invalid-argument', `${JSON.stringify(value)} is not printable ASCII`, {
    option,
    hint: 'Encode it, for example with encodeURIComponent.',
  })
}

/** A part that the service has, as the request wants it that completes the upload. */
export interface S3Part {
  etag: string
  /** Base64; for services that keep checksums, which want them back. */
  crc32?: string
}

/** What a conditional request says; `create` and `ifMatch` in the service's words. */
export function conditionOf(mode: PutMode): S3Headers {
  if (mode === 'overwrite') return {}
  return mode === 'create' ? { 'if-none-match': '*' } : { 'if-match': `"${mode.ifMatch}"` }
}

/** The failure of a conditional request, in terms of its condition. */
export function conditionError(error: unknown, mode: PutMode, file: string): unknown {
  const failure = failureOf(error)
  if (failure === undefined || mode === 'overwrite') return error
  const { code, status } = failure
  // What takes long may be answered with another status before it is known how it ends.
  const failed = status === 412 || code === 'PreconditionFailed'
  if (mode === 'create' && failed) {
    return new SluiceError('already-exists', 'the object exists already', { file, cause: failure })
  }
  // Where there is nothing, nothing matches; some services say that there is no such key.
  if (mode !== 'create' && (failed || code === 'NoSuchKey')) {
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

/** What the reply to a write does not tell: when. Asked of the object, unless another one is there by now. */
export async function described(
  bucket: S3Bucket,
  key: string,
  { etag, size }: { etag: string; size: number },
  signal: AbortSignal | undefined,
): Promise<ObjectMeta> {
  try {
    const headers = await head(bucket, key, { signal })
    const meta = metaOf(key, sizeOf(headers), headers.etag, headers['last-modified'])
    if (meta.etag === etag) return meta
  } catch {
    // The write has succeeded, and whatever keeps its reader from being answered does not undo it.
  }
  return metaOf(key, size, etag, new Date())
}

/** A multipart upload: the service keeps its parts, out of everyone's sight, until it is completed or aborted. */
export class MultipartUpload implements PartUpload<S3Part> {
  readonly key: string
  readonly #bucket: S3Bucket
  readonly #uploadId: string
  readonly #id: string
  /** As it was when the upload was begun. */
  readonly #partSize: number | undefined

  private constructor(
    bucket: S3Bucket,
    key: string,
    uploadId: string,
    id: string,
    partSize: number | undefined,
  ) {
    this.#bucket = bucket
    this.key = key
    this.#uploadId = uploadId
    this.#id = id
    this.#partSize = partSize
  }

  get place(): string {
    return this.#bucket.place(this.key)
  }

  partBytes(number: number): number {
    return partBytes(number, this.#partSize)
  }

  /** Begins an upload. One that has begun although the signal was aborted is ended, so that none is left behind. */
  static async create(
    bucket: S3Bucket,
    key: string,
    signal: AbortSignal | undefined,
    properties: S3Headers = {},
  ): Promise<MultipartUpload> {
    signal?.throwIfAborted()
    const id = randomUUID()
    const { customerKey, create, multipart } = bucket.defaults
    const mark = { [METADATA + MARK]: id }
    const reply = await bucket.ask({
      name: 'CreateMultipartUpload',
      method: 'POST',
      key,
      query: { uploads: '' },
      headers: { ...customerKey, ...create, ...multipart, ...properties, ...mark },
    })
    const upload = new MultipartUpload(bucket, key, textOf(reply, 'UploadId') ?? '', id, bucket.partSize)
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
    const { uploadId, id, parts, partSize } = token
    const sealed = Array.isArray(parts) && parts.every(isPart) && typeof id === 'string'
    if (typeof uploadId !== 'string' || uploadId === '') {
      throw new SluiceError('invalid-argument', 'is no staged upload of an S3 store', { option: 'upload' })
    }
    const upload = new MultipartUpload(
      bucket,
      key,
      uploadId,
      String(id),
      typeof partSize === 'number' ? partSize : undefined,
    )
    return { upload, parts: sealed ? parts : undefined }
  }

  /** What a process needs to complete it. */
  token(parts: readonly S3Part[]): Record<string, unknown> {
    const size = this.#partSize === undefined ? {} : { partSize: this.#partSize }
    return { uploadId: this.#uploadId, id: this.#id, parts, ...size }
  }

  /** `not-found` if it has been completed or aborted. */
  async assertOpen(signal: AbortSignal | undefined): Promise<void> {
    const headers = this.#bucket.defaults.customerKey
    await this.#bucket.ask({ ...this.#request('ListParts', 'GET', { 'max-parts': '1' }), headers, signal })
  }

  /** Sends a part, or sends it anew. */
  async send(number: number, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<S3Part> {
    if (number > MAX_PARTS) {
      throw new SluiceError('unsupported', `an upload has at most ${MAX_PARTS} parts`, {
        file: this.place,
        hint: "Set the option 'partSize' to more.",
      })
    }
    const headers = await this.#bucket.call({
      ...this.#request('UploadPart', 'PUT', { partNumber: String(number) }),
      headers: { ...this.#bucket.defaults.customerKey, ...this.#bucket.checksumOf(bytes) },
      body: bytes,
      signal,
    })
    return partOf(headers.etag, headers['x-amz-checksum-crc32']?.toString())
  }

  /** Makes a part of bytes of another object that the service has. */
  async copy(number: number, source: S3Headers, signal: AbortSignal | undefined): Promise<S3Part> {
    const { customerKey, sourceKey } = this.#bucket.defaults
    const reply = await this.#bucket.ask({
      ...this.#request('UploadPartCopy', 'PUT', { partNumber: String(number) }),
      headers: { ...customerKey, ...sourceKey, ...source },
      signal,
    })
    return partOf(textOf(reply, 'ETag'), textOf(reply, 'ChecksumCRC32'))
  }

  /** Makes it an object, whatever has become of that since. */
  async put(
    parts: readonly S3Part[],
    size: number,
    mode: PutMode,
    signal: AbortSignal | undefined,
  ): Promise<ObjectMeta> {
    try {
      const etag = await this.#complete(parts, mode, signal)
      return await described(this.#bucket, this.key, { etag, size }, signal)
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
    // A service that carries out two completions at once may have neither object for a moment.
    for (const ms of [0, 20, 100]) {
      if (ms > 0) await delay(ms, signal)
      const meta = await this.#result(signal)
      if (meta !== undefined) return meta
    }
    throw new SluiceError('not-found', 'there is no such staged upload', {
      file: this.place,
      hint: 'It was completed, and the object has since been replaced or deleted.',
    })
  }

  /** Ends it; no error if it has ended, and an object that it has become stays. */
  async abort(signal?: AbortSignal): Promise<void> {
    try {
      await this.#bucket.call({ ...this.#request('AbortMultipartUpload', 'DELETE'), signal })
    } catch (error) {
      if (failureOf(error)?.code !== 'NoSuchUpload') throw error
    }
  }

  /** The tag of the object that it makes. */
  #complete(parts: readonly S3Part[], mode: PutMode, signal: AbortSignal | undefined): Promise<string> {
    const list = parts.map(({ etag, crc32 }, i) => {
      const checksum = crc32 === undefined ? '' : `<ChecksumCRC32>${escapeXml(crc32)}</ChecksumCRC32>`
      return `<Part><PartNumber>${i + 1}</PartNumber><ETag>${escapeXml(`"${etag}"`)}</ETag>${checksum}</Part>`
    })
    const body = Buffer.from(
      `<CompleteMultipartUpload xmlns="${NAMESPACE}">${list.join('')}</CompleteMultipartUpload>`,
    )
    const headers = { ...this.#bucket.defaults.customerKey, ...conditionOf(mode) }
    const send = async () => {
      const request = this.#request('CompleteMultipartUpload', 'POST')
      const reply = await this.#bucket.ask({ ...request, headers, body, signal })
      return unquoted(textOf(reply, 'ETag'))
    }
    return untilAlone(send, signal)
  }

  /** A request about the upload. */
  #request(name: string, method: S3Request['method'], query: S3Request['query'] = {}): S3Request {
    return { name, method, key: this.key, query: { uploadId: this.#uploadId, ...query } }
  }

  /** The object that the upload has become, known by its mark, if it has. */
  async #result(signal: AbortSignal | undefined): Promise<ObjectMeta | undefined> {
    try {
      const headers = await head(this.#bucket, this.key, { signal })
      if (headers[METADATA + MARK] !== this.#id) return undefined
      return metaOf(this.key, sizeOf(headers), headers.etag, headers['last-modified'])
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

function partOf(etag: string | undefined, crc32: string | undefined): S3Part {
  return { etag: unquoted(etag), ...(crc32 === undefined ? {} : { crc32 }) }
}

function isPart(value: unknown): value is S3Part {
  return typeof value === 'object' && value !== null && 'etag' in value && typeof value.etag === 'string'
}
