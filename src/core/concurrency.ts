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
