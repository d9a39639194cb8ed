import { SluiceError } from '../../core/errors.ts'
import { failureOf } from '../remote/errors.ts'
import { extentOf, type ObjectReader, type Pinned, type Reply, type RequestedRange } from '../remote/read.ts'
import type { ByteRange, ObjectInfo } from '../store.ts'
import { discard, type HttpAnswer, type HttpFolder } from './client.ts'
import { requestError } from './errors.ts'

/** Reads objects of a folder. */
export class HttpReader implements ObjectReader {
  readonly #folder: HttpFolder
  /** Whether the server has refused the method HEAD. */
  #headless = false

  constructor(folder: HttpFolder) {
    this.#folder = folder
  }

  place(key: string): string {
    return this.#folder.place(key)
  }

  async head(key: string, pinned: Pinned): Promise<ObjectInfo> {
    const info =
      (this.#headless ? undefined : await this.#head(key, pinned)) ?? (await this.#peek(key, pinned))
    if (pinned.ifMatch === undefined || info.etag === pinned.ifMatch) return info
    throw new SluiceError('precondition', 'the object has been changed', { file: this.place(key) })
  }

  async open(key: string, range: RequestedRange | undefined, pinned: Pinned): Promise<Reply> {
    const headers = {
      ...conditionOf(pinned.ifMatch),
      ...(range === undefined ? {} : { range: headerOf(range) }),
    }
    const answer = await this.#get(key, headers, pinned, [200, 206])
    try {
      const { range: got, size } = this.#extent(key, answer)
      return { meta: infoOf(key, answer, size, this.place(key)), range: got, stream: answer.body }
    } catch (error) {
      answer.body.destroy()
      throw error
    }
  }

  isBeyondEnd(error: unknown): boolean {
    return failureOf(error)?.status === 416
  }

  broken(key: string, error: unknown): SluiceError {
    return requestError(error, { method: 'GET', file: this.place(key) })
  }

  /** Undefined where the method is refused, as signatures for GET alone do (403), or where no length is told. */
  async #head(key: string, { ifMatch, signal }: Pinned): Promise<ObjectInfo | undefined> {
    const url = this.#folder.locate(key)
    const operation = { method: 'HEAD', file: this.place(key) } as const
    const headers = conditionOf(ifMatch)
    const accept = [200, 403, 405, 501]
    const answer = await this.#folder.request(url, operation, { method: 'HEAD', headers, signal }, accept)
    discard(answer)
    const { status } = answer
    if (status === 405 || status === 501) this.#headless = true
    const size = lengthOf(answer)
    return status === 200 && size !== undefined ? infoOf(key, answer, size, this.place(key)) : undefined
  }

  /** What an answer to a request for the first byte tells. */
  async #peek(key: string, pinned: Pinned): Promise<ObjectInfo> {
    const headers = { ...conditionOf(pinned.ifMatch), range: 'bytes=0-0' }
    const answer = await this.#get(key, headers, pinned, [200, 206, 416])
    discard(answer)
    // An empty object has no first byte: `Content-Range: bytes */0`.
    const size = answer.status === 416 ? 0 : this.#extent(key, answer).size
    return infoOf(key, answer, size, this.place(key))
  }

  #get(
    key: string,
    headers: Record<string, string>,
    { signal }: Pinned,
    accept: readonly number[],
  ): Promise<HttpAnswer> {
    const operation = { method: 'GET', file: this.place(key) } as const
    const request = { method: 'GET', headers, signal } as const
    return this.#folder.request(this.#folder.locate(key), operation, request, accept)
  }

  #extent(key: string, answer: HttpAnswer): { range: ByteRange; size: number } {
    const contentRange = answer.headers['content-range']
    if (answer.status === 206) {
      // Also `bytes 0-9/*`, where the size is not known, and several ranges at once, which nobody asked for.
      if (/^bytes \d+-\d+\/\d+$/.test(contentRange ?? '')) return extentOf(contentRange, 0)
      throw new SluiceError('unsupported', 'the answer does not say which bytes of how many it has', {
        file: this.place(key),
        hint: 'The server, or a proxy before it, does not honour the Range header.',
      })
    }
    const length = lengthOf(answer)
    if (length !== undefined) return extentOf(undefined, length)
    throw new SluiceError('unsupported', 'the server does not say how long it is (no Content-Length)', {
      file: this.place(key),
      hint: 'What it makes up, or compresses, as it goes cannot be read: download it first.',
    })
  }
}

/**
 * All that an answer tells of an object. The tag is the strong entity tag with its quotes. Where there is none it is
 * made of the time of change and the size: `infoOf` is applied to each answer, and reading compares the tags.
 */
function infoOf(key: string, { headers }: HttpAnswer, size: number, file: string): ObjectInfo {
  const { etag = '', 'last-modified': modified, 'content-type': contentType } = headers
  const time = modified === undefined ? Number.NaN : Date.parse(modified)
  const known = !Number.isNaN(time)
  if (!isStrong(etag) && !known) {
    throw new SluiceError('unsupported', 'the server gives neither an ETag nor Last-Modified', {
      file,
      hint: 'So a change would go unnoticed, and its ranges could be of two versions: download it first.',
    })
  }
  const tag = isStrong(etag) ? etag : `${time / 1000}-${size}`
  return { key, size, etag: tag, lastModified: new Date(known ? time : 0), contentType, metadata: {} }
}

/** Whether a header is a tag that equal bytes alone share (RFC 9110, 8.8.3); a weak one begins with `W/`. */
export function isStrong(etag: string): boolean {
  return /^"[\x21\x23-\x7e\x80-\xff]*"$/.test(etag)
}

/** What has the server refuse, by 412, to answer for another version. */
function conditionOf(tag: string | undefined): Record<string, string> {
  if (tag === undefined) return {}
  if (isStrong(tag)) return { 'if-match': tag }
  const seconds = Number(/^(-?\d+)-\d+$/.exec(tag)?.[1] ?? Number.NaN)
  return Number.isNaN(seconds) ? {} : { 'if-unmodified-since': new Date(seconds * 1000).toUTCString() }
}

function headerOf(range: RequestedRange): string {
  if ('suffix' in range) return `bytes=-${range.suffix}`
  return `bytes=${range.start}-${range.end === undefined ? '' : range.end - 1}`
}

function lengthOf({ headers }: HttpAnswer): number | undefined {
  const length = headers['content-length']
  return length !== undefined && /^\d+$/.test(length) ? Number(length) : undefined
}
