import { isSluiceError, located, SluiceError } from '../core/errors.ts'
import type { GetOptions, ObjectMeta, PutOptions, SignalOption, Store } from './store.ts'

const DELETES = 16

/** The bytes of an object, or of a range of it, in one piece. */
export async function readAll(store: Store, key: string, options?: GetOptions): Promise<Uint8Array> {
  const { body, range } = await store.get(key, options)
  const bytes = new Uint8Array(range.end - range.start)
  let length = 0
  for await (const chunk of body) {
    if (length + chunk.length <= bytes.length) bytes.set(chunk, length)
    length += chunk.length
  }
  if (length === bytes.length) return bytes
  throw new SluiceError('io', `${length} bytes came where ${bytes.length} were announced`, {
    file: `${store.url}/${key}`,
  })
}

/** An object as text; bytes that are no UTF-8 are `corrupt`. */
export async function readText(store: Store, key: string, options?: GetOptions): Promise<string> {
  const bytes = await readAll(store, key, options)
  return parsed(store, key, () => new TextDecoder('utf-8', { fatal: true }).decode(bytes))
}

/** An object as JSON; anything else in it is `corrupt`. The caller checks the value's shape. */
export async function readJson(store: Store, key: string, options?: GetOptions): Promise<unknown> {
  const text = await readText(store, key, options)
  return parsed(store, key, () => JSON.parse(text))
}

/** Puts a value as JSON. */
export function putJson(
  store: Store,
  key: string,
  value: unknown,
  options?: PutOptions,
): Promise<ObjectMeta> {
  return store.put(key, new TextEncoder().encode(JSON.stringify(value)), options)
}

/** What the store knows about an object, or undefined if there is none. */
export async function headIfExists(
  store: Store,
  key: string,
  options?: SignalOption,
): Promise<ObjectMeta | undefined> {
  try {
    return await store.head(key, options)
  } catch (error) {
    if (isSluiceError(error) && error.code === 'not-found') return undefined
    throw error
  }
}

/** Whether there is such an object. */
export async function exists(store: Store, key: string, options?: SignalOption): Promise<boolean> {
  return (await headIfExists(store, key, options)) !== undefined
}

/**
 * Deletes objects, a few at a time, as their keys come. Rejects with the first failure, once the deletions
 * that had begun have ended.
 */
export async function deleteAll(
  store: Store,
  keys: AsyncIterable<string> | Iterable<string>,
  { concurrency = DELETES, signal }: SignalOption & { /** @default 16 */ concurrency?: number } = {},
): Promise<void> {
  const iterator = Symbol.asyncIterator in keys ? keys[Symbol.asyncIterator]() : keys[Symbol.iterator]()
  const running = new Set<Promise<void>>()
  const failures: unknown[] = []
  try {
    while (failures.length === 0) {
      signal?.throwIfAborted()
      const next = await iterator.next()
      if (next.done) break
      const deletion: Promise<void> = store
        .delete(next.value, { signal })
        .catch(error => {
          failures.push(error)
        })
        .finally(() => running.delete(deletion))
      running.add(deletion)
      if (running.size >= concurrency) await Promise.race(running)
    }
  } finally {
    await Promise.all(running)
    if (failures.length > 0) await iterator.return?.()
  }
  if (failures.length > 0) throw failures[0]
}

function parsed<T>(store: Store, key: string, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw located(error, 'corrupt', { file: `${store.url}/${key}` })
  }
}
