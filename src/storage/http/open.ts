import type { Store } from '../store.ts'
import { openFolder } from './client.ts'
import { type HttpStoreOptions, httpSettings } from './options.ts'
import { HttpStore } from './store.ts'

/** The driver for `http://host/folder/` and `https://host/folder/`. */
export async function openHttp(url: string, options: HttpStoreOptions): Promise<Store> {
  return new HttpStore(await openFolder(httpSettings(url, options)))
}
