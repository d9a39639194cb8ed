import { SluiceError } from '../../core/errors.ts'
import { assertAddressable, assertOrder, canBegin, prefixAround } from '../remote/list.ts'
import type { ListLevel, ListOptions, ObjectMeta, SignalOption, StagedUpload } from '../store.ts'
import { metaOf, type S3Bucket } from './bucket.ts'
import { textOf, type XmlElement } from './xml.ts'

/** All objects of a bucket's folder, in order. */
export async function* listObjects(
  bucket: S3Bucket,
  options: ListOptions,
): AsyncGenerator<ObjectMeta, void, undefined> {
  let last: string | undefined
  for await (const page of pages(bucket, options, undefined)) {
    for (const meta of page.objects) {
      assertOrder(last, meta.key, bucket.url)
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
    for (const meta of page.objects) level.objects.push(meta)
    for (const prefix of page.prefixes) level.prefixes.push(prefix)
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
  signal?.throwIfAborted()
  if (!canBegin(prefix)) return
  const query = { uploads: '', prefix: bucket.absolutePrefix(prefix), 'encoding-type': 'url' }
  let marker: { 'key-marker': string; 'upload-id-marker': string } | undefined
  do {
    const page = await bucket.ask({
      name: 'ListMultipartUploads',
      method: 'GET',
      prefix,
      query: { ...query, ...marker },
      signal,
    })
    const decode = decoderOf(bucket, page)
    for (const { name, children } of page.children) {
      if (name !== 'Upload') continue
      const { Key = '', UploadId: uploadId, Initiated } = fieldsOf(children)
      // Its size is not known before it is sealed.
      const upload = { key: bucket.relative(decode(Key)), size: 0, token: { uploadId } }
      yield { upload, started: new Date(Initiated ?? 0) }
      signal?.throwIfAborted()
    }
    const next = decode(textOf(page, 'NextKeyMarker') ?? '')
    const more = textOf(page, 'IsTruncated') === 'true' && next !== ''
    marker = more
      ? { 'key-marker': next, 'upload-id-marker': textOf(page, 'NextUploadIdMarker') ?? '' }
      : undefined
  } while (marker !== undefined)
}

interface Page {
  objects: ObjectMeta[]
  /** Relative to the store. */
  prefixes: string[]
}

async function* pages(
  bucket: S3Bucket,
  { prefix = '', startAfter = '', signal }: ListOptions,
  delimiter: '/' | undefined,
): AsyncGenerator<Page, void, undefined> {
  signal?.throwIfAborted()
  if (!canBegin(prefix)) return
  const query = {
    'list-type': '2',
    prefix: bucket.absolutePrefix(prefix),
    delimiter,
    'start-after':
      startAfter === ''
        ? undefined
        : bucket.absolutePrefix(startAfter.replaceAll(/\p{Surrogate}/gu, '\ufffd')),
    'encoding-type': 'url',
  }
  let token: string | undefined
  do {
    const root = await bucket.ask({
      name: 'ListObjectsV2',
      method: 'GET',
      prefix,
      query: { ...query, 'continuation-token': token },
      signal,
    })
    yield pageOf(bucket, root)
    token = textOf(root, 'NextContinuationToken')
    if (textOf(root, 'IsTruncated') !== 'true') return
    if (!token) throw unlisted(bucket, 'a page says that more follows and not from where')
  } while (true)
}

function pageOf(bucket: S3Bucket, root: XmlElement): Page {
  const decode = decoderOf(bucket, root)
  const page: Page = { objects: [], prefixes: [] }
  for (const { name, children } of root.children) {
    if (name === 'Contents') {
      const meta = describe(bucket, fieldsOf(children), decode)
      if (meta !== undefined) page.objects.push(meta)
    } else if (name === 'CommonPrefixes') {
      const prefix = bucket.relative(decode(fieldsOf(children).Prefix ?? ''))
      assertAddressable(prefix.slice(0, -1), bucket.url)
      page.prefixes.push(prefix)
    }
  }
  return page
}

/** What is looked at of an entry of a listing. */
interface Fields {
  Key?: string
  Size?: string
  ETag?: string
  LastModified?: string
  Prefix?: string
  UploadId?: string
  Initiated?: string
}

function fieldsOf(children: readonly XmlElement[]): Fields {
  const fields: Record<string, string> = {}
  for (const { name, text } of children) fields[name] = text
  return fields
}

function describe(
  bucket: S3Bucket,
  { Key, Size = '', ETag, LastModified }: Fields,
  decode: (text: string) => string,
): ObjectMeta | undefined {
  if (Key === undefined || !/^\d{1,15}$/.test(Size)) throw unlisted(bucket, 'an object has no key or size')
  const key = copied(bucket.relative(decode(Key)))
  const size = Number(Size)
  // What consoles and other tools put to show an empty folder.
  if (size === 0 && (key === '' || key.endsWith('/'))) return undefined
  assertAddressable(key, bucket.url)
  return metaOf(key, size, ETag && copied(ETag), LastModified)
}

/** A text that was cut out of a page keeps the whole page in memory, for as long as it is kept itself. */
function copied(text: string): string {
  return Buffer.from(text).toString()
}

/** Names come percent-encoded where the service has understood that they should. */
function decoderOf(bucket: S3Bucket, page: XmlElement): (text: string) => string {
  if (textOf(page, 'EncodingType') !== 'url') return text => text
  return text => {
    try {
      return decodeURIComponent(text.replaceAll('+', ' '))
    } catch {
      throw unlisted(bucket, `${JSON.stringify(text)} is not percent-encoded`)
    }
  }
}

function unlisted(bucket: S3Bucket, reason: string): SluiceError {
  return new SluiceError('io', `the listing is damaged: ${reason}`, { file: bucket.url })
}
