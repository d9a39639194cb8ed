import { showAs } from '../core/inspect.ts'
import type { Store } from './store.ts'

/** Has the stores of a class shown, by `console.log` and in JSON, as their URL and what they can do. */
export function showStores(prototype: Store): void {
  showAs(
    prototype,
    ({ url, capabilities }) => ({ kind: url.slice(0, url.indexOf(':')), url, capabilities }),
    'Store',
  )
}
