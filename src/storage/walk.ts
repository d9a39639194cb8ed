import { SluiceError } from '../core/errors.ts'
import { compareKeys } from './keys.ts'
import type { ListLevel, ObjectMeta, SignalOption, Store } from './store.ts'
import { Branch, branchesInOrder } from './tree.ts'

/** Requests for levels of a listing that are under way at once. */
export const LEVELS_AT_ONCE = 16

export interface WalkOptions extends SignalOption {
  /** Only keys that begin with this string. @default '' */
  prefix?: string | undefined
  /** Levels below the prefix; 1 is what `listLevel` gives. @default all of them */
  depth?: number | undefined
  /** Levels that are listed at once. @default 16 */
  concurrency?: number | undefined
}

/** A folder below which a walk does not go. */
export interface Folder {
  /** Ends in `/`. */
  prefix: string
}

/**
 * Objects down to a depth, and the folders that go deeper, in the order of their keys. Each folder above is a request,
 * several at once.
 *
 * @example
 * ```ts
 * for await (const entry of walk(lake, { depth: 2 })) console.log('prefix' in entry ? entry.prefix : entry.key)
 * ```
 */
export function walk(
  store: Store,
  { prefix = '', depth = Number.POSITIVE_INFINITY, concurrency = LEVELS_AT_ONCE, signal }: WalkOptions = {},
): AsyncGenerator<ObjectMeta | Folder, void, undefined> {
  checkCount('depth', depth)
  checkCount('concurrency', concurrency)
  const below = (prefix: string, levels: number): Branch<ObjectMeta | Folder> =>
    new Branch(() => {
      if (levels === Number.POSITIVE_INFINITY) return store.list({ prefix, signal })
      return store
        .listLevel({ prefix, signal })
        .then(level =>
          inOrder(level, folder => (levels === 1 ? { prefix: folder } : below(folder, levels - 1))),
        )
    })
  return branchesInOrder(below(prefix, depth), concurrency)
}

/** A level's objects and what becomes of its prefixes, by the order of keys. */
export function inOrder<T>(
  { objects, prefixes }: ListLevel,
  ofPrefix: (prefix: string) => T | undefined,
): (ObjectMeta | T)[] {
  const entries = [...objects.map(({ key }) => key), ...prefixes].sort(compareKeys)
  const known = new Map(objects.map(object => [object.key, object]))
  return entries.flatMap(key => {
    const entry = known.get(key) ?? ofPrefix(key)
    return entry === undefined ? [] : [entry]
  })
}

export function checkCount(option: string, value: number): void {
  if (value >= 1 && (Number.isInteger(value) || value === Number.POSITIVE_INFINITY)) return
  throw new SluiceError('invalid-argument', `must be a whole number above 0, not ${value}`, { option })
}
