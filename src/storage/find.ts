import { expandBraces, type GlobSegment, globSegments, globToRegExp } from './glob.ts'
import type { ObjectMeta, SignalOption, Store } from './store.ts'
import { Branch, branchesInOrder } from './tree.ts'
import { checkCount, inOrder, LEVELS_AT_ONCE } from './walk.ts'

export interface GlobOptions extends SignalOption {
  /** Folders that are listed at once. @default 16 */
  concurrency?: number | undefined
}

/** A pattern without braces, in segments. */
type Alternative = readonly GlobSegment[]

/**
 * The objects whose keys match a glob, or one of several, in the order of the keys; see `globToRegExp` for what matches.
 * Only folders are listed in which there may be some: `year=2024/month=*` + `/part-*.parquet` lists `year=2024/` and each
 * of its folders that is called so, several at once. Below `**`, and where any folder will do, all keys are listed.
 *
 * @example
 * ```ts
 * for await (const { key } of glob(lake, 'year=202{4,5}/**' + '/*.parquet')) console.log(key)
 * ```
 */
export function glob(
  store: Store,
  patterns: string | readonly string[],
  { concurrency = LEVELS_AT_ONCE, signal }: GlobOptions = {},
): AsyncGenerator<ObjectMeta, void, undefined> {
  checkCount('concurrency', concurrency)
  const globs = [patterns].flat()
  const expressions = globs.map(globToRegExp)
  const matches = ({ key }: ObjectMeta): boolean => expressions.some(expression => expression.test(key))
  const below = (prefix: string, depth: number, all: readonly Alternative[]): Branch<ObjectMeta> =>
    new Branch(() => {
      const segments = all.map(alternative => alternative[depth]!)
      const from = prefix + commonStart(segments)
      if (all.some(alternative => takesAnyFolder(alternative, depth))) {
        return filtered(store.list({ prefix: from, signal }), matches)
      }
      const folders = all.filter(alternative => depth < alternative.length - 1)
      const into = (folder: string): Branch<ObjectMeta> | undefined => {
        const name = folder.slice(prefix.length, -1)
        const wanted = folders.filter(alternative => alternative[depth]!.pattern.test(name))
        return wanted.length === 0 ? undefined : below(folder, depth + 1, wanted)
      }
      const literals = segments.flatMap(({ literal }) => literal ?? [])
      if (folders.length === all.length && literals.length === all.length) {
        const prefixes = [...new Set(literals)].map(name => `${prefix}${name}/`)
        return Promise.resolve(inOrder({ objects: [], prefixes }, into)) as Promise<Branch<ObjectMeta>[]>
      }
      return store
        .listLevel({ prefix: from, signal })
        .then(({ objects, prefixes }) => inOrder({ objects: objects.filter(matches), prefixes }, into))
    })
  const alternatives = globs.flatMap(expandBraces).map(globSegments)
  return branchesInOrder(below('', 0, alternatives), concurrency)
}

/** Whether from a depth on nothing is known of the folders that matches are in. */
function takesAnyFolder(alternative: Alternative, depth: number): boolean {
  if (alternative[depth]!.deep) return true
  const folders = alternative.slice(depth, -1)
  return folders.length > 0 && folders.every(({ text }) => text === '*')
}

function commonStart(segments: readonly GlobSegment[]): string {
  return segments
    .map(({ start }) => start)
    .reduce((common, start) => {
      let length = 0
      while (length < common.length && common[length] === start[length]) length++
      // Half a character is the beginning of none.
      return common.slice(0, length).replace(/[\ud800-\udbff]$/, '')
    })
}

async function* filtered(
  objects: AsyncIterable<ObjectMeta>,
  matches: (object: ObjectMeta) => boolean,
): AsyncGenerator<ObjectMeta, void, undefined> {
  for await (const object of objects) if (matches(object)) yield object
}
