import type {
  ListMultipartUploadsOutput,
  ListMultipartUploadsRequest,
  ListObjectsV2Output,
  ListObjectsV2Request,
} from '@aws-sdk/client-s3'
import { SluiceError } from '../../core/errors.ts'
import { compareKeys, validateKey } from '../keys.ts'
import type { ListLevel, ListOptions, ObjectMeta, SignalOption, StagedUpload } from '../store.ts'
import { metaOf, type S3Bucket } from './bucket.ts'

/** All objects of a bucket's folder, in order. */
export async function* listObjects(
  bucket: S3Bucket,
  options: ListOptions,
): AsyncGenerator<ObjectMeta, void, undefined> {
  let last: string | undefined
  for await (const page of pages(bucket, options, undefined)) {
    for (const object of page.Contents ?? []) {
      const meta = describe(bucket, object, page)
      if (meta === undefined) continue
      if (last !== undefined && compareKeys(last, meta.key) >= 0) throw unordered(bucket, last, meta.key)
      last = meta.key
      yield meta
      options.signal?.throwIfAborted()
    }
  }
}

/** One level of it. */
export async function listLevel(bucket: S3Bucket, options: ListOptions): Promise<ListLevel> {
  const level: ListLevel = { objects: [], prefixes: [] }
  for await (const page of pages(bucket, options, '/')) {
    for (const object of page.Contents ?? []) {
      const meta = describe(bucket, object, page)
      if (meta !== undefined) level.objects.push(meta)
    }
    for (const { Prefix = '' } of page.CommonPrefixes ?? []) {
      const prefix = bucket.relative(decode(Prefix, page))
      addressable(bucket, prefix.slice(0, -1))
      level.prefixes.push(prefix)
    }
  }
  // Services differ in whether a prefix that begins before `startAfter` and ends after it is among the others.
  const cut = prefixAround(options)
  if (cut === undefined) return level
  const others = level.prefixes.filter(prefix => prefix !== cut)
  return {
    ...level,
    prefixes: (await hasAny(bucket, { ...options, prefix: cut })) ? [cut, ...others] : others,
  }
}

/** The prefix of the level that `startAfter` lies below. */
function prefixAround({ prefix = '', startAfter = '' }: ListOptions): string | undefined {
  const slash = startAfter.startsWith(prefix) ? startAfter.indexOf('/', prefix.length) : -1
  return slash < 0 ? undefined : startAfter.slice(0, slash + 1)
}

async function hasAny(bucket: S3Bucket, options: ListOptions): Promise<boolean> {
  for await (const _ of listObjects(bucket, options)) return true
  return false
}

/** Multipart uploads that are neither completed nor aborted. */
export async function* listUploads(
  bucket: S3Bucket,
  prefix: string,
  { signal }: SignalOption,
): AsyncGenerator<{ upload: StagedUpload; started: Date }, void, undefined> {
  for await (const page of uploadPages(bucket, prefix, signal)) {
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      const key = bucket.relative(decode(Key ?? '', page))
      // Its size is not known before it is sealed.
      yield { upload: { key, size: 0, token: { uploadId: UploadId } }, started: Initiated ?? new Date(0) }
      signal?.throwIfAborted()
    }
  }
}

async function* uploadPages(
  bucket: S3Bucket,
  prefix: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<ListMultipartUploadsOutput, void, undefined> {
  signal?.throwIfAborted()
  if (!canBegin(prefix)) return
  const request: ListMultipartUploadsRequest = {
    ...bucket.defaults.all,
    Prefix: bucket.absolutePrefix(prefix),
    EncodingType: 'url',
  }
  let page: ListMultipartUploadsOutput
  do {
    page = await bucket.send('ListMultipartUploads', prefix, signal, (s3, http) =>
      s3.listMultipartUploads({ ...request }, http),
    )
    yield page
    request.KeyMarker = decode(page.NextKeyMarker ?? '', page)
    request.UploadIdMarker = page.NextUploadIdMarker
  } while (page.IsTruncated && request.KeyMarker !== '')
}

async function* pages(
  bucket: S3Bucket,
  { prefix = '', startAfter = '', signal }: ListOptions,
  delimiter: '/' | undefined,
): AsyncGenerator<ListObjectsV2Output, void, undefined> {
  signal?.throwIfAborted()
  if (!canBegin(prefix)) return
  const request: ListObjectsV2Request = {
    ...bucket.defaults.all,
    Prefix: bucket.absolutePrefix(prefix),
    Delimiter: delimiter,
    StartAfter: startAfter === '' ? undefined : bucket.absolutePrefix(startAfter),
    EncodingType: 'url',
  }
  do {
    const page = await bucket.send('ListObjectsV2', prefix, signal, (s3, http) =>
      s3.listObjectsV2({ ...request }, http),
    )
    yield page
    request.ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined
  } while (request.ContinuationToken !== undefined)
}

function describe(
  bucket: S3Bucket,
  object: NonNullable<ListObjectsV2Output['Contents']>[number],
  page: ListObjectsV2Output,
): ObjectMeta | undefined {
  const key = bucket.relative(decode(object.Key ?? '', page))
  const size = object.Size ?? 0
  // What consoles and other tools put to show an empty folder.
  if (size === 0 && (key === '' || key.endsWith('/'))) return undefined
  addressable(bucket, key)
  return metaOf(key, object, size)
}

/** Whether a key can begin with this: otherwise no request is needed, which many services would get wrong. */
function canBegin(prefix: string): boolean {
  const complete = prefix.slice(0, prefix.lastIndexOf('/') + 1)
  if (prefix.includes('\0')) return false
  return complete === '' || isKey(complete.slice(0, -1))
}

function isKey(key: string): boolean {
  try {
    validateKey(key)
    return true
  } catch {
    return false
  }
}

function addressable(bucket: S3Bucket, key: string): void {
  if (isKey(key)) return
  throw new SluiceError(
    'unsupported',
    `the bucket holds the key ${JSON.stringify(key)}, which is not relative and '/'-separated`,
    {
      file: bucket.url,
      hint: 'Rename or remove the object, or list with a prefix that leaves it out.',
    },
  )
}

/** Names come percent-encoded where the service has understood that they should. */
function decode(text: string, { EncodingType }: { EncodingType?: string | undefined }): string {
  return EncodingType === 'url' ? decodeURIComponent(text.replaceAll('+', ' ')) : text
}

function unordered(bucket: S3Bucket, before: string, after: string): SluiceError {
  const reason = `the listing is not in order: ${JSON.stringify(after)} comes after ${JSON.stringify(before)}`
  return new SluiceError('unsupported', reason, { file: bucket.url })
}
