import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { GetObjectOutput, HeadObjectOutput } from '@aws-sdk/client-s3'
import { abortable } from '../../core/abort.ts'
import { forEachConcurrently } from '../../core/concurrency.ts'
import { SluiceError } from '../../core/errors.ts'
import { type CoalescedRange, coalesceRanges, resolveRange, validateRanges, viewsOf } from '../ranges.ts'
import type {
  ByteRange,
  GetOptions,
  GetRangesOptions,
  GetResult,
  ObjectMeta,
  SignalOption,
} from '../store.ts'
import { metaOf, type S3Bucket, unquoted } from './bucket.ts'
import { failureOf, s3Error } from './errors.ts'

const DEFAULT_GAP = 1024 * 1024
/** What one connection is asked for at once: several carry more than one does. */
const PIECE = 16 * 1024 * 1024
/** Requests of one `getRanges`. */
const CONCURRENCY = 16

interface Pinned extends SignalOption {
  ifMatch?: string
}

/** An answer that has begun: what it is about, and its bytes still to come. */
interface Reply {
  meta: ObjectMeta
  range: ByteRange
  stream: Readable
}

export async function headObject(bucket: S3Bucket, key: string, options: Pinned): Promise<ObjectMeta> {
  const reply = await head(bucket, key, options)
  return metaOf(key, reply, reply.ContentLength ?? 0)
}

/** All that the service says of an object. */
export function head(bucket: S3Bucket, key: string, { ifMatch, signal }: Pinned): Promise<HeadObjectOutput> {
  const { all, customerKey } = bucket.defaults
  const request = { ...all, ...customerKey, Key: bucket.absolute(key), ...pinOf(ifMatch) }
  return bucket.send('HeadObject', key, signal, (s3, http) => s3.headObject(request, http))
}

export async function getObject(
  bucket: S3Bucket,
  key: string,
  { range, ifMatch, signal }: GetOptions,
): Promise<GetResult> {
  const pinned = { signal, ...(ifMatch === undefined ? {} : { ifMatch }) }
  const wanted = range === undefined ? undefined : headerOf(range)
  if (range !== undefined && wanted === undefined) return getNothing(bucket, key, range, pinned)
  try {
    const { meta, range: got, stream } = await request(bucket, key, wanted, pinned)
    return { meta, range: got, body: bodyOf(bucket, key, stream, got, signal) }
  } catch (error) {
    if (range === undefined || failureOf(error)?.status !== 416) throw error
    return getNothing(bucket, key, range, pinned)
  }
}

/**
 * Reads ranges of one version: without a tag to pin them, the first answer gives it. No memory is asked for before
 * an answer has told that the ranges lie within the object.
 */
export async function getRangesOf(
  bucket: S3Bucket,
  key: string,
  ranges: readonly ByteRange[],
  {
    ifMatch,
    signal,
    coalesceGap: gap = DEFAULT_GAP,
    allocate = bytes => new Uint8Array(bytes),
  }: GetRangesOptions,
): Promise<Uint8Array[]> {
  const file = bucket.place(key)
  validateRanges(ranges, Number.MAX_SAFE_INTEGER, file)
  const joined = coalesceRanges(ranges, { gap })
  const pinned = { signal, ...(ifMatch === undefined ? {} : { ifMatch }) }
  if (joined.length === 0) {
    validateRanges(ranges, (await headObject(bucket, key, pinned)).size, file)
    return viewsOf(ranges, joined, [])
  }
  const memory: Uint8Array[] = []
  const read = async (piece: Piece, pin: string | undefined) => {
    const { group, start, end } = piece
    const pinnedTo = { signal, ...(pin === undefined ? {} : { ifMatch: pin }) }
    const reply = await request(bucket, key, `bytes=${start}-${end - 1}`, pinnedTo).catch(async error => {
      if (failureOf(error)?.status === 416) {
        validateRanges(ranges, (await headObject(bucket, key, pinned)).size, file)
      }
      throw error
    })
    try {
      validateRanges(ranges, reply.meta.size, file)
      const whole = joined[group]!
      memory[group] ??= allocate(whole.end - whole.start)
      await fill(bucket, key, reply, memory[group].subarray(start - whole.start, end - whole.start), signal)
    } finally {
      reply.stream.destroy()
    }
    return reply.meta.etag
  }
  const pieces = joined.flatMap(piecesOf)
  const tag = ifMatch ?? (await read(pieces.shift()!, undefined))
  await forEachConcurrently(pieces, CONCURRENCY, piece => read(piece, tag))
  return viewsOf(ranges, joined, memory)
}

interface Piece extends ByteRange {
  /** Ordinal of the coalesced range that it is a part of. */
  group: number
}

function piecesOf({ start, end }: CoalescedRange, group: number): Piece[] {
  const pieces: Piece[] = []
  for (let from = start; from < end; from += PIECE) {
    pieces.push({ group, start: from, end: Math.min(end, from + PIECE) })
  }
  return pieces
}

/** A range as HTTP writes it; undefined for an empty one, which it cannot, and for one that is none. */
function headerOf(range: NonNullable<GetOptions['range']>): string | undefined {
  const isCount = (value: number) => Number.isSafeInteger(value) && value >= 0
  if ('suffix' in range)
    return isCount(range.suffix) && range.suffix > 0 ? `bytes=-${range.suffix}` : undefined
  const { start, end } = range
  if (!isCount(start)) return undefined
  if (end === undefined) return `bytes=${start}-`
  return Number.isSafeInteger(end) && end > start ? `bytes=${start}-${end - 1}` : undefined
}

