import { compareKeys, STAGING } from '../keys.ts'
import { assertAddressable, assertOrder, canBegin, prefixAround } from '../remote/list.ts'
import type { ListLevel, ListOptions, ObjectMeta } from '../store.ts'
import type { GcsBucket } from './bucket.ts'
import { type GcsObject, metaOf, objectOf, recordOf } from './object.ts'

/** Behind all that lies in the staging folder: `0` comes after `/`. */
const AFTER_STAGING = `${STAGING}0`

interface Page {
  objects: GcsObject[]
  prefixes: string[]
  next: string | undefined
}

/** All objects of a bucket's folder, in order. */
export async function* listObjects(
  bucket: GcsBucket,
  options: ListOptions,
): AsyncGenerator<ObjectMeta, void, undefined> {
  let last: string | undefined
  for await (const { objects } of pages(bucket, options, undefined)) {
    for (const object of objects) {
      const meta = describe(bucket, object, options)
      if (meta === undefined) continue
      assertOrder(last, meta.key, bucket.url)
      last = meta.key
      yield meta
      options.signal?.throwIfAborted()
    }
  }
}

/** One level of it. */
export async function listLevel(bucket: GcsBucket, options: ListOptions): Promise<ListLevel> {
  const objects: ObjectMeta[] = []
  // Emulators repeat the prefixes with every page.
  const found = new Set<string>()
  for await (const page of pages(bucket, options, '/')) {
    for (const object of page.objects) {
      const meta = describe(bucket, object, options)
      if (meta !== undefined) objects.push(meta)
    }
    for (const name of page.prefixes) found.add(bucket.relative(name))
  }
  // Services differ in whether a prefix that begins before `startAfter` and ends after it is among the others.
  const cut = prefixAround(options)
  if (cut !== undefined) found.add(cut)
  const prefixes: string[] = []
  for (const prefix of [...found].sort(compareKeys)) {
    assertAddressable(prefix.slice(0, -1), bucket.url)
    const unsure = prefix === cut || `${STAGING}/`.startsWith(prefix)
    if (!unsure || (await hasAny(bucket, { ...options, prefix }))) prefixes.push(prefix)
  }
  return { objects, prefixes }
}

/** One request of a listing, the staging folder included. */
export async function pageOf(
  bucket: GcsBucket,
  { prefix = '', signal }: ListOptions,
  query: { startOffset?: string | undefined; delimiter?: string | undefined; pageToken?: string | undefined },
): Promise<Page> {
  const { json } = await bucket.call({
    operation: 'objects.list',
    key: prefix,
    method: 'GET',
    path: bucket.path(),
    query: {
      prefix: bucket.absolutePrefix(prefix),
      maxResults: 1000,
      fields: 'items(name,size,generation,updated),prefixes,nextPageToken',
      ...query,
    },
    signal,
  })
  const { items, prefixes, nextPageToken } = recordOf(json)
  return {
    objects: (Array.isArray(items) ? items : []).map(item => objectOf(item, bucket.url)),
    prefixes: (Array.isArray(prefixes) ? prefixes : []).map(String),
    next: typeof nextPageToken === 'string' && nextPageToken !== '' ? nextPageToken : undefined,
  }
}

/** Without what is in the staging folder, over which it skips. */
async function* pages(
  bucket: GcsBucket,
  options: ListOptions,
  delimiter: '/' | undefined,
): AsyncGenerator<Page, void, undefined> {
  const { prefix = '', startAfter = '', signal } = options
  signal?.throwIfAborted()
  if (!canBegin(prefix)) return
  const isStaged = ({ name }: GcsObject) => bucket.relative(name).startsWith(`${STAGING}/`)
  let startOffset = startAfter === '' ? undefined : bucket.absolutePrefix(startAfter)
  let pageToken: string | undefined
  let page: Page
  do {
    page = await pageOf(bucket, options, { startOffset, delimiter, pageToken })
    const { objects } = page
    yield { ...page, objects: objects.filter(object => !isStaged(object)) }
    pageToken = page.next
    if (objects.length > 0 && isStaged(objects.at(-1)!)) {
      pageToken = undefined
      startOffset = bucket.absolutePrefix(AFTER_STAGING)
    }
  } while (page.next !== undefined)
}

async function hasAny(bucket: GcsBucket, options: ListOptions): Promise<boolean> {
  for await (const _ of listObjects(bucket, options)) return true
  return false
}

function describe(bucket: GcsBucket, object: GcsObject, { startAfter }: ListOptions): ObjectMeta | undefined {
  const key = bucket.relative(object.name)
  // Listings of the service begin with the key that the contract's come after.
  if (key === startAfter) return undefined
  // What consoles and other tools put to show an empty folder.
  if (object.size === 0 && (key === '' || key.endsWith('/'))) return undefined
  assertAddressable(key, bucket.url)
  return metaOf(key, object)
}
