import { SluiceError } from '../../core/errors.ts'
import { glob } from '../find.ts'
import { compareKeys } from '../keys.ts'
import type { ObjectMeta, Store } from '../store.ts'
import { isState, type Selection } from './selection.ts'

/** An object of the source, of the destination, or of both. */
export interface Pair {
  source: ObjectMeta | undefined
  target: ObjectMeta | undefined
}

/** Walks through two listings, which are in the same order, side by side: in memory there is one page of each. */
export async function* comparePlaces(
  from: Store,
  to: Store,
  selection: Selection,
  signal: AbortSignal | undefined,
): AsyncGenerator<Pair, void, undefined> {
  const sources = objectsOf(from, selection, signal)
  const targets = objectsOf(to, selection, signal)
  try {
    let [source, target] = await Promise.all([sources.next(), targets.next()])
    while (!source.done || !target.done) {
      const order = source.done ? 1 : target.done ? -1 : compareKeys(source.value.key, target.value.key)
      yield {
        source: order <= 0 ? (source.value ?? undefined) : undefined,
        target: order >= 0 ? (target.value ?? undefined) : undefined,
      }
      ;[source, target] = await Promise.all([
        order <= 0 ? sources.next() : source,
        order >= 0 ? targets.next() : target,
      ])
    }
  } finally {
    await Promise.allSettled([sources.return(), targets.return()])
  }
}

/** The selected objects of a store, in order; of a store that cannot list, those whose keys are known. */
async function* objectsOf(
  store: Store,
  selection: Selection,
  signal: AbortSignal | undefined,
): AsyncGenerator<ObjectMeta, void, undefined> {
  const { keys, globs } = selection
  if (keys === undefined && !store.capabilities.list) {
    throw new SluiceError('unsupported', 'the store cannot be listed', {
      file: store.url,
      hint: "Name the objects in 'select', without wildcards.",
    })
  }
  const objects =
    keys !== undefined
      ? named(store, keys, signal)
      : globs !== undefined
        ? glob(store, globs, { signal })
        : store.list({ signal })
  for await (const object of objects) {
    if (!isState(store, object.key) && selection.has(object)) yield object
  }
}

async function* named(
  store: Store,
  keys: readonly string[],
  signal: AbortSignal | undefined,
): AsyncGenerator<ObjectMeta, void, undefined> {
  for (const key of keys) {
    try {
      yield await store.head(key, { signal })
    } catch (error) {
      if (!(error instanceof SluiceError && error.code === 'not-found')) throw error
    }
  }
}
