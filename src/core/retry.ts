import pRetry from 'p-retry'
import { delay } from './abort.ts'
import { type ErrorCode, isSluiceError, SluiceError } from './errors.ts'

export interface RetryOptions {
  /** How often something is tried in all; 1 is no retry. @default 5 */
  attempts?: number | undefined
  /**
   * Bound of the pause before the first retry, in milliseconds; it doubles each time. The pause is anything from 0 to
   * its bound, at random, so that those who failed together do not come back together. @default 100
   */
  minDelayMs?: number | undefined
  /** Largest bound of a pause, in milliseconds. A service that asks for a longer one gets it, up to 5 minutes. @default 20000 */
  maxDelayMs?: number | undefined
}

export interface RetryingOptions extends RetryOptions {
  /** Rejects with `signal.reason`, also during a pause. */
  signal?: AbortSignal | undefined
  /** @default {@link isTransient} */
  shouldRetry?: ((error: unknown) => boolean) | undefined
  /** Called before each retry's pause with what failed: the place to count them. */
  onRetry?: ((error: unknown, retry: { attempt: number; delayMs: number }) => void) | undefined
  /** Shared by calls to the same service, so that an outage does not multiply them. */
  budget?: RetryBudget | undefined
}

/** Longest pause that a service is granted. */
const MAX_RETRY_AFTER = 300_000

/** Codes of failures that may pass. */
const TRANSIENT: readonly ErrorCode[] = ['io', 'timeout', 'lane']

/**
 * Whether trying again may help: the codes `io`, `timeout` and `lane`, unless a layer below has tried again and given
 * up ({@link SluiceError.attempts}).
 */
export function isTransient(error: unknown, codes: readonly ErrorCode[] = TRANSIENT): boolean {
  return isSluiceError(error) && codes.includes(error.code) && error.attempts === undefined
}

/** Whether a worker thread died, so that what it was at can be done by another one. */
export function isLaneDeath(error: unknown): boolean {
  return isSluiceError(error) && error.code === 'lane'
}

/** Checks the options once, so that a mistake shows where they are given and not at the first failure. */
export function validateRetryOptions({ attempts = 5, minDelayMs = 100, maxDelayMs = 20_000 }: RetryOptions): {
  attempts: number
  minDelayMs: number
  maxDelayMs: number
} {
  const fail = (option: string, wanted: string, value: unknown) => {
    throw new SluiceError('invalid-argument', `must be ${wanted}, not ${String(value)}`, { option })
  }
  if (!(attempts >= 1 && (Number.isInteger(attempts) || attempts === Number.POSITIVE_INFINITY))) {
    fail('attempts', 'a whole number above 0 or Infinity', attempts)
  }
  if (!(minDelayMs >= 0 && Number.isFinite(minDelayMs))) fail('minDelayMs', '0 or more', minDelayMs)
  if (!(maxDelayMs >= minDelayMs)) fail('maxDelayMs', `at least minDelayMs (${minDelayMs})`, maxDelayMs)
  return { attempts, minDelayMs, maxDelayMs }
}

/**
 * Runs something until it succeeds, fails for good, or has been tried `attempts` times; then rejects with the
 * last failure as it was thrown, but for its `attempts`. Only what may be done twice belongs in here.
 */
export async function retrying<T>(
  run: (attempt: number) => Promise<T>,
  { signal, shouldRetry = isTransient, onRetry, budget, ...options }: RetryingOptions = {},
): Promise<T> {
  const { attempts, minDelayMs, maxDelayMs } = validateRetryOptions(options)
  let outcome: { value: T } | { error: unknown } | undefined
  let pause = 0
  const tryOnce = async (attempt: number) => {
    try {
      outcome = { value: await run(attempt) }
      budget?.refill()
    } catch (error) {
      signal?.throwIfAborted()
      const passing = shouldRetry(error)
      if (!passing || attempt >= attempts || budget?.take() === false) {
        // A layer that never tries twice leaves it to others.
        if (passing && attempts > 1 && isSluiceError(error)) error.attempts = attempt
        outcome = { error }
        return
      }
      const bound = Math.min(maxDelayMs, minDelayMs * 2 ** (attempt - 1))
      pause = Math.max(Math.random() * bound, retryAfterOf(error))
      onRetry?.(error, { attempt, delayMs: pause })
      // p-retry has opinions of its own on some errors, TypeErrors among them: it gets to see none.
      throw new Error('retry', { cause: error })
    }
  }
  try {
    await pRetry(tryOnce, {
      retries: attempts - 1,
      minTimeout: 0,
      onFailedAttempt: async () => {
        if (outcome === undefined) await delay(pause, signal)
      },
      ...(signal === undefined ? {} : { signal }),
    })
  } catch (error) {
    // What has succeeded is not lost to a signal that comes right after: it may have to be undone.
    if (outcome === undefined) throw error
  }
  if ('error' in outcome!) throw outcome.error
  return outcome!.value
}

function retryAfterOf(error: unknown): number {
  return Math.min(MAX_RETRY_AFTER, isSluiceError(error) ? (error.retryAfterMs ?? 0) : 0)
}

/**
 * Retries that many calls share. Each retry takes one; each success gives a part of one back. While a service
 * is down the store of retries runs dry and calls fail at once instead of adding to its load.
 */
export class RetryBudget {
  readonly capacity: number
  /** Retries that are left. */
  tokens: number

  constructor(capacity = 100) {
    this.capacity = capacity
    this.tokens = capacity
  }

  /** Takes one retry, if there is one. */
  take(): boolean {
    if (this.tokens < 1) return false
    this.tokens--
    return true
  }

  /** Ten successes pay for one retry. */
  refill(): void {
    this.tokens = Math.min(this.capacity, this.tokens + 0.1)
  }
}
