import { folderPrefix } from '../keys.ts'
import { partMemoryOf } from '../remote/part-memory.ts'
import type { Store } from '../store.ts'
import { openBucket } from './bucket.ts'
import { parseS3Url, type S3StoreOptions } from './options.ts'
import { S3Store } from './store.ts'

/** The driver for `s3://bucket/folder`. */
export async function openS3(url: string, options: S3StoreOptions): Promise<Store> {
  const { bucket, folder } = parseS3Url(url)
  const memory = partMemoryOf(options)
  const opened = await openBucket(bucket, folderPrefix(folder), options)
  return new S3Store(opened, options.conditionalPut ?? true, memory)
}
