import { delay } from './abort.ts'

/** Longest time that a timer of Node's can wait. */
const MAX_DELAY_MS = 2 ** 31 - 1

/**
 * A rate that holds on average. What is not used is saved up, `burst` tokens at most; who takes more than there
 * is goes into debt and waits until that is paid, so that a request may be larger than the burst. First come,
 * first served.
 */
export class TokenBucket {
  readonly perSecond: number
  readonly burst: number
  #balance: number
  #updated = performance.now()
  /** Settles with the one who came last: timers that are due within one millisecond fire in any order. */
  #last: Promise<void> = Promise.resolve()

  /** @param burst Tokens that may be taken at once after a pause. Default: those of one second. */
  constructor(perSecond: number, burst: number = perSecond) {
    if (!(perSecond > 0) || !(burst >= 0)) throw new RangeError(`a rate of ${perSecond} with burst ${burst}`)
    this.perSecond = perSecond
    this.burst = burst
    this.#balance = burst
  }

  /** Takes tokens and waits for them as need be; rejects with the signal's reason, having taken none. */
  take(tokens: number, signal?: AbortSignal): Promise<void> {
    const taken = this.#take(tokens, this.#last, signal)
    this.#last = taken.catch(() => {})
    return taken
  }

  async #take(tokens: number, before: Promise<void>, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    const now = performance.now()
    const earned = ((now - this.#updated) / 1000) * this.perSecond
    this.#balance = Math.min(this.burst, this.#balance + earned) - tokens
    this.#updated = now
    const ready = now + (-this.#balance / this.perSecond) * 1000
    try {
      for (let left = ready - now; left > 0; left = ready - performance.now()) {
        await delay(Math.min(left, MAX_DELAY_MS), signal)
      }
    } catch (error) {
      this.#balance += tokens
      throw error
    }
    await before
  }
}
