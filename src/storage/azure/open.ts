import { folderPrefix } from '../keys.ts'
import { partMemoryOf } from '../remote/part-memory.ts'
import type { Store } from '../store.ts'
import { openContainer } from './container.ts'
import type { AzureStoreOptions } from './options.ts'
import { AzureStore } from './store.ts'
import { parseAzureUrl } from './url.ts'

/** The driver for `az:` and `abfss:` URLs and for `https:` ones of Azure Blob Storage. */
export async function openAzure(url: string, options: AzureStoreOptions): Promise<Store> {
  const location = parseAzureUrl(url)
  const memory = partMemoryOf(options)
  return new AzureStore(await openContainer(location, folderPrefix(location.folder), options), memory)
}
