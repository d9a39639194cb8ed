import { SluiceError } from '../../core/errors.ts'
import { globPrefix, globToRegExp } from '../glob.ts'
import { compareKeys } from '../keys.ts'
import type { ObjectMeta, Store } from '../store.ts'
import type { TransferOptions } from './options.ts'

/** Where Sluice keeps what it knows of jobs and transfers: no data of anyone's. */
export const STATE = '_sluice/'

/** Which objects a transfer is about. */
export interface Selection {
  /** What their keys match, if it was said in globs. */
  globs: readonly string[] | undefined
  /** Their keys, in order, where they were named one by one: then nothing need be listed. */
  keys: readonly string[] | undefined
  has(object: ObjectMeta): boolean
}

export function selectionOf({ select, exclude }: Pick<TransferOptions, 'select' | 'exclude'>): Selection {
  const globs = typeof select === 'function' || select === undefined ? undefined : [select].flat()
  const wanted = globs?.map(globToRegExp)
  const unwanted = [exclude ?? []].flat().map(globToRegExp)
  const has = (object: ObjectMeta) => {
    if (unwanted.some(glob => glob.test(object.key))) return false
    if (typeof select === 'function') return asked(select, object)
    return wanted === undefined || wanted.some(glob => glob.test(object.key))
  }
  const literals = globs?.map(literalOf)
  const keys = literals?.every(key => key !== undefined)
    ? [...new Set(literals as string[])].sort(compareKeys)
    : undefined
  return { globs, keys, has }
}

/** Whether an object of the store is Sluice's own: of the store that was opened, or of a dataset at its root. */
export function isState({ root }: Store, key: string): boolean {
  return key.startsWith(STATE) || (root.prefix + key).startsWith(STATE)
}

/** The one key that a glob without a wildcard matches. */
function literalOf(glob: string): string | undefined {
  return /^(?:\\.|[^\\*?[{])*$/su.test(glob) ? globPrefix(glob) : undefined
}

function asked(select: (object: ObjectMeta) => boolean, object: ObjectMeta): boolean {
  try {
    return select(object)
  } catch (cause) {
    throw new SluiceError('callback', 'the function threw', { option: 'select', file: object.key, cause })
  }
}
