/**
 * Applies an async function to the items of a stream, up to `concurrency` at once, and gives the results in
 * the order of the items. The one that the consumer has counts as well, and none is taken before it asks for the
 * first. A result that is there never waits for the input. The first failure, in order, ends the stream; leaving
 * early waits for what is under way and closes the input.
 */
export async function* mapOrdered<T, R>(
  input: AsyncIterable<T> | Iterable<T>,
  concurrency: number,
  map: (item: T) => Promise<R>,
  dispose?: (result: R) => void,
): AsyncGenerator<R, void, void> {
  const iterator: AsyncIterator<T> | Iterator<T> =
    Symbol.asyncIterator in input ? input[Symbol.asyncIterator]() : input[Symbol.iterator]()
  const pending: Promise<R>[] = []
  let ended = false
  let failure: { error: unknown } | undefined
  /** The result that the consumer has or waits for. */
  let out = 0
  let taking: Promise<void> | undefined
  const fill = (): void => {
    if (!ended && pending.length + out < concurrency) taking ??= take()
  }
  const take = async (): Promise<void> => {
    try {
      const step = await iterator.next()
      if (step.done) ended = true
      else pending.push(handled(map(step.value)))
    } catch (error) {
      ended = true
      failure = { error }
    }
    taking = undefined
    fill()
  }
  try {
    while (true) {
      out = 0
      fill()
      if (pending.length === 0) await taking
      const next = pending.shift()
      if (next !== undefined) {
        out = 1
        yield await next
      } else if (failure !== undefined) throw failure.error
      else if (ended) return
    }
  } finally {
    const open = !ended
    ended = true
    // All at once: what one result holds may be what another one, or the input, waits for.
    const disposals = pending.map(result => result.then(dispose, () => {}))
    const closing = open ? iterator.return?.() : undefined
    // An item that came while the input was being closed.
    const known = pending.length
    await taking
    disposals.push(...pending.slice(known).map(result => result.then(dispose, () => {})))
    await closing
    await Promise.all(disposals)
  }
}

/** A failure is thrown when its turn comes; until then it is not an unhandled one. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}
