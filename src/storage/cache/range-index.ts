import type { ByteRange } from '../store.ts'

/** A stretch of one version of an object, and where its bytes are. */
export interface CachedRange<T> extends ByteRange {
  readonly object: string
  readonly value: T
  /** That it takes, which may be more than its length. */
  readonly size: number
}

/** Which stretches of which objects are there, bounded in bytes: the one that was not asked for longest goes first. */
export class RangeIndex<T> {
  bytes = 0
  readonly #limit: number
  readonly #onEvict: (range: CachedRange<T>) => void
  readonly #objects = new Map<string, Set<CachedRange<T>>>()
  /** In the order in which they were last asked for. */
  readonly #order = new Set<CachedRange<T>>()

  constructor(limit: number, onEvict: (range: CachedRange<T>) => void = () => undefined) {
    this.#limit = limit
    this.#onEvict = onEvict
  }

  /** One that holds all of these bytes. */
  find(object: string, { start, end }: ByteRange): CachedRange<T> | undefined {
    for (const range of this.#objects.get(object) ?? []) {
      if (range.start > start || range.end < end) continue
      this.#order.delete(range)
      this.#order.add(range)
      return range
    }
    return undefined
  }

  /** Adds one, in place of those that it holds. What is larger than all there may be is evicted at once. */
  add(added: CachedRange<T>): void {
    const ranges = this.#objects.get(added.object) ?? new Set()
    for (const range of ranges) {
      if (range.start < added.start || range.end > added.end) continue
      this.remove(range)
      if (range.value !== added.value) this.#onEvict(range)
    }
    this.#objects.set(added.object, ranges.add(added))
    this.#order.add(added)
    this.bytes += added.size
    for (const oldest of this.#order) {
      if (this.bytes <= this.#limit) break
      this.remove(oldest)
      this.#onEvict(oldest)
    }
  }

  remove(range: CachedRange<T>): void {
    if (!this.#order.delete(range)) return
    this.bytes -= range.size
    const ranges = this.#objects.get(range.object)
    ranges?.delete(range)
    if (ranges?.size === 0) this.#objects.delete(range.object)
  }
}
