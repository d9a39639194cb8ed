import { forEachConcurrently, forEachOf } from '../core/concurrency.ts'
import { located, SluiceError } from '../core/errors.ts'
import { glob } from './find.ts'
import { exists } from './read.ts'
import type { CopyOptions, SignalOption, Store } from './store.ts'

const CONCURRENCY = 32
/** Keys of one call of {@link Store.deleteMany}; as many as S3 takes at once. */
const DELETED_AT_ONCE = 1_000

export interface BatchOptions extends SignalOption {
  /** Requests at once. @default 32 */
  concurrency?: number | undefined
  /** Called, and waited for, with each key once it has been seen to, or has failed. */
  onKey?: ((key: string, error?: SluiceError) => void | Promise<void>) | undefined
}

export interface CopyManyOptions extends BatchOptions, Pick<CopyOptions, 'mode'> {
  /** Says how many would be copied, and copies none. @default false */
  dryRun?: boolean | undefined
}

export interface DeleteAllOptions extends SignalOption {
  /** Called, and waited for, with each key once it is deleted, or, in a dry run, would be; or has failed. */
  onKey?: ((key: string, error?: SluiceError) => void | Promise<void>) | undefined
  /** Says how many would be deleted, and deletes none. @default false */
  dryRun?: boolean | undefined
}

/** What came of a batch: no failure hides another one. */
export interface BatchReport {
  done: number
  /** By key. */
  failures: Map<string, SluiceError>
}

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

/** Which of the keys have an object; those of which that could not be found out are failures. */
export async function existsMany(
  store: Store,
  keys: Iterable<string> | AsyncIterable<string>,
  options: BatchOptions = {},
): Promise<BatchReport & { existing: Set<string> }> {
  const existing = new Set<string>()
  const report = await each(
    keys,
    key => key,
    options,
    async key => {
      if (await exists(store, key, { signal: options.signal })) existing.add(key)
    },
  )
  return { ...report, existing }
}

/** Copies objects within a store; failures are by the key that was copied to. */
export function copyMany(
  store: Store,
  pairs: Iterable<{ from: string; to: string }> | AsyncIterable<{ from: string; to: string }>,
  { mode = 'overwrite', dryRun = false, ...options }: CopyManyOptions = {},
): Promise<BatchReport> {
  const { signal } = options
  return each(
    pairs,
    ({ to }) => to,
    options,
    async ({ from, to }) => {
      if (!dryRun) await store.copy(from, to, { mode, signal })
    },
  )
}

/**
 * Deletes objects, a thousand at a time: those whose keys come, or all that begin with a prefix or match a glob. In
 * memory is no more than one such batch, and the failures.
 */
export async function deleteAll(
  store: Store,
  what: Iterable<string> | AsyncIterable<string> | { prefix: string } | { glob: string },
  { dryRun = false, onKey, signal }: DeleteAllOptions = {},
): Promise<BatchReport> {
  if (typeof what === 'string') {
    throw new SluiceError('invalid-argument', 'must be keys, { prefix } or { glob }, not one text', {
      option: 'what',
      hint: `One object is deleted by 'delete'.`,
    })
  }
  const report: BatchReport = { done: 0, failures: new Map() }
  const flush = async (keys: readonly string[]) => {
    const failures = dryRun ? new Map<string, SluiceError>() : await store.deleteMany(keys, { signal })
    for (const key of keys) {
      const error = failures.get(key)
      if (error === undefined) report.done++
      else report.failures.set(key, error)
      await onKey?.(key, error)
    }
  }
  const batch = new Set<string>()
  for await (const key of keysOf(store, what, signal)) {
    signal?.throwIfAborted()
    batch.add(key)
    if (batch.size < DELETED_AT_ONCE) continue
    await flush([...batch])
    batch.clear()
  }
  if (batch.size > 0) await flush([...batch])
  return report
}

async function* keysOf(
  store: Store,
  what: Exclude<Parameters<typeof deleteAll>[1], string>,
  signal: AbortSignal | undefined,
): AsyncGenerator<string, void, undefined> {
  if (Symbol.asyncIterator in what || Symbol.iterator in what) {
    yield* what
    return
  }
  const objects =
    'glob' in what ? glob(store, what.glob, { signal }) : store.list({ prefix: what.prefix, signal })
  for await (const { key } of objects) yield key
}

/** Does something for each item; what fails is noted, and the others go on. */
async function each<T>(
  items: Iterable<T> | AsyncIterable<T>,
  keyOf: (item: T) => string,
  { concurrency = CONCURRENCY, onKey, signal }: BatchOptions,
  act: (item: T) => Promise<void>,
): Promise<BatchReport> {
  signal?.throwIfAborted()
  const report: BatchReport = { done: 0, failures: new Map() }
  await forEachOf(items, concurrency, async item => {
    signal?.throwIfAborted()
    const key = keyOf(item)
    let failure: SluiceError | undefined
    try {
      await act(item)
      report.done++
    } catch (error) {
      signal?.throwIfAborted()
      failure = located(error, 'io', { file: key })
      report.failures.set(key, failure)
    }
    await onKey?.(key, failure)
  })
  return report
}
