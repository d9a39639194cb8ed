import { createHash } from 'node:crypto'
import { isSluiceError, located, SluiceError } from '../core/errors.ts'
import { joinUrl } from '../storage/keys.ts'
import type { ObjectMeta, PutMode, SignalOption, Store } from '../storage/store.ts'

/**
 * Where the jobs and commits of a dataset are kept: in `_sluice/<path of the dataset>/` at the root of the store
 * that was opened, because some engines refuse a folder that holds anything but data.
 */
export function stateStore(dataset: Store): Store {
  const { store, prefix } = dataset.root
  return store.child(`_sluice/${prefix}`)
}

/** Requests in flight where a step makes one for each file. */
export const parallel = 16

/** A dataset's data and its state: what every step of the protocol works on. */
export interface Places {
  dataset: Store
  state: Store
}

/** A JSON file with the tag to replace just this version of it; undefined if there is none. */
export async function readJson<T extends { version: 1 }>(
  store: Store,
  key: string,
  options: SignalOption,
): Promise<{ value: T | undefined; etag: string } | undefined> {
  const place = { file: joinUrl(store.url, key) }
  let text = ''
  let etag: string
  try {
    const { meta, body } = await store.get(key, options)
    etag = meta.etag
    const decoder = new TextDecoder('utf-8', { fatal: true })
    for await (const bytes of body) text += decoder.decode(bytes, { stream: true })
    text += decoder.decode()
  } catch (error) {
    if (isSluiceError(error) && error.code === 'not-found') return undefined
    if (error instanceof TypeError) throw located(error, 'corrupt', place)
    throw error
  }
  if (text === '') return { value: undefined, etag }
  let value: T | null
  try {
    value = JSON.parse(text) as T | null
  } catch (error) {
    throw located(error, 'corrupt', place)
  }
  if (value?.version !== 1) {
    throw new SluiceError(
      'unsupported',
      'was written by a version of Sluice that this one does not know',
      place,
    )
  }
  return { value, etag }
}

export function writeJson(
  store: Store,
  key: string,
  value: { version: 1 },
  options: { mode: PutMode } & SignalOption,
): Promise<ObjectMeta> {
  return store.put(key, Buffer.from(JSON.stringify(value)), options)
}

/** Puts a file if it is absent; says whether it was. */
export async function claim(
  store: Store,
  key: string,
  value: { version: 1 } | 'empty',
  options: SignalOption,
): Promise<boolean> {
  try {
    if (value === 'empty') await store.put(key, new Uint8Array(0), { ...options, mode: 'create' })
    else await writeJson(store, key, value, { ...options, mode: 'create' })
    return true
  } catch (error) {
    if (isSluiceError(error) && (error.code === 'already-exists' || error.code === 'precondition'))
      return false
    throw error
  }
}

/** A short digest that does not depend on the order of an object's properties. */
export function digest(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('hex').slice(0, 32)
}

function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_, part: unknown) =>
      typeof part === 'object' && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
        : part,
    ) ?? 'undefined'
  )
}
