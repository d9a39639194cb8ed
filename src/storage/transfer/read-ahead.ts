/** The items of a stream, which is read on, up to `most` items ahead of whoever takes them. */
export async function* readAhead<T>(
  items: AsyncIterable<T>,
  most: number,
): AsyncGenerator<T, void, undefined> {
  const queue: T[] = []
  let ended = false
  let stopped = false
  let failure: { error: unknown } | undefined
  let wakeReader: (() => void) | undefined
  let wakeWriter: (() => void) | undefined
  const fill = async () => {
    try {
      for await (const item of items) {
        queue.push(item)
        wakeReader?.()
        if (queue.length >= most && !stopped) await new Promise<void>(resolve => (wakeWriter = resolve))
        if (stopped) return
      }
    } catch (error) {
      failure = { error }
    } finally {
      ended = true
      wakeReader?.()
    }
  }
  const filling = fill()
  try {
    while (!ended || queue.length > 0) {
      if (queue.length === 0) await new Promise<void>(resolve => (wakeReader = resolve))
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
        wakeWriter?.()
        yield item
      }
    }
    if (failure !== undefined) throw failure.error
  } finally {
    stopped = true
    wakeWriter?.()
    await filling
  }
}
