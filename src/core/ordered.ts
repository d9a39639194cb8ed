/**
 * Applies an async function to the items of a stream, up to `concurrency` at once, and gives the results in
 * the order of the items. No more than `concurrency` items are taken ahead of the consumer. The first failure,
 * in order, ends the stream; leaving early waits for what is under way and closes the input.
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
  const fill = async (): Promise<void> => {
    while (!ended && pending.length < concurrency) {
      const step = await iterator.next()
      if (step.done) {
        ended = true
        return
      }
      const result = map(step.value)
      // A failure is thrown when its turn comes; until then it is not an unhandled one.
      result.catch(() => {})
      pending.push(result)
    }
  }
  try {
    while (true) {
      await fill()
      const next = pending.shift()
      if (next === undefined) return
      const result = await next
      yield result
    }
  } finally {
    // All at once: what one result holds may be what another one, or the input, waits for.
    const disposals = pending.map(result => result.then(dispose, () => {}))
    if (!ended) await iterator.return?.()
    await Promise.all(disposals)
  }
}
