import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { abortable } from '../../core/abort.ts'
import { forEachConcurrently } from '../../core/concurrency.ts'
import { SluiceError } from '../../core/errors.ts'
import {
  atOnce,
  type CoalescedRange,
  coalesceRanges,
  resolveRange,
  validateRanges,
  validateReadOptions,
  viewsOf,
} from '../ranges.ts'
import type {
  ByteRange,
  GetOptions,
  GetRangesOptions,
  GetResult,
  ObjectInfo,
  SignalOption,
} from '../store.ts'

const DEFAULT_GAP = 1024 * 1024
/** What one connection is asked for at once: several carry more than one does. */
const DEFAULT_PIECE = 16 * 1024 * 1024
/** Requests of one `getRanges`. */
const CONCURRENCY = 16

/** `ifMatch` pins a request to one version. */
export interface Pinned extends SignalOption {
  ifMatch?: string
}

/** What one request asks for: never an empty range, as HTTP has no words for it. */
export type RequestedRange = { start: number; end?: number } | { suffix: number }

/** An answer that has begun: what it is about, and its bytes still to come. */
export interface Reply {
  meta: ObjectInfo
  /** As the answer says. */
  range: ByteRange
  stream: Readable
}

/** What a remote driver brings for reading; each request is made once, and fails with typed errors. */
export interface ObjectReader {
  /** Names an object in messages, without credentials. */
  place(key: string): string
  head(key: string, options: Pinned): Promise<ObjectInfo>
  /** Begins to read. The stream has somebody who listens to its errors from the beginning. */
  open(key: string, range: RequestedRange | undefined, options: Pinned): Promise<Reply>
  /** Whether `open` failed because the range begins beyond the object's last byte (416). */
  isBeyondEnd(error: unknown): boolean
  /** What a stream broke with, as a typed error. */
  broken(key: string, error: unknown): SluiceError
}

/** `get` of a remote store. */
export async function getObject(
  reader: ObjectReader,
  key: string,
  { range, ifMatch, signal }: GetOptions,
): Promise<GetResult> {
  const pinned = { signal, ...(ifMatch === undefined ? {} : { ifMatch }) }
  const wanted = range === undefined ? undefined : requestOf(range)
  if (range !== undefined && wanted === undefined) return getNothing(reader, key, range, pinned)
  try {
    const { meta, range: got, stream } = await request(reader, key, wanted, pinned)
    return { meta, range: got, body: bodyOf(reader, key, stream, got, signal) }
  } catch (error) {
    if (range === undefined || !reader.isBeyondEnd(error)) throw error
    return getNothing(reader, key, range, pinned)
  }
}

/**
 * `getRanges` of a remote store: joins near ranges, cuts long ones into pieces, and reads several of those at once.
 * Each piece is a request of its own: repeated, it goes on behind the bytes that have come. All are of one version;
 * without a tag to pin them, the first answer gives it. No memory is asked for before an answer has told that the
 * ranges lie within the object.
 */
export async function getRangesOf(
  reader: ObjectReader,
  key: string,
  ranges: readonly ByteRange[],
  options: GetRangesOptions,
): Promise<Uint8Array[]> {
  validateReadOptions(options)
  const { ifMatch, signal, coalesceGap: gap = DEFAULT_GAP, maxRequestBytes = DEFAULT_PIECE } = options
  const { allocate = bytes => new Uint8Array(bytes), eachRequest = atOnce } = options
  const file = reader.place(key)
  validateRanges(ranges, Number.MAX_SAFE_INTEGER, file)
  const joined = coalesceRanges(ranges, { gap })
  const memory: Uint8Array[] = []
  const pinnedTo = (etag: string | undefined, own: SignalOption | undefined): Pinned => {
    return { signal, ...own, ...(etag === undefined ? {} : { ifMatch: etag }) }
  }
  const assertWithin = async (pinned: Pinned) =>
    validateRanges(ranges, (await reader.head(key, pinned)).size, file)
  if (joined.length === 0) {
    await eachRequest({ bytes: 0 }, own => assertWithin(pinnedTo(ifMatch, own)))
    return viewsOf(ranges, joined, memory)
  }
  let tag = ifMatch
  const readRest = async (piece: Piece, own: SignalOption | undefined) => {
    const { start, end, group } = piece
    if (piece.received === end - start) return
    const pinned = pinnedTo(tag, own)
    const reply = await request(reader, key, { start: start + piece.received, end }, pinned).catch(
      async error => {
        if (reader.isBeyondEnd(error)) await assertWithin(pinned)
        throw error
      },
    )
    try {
      validateRanges(ranges, reply.meta.size, file)
      tag = reply.meta.etag
      const whole = joined[group]!
      memory[group] ??= allocate(whole.end - whole.start)
      const into = memory[group].subarray(start - whole.start, end - whole.start)
      await fill(reader, key, reply, into, piece, pinned.signal)
    } finally {
      reply.stream.destroy()
    }
  }
  const pieces = joined.flatMap((range, group) => piecesOf(range, group, maxRequestBytes))
  const read = (piece: Piece) => eachRequest({ bytes: piece.end - piece.start }, own => readRest(piece, own))
  if (tag === undefined) await read(pieces.shift()!)
  await forEachConcurrently(pieces, CONCURRENCY, read)
  return viewsOf(ranges, joined, memory)
}

