import type { Store } from '../../../src/index.ts'
import { collect, textOf } from '../../../src/testing/conformance/context.ts'

/** Keys and contents, Sluice's own included. */
export async function contentsOf(store: Store): Promise<Record<string, string>> {
  const contents: Record<string, string> = {}
  for (const { key } of await collect(store.list())) contents[key] = await textOf(store, key)
  return contents
}

export async function fill(store: Store, contents: Record<string, string>): Promise<void> {
  for (const [key, text] of Object.entries(contents)) await store.put(key, new TextEncoder().encode(text))
}

/** Gives the clock of objects' times time to go on. */
export function nextMillisecond(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, 2))
}
