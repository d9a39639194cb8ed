import { parseBytes } from '../../core/bytes.ts'
import { isSluiceError, SluiceError } from '../../core/errors.ts'
import { RangeIndex } from '../cache/range-index.ts'
import { CacheFolder } from '../local/cache-folder.ts'
import { coalesceRanges, resolveRange, validateRanges, validateReadOptions, viewsOf } from '../ranges.ts'
import type {
  ByteRange,
  GetOptions,
  GetRangesOptions,
  GetResult,
  ObjectInfo,
  SignalOption,
  Store,
} from '../store.ts'
import { type RunRequest, type StoreMethod, type StoreRequest, WrappedStore, wrap } from './wrapped.ts'

export interface CacheOptions {
  /** Bytes that are kept in memory; a number or `'64MiB'`, 0 for none. @default 64 MiB */
  memory?: number | string | undefined
  /** A folder in which bytes are kept, and outlive the process; several may share it. @default none */
  disk?: { folder: string /** @default 1 GiB */; bytes?: number | string | undefined } | undefined
  /**
   * Largest read that is kept, in bytes: footers, indexes and small objects, not the column chunks that are read once.
   * @default 1 MiB
   */
  maxReadBytes?: number | string | undefined
  /**
   * For how long the store is not asked again what version an object has, in milliseconds: so long may an older version
   * be read after another one was put past this store. @default 0
   */
  maxAgeMs?: number | undefined
}

/**
 * Keeps what is read in small pieces, by object, version (tag) and range, in memory, on disk or both. What is kept is
 * given only for the version that the store says the object has: by default that costs a `head` a read, and saves the
 * bytes; within `maxAgeMs` it costs nothing. Readers who miss the same bytes at once wait for one read. Whatever is
 * written through this store is asked for anew. Stores of one URL at different endpoints need folders of their own.
 */
export function withCache(store: Store, options: CacheOptions = {}): Store {
  const { memory = '64MiB', disk, maxReadBytes = '1MiB', maxAgeMs = 0 } = options
  if (!(maxAgeMs >= 0)) {
    throw new SluiceError('invalid-argument', `must be 0 or more, not ${maxAgeMs}`, { option: 'maxAgeMs' })
  }
  const limits = { maxReadBytes: parseBytes(maxReadBytes, 'maxReadBytes'), maxAgeMs }
  const layers: Layer[] = [new CacheMemory(parseBytes(memory, 'memory'))]
  if (disk !== undefined) {
    layers.push(new CacheFolder(disk.folder, parseBytes(disk.bytes ?? '1GiB', 'disk.bytes')))
  }
  return wrap(store, root => new CachedStore(root, layers, limits))
}

/** A place where bytes are kept, by a text that stands for an object in one version. */
interface Layer {
  get(object: string, range: ByteRange): Promise<Uint8Array | undefined>
  put(object: string, range: ByteRange, bytes: Uint8Array): Promise<void>
}

/** Versions that are remembered. */
const MOST_HEADS = 10_000
/** How often a read begins anew because the object was replaced before its bytes came. */
const TRIES = 3

const WRITES: ReadonlySet<StoreMethod> = new Set([
  ...(['put', 'copy', 'delete', 'deleteMany', 'completeStaged'] as const),
])

class CachedStore extends WrappedStore {
  readonly #layers: readonly Layer[]
  readonly #limits: { maxReadBytes: number; maxAgeMs: number }
  readonly #heads = new Map<string, { info: ObjectInfo; asked: number }>()
  /** Reads that are under way, for those who want the same. */
  readonly #reads = new Map<string, Promise<Uint8Array[]>>()
  /** Of writes: what was asked before one is not remembered after it. */
  #epoch = 0

  constructor(inner: Store, layers: readonly Layer[], limits: { maxReadBytes: number; maxAgeMs: number }) {
    super(inner)
    this.#layers = layers
    this.#limits = limits
  }

  protected override async call<T>({ method, key }: StoreRequest, run: RunRequest<T>): Promise<T> {
    if (!WRITES.has(method)) return run()
    const forget = () => {
      this.#epoch++
      if (method === 'deleteMany') this.#heads.clear()
      else this.#heads.delete(key)
    }
    forget()
    try {
      return await run()
    } finally {
      forget()
    }
  }

