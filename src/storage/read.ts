import { assertCount } from '../core/count.ts'
import { isSluiceError, located, SluiceError } from '../core/errors.ts'
import type {
  GetOptions,
  GetRangesOptions,
  GetResult,
  ObjectMeta,
  PutOptions,
  SignalOption,
  Store,
} from './store.ts'

const PIECE = 8 * 1024 * 1024
const PIECES = 4

export interface ReadParallelOptions extends SignalOption, Pick<GetRangesOptions, 'ifMatch' | 'allocate'> {
  /** Where to begin, and where to end. @default the whole object */
  range?: { start: number; end?: number }
  /** Bytes of one request, and of each chunk of the body but the first ones and the last. @default 8 MiB */
  pieceBytes?: number
  /** Requests at once: so many pieces are in memory, besides the one that has been handed on. @default 4 */
  concurrency?: number
}

/** The bytes of an object, or of a range of it, in one piece. */
export async function readAll(store: Store, key: string, options?: GetOptions): Promise<Uint8Array> {
  const { body, range } = await store.get(key, options)
  const bytes = new Uint8Array(range.end - range.start)
  let length = 0
  for await (const chunk of body) {
    if (length + chunk.length <= bytes.length) bytes.set(chunk, length)
    length += chunk.length
  }
  if (length === bytes.length) return bytes
  throw new SluiceError('io', `${length} bytes came where ${bytes.length} were announced`, {
    file: `${store.url}/${key}`,
  })
}

/**
 * `get`, of which the body is read ahead by several requests at once: for large objects where one connection is
 * slower than the link. The bytes come in order, of one version; what fits into one piece is one request.
 */
export async function readParallel(
  store: Store,
  key: string,
  options: ReadParallelOptions = {},
): Promise<GetResult> {
  const { range: { start, end: wanted } = { start: 0 }, ifMatch, signal } = options
  const { pieceBytes = PIECE, concurrency = PIECES, allocate } = options
  assertCount('pieceBytes', pieceBytes)
  assertCount('concurrency', concurrency)
  const stop = new AbortController()
  const stopped = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal])
  const pinned = ifMatch === undefined ? {} : { ifMatch }
  const first = { start, end: Math.max(start, Math.min(start + pieceBytes, wanted ?? Infinity)) }
  const { meta, range, body } = await store.get(key, { range: first, signal: stopped, ...pinned })
  const end = Math.max(range.end, Math.min(meta.size, wanted ?? meta.size))
  const into = allocate === undefined ? {} : { allocate }
  const read = async (from: number) => {
    const piece = { start: from, end: Math.min(end, from + pieceBytes) }
    return (await store.getRanges(key, [piece], { ifMatch: meta.etag, signal: stopped, ...into }))[0]!
  }
  const ahead: Promise<Uint8Array>[] = []
  let next = range.end
  const fetchAhead = (most: number) => {
    for (; next < end && ahead.length < most; next += pieceBytes) {
      const piece = read(next)
      // Whoever takes it is told of a failure; nobody may get to it.
      piece.catch(() => undefined)
      ahead.push(piece)
    }
  }
  const head = body[Symbol.asyncIterator]()
  let inHead = true
  const close = async () => {
    next = end
    stop.abort(new SluiceError('io', 'the body was left', { file: `${store.url}/${key}` }))
    await Promise.allSettled(ahead.splice(0))
    if (inHead) await head.return?.()
    inHead = false
    return { done: true, value: undefined } as const
  }
  const iterator: AsyncIterableIterator<Uint8Array, void, undefined> = {
    [Symbol.asyncIterator]: () => iterator,
    async next() {
      try {
        // Until its bytes have come the body of the first answer is one of the requests.
        fetchAhead(inHead ? concurrency - 1 : concurrency)
        if (inHead) {
          const result = await head.next()
          if (!result.done) return result
          inHead = false
          fetchAhead(concurrency)
        }
        const piece = ahead.shift()
        return piece === undefined ? { done: true, value: undefined } : { done: false, value: await piece }
      } catch (error) {
        await close()
        throw error
      }
    },
    return: close,
  }
  return { meta, range: { start: range.start, end }, body: iterator }
}

/** An object as text; bytes that are no UTF-8 are `corrupt`. */
export async function readText(store: Store, key: string, options?: GetOptions): Promise<string> {
  const bytes = await readAll(store, key, options)
  return parsed(store, key, () => new TextDecoder('utf-8', { fatal: true }).decode(bytes))
}

/** An object as JSON; anything else in it is `corrupt`. The caller checks the value's shape. */
export async function readJson(store: Store, key: string, options?: GetOptions): Promise<unknown> {
  const text = await readText(store, key, options)
  return parsed(store, key, () => JSON.parse(text))
}

/** Puts a value as JSON. */
export function putJson(
  store: Store,
  key: string,
  value: unknown,
  options?: PutOptions,
): Promise<ObjectMeta> {
  return store.put(key, new TextEncoder().encode(JSON.stringify(value)), options)
}

/** What the store knows about an object, or undefined if there is none. */
export async function headIfExists(
  store: Store,
  key: string,
  options?: SignalOption,
): Promise<ObjectMeta | undefined> {
  try {
    return await store.head(key, options)
  } catch (error) {
    if (isSluiceError(error) && error.code === 'not-found') return undefined
    throw error
  }
}

/** Whether there is such an object. */
export async function exists(store: Store, key: string, options?: SignalOption): Promise<boolean> {
  return (await headIfExists(store, key, options)) !== undefined
}

function parsed<T>(store: Store, key: string, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw located(error, 'corrupt', { file: `${store.url}/${key}` })
  }
}
