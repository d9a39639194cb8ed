import { createHash, randomUUID } from 'node:crypto'
import { isSluiceError, SluiceError } from '../../core/errors.ts'
import type { PartUpload } from '../remote/part-writer.ts'
import type { GcsBucket, GcsRequest } from './bucket.ts'
import { conditionError, isNotFound } from './errors.ts'
import { creationQuery, insertObject, resourceOf, type Target, unshared } from './insert.ts'
import { type GcsObject, MARK, objectOf } from './object.ts'
import { describeObject } from './read.ts'

/** Bytes of a part: a multiple of 256 KiB, as the service wants all but the last. */
const PART = 8 * 1024 * 1024

/** What the service answers to a part that is not the last one. */
const RESUME_INCOMPLETE = 308
/** And to the end of an upload that nobody wants any more. */
const CANCELLED = 499

/**
 * A put of bytes that come in parts: what fits into one is sent by one request, more is a resumable upload of the
 * service. The object is there, if its condition holds, once the last part has arrived.
 */
export class ResumableUpload implements PartUpload<undefined> {
  readonly key: string
  readonly #bucket: GcsBucket
  readonly #target: Target & { mark: string }
  readonly #digest = createHash('md5')
  /** Bytes that the service has. */
  #size = 0
  /** Of the service's upload. */
  #session: string | undefined
  #object: GcsObject | undefined

  constructor(bucket: GcsBucket, target: Target) {
    this.key = target.key
    this.#bucket = bucket
    this.#target = { ...target, mark: randomUUID() }
  }

  get place(): string {
    return this.#bucket.place(this.key)
  }

  partBytes(): number {
    return PART
  }

  /** A part that is not full is the last one, and ends the upload. */
  async send(number: number, part: Uint8Array, signal: AbortSignal | undefined): Promise<undefined> {
    const last = part.length < PART
    if (number === 1 && last) {
      const { mark: _, ...target } = this.#target
      this.#object = await insertObject(this.#bucket, target, part, signal)
    } else await this.#transfer(unshared(part), last, signal)
  }

  token(): Record<string, unknown> {
    return {}
  }

  /** The object that all parts make. */
  async finish(signal: AbortSignal | undefined): Promise<GcsObject> {
    // The last part was full: the end is still to be told.
    if (this.#object === undefined) await this.#transfer(new Uint8Array(0), true, signal)
    return this.#object!
  }

  async abort(): Promise<void> {
    if (this.#session === undefined || this.#object !== undefined) return
    try {
      await this.#bucket.call({ ...this.#request(undefined), method: 'DELETE', accept: [CANCELLED] })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }

  async #transfer(part: Uint8Array, last: boolean, signal: AbortSignal | undefined): Promise<void> {
    const end = this.#size + part.length
    this.#digest.update(part)
    try {
      this.#session ??= await this.#begin(signal)
      while (this.#object === undefined && (last || this.#size < end)) {
        const before = this.#size
        await this.#put(part.subarray(part.length - (end - before)), last, signal)
        const stuck = this.#size <= before || this.#size > end
        if (stuck && this.#object === undefined) throw this.#failed('the service does not take the bytes')
      }
    } catch (error) {
      signal?.throwIfAborted()
      const object = last && mayHaveEnded(error) ? await this.#result(signal) : undefined
      if (object === undefined) throw conditionError(error, this.#target.mode, this.place)
      this.#object = object
    }
    if (this.#object !== undefined) await this.#verify(this.#object, end)
  }

  async #begin(signal: AbortSignal | undefined): Promise<string> {
    const { headers } = await this.#bucket.call({
      operation: 'objects.insert',
      key: this.key,
      method: 'POST',
      path: this.#bucket.uploadPath,
      query: {
        uploadType: 'resumable',
        name: this.#target.name,
        ...creationQuery(this.#bucket, this.#target),
      },
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: [Buffer.from(JSON.stringify(resourceOf(this.#bucket, this.#target)))],
      signal,
    })
    // Of the address that the service gives, nothing but this: further requests go where the first one went.
    const [, session] = /[?&]upload_id=([^&]+)/.exec(headers.location ?? '') ?? []
    if (session === undefined) throw this.#failed('the service has begun no upload')
    return decodeURIComponent(session)
  }

  /** Sends bytes; the service may take fewer. */
  async #put(bytes: Uint8Array, last: boolean, signal: AbortSignal | undefined): Promise<void> {
    const end = this.#size + bytes.length
    const range = bytes.length === 0 ? '*' : `${this.#size}-${end - 1}`
    const md5 = last ? { 'x-goog-hash': `md5=${this.#md5()}` } : {}
    const { status, headers, json } = await this.#bucket.call({
      ...this.#request(signal),
      method: 'PUT',
      headers: { 'content-range': `bytes ${range}/${last ? end : '*'}`, ...md5 },
      body: [bytes],
      accept: [RESUME_INCOMPLETE],
    })
    if (status === RESUME_INCOMPLETE) {
      const [, lastByte] = /^bytes=0-(\d+)$/.exec(headers.range ?? '') ?? []
      this.#size = lastByte === undefined ? 0 : Number(lastByte) + 1
    } else this.#object = objectOf(json, this.place)
  }

  #request(signal: AbortSignal | undefined): GcsRequest {
    return {
      operation: 'upload',
      key: this.key,
      method: 'PUT',
      path: this.#bucket.uploadPath,
      query: { uploadType: 'resumable', upload_id: this.#session },
      signal,
    }
  }

  /** The object that the upload has become, if it has. */
  #result(signal: AbortSignal | undefined): Promise<GcsObject | undefined> {
    const { key, name, mark } = this.#target
    return markedObject(this.#bucket, { key, name, mark }, signal)
  }

  /** The service compares, too, where it knows the header that the digest comes in. */
  async #verify(object: GcsObject, size: number): Promise<void> {
    if (object.size === size && (object.md5 === undefined || object.md5 === this.#md5())) return
    const { name, generation } = object
    await deleteObject(this.#bucket, this.key, { name, generation })
    throw this.#failed('other bytes have arrived than were sent')
  }

  #md5(): string {
    return this.#digest.copy().digest('base64')
  }

  #failed(reason: string): SluiceError {
    return new SluiceError('io', reason, { file: this.place })
  }
}

/** An object if it is the result of an upload, known by its mark. */
export async function markedObject(
  bucket: GcsBucket,
  { key, name, mark }: { key: string; name: string; mark: string },
  signal: AbortSignal | undefined,
): Promise<GcsObject | undefined> {
  try {
    const object = await describeObject(bucket, key, name, { signal })
    return object.metadata[MARK] === mark ? object : undefined
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

/** Deletes an object, or one version of it; no error if there is none. */
export async function deleteObject(
  bucket: GcsBucket,
  key: string,
  { name, generation }: { name: string; generation?: string },
  signal?: AbortSignal,
): Promise<void> {
  try {
    await bucket.call({
      operation: 'objects.delete',
      key,
      method: 'DELETE',
      path: bucket.path(name),
      query: { generation },
      signal,
    })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

/** Whether the upload may have ended although the request failed. */
function mayHaveEnded(error: unknown): boolean {
  return isNotFound(error) || (isSluiceError(error) && error.code === 'io')
}
