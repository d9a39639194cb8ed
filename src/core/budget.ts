import { SluiceError } from './errors.ts'

/**
 * The byte budget of a run: read-ahead, lane memory, buffers of operators and uploads all take their bytes
 * here and give them back. `acquire` waits, in order of arrival, until the bytes are free. A request that
 * alone exceeds the whole budget is let in when nothing else is held, so that one row group can always move.
 */
export class Budget {
  /** May be lowered, when a part of the budget is given to lanes. */
  limit: number
  /** Bytes held now. */
  used = 0
  /** Most bytes ever held at once. */
  highWater = 0
  #waiting: { bytes: number; admit: () => void }[] = []

  constructor(limit: number) {
    if (!(limit > 0))
      throw new SluiceError('invalid-argument', `must be above 0, not ${limit}`, { option: 'memory' })
    this.limit = limit
  }

  /** Takes `bytes`, waiting for them; rejects with the signal's reason. */
  async acquire(bytes: number, signal?: AbortSignal): Promise<Lease> {
    signal?.throwIfAborted()
    if (this.#waiting.length > 0 || !this.#fits(bytes)) {
      await new Promise<void>((resolve, reject) => {
        const entry = {
          bytes,
          admit: () => {
            signal?.removeEventListener('abort', abort)
            resolve()
          },
        }
        const abort = () => {
          this.#waiting.splice(this.#waiting.indexOf(entry), 1)
          reject(signal!.reason)
          this.#wake()
        }
        signal?.addEventListener('abort', abort, { once: true })
        this.#waiting.push(entry)
      })
    } else this.#take(bytes)
    return new Lease(this, bytes)
  }

  /** Takes `bytes` if they are free now. */
  tryAcquire(bytes: number): Lease | undefined {
    if (this.#waiting.length > 0 || !this.#fits(bytes)) return undefined
    this.#take(bytes)
    return new Lease(this, bytes)
  }

  /** Takes `bytes` whether or not they are free: for memory that exists already. */
  force(bytes: number): Lease {
    this.#take(bytes)
    return new Lease(this, bytes)
  }

  /** Called by {@link Lease.release}. */
  release(bytes: number): void {
    this.used -= bytes
    this.#wake()
  }

  #fits(bytes: number): boolean {
    return this.used + bytes <= this.limit || this.used === 0
  }

  #take(bytes: number): void {
    this.used += bytes
    if (this.used > this.highWater) this.highWater = this.used
  }

  #wake(): void {
    while (this.#waiting.length > 0 && this.#fits(this.#waiting[0]!.bytes)) {
      const entry = this.#waiting.shift()!
      this.#take(entry.bytes)
      entry.admit()
    }
  }
}

/** Bytes taken from a budget, to be given back once; releasing again does nothing. */
export class Lease implements Disposable {
  #budget: Budget
  #bytes: number

  constructor(budget: Budget, bytes: number) {
    this.#budget = budget
    this.#bytes = bytes
  }

  get bytes(): number {
    return this.#bytes
  }

  release(): void {
    const bytes = this.#bytes
    this.#bytes = 0
    if (bytes > 0) this.#budget.release(bytes)
  }

  [Symbol.dispose](): void {
    this.release()
  }
}
