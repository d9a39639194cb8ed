import { untilAborted } from '../../core/abort.ts'
import { mapAhead } from '../../core/concurrency.ts'
import { isSluiceError, SluiceError } from '../../core/errors.ts'
import { compareKeys, keyMatches, validateKey } from '../keys.ts'
import type { ListLevel, ListOptions, ObjectMeta, SignalOption } from '../store.ts'
import { discard, type HttpFolder } from './client.ts'
import { requestError } from './errors.ts'
import { isStrong } from './read.ts'

/** Requests that go ahead of whoever iterates a listing. */
const AHEAD = 32

type Head = (key: string, options: SignalOption) => Promise<ObjectMeta>

/** What the file says of an object: all that a listing tells, or that there is one. */
interface Entry {
  key: string
  meta: ObjectMeta | undefined
}

/** The listing that a file on the server gives. It is asked for by each listing, and read when it has changed. */
export class HttpIndex {
  readonly #folder: HttpFolder
  readonly #url: URL
  readonly #head: Head
  #latest: { etag: string; entries: readonly Entry[] } | undefined

  constructor(folder: HttpFolder, url: URL, head: Head) {
    this.#folder = folder
    this.#url = url
    this.#head = head
  }

  async *list(options: ListOptions): AsyncGenerator<ObjectMeta, void, undefined> {
    const { prefix = '', startAfter, signal } = options
    const entries = await this.#read(signal)
    const wanted = entries.filter(({ key }) => keyMatches(key, prefix, startAfter))
    yield* this.#described(wanted, signal)
  }

  async listLevel({ prefix = '', startAfter, signal }: ListOptions): Promise<ListLevel> {
    const prefixes = new Set<string>()
    const entries: Entry[] = []
    for (const entry of await this.#read(signal)) {
      if (!keyMatches(entry.key, prefix, startAfter)) continue
      const slash = entry.key.indexOf('/', prefix.length)
      if (slash < 0) entries.push(entry)
      else prefixes.add(entry.key.slice(0, slash + 1))
    }
    const level: ListLevel = { objects: [], prefixes: [...prefixes] }
    for await (const meta of this.#described(entries, signal)) level.objects.push(meta)
    return level
  }

  /** What the file does not tell is asked of the objects themselves. */
  async *#described(
    entries: readonly Entry[],
    signal: AbortSignal | undefined,
  ): AsyncGenerator<ObjectMeta, void, undefined> {
    const left = new AbortController()
    const either = signal === undefined ? left.signal : AbortSignal.any([signal, left.signal])
    try {
      for await (const meta of mapAhead(entries, AHEAD, entry => this.#describe(entry, either))) {
        yield meta
        signal?.throwIfAborted()
      }
    } finally {
      left.abort()
    }
  }

  async #describe({ key, meta }: Entry, signal: AbortSignal): Promise<ObjectMeta> {
    if (meta !== undefined) return { ...meta }
    try {
      return await this.#head(key, { signal })
    } catch (error) {
      if (!isSluiceError(error) || error.code !== 'not-found') throw error
      // To leave it out would be to lose rows of which somebody has said that they are there.
      throw error.within({ hint: `The index '${this.#url.href}' names it: bring that up to date.` })
    }
  }

  async #read(signal: AbortSignal | undefined): Promise<readonly Entry[]> {
    const operation = { method: 'GET', file: this.#url.href } as const
    const headers = this.#latest === undefined ? {} : { 'if-none-match': this.#latest.etag }
    const request = { method: 'GET', headers, signal } as const
    const answer = await this.#folder.request(this.#url, operation, request, [200, 304])
    if (answer.status === 304 && this.#latest !== undefined) {
      discard(answer)
      return this.#latest.entries
    }
    const chunks: Uint8Array[] = []
    try {
      for await (const chunk of untilAborted<Uint8Array>(answer.body, signal)) chunks.push(chunk)
    } catch (error) {
      signal?.throwIfAborted()
      throw requestError(error, operation)
    }
    const entries = parseIndex(Buffer.concat(chunks), this.#url.href)
    const { etag } = answer.headers
    this.#latest = etag === undefined ? undefined : { etag, entries }
    return entries
  }
}

/** The objects that a listing names, in order: a JSON array, or a text with one key a line. */
function parseIndex(bytes: Uint8Array, file: string): Entry[] {
  let entries: Entry[]
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    entries = /^\s*\[/.test(text)
      ? (JSON.parse(text) as unknown[]).map(entryOf)
      : text.split(/\r?\n/).flatMap(line => (line === '' ? [] : [entryOf(line)]))
  } catch (cause) {
    const reason = isSluiceError(cause) ? cause.reason : 'is neither JSON nor UTF-8 text'
    throw new SluiceError('corrupt', reason, {
      file,
      hint: 'An index is a JSON array of keys or of objects with a key, or a text with one key a line.',
      ...(isSluiceError(cause) ? {} : { cause }),
    })
  }
  entries.sort((a, b) => compareKeys(a.key, b.key))
  const twice = entries.find(({ key }, i) => key === entries[i + 1]?.key)
  if (twice === undefined) return entries
  throw new SluiceError('corrupt', `names ${JSON.stringify(twice.key)} twice`, { file })
}

function entryOf(item: unknown): Entry {
  if (typeof item === 'string') return { key: validateKey(item), meta: undefined }
  const { key, size, etag, lastModified } = (item ?? {}) as Record<string, unknown>
  if (typeof key !== 'string') {
    throw new SluiceError('corrupt', `has ${JSON.stringify(item)}, which names no key`)
  }
  validateKey(key)
  const tag = typeof etag === 'string' ? quoted(etag) : ''
  const time = typeof lastModified === 'string' ? Date.parse(lastModified) : Number.NaN
  const complete = Number.isSafeInteger(size) && Number(size) >= 0 && isStrong(tag) && !Number.isNaN(time)
  return {
    key,
    meta: complete ? { key, size: Number(size), etag: tag, lastModified: new Date(time) } : undefined,
  }
}

/** A tag as the server gives it; many programs that list objects leave its quotes away. */
function quoted(etag: string): string {
  return /^(W\/)?"/.test(etag) ? etag : `"${etag}"`
}
