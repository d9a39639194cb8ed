import type { IncomingHttpHeaders } from 'node:http'
import { forEachConcurrently } from '../../core/concurrency.ts'
import { unquoted } from '../remote/read.ts'
import type { ObjectAttributes, ObjectMeta, PutMode, SignalOption } from '../store.ts'
import type { S3Bucket, S3Headers } from './bucket.ts'
import { head, infoOf, METADATA, sizeOf } from './read.ts'
import { encodePath } from './signer.ts'
import { described, MultipartUpload, type S3Part } from './upload.ts'
import { textOf } from './xml.ts'

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
  const size = sizeOf(source)
  if (from === to && mode === 'overwrite') return infoOf(to, source, size)
  const pinned: S3Headers = {
    'x-amz-copy-source': encodePath(sourceOf(bucket, from)),
    'x-amz-copy-source-if-match': `"${unquoted(source.etag)}"`,
  }
  const { customerKey, sourceKey, create } = bucket.defaults
  if (mode === 'overwrite' && size <= WHOLE) {
    const headers = { ...customerKey, ...sourceKey, ...create, ...pinned }
    const reply = await bucket.ask({ name: 'CopyObject', method: 'PUT', key: to, headers, signal })
    return described(bucket, to, { etag: unquoted(textOf(reply, 'ETag')), size }, signal)
  }
  // There is no part of nothing to copy.
  if (size === 0) return { empty: infoOf(to, source, 0) }
  const upload = await MultipartUpload.create(bucket, to, signal, kept(source))
  try {
    const parts: S3Part[] = []
    const partSize = size <= WHOLE ? size : Math.max(MIN_PART, Math.ceil(size / MAX_PARTS))
    const numbers = Array.from({ length: Math.ceil(size / partSize) }, (_, i) => i)
    await forEachConcurrently(numbers, CONCURRENCY, async i => {
      const range = `bytes=${i * partSize}-${Math.min(size, (i + 1) * partSize) - 1}`
      const piece = numbers.length === 1 ? pinned : { ...pinned, 'x-amz-copy-source-range': range }
      parts[i] = await upload.copy(i + 1, piece, signal)
    })
    return await upload.put(parts, size, mode, signal)
  } catch (error) {
    await upload.abort().catch(() => undefined)
    throw error
  }
}

/** How requests name the object that is copied. */
function sourceOf(bucket: S3Bucket, key: string): string {
  const { name } = bucket
  const folder = name.startsWith('arn:')
    ? `${name.replace(':accesspoint:', ':accesspoint/')}/object`
    : `/${name}`
  return `${folder}/${bucket.absolute(key)}`
}

/** What else is kept of an object, where its bytes are copied by themselves. */
const PROPERTIES = /^(content-(type|encoding|language|disposition)|cache-control)$/

function kept(source: IncomingHttpHeaders): S3Headers {
  const entries = Object.entries(source).filter(
    ([name]) => PROPERTIES.test(name) || name.startsWith(METADATA),
  )
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]))
}
