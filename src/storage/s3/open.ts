import { folderPrefix } from '../keys.ts'
import type { Store } from '../store.ts'
import { openBucket } from './bucket.ts'
import { parseS3Url, type S3StoreOptions } from './options.ts'
import { S3Store } from './store.ts'

/** The driver for `s3://bucket/folder`. */
export async function openS3(url: string, options: S3StoreOptions): Promise<Store> {
  const { bucket, folder } = parseS3Url(url)
  return new S3Store(await openBucket(bucket, folderPrefix(folder), options), options.conditionalPut ?? true)
}
