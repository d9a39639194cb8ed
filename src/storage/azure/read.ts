import { Readable } from 'node:stream'
import type { BlobDownloadResponseParsed, BlobGetPropertiesResponse } from '@azure/storage-blob'
import { SluiceError } from '../../core/errors.ts'
import { failureOf } from '../remote/errors.ts'
import {
  extentOf,
  type ObjectReader,
  type Pinned,
  type Reply,
  type RequestedRange,
  unquoted,
} from '../remote/read.ts'
import type { ObjectInfo, ObjectMeta } from '../store.ts'
import type { AzureContainer, Unfinished } from './container.ts'
import { azureError } from './errors.ts'

/** The metadata by which an object is known to be the result of an upload, whatever has become of its reply. */
export const MARK = 'sluice_upload'

/** What an answer tells of an object, whichever request it is to. */
interface Described {
  etag?: string | undefined
  lastModified?: Date | undefined
  contentType?: string | undefined
  metadata?: Record<string, string> | undefined
}

/** Reads objects of a container. */
export function azureReader(container: AzureContainer): ObjectReader {
  return {
    place: key => container.place(key),
    head: (key, options) => headObject(container, key, options),
    open: (key, range, options) => openObject(container, key, range, options),
    isBeyondEnd: error => failureOf(error)?.status === 416,
    broken: (key, error) =>
      azureError(error, { name: 'GetBlob', file: container.place(key), container: container.name }),
  }
}

export async function headObject(
  container: AzureContainer,
  key: string,
  options: Pinned,
): Promise<ObjectInfo> {
  const reply = await head(container, key, options)
  return infoOf(key, reply, reply.contentLength ?? 0)
}

/** All that the service says of an object. */
export function head(
  container: AzureContainer,
  at: string | Unfinished,
  { ifMatch, signal }: Pinned,
): Promise<BlobGetPropertiesResponse> {
  return container.sendTo('GetBlobProperties', at, signal, (blob, abort) =>
    blob.getProperties({ ...abort, ...pinOf(ifMatch) }),
  )
}

export function metaOf(key: string, { etag, lastModified }: Described, size: number): ObjectMeta {
  return { key, size, etag: unquoted(etag), lastModified: lastModified ?? new Date(0) }
}

/** With the attributes that whoever put it has given. */
export function infoOf(key: string, reply: Described, size: number): ObjectInfo {
  const { [MARK]: _, ...metadata } = reply.metadata ?? {}
  return { ...metaOf(key, reply, size), contentType: reply.contentType, metadata }
}

async function openObject(
  container: AzureContainer,
  key: string,
  range: RequestedRange | undefined,
  { ifMatch, signal }: Pinned,
): Promise<Reply> {
  // The service has no word for the last bytes: where they begin is asked for first.
  if (range !== undefined && 'suffix' in range) {
    const { size, etag } = await headObject(container, key, { signal, ...(ifMatch && { ifMatch }) })
    const start = Math.max(0, size - range.suffix)
    return openObject(container, key, start === 0 ? undefined : { start }, { signal, ifMatch: etag })
  }
  const { start = 0, end } = range ?? {}
  const count = end === undefined ? undefined : end - start
  const reply = await container.sendTo('GetBlob', key, signal, (blob, abort) =>
    // A body that breaks off is resumed in one place, which is not the SDK.
    blob.download(start, count, { ...abort, ...pinOf(ifMatch), maxRetryRequests: 0 }),
  )
  const { range: got, size } = extentOf(reply.contentRange, reply.contentLength ?? 0)
  return { meta: infoOf(key, reply, size), range: got, stream: streamOf(reply) }
}

function streamOf({ readableStreamBody: body }: BlobDownloadResponseParsed): Readable {
  if (!(body instanceof Readable)) throw new SluiceError('io', 'the answer has no body that can be read')
  // The connection may break before anybody reads, which nobody would listen to.
  return body.on('error', () => undefined)
}

function pinOf(etag: string | undefined): { conditions?: { ifMatch: string } } {
  return etag === undefined ? {} : { conditions: { ifMatch: `"${etag}"` } }
}
