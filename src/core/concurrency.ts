import pLimit from 'p-limit'

/**
 * Runs `work` on every item, at most `limit` at a time. After a failure nothing more is started; it rejects with
 * the first failure once all that had begun has settled, so that no work goes on behind the caller's back.
 */
export async function forEachConcurrently<T>(
  items: Iterable<T>,
  limit: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const limited = pLimit(limit)
  const failures: unknown[] = []
  const runs = Array.from(items, item =>
    limited(async () => {
      if (failures.length > 0) return
      try {
        await work(item)
      } catch (error) {
        failures.push(error)
      }
    }),
  )
  await Promise.all(runs)
  if (failures.length > 0) throw failures[0]
}

/**
 * Runs `work` on the items of a stream, at most `limit` at a time, and takes an item only when its turn has come.
 * Fails, and ends, as {@link forEachConcurrently} does.
 */
export async function forEachOf<T>(
  items: AsyncIterable<T> | Iterable<T>,
  limit: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]()
  const failures: unknown[] = []
  let taking: Promise<unknown> = Promise.resolve()
  let ended = false
  /** One at a time: not every iterator can be asked again before it has answered. */
  const take = (): Promise<IteratorResult<T>> => {
    const next = taking.then(async () => {
      if (ended || failures.length > 0) return { done: true, value: undefined } as const
      const result = await iterator.next()
      if (result.done) ended = true
      return result
    })
    taking = next.catch(() => undefined)
    return next
  }
  const worker = async () => {
    try {
      for (let item = await take(); !item.done; item = await take()) await work(item.value)
    } catch (error) {
      failures.push(error)
    }
  }
  await Promise.all(Array.from({ length: limit }, worker))
  if (!ended) await iterator.return?.()
  if (failures.length > 0) throw failures[0]
}

/**
 * The results of `work` in the order of the items; at most `limit` are under way, ahead of whoever iterates. A failure
 * comes when it is its item's turn. Work that is under way when the loop is left goes on, and nobody hears of it.
 */
export async function* mapAhead<T, R>(
  items: Iterable<T>,
  limit: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const rest = items[Symbol.iterator]()
  const begun: Promise<R>[] = []
  const begin = () => {
    const next = rest.next()
    if (next.done) return
    const result = work(next.value)
    // Its turn may never come.
    result.catch(() => undefined)
    begun.push(result)
  }
  for (let i = 0; i < limit; i++) begin()
  for (let first = begun.shift(); first !== undefined; first = begun.shift()) {
    const result = await first
    begin()
    yield result
  }
}
