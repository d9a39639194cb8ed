import { randomUUID } from 'node:crypto'
import type { BlobGetPropertiesResponse } from '@azure/storage-blob'
import { forEachConcurrently } from '../../core/concurrency.ts'
import { retrying } from '../../core/retry.ts'
import { failureOf } from '../remote/errors.ts'
import type { ObjectMeta, PutMode, SignalOption } from '../store.ts'
import type { AzureContainer, Unfinished } from './container.ts'
import { conditionError } from './errors.ts'
import { head, headObject, metaOf } from './read.ts'

const MIB = 1024 * 1024
/** The service copies so much in one request; more in several at once, as blocks. */
const WHOLE = 256 * MIB
const MAX_BLOCKS = 50_000
const CONCURRENCY = 8

/** A version of an object that is copied. */
interface Version {
  etag: string
  size: number
}

/** What a request says of the object that it is to make. */
export function conditionsOf(mode: PutMode): { conditions?: { ifNoneMatch: '*' } | { ifMatch: string } } {
  if (mode === 'overwrite') return {}
  return { conditions: mode === 'create' ? { ifNoneMatch: '*' } : { ifMatch: `"${mode.ifMatch}"` } }
}

/** Copies within the container, with content type and metadata. */
export async function copyObject(
  container: AzureContainer,
  from: string,
  to: string,
  mode: PutMode,
  { signal }: SignalOption,
): Promise<ObjectMeta> {
  const source = await headObject(container, from, { signal })
  if (from === to && mode === 'overwrite') return metaOf(to, source, source.size)
  try {
    return await copyVersion(container, from, to, source, mode, signal)
  } catch (error) {
    throw conditionError(error, mode, container.place(to))
  }
}

/**
 * Copies one version of an object, which is there whole or not at all. It is not left to the service's asynchronous
 * copy: until that ends, its result can be seen and is empty.
 */
export async function copyVersion(
  container: AzureContainer,
  from: string | Unfinished,
  to: string,
  source: Version,
  mode: PutMode,
  signal: AbortSignal | undefined,
): Promise<ObjectMeta> {
  if (source.size <= WHOLE) return copyWhole(container, from, to, source, mode, signal)
  // What others put at the same key discards the blocks that lie there: then they are copied anew.
  const copied = retrying(() => copyBlocks(container, from, to, source, mode, signal), {
    attempts: 4,
    signal,
    shouldRetry: error => failureOf(error)?.code === 'InvalidBlockList',
  })
  return copied.catch(error => {
    // An emulator copies no blocks, and objects of any size whole.
    if (failureOf(error)?.status !== 501) throw error
    return copyWhole(container, from, to, source, mode, signal)
  })
}

async function copyWhole(
  container: AzureContainer,
  from: string | Unfinished,
  to: string,
  { etag, size }: Version,
  mode: PutMode,
  signal: AbortSignal | undefined,
): Promise<ObjectMeta> {
  const { url, authorization } = await container.sourceOf(from, signal)
  const settings = {
    ...authorization,
    ...conditionsOf(mode),
    sourceConditions: { ifMatch: `"${etag}"` },
  }
  const reply = await container.sendTo('CopyBlobFromURL', to, signal, (blob, abort) =>
    blob.syncCopyFromURL(url, { ...settings, ...abort }),
  )
  return metaOf(to, reply, size)
}

async function copyBlocks(
  container: AzureContainer,
  from: string | Unfinished,
  to: string,
  { etag, size }: Version,
  mode: PutMode,
  signal: AbortSignal | undefined,
): Promise<ObjectMeta> {
  const blockSize = Math.max(WHOLE, Math.ceil(size / MAX_BLOCKS))
  const { url, authorization } = await container.sourceOf(from, signal)
  const id = randomUUID()
  const blocks = Array.from({ length: Math.ceil(size / blockSize) }, (_, i) => blockId(id, i + 1))
  await forEachConcurrently(blocks.entries(), CONCURRENCY, ([i, block]) => {
    const start = i * blockSize
    const count = Math.min(blockSize, size - start)
    return container.sendTo('PutBlockFromURL', to, signal, (blob, abort) =>
      blob.stageBlockFromURL(block, url, start, count, { ...authorization, ...abort }),
    )
  })
  // Blocks cannot be pinned to a version of their source: if it still is the same they are of that.
  const source = await head(container, from, { signal, ifMatch: etag })
  const reply = await container.sendTo('PutBlockList', to, signal, (blob, abort) =>
    blob.commitBlockList(blocks, {
      ...conditionsOf(mode),
      ...abort,
      blobHTTPHeaders: headersOf(source),
      metadata: source.metadata ?? {},
    }),
  )
  return metaOf(to, reply, size)
}

/** Identifies a block within its blob, where all identifiers have to be of one length. */
export function blockId(uploadId: string, number: number): string {
  return Buffer.from(`${uploadId}.${String(number).padStart(6, '0')}`).toString('base64')
}

function headersOf(source: BlobGetPropertiesResponse) {
  const { contentType, contentEncoding, contentLanguage, contentDisposition, cacheControl } = source
  return {
    ...(contentType === undefined ? {} : { blobContentType: contentType }),
    ...(contentEncoding === undefined ? {} : { blobContentEncoding: contentEncoding }),
    ...(contentLanguage === undefined ? {} : { blobContentLanguage: contentLanguage }),
    ...(contentDisposition === undefined ? {} : { blobContentDisposition: contentDisposition }),
    ...(cacheControl === undefined ? {} : { blobCacheControl: cacheControl }),
  }
}
