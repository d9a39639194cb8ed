import { folderPrefix } from '../keys.ts'
import { partMemoryOf } from '../remote/part-memory.ts'
import type { Store } from '../store.ts'
import { openBucket } from './bucket.ts'
import { type GcsStoreOptions, parseGcsUrl } from './options.ts'
import { GcsStore } from './store.ts'

/** The driver for `gs://bucket/folder`. */
export async function openGcs(url: string, options: GcsStoreOptions): Promise<Store> {
  const { bucket, folder } = parseGcsUrl(url)
  const memory = partMemoryOf(options)
  return new GcsStore(await openBucket(bucket, folderPrefix(folder), options), memory)
}
