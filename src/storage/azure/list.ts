import type { BlobItem, ContainerListBlobsOptions } from '@azure/storage-blob'
import { compareKeys, folderMatches, keyMatches } from '../keys.ts'
import { assertAddressable, assertOrder, canBegin, prefixAround } from '../remote/list.ts'
import type { ListLevel, ListOptions, ObjectMeta } from '../store.ts'
import { type AzureContainer, STAGING } from './container.ts'
import { metaOf } from './read.ts'

/** All objects of a container's folder, in order. */
export async function* listObjects(
  container: AzureContainer,
  options: ListOptions,
): AsyncGenerator<ObjectMeta, void, undefined> {
  const { prefix = '', startAfter } = options
  let last: string | undefined
  for await (const items of pages(container, options)) {
    const page = items.flatMap(item => describe(container, item))
    // Services differ from the order of UTF-8 in where they put what lies above U+FFFF.
    for (const meta of page.sort((a, b) => compareKeys(a.key, b.key))) {
      assertOrder(last, meta.key, container.url)
      last = meta.key
      if (!keyMatches(meta.key, prefix, startAfter)) continue
      yield meta
      options.signal?.throwIfAborted()
    }
  }
}

/** One level of it. */
export async function listLevel(container: AzureContainer, options: ListOptions): Promise<ListLevel> {
  const { prefix = '', startAfter, signal } = options
  const level: ListLevel = { objects: [], prefixes: [] }
  signal?.throwIfAborted()
  if (!canBegin(prefix)) return level
  const prefixes = new Set<string>()
  let marker: string | undefined
  do {
    const { segment, continuationToken } = await container.send(
      'ListBlobs',
      prefix,
      signal,
      (client, abort) =>
        only(
          client
            .listBlobsByHierarchy('/', { ...abort, ...listing(container, { prefix }) })
            .byPage(marker === undefined ? {} : { continuationToken: marker }),
        ),
    )
    for (const item of segment.blobItems) {
      for (const meta of describe(container, item)) {
        if (keyMatches(meta.key, prefix, startAfter)) level.objects.push(meta)
      }
    }
    for (const { name } of segment.blobPrefixes ?? []) prefixes.add(container.relative(name))
    marker = continuationToken || undefined
  } while (marker !== undefined)
  const cut = prefixAround(options)
  for (const folder of prefixes) {
    assertAddressable(folder.slice(0, -1), container.url)
    if (folder === cut || isHidden(folder) || !folderMatches(folder, prefix, startAfter)) continue
    level.prefixes.push(folder)
  }
  for (const folder of [cut, STAGING_PARENT]) {
    if (folder === undefined || !prefixes.has(folder)) continue
    level.prefixes = level.prefixes.filter(other => other !== folder)
    if (await hasAny(container, { ...options, prefix: folder })) level.prefixes.push(folder)
  }
  level.objects.sort((a, b) => compareKeys(a.key, b.key))
  level.prefixes.sort(compareKeys)
  return level
}

/** A folder that may hold nothing but unfinished uploads. */
const STAGING_PARENT = '_sluice/'

/** Blobs below a prefix in the staging folder, those among them of which only blocks exist yet. */
export async function* listStaging(
  container: AzureContainer,
  prefix: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<{ name: string; lastModified: Date | undefined }, void, undefined> {
  const options = { prefix: STAGING + prefix, signal }
  for await (const page of pages(container, options, { includeUncommitedBlobs: true })) {
    for (const { name, properties } of page) {
      yield { name: container.relative(name).slice(STAGING.length), lastModified: properties.lastModified }
    }
  }
}

async function* pages(
  container: AzureContainer,
  options: ListOptions,
  more: ContainerListBlobsOptions = {},
): AsyncGenerator<BlobItem[], void, undefined> {
  const { prefix = '', signal } = options
  signal?.throwIfAborted()
  if (!canBegin(prefix)) return
  let marker: string | undefined
  do {
    const { segment, continuationToken } = await container.send(
      'ListBlobs',
      prefix,
      signal,
      (client, abort) =>
        only(
          client
            .listBlobsFlat({ ...abort, ...listing(container, options), ...more })
            .byPage(marker === undefined ? {} : { continuationToken: marker }),
        ),
    )
    yield segment.blobItems
    marker = continuationToken || undefined
  } while (marker !== undefined)
}

/** The first page: each is a request of its own. */
async function only<T>(pages: AsyncIterableIterator<T>): Promise<T> {
  const { done, value } = await pages.next()
  if (done) throw new Error('the service answered with no page')
  return value
}

function listing(
  container: AzureContainer,
  { prefix = '', startAfter = '' }: ListOptions,
): ContainerListBlobsOptions {
  const absolute = container.absolutePrefix(prefix)
  // Accounts with folders list by segments: of keys that come after, those only lie before this in that order, too,
  // whose segments are alike up to here. Services that do not know the parameter list more, which is skipped.
  const from = /^[/-\uffff]*/.exec(container.absolutePrefix(startAfter))?.[0] ?? ''
  return {
    // By a folder's metadata it is told from an object.
    includeMetadata: true,
    ...(absolute === '' ? {} : { prefix: absolute }),
    ...(startAfter !== '' && from.startsWith(absolute) && from !== absolute ? { startFrom: from } : {}),
  }
}

function describe(container: AzureContainer, { name, properties, metadata }: BlobItem): ObjectMeta[] {
  const key = container.relative(name)
  const size = properties.contentLength ?? 0
  // Folders of accounts that have them, and what other tools put to show an empty one.
  if (metadata?.['hdi_isfolder'] === 'true' || (size === 0 && (key === '' || key.endsWith('/')))) return []
  if (isHidden(key)) return []
  assertAddressable(key, container.url)
  return [metaOf(key, properties, size)]
}

function isHidden(key: string): boolean {
  return key.startsWith(STAGING)
}

async function hasAny(container: AzureContainer, options: ListOptions): Promise<boolean> {
  for await (const _ of listObjects(container, options)) return true
  return false
}
