import { SluiceError } from '../../core/errors.ts'
import { compareKeys, validateKey } from '../keys.ts'
import type { ListOptions } from '../store.ts'

/** Whether a key can begin with this: otherwise no request is needed, which many services would get wrong. */
export function canBegin(prefix: string): boolean {
  const complete = prefix.slice(0, prefix.lastIndexOf('/') + 1)
  if (prefix.includes('\0') || /\p{Surrogate}/u.test(prefix)) return false
  return complete === '' || isKey(complete.slice(0, -1))
}

/** Fails for what the service lists and no call could name. */
export function assertAddressable(key: string, place: string): void {
  if (isKey(key)) return
  throw new SluiceError(
    'unsupported',
    `the store holds the key ${JSON.stringify(key)}, which is not relative and '/'-separated`,
    { file: place, hint: 'Rename or remove the object, or list with a prefix that leaves it out.' },
  )
}

/** Fails unless a listing goes on in the order of the keys' UTF-8 bytes. */
export function assertOrder(before: string | undefined, key: string, place: string): void {
  if (before === undefined || compareKeys(before, key) < 0) return
  const reason = `the listing is not in order: ${JSON.stringify(key)} comes after ${JSON.stringify(before)}`
  throw new SluiceError('unsupported', reason, { file: place })
}

/** The prefix of a level that `startAfter` lies below: whether there is more of it takes another request. */
export function prefixAround({ prefix = '', startAfter = '' }: ListOptions): string | undefined {
  const slash = startAfter.startsWith(prefix) ? startAfter.indexOf('/', prefix.length) : -1
  return slash < 0 ? undefined : startAfter.slice(0, slash + 1)
}

function isKey(key: string): boolean {
  try {
    validateKey(key)
    return true
  } catch {
    return false
  }
}
