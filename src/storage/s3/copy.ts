import { forEachConcurrently } from '../../core/concurrency.ts'
import type { ObjectAttributes, ObjectMeta, PutMode, SignalOption } from '../store.ts'
import { metaOf, type S3Bucket, unquoted } from './bucket.ts'
import { head, infoOf } from './read.ts'
import { described, MultipartUpload, type S3Part, sourceKey } from './upload.ts'

/** Copied in one request; more in several at once, none of which takes so long that it looks dead. */
const WHOLE = 1024 ** 3
const MIN_PART = 512 * 1024 ** 2
const MAX_PARTS = 10_000
const CONCURRENCY = 8

/**
 * Copies within the service, with content type and metadata. On a condition it is done as a multipart upload whose
 * completion has the condition: of a plain copy most services ignore it.
 */
export async function copyObject(
  bucket: S3Bucket,
  from: string,
  to: string,
  mode: PutMode,
  { signal }: SignalOption,
): Promise<ObjectMeta | { empty: ObjectAttributes }> {
  const source = await head(bucket, from, { signal })
  const size = source.ContentLength ?? 0
  if (from === to && mode === 'overwrite') return metaOf(to, source, size)
  const path = `${bucket.name}/${bucket.absolute(from)}`.split('/').map(encodeURIComponent).join('/')
  const pinned = { CopySource: path, CopySourceIfMatch: `"${unquoted(source.ETag)}"` }
  const { all, customerKey, create } = bucket.defaults
  if (mode === 'overwrite' && size <= WHOLE) {
    const request = {
      ...all,
      ...customerKey,
      ...sourceKey(bucket),
      ...create,
      ...pinned,
      Key: bucket.absolute(to),
    }
    const { CopyObjectResult } = await bucket.send('CopyObject', to, signal, (s3, http) =>
      s3.copyObject(request, http),
    )
    return described(bucket, to, { etag: unquoted(CopyObjectResult?.ETag), size }, signal)
  }
  // There is no part of nothing to copy.
  if (size === 0) return { empty: infoOf(to, source, 0) }
  const { ContentType, ContentEncoding, ContentLanguage, ContentDisposition, CacheControl, Metadata } = source
  const properties = { ContentType, ContentEncoding, ContentLanguage, ContentDisposition, CacheControl }
  const upload = await MultipartUpload.create(bucket, to, signal, {
    ...properties,
    ...(Metadata && { Metadata }),
  })
  try {
    const parts: S3Part[] = []
    const partSize = size <= WHOLE ? size : Math.max(MIN_PART, Math.ceil(size / MAX_PARTS))
    const numbers = Array.from({ length: Math.ceil(size / partSize) }, (_, i) => i)
    await forEachConcurrently(numbers, CONCURRENCY, async i => {
      const range = `bytes=${i * partSize}-${Math.min(size, (i + 1) * partSize) - 1}`
      const piece = numbers.length === 1 ? pinned : { ...pinned, CopySourceRange: range }
      parts[i] = await upload.copy(i + 1, piece, signal)
    })
    return await upload.put(parts, size, mode, signal)
  } catch (error) {
    await upload.abort().catch(() => undefined)
    throw error
  }
}
