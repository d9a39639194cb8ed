import { parseBytes } from '../../core/bytes.ts'
import { SluiceError } from '../../core/errors.ts'
import { TokenBucket } from '../../core/token-bucket.ts'
import type { Store } from '../store.ts'
import { type RunRequest, type StoreRequest, through, WrappedStore, wrap } from './wrapped.ts'

export interface ThrottleOptions {
  /** Bytes read and written, together; a number or `'200MB'`. @default no limit */
  bytesPerSecond?: number | string | undefined
  /** Requests; a listing counts as one. @default no limit */
  requestsPerSecond?: number | undefined
  /** Seconds' worth of either that may be used at once after a pause. @default 1 */
  burstSeconds?: number | undefined
}

/**
 * Holds a store to a rate. Bytes are paid for before they are written and before they are handed on after
 * reading; the requests that `getRanges` makes are paid for one by one, before they are sent, with the gaps between
 * ranges that they read.
 */
export function withThrottle(
  store: Store,
  { bytesPerSecond, requestsPerSecond, burstSeconds = 1 }: ThrottleOptions,
): Store {
  if (!(burstSeconds >= 0 && Number.isFinite(burstSeconds))) fail('burstSeconds', '0 or more', burstSeconds)
  const bucket = (rate: number | undefined, option: string) => {
    if (rate === undefined) return undefined
    if (!(rate > 0)) fail(option, 'above 0', rate)
    return new TokenBucket(rate, rate * burstSeconds)
  }
  const bytes = bytesPerSecond === undefined ? undefined : parseBytes(bytesPerSecond, 'bytesPerSecond')
  const buckets = {
    bytes: bucket(bytes, 'bytesPerSecond'),
    requests: bucket(requestsPerSecond, 'requestsPerSecond'),
  }
  return wrap(store, root => new ThrottledStore(root, buckets))
}

interface Buckets {
  bytes: TokenBucket | undefined
  requests: TokenBucket | undefined
}

/** Parts of a larger request rather than requests of their own. */
const PARTS = new Set(['seal', 'abort'])

class ThrottledStore extends WrappedStore {
  readonly #buckets: Buckets

  constructor(inner: Store, buckets: Buckets) {
    super(inner)
    this.#buckets = buckets
  }

  protected override async call<T>(request: StoreRequest, run: RunRequest<T>): Promise<T> {
    const { method, bytes, signal } = request
    if (!PARTS.has(method)) await this.#buckets.requests?.take(1, signal)
    if (bytes > 0) await this.#buckets.bytes?.take(bytes, signal)
    return run()
  }

  protected override received<T>(request: StoreRequest, items: AsyncIterable<T>): AsyncIterable<T> {
    let begun = request.method === 'get'
    return through(items, async next => {
      if (!begun) await this.#buckets.requests?.take(1, request.signal)
      begun = true
      return this.#paid(request, await next())
    })
  }

  protected override sent(request: StoreRequest, body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    return through(body, async next => this.#paid(request, await next()))
  }

  async #paid<T>({ signal }: StoreRequest, result: IteratorResult<T>): Promise<IteratorResult<T>> {
    if (result.value instanceof Uint8Array) await this.#buckets.bytes?.take(result.value.length, signal)
    return result
  }
}

function fail(option: string, wanted: string, value: unknown): never {
  throw new SluiceError('invalid-argument', `must be ${wanted}, not ${String(value)}`, { option })
}