  override async head(key: string, options: SignalOption = {}): Promise<ObjectInfo> {
    const { maxAgeMs } = this.#limits
    const known = this.#heads.get(key)
    if (known !== undefined && performance.now() - known.asked < maxAgeMs) {
      options.signal?.throwIfAborted()
      return { ...known.info }
    }
    const [epoch, asked] = [this.#epoch, performance.now()]
    this.#heads.delete(key)
    const info = await this.inner.head(key, options)
    if (maxAgeMs > 0 && epoch === this.#epoch) {
      this.#heads.set(key, { info: { ...info }, asked })
      if (this.#heads.size > MOST_HEADS) this.#heads.delete(this.#heads.keys().next().value!)
    }
    return info
  }

  override async get(key: string, options: GetOptions = {}): Promise<GetResult> {
    const { range, signal } = options
    if (range !== undefined && leastBytesOf(range) > this.#limits.maxReadBytes) {
      return this.inner.get(key, options)
    }
    const result = await this.#current(key, options, async meta => {
      const wanted = resolveRange(range, meta.size, this.#place(key))
      if (wanted.end - wanted.start > this.#limits.maxReadBytes) return undefined
      const [bytes] = await this.#read(key, meta.etag, [wanted], { signal })
      return { meta, range: wanted, body: single(bytes!.slice(), signal) }
    })
    return result ?? this.inner.get(key, options)
  }

  override async getRanges(
    key: string,
    ranges: readonly ByteRange[],
    options: GetRangesOptions = {},
  ): Promise<Uint8Array[]> {
    validateReadOptions(options)
    const { allocate = bytes => new Uint8Array(bytes), ...rest } = options
    const { coalesceGap: gap = 0 } = rest
    const total = ranges.reduce((sum, { start, end }) => sum + end - start, 0)
    if (!(total <= this.#limits.maxReadBytes)) return this.inner.getRanges(key, ranges, options)
    const views = await this.#current(key, options, async ({ etag, size }) => {
      validateRanges(ranges, size, this.#place(key))
      const kept = await this.#read(key, etag, ranges, rest)
      // As without a cache: memory is asked for once for ranges that lie near one another.
      const joined = coalesceRanges(ranges, { gap })
      const memory = joined.map(({ start, end }) => allocate(end - start))
      const own = viewsOf(ranges, joined, memory)
      own.forEach((view, i) => {
        view.set(kept[i]!)
      })
      return own
    })
    return views ?? this.inner.getRanges(key, ranges, options)
  }

  /**
   * Does something with the version that an object has, once more if it is replaced in the meantime, unless the caller
   * wants that version alone. Undefined if it is replaced again and again.
   */
  async #current<T>(
    key: string,
    { ifMatch, signal, attempt }: GetOptions,
    read: (info: ObjectInfo) => Promise<T>,
  ): Promise<T | undefined> {
    for (let tries = 0; tries < TRIES; tries++) {
      let info = await this.head(key, { signal, attempt })
      if (ifMatch !== undefined && info.etag !== ifMatch) {
        this.#heads.delete(key)
        info = await this.head(key, { signal, attempt })
        if (info.etag !== ifMatch) {
          throw new SluiceError('precondition', 'the object has been changed', { file: this.#place(key) })
        }
      }
      try {
        return await read(info)
      } catch (error) {
        const replaced = isSluiceError(error) && error.code === 'precondition' && ifMatch === undefined
        if (!replaced) throw error
        this.#heads.delete(key)
      }
    }
    return undefined
  }

  /** Bytes of one version, kept or read and then kept. They are not the caller's to change. */
  async #read(
    key: string,
    etag: string,
    ranges: readonly ByteRange[],
    options: GetRangesOptions,
  ): Promise<Uint8Array[]> {
    const object = JSON.stringify([this.url, key, etag])
    const kept = await Promise.all(ranges.map(range => this.#kept(object, range)))
    if (kept.every(bytes => bytes !== undefined)) return kept
    const id = JSON.stringify([object, ranges.map(({ start, end }) => [start, end])])
    const { signal } = options
    for (let other = this.#reads.get(id); other !== undefined; other = this.#reads.get(id)) {
      // Should it fail, for its reader's own reasons perhaps, somebody else reads.
      const bytes = await other.catch(() => undefined)
      signal?.throwIfAborted()
      if (bytes !== undefined) return bytes
    }
    const reading = this.#fetch(key, object, ranges, { ...options, ifMatch: etag })
    this.#reads.set(id, reading)
    try {
      return await reading
    } finally {
      this.#reads.delete(id)
    }
  }

  async #fetch(
    key: string,
    object: string,
    ranges: readonly ByteRange[],
    options: GetRangesOptions,
  ): Promise<Uint8Array[]> {
    const views = await this.inner.getRanges(key, ranges, options)
    // Of memory that is shared by near ranges a view would keep all.
    const bytes = views.map(view => view.slice())
    for (const layer of this.#layers) {
      await Promise.all(ranges.map((range, i) => layer.put(object, range, bytes[i]!)))
    }
    return bytes
  }

  /** What a layer has; those above it get it, too. */
  async #kept(object: string, range: ByteRange): Promise<Uint8Array | undefined> {
    if (range.start === range.end) return new Uint8Array(0)
    for (const [depth, layer] of this.#layers.entries()) {
      const bytes = await layer.get(object, range)
      if (bytes === undefined) continue
      for (const above of this.#layers.slice(0, depth)) await above.put(object, range, bytes.slice())
      return bytes
    }
    return undefined
  }

  #place(key: string): string {
    return `${this.url}/${key}`
  }
}

/** The layer that goes with the process. */
class CacheMemory implements Layer {
  readonly #index: RangeIndex<Uint8Array>

  constructor(bytes: number) {
    this.#index = new RangeIndex(bytes)
  }

  async get(object: string, range: ByteRange): Promise<Uint8Array | undefined> {
    const found = this.#index.find(object, range)
    return found?.value.subarray(range.start - found.start, range.end - found.start)
  }

  async put(object: string, { start, end }: ByteRange, bytes: Uint8Array): Promise<void> {
    this.#index.add({ object, start, end, value: bytes, size: bytes.length + ENTRY_BYTES + object.length })
  }
}

/** What an entry costs besides its bytes, about. */
const ENTRY_BYTES = 200

/** What a range has at least, however long the object is. */
function leastBytesOf(range: NonNullable<GetOptions['range']>): number {
  if ('suffix' in range || range.end === undefined) return 0
  return range.end - range.start
}

async function* single(
  bytes: Uint8Array,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  signal?.throwIfAborted()
  if (bytes.length > 0) yield bytes
}
