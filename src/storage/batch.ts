import { forEachConcurrently } from '../core/concurrency.ts'
import { SluiceError } from '../core/errors.ts'
import type { SignalOption, Store } from './store.ts'

const CONCURRENCY = 32

/** `deleteMany` of stores that have no batch call: a request for each key, several at once. */
export async function deleteEach(
  store: Pick<Store, 'delete'>,
  keys: readonly string[],
  { signal }: SignalOption = {},
): Promise<Map<string, SluiceError>> {
  signal?.throwIfAborted()
  const failures = new Map<string, SluiceError>()
  await forEachConcurrently([...new Set(keys)], CONCURRENCY, async key => {
    try {
      await store.delete(key, { signal })
    } catch (error) {
      signal?.throwIfAborted()
      if (!(error instanceof SluiceError)) throw error
      failures.set(key, error)
    }
  })
  return failures
}
