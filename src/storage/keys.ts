import { SluiceError } from '../core/errors.ts'

/** Checks an object's key: relative, `/`-separated, without `..`, `.` or empty segments. Returns it. */
export function validateKey(key: string, option = 'key'): string {
  const fault = faultOf(key)
  if (fault === undefined) return key
  throw new SluiceError('invalid-argument', `${JSON.stringify(key)} ${fault}`, {
    option,
    hint: "A key is relative and '/'-separated, for example 'bronze/trips/part-0.parquet'.",
  })
}

/**
 * Where unfinished uploads lie as objects or files, below the root of the opened store: nothing there is an object of
 * it. Beginning with a dot, it is not in the way of `_sluice/staging/`, where the jobs of a dataset called `staging`
 * are kept.
 */
export const STAGING = '_sluice/.staging'

/** Checks the key of an object in a store that keeps unfinished uploads in {@link STAGING}. Returns it. */
export function validateUnstaged(key: string): string {
  validateKey(key)
  if (key !== STAGING && !key.startsWith(`${STAGING}/`)) return key
  throw new SluiceError('invalid-argument', `'${STAGING}/' holds unfinished uploads, not objects`, {
    option: 'key',
    file: key,
  })
}

/** A folder's name as a prefix of keys: `''` for the store itself, else ending in exactly one `/`. */
export function folderPrefix(folder: string): string {
  const name = folder.endsWith('/') ? folder.slice(0, -1) : folder
  if (name === '' && folder === '') return ''
  return `${validateKey(name, 'prefix')}/`
}

/** Order of the keys' UTF-8 bytes. JavaScript's own puts characters above U+FFFF below U+E000 to U+FFFF. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

/** Whether keys below the folder `folder/` can match: begin with `prefix` and come after `startAfter`. */
export function folderMatches(folder: string, prefix: string, startAfter: string | undefined): boolean {
  if (!folder.startsWith(prefix) && !prefix.startsWith(folder)) return false
  return startAfter === undefined || startAfter.startsWith(folder) || compareKeys(folder, startAfter) > 0
}

/** Whether a key begins with `prefix` and comes after `startAfter`. */
export function keyMatches(key: string, prefix: string, startAfter: string | undefined): boolean {
  return key.startsWith(prefix) && (startAfter === undefined || compareKeys(key, startAfter) > 0)
}

/** A store's URL and a key below it, percent-encoded so that `openStore` finds the way back. */
export function joinUrl(url: string, key: string): string {
  const path = key.split('/').map(encodeURIComponent).join('/')
  return `${url}${url.endsWith('/') || path === '' ? '' : '/'}${path}`
}

function faultOf(key: unknown): string | undefined {
  if (typeof key !== 'string') return 'is not a string'
  if (key === '') return 'is empty'
  if (key.includes('\0')) return 'contains a NUL character'
  if (/\p{Surrogate}/u.test(key)) return 'contains half a surrogate pair, which has no UTF-8 form'
  if (key.startsWith('/')) return 'is absolute'
  if (key.endsWith('/')) return "ends in '/'"
  for (const segment of key.split('/')) {
    if (segment === '') return 'has an empty segment'
    if (segment === '.' || segment === '..') return `has a segment '${segment}'`
  }
  return undefined
}

/** Sorts surrogates, the halves of what lies above U+FFFF, after all other code units. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit
}