/** The answer for a range of no bytes, at the end of the object or elsewhere; or why it is no range. */
async function getNothing(
  bucket: S3Bucket,
  key: string,
  range: NonNullable<GetOptions['range']>,
  pinned: Pinned,
): Promise<GetResult> {
  const meta = await headObject(bucket, key, pinned)
  const resolved = resolveRange(range, meta.size, bucket.place(key))
  if (resolved.start === resolved.end) {
    return { meta, range: resolved, body: bodyOf(bucket, key, Readable.from([]), resolved, pinned.signal) }
  }
  throw new SluiceError('io', 'the object has grown while it was asked for', { file: bucket.place(key) })
}

async function request(
  bucket: S3Bucket,
  key: string,
  range: string | undefined,
  { ifMatch, signal }: Pinned,
): Promise<Reply> {
  const { all, customerKey } = bucket.defaults
  const asked = { ...all, ...customerKey, Key: bucket.absolute(key), ...pinOf(ifMatch) }
  const reply = await bucket.send('GetObject', key, signal, (s3, http) =>
    s3.getObject(range === undefined ? asked : { ...asked, Range: range }, http),
  )
  const stream = streamOf(reply)
  try {
    const { start, end, size } = extentOf(reply)
    const file = bucket.place(key)
    if (range !== undefined && !answers(range, { start, end }, size)) {
      throw new SluiceError(
        'unsupported',
        `the store answered bytes ${start} to ${end} where '${range}' was asked`,
        {
          file,
          hint: 'It, or a proxy before it, does not honour the Range header.',
        },
      )
    }
    if (ifMatch !== undefined && unquoted(reply.ETag) !== ifMatch) {
      throw new SluiceError('precondition', 'the object has been changed', { file })
    }
    return { meta: metaOf(key, reply, size), range: { start, end }, stream }
  } catch (error) {
    stream.destroy()
    throw error
  }
}

function streamOf({ Body: body }: GetObjectOutput): Readable {
  if (!(body instanceof Readable)) throw new SluiceError('io', 'the answer has no body that can be read')
  // The connection may break before anybody reads, which nobody would listen to.
  return body.on('error', () => undefined)
}

function extentOf({ ContentRange, ContentLength = 0 }: GetObjectOutput): ByteRange & { size: number } {
  const [, first, last, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(ContentRange ?? '') ?? []
  if (size === undefined) return { start: 0, end: ContentLength, size: ContentLength }
  return { start: Number(first), end: Number(last) + 1, size: Number(size) }
}

/** Whether a range of the object is the one that was asked for, cut at its end. */
function answers(asked: string, { start, end }: ByteRange, size: number): boolean {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(asked) ?? []
  if (first === '') return start === Math.max(0, size - Number(last)) && end === size
  return start === Number(first) && end === (last === '' ? size : Math.min(size, Number(last) + 1))
}

function pinOf(etag: string | undefined): { IfMatch?: string } {
  return etag === undefined ? {} : { IfMatch: `"${etag}"` }
}

/** Reads an answer into memory as it comes. */
async function fill(
  bucket: S3Bucket,
  key: string,
  { stream }: Reply,
  into: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<void> {
  let length = 0
  stream.on('data', (chunk: Buffer) => {
    if (length + chunk.length <= into.length) into.set(chunk, length)
    length += chunk.length
  })
  try {
    await abortable(finished(stream, { writable: false }), signal)
  } catch (error) {
    signal?.throwIfAborted()
    throw broken(bucket, key, error)
  }
  if (length !== into.length) throw wrongLength(bucket, key, length, into.length)
}

/** No generator: one that is closed before its first `next()` would not run the block that ends the connection. */
function bodyOf(
  bucket: S3Bucket,
  key: string,
  stream: Readable,
  { start, end }: ByteRange,
  signal: AbortSignal | undefined,
): AsyncIterableIterator<Uint8Array, void, undefined> {
  const chunks = stream[Symbol.asyncIterator]()
  let received = 0
  let open = true
  const close = () => {
    open = false
    stream.destroy()
    return { done: true, value: undefined } as const
  }
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      if (!open) return close()
      try {
        signal?.throwIfAborted()
        const result: IteratorResult<Uint8Array, undefined> = await abortable(chunks.next(), signal)
        received += result.done ? 0 : result.value.length
        if (result.done ? received < end - start : received > end - start) {
          throw wrongLength(bucket, key, received, end - start)
        }
        return result.done ? close() : result
      } catch (error) {
        close()
        signal?.throwIfAborted()
        throw broken(bucket, key, error)
      }
    },
    async return() {
      return close()
    },
  }
}

function broken(bucket: S3Bucket, key: string, error: unknown): SluiceError {
  return s3Error(error, { name: 'GetObject', file: bucket.place(key), bucket: bucket.name })
}

function wrongLength(bucket: S3Bucket, key: string, received: number, announced: number): SluiceError {
  const reason = `${received} bytes came where ${announced} were announced`
  return new SluiceError('io', reason, { file: bucket.place(key) })
}