interface Piece extends ByteRange {
  /** Ordinal of the coalesced range that it is a part of. */
  group: number
  /** Bytes of it that are in memory. */
  received: number
}

function piecesOf({ start, end }: CoalescedRange, group: number, most: number): Piece[] {
  const pieces: Piece[] = []
  for (let from = start; from < end; from += most) {
    pieces.push({ group, start: from, end: Math.min(end, from + most), received: 0 })
  }
  return pieces
}

/** The range to ask for; undefined for an empty one, and for one that is none. */
function requestOf(range: NonNullable<GetOptions['range']>): RequestedRange | undefined {
  const isCount = (value: number) => Number.isSafeInteger(value) && value >= 0
  if ('suffix' in range) return isCount(range.suffix) && range.suffix > 0 ? range : undefined
  const { start, end } = range
  if (!isCount(start)) return undefined
  if (end === undefined) return { start }
  return Number.isSafeInteger(end) && end > start ? { start, end } : undefined
}

/** The answer for a range of no bytes, at the end of the object or elsewhere; or why it is no range. */
async function getNothing(
  reader: ObjectReader,
  key: string,
  range: NonNullable<GetOptions['range']>,
  pinned: Pinned,
): Promise<GetResult> {
  const meta = await reader.head(key, pinned)
  const resolved = resolveRange(range, meta.size, reader.place(key))
  if (resolved.start === resolved.end) {
    return { meta, range: resolved, body: bodyOf(reader, key, Readable.from([]), resolved, pinned.signal) }
  }
  throw new SluiceError('io', 'the object has grown while it was asked for', { file: reader.place(key) })
}

/** One request, whose answer is the range and the version that were asked for. */
async function request(
  reader: ObjectReader,
  key: string,
  range: RequestedRange | undefined,
  pinned: Pinned,
): Promise<Reply> {
  const reply = await reader.open(key, range, pinned)
  try {
    if (range !== undefined && !answers(range, reply)) {
      const { start, end } = reply.range
      const reason = `the store answered bytes ${start} to ${end} where ${JSON.stringify(range)} was asked`
      throw new SluiceError('unsupported', reason, {
        file: reader.place(key),
        hint: 'It, or a proxy before it, does not honour the Range header.',
      })
    }
    if (pinned.ifMatch !== undefined && reply.meta.etag !== pinned.ifMatch) {
      throw new SluiceError('precondition', 'the object has been changed', { file: reader.place(key) })
    }
    return reply
  } catch (error) {
    reply.stream.destroy()
    throw error
  }
}

/** Whether a range of the object is the one that was asked for, cut at its end. */
function answers(asked: RequestedRange, { meta: { size }, range: { start, end } }: Reply): boolean {
  if ('suffix' in asked) return start === Math.max(0, size - asked.suffix) && end === size
  return start === asked.start && end === Math.min(size, asked.end ?? size)
}

/** Services differ in whether they quote a tag. */
export function unquoted(etag: string | undefined): string {
  return etag?.replace(/^"(.*)"$/, '$1') ?? ''
}

/** The bytes that an answer gives, and the size of the object, as its headers say. */
export function extentOf(
  contentRange: string | undefined | null,
  contentLength: number,
): { range: ByteRange; size: number } {
  const [, first, last, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(contentRange ?? '') ?? []
  if (size === undefined) return { range: { start: 0, end: contentLength }, size: contentLength }
  return { range: { start: Number(first), end: Number(last) + 1 }, size: Number(size) }
}

/** Reads an answer into memory as it comes, behind what is there. An answer that is too long is not believed at all. */
async function fill(
  reader: ObjectReader,
  key: string,
  { stream }: Reply,
  into: Uint8Array,
  progress: { received: number },
  signal: AbortSignal | undefined,
): Promise<void> {
  const from = progress.received
  let length = from
  stream.on('data', (chunk: Buffer) => {
    if (length + chunk.length <= into.length) into.set(chunk, length)
    length += chunk.length
    progress.received = length <= into.length ? length : from
  })
  try {
    await abortable(finished(stream, { writable: false }), signal)
  } catch (error) {
    signal?.throwIfAborted()
    throw reader.broken(key, error)
  }
  if (length !== into.length) throw wrongLength(reader, key, length - from, into.length - from)
}

/** No generator: one that is closed before its first `next()` would not run the block that ends the connection. */
function bodyOf(
  reader: ObjectReader,
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
          throw wrongLength(reader, key, received, end - start)
        }
        return result.done ? close() : result
      } catch (error) {
        close()
        signal?.throwIfAborted()
        throw reader.broken(key, error)
      }
    },
    async return() {
      return close()
    },
  }
}

function wrongLength(reader: ObjectReader, key: string, received: number, announced: number): SluiceError {
  const reason = `${received} bytes came where ${announced} were announced`
  return new SluiceError('io', reason, { file: reader.place(key) })
}
