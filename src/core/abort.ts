/** Settles as `promise` does, or rejects with the signal's own reason as soon as that aborts. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/**
 * The items of `source` until the signal aborts, which rejects with its own reason even while the source is
 * waiting for something: `for await` alone cannot interrupt a pending `next()`. The source is closed in any
 * case; after an abort nobody waits for that, since a source that hangs in `next()` would hang there too.
 */
export async function* untilAborted<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T, void, undefined> {
  if (signal === undefined) {
    yield* source
    return
  }
  signal.throwIfAborted()
  const iterator = source[Symbol.asyncIterator]()
  let interrupt: ((reason: unknown) => void) | undefined
  const abort = () => interrupt?.(signal.reason)
  signal.addEventListener('abort', abort)
  let open = true
  try {
    while (true) {
      const result = await new Promise<IteratorResult<T>>((resolve, reject) => {
        interrupt = reject
        if (signal.aborted) abort()
        else iterator.next().then(resolve, reject)
      }).catch(error => {
        if (!signal.aborted) open = false
        throw error
      })
      if (result.done) {
        open = false
        return
      }
      yield result.value
      signal.throwIfAborted()
    }
  } finally {
    signal.removeEventListener('abort', abort)
    if (open) {
      const closing = iterator.return?.()
      if (signal.aborted) closing?.then(undefined, () => undefined)
      else await closing
    }
  }
}

/** Resolves after `ms`; rejects with the signal's own reason when it aborts before. */
export function delay(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const abort = () => {
      clearTimeout(timer)
      reject(signal!.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', abort, { once: true })
  })
}
