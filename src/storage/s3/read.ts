import type { IncomingHttpHeaders } from 'node:http'
import { failureOf } from '../remote/errors.ts'
import { extentOf, type ObjectReader, type Pinned, type Reply, type RequestedRange } from '../remote/read.ts'
import type { ObjectInfo } from '../store.ts'
import { metaOf, type S3Bucket, type S3Headers } from './bucket.ts'
import { s3Error } from './errors.ts'

/** The metadata by which an object is known to be the result of an upload, whatever has become of its reply. */
export const MARK = 'sluice-upload'

/** Headers that metadata travel in begin with this. */
export const METADATA = 'x-amz-meta-'

/** Reads objects of a bucket. */
export function s3Reader(bucket: S3Bucket): ObjectReader {
  return {
    place: key => bucket.place(key),
    head: (key, options) => headObject(bucket, key, options),
    open: (key, range, options) => openObject(bucket, key, range, options),
    isBeyondEnd: error => failureOf(error)?.status === 416,
    broken: (key, error) =>
      s3Error(error, { name: 'GetObject', file: bucket.place(key), bucket: bucket.name }),
  }
}

export async function headObject(bucket: S3Bucket, key: string, options: Pinned): Promise<ObjectInfo> {
  const headers = await head(bucket, key, options)
  return infoOf(key, headers, sizeOf(headers))
}

/** All that the service says of an object. */
export function head(
  bucket: S3Bucket,
  key: string,
  { ifMatch, signal }: Pinned,
): Promise<IncomingHttpHeaders> {
  const headers = { ...bucket.defaults.customerKey, ...pinOf(ifMatch) }
  return bucket.call({ name: 'HeadObject', method: 'HEAD', key, headers, signal })
}

/** What an answer's headers say of an object, with the attributes that whoever put it has given. */
export function infoOf(key: string, headers: IncomingHttpHeaders, size: number): ObjectInfo {
  const { etag, 'last-modified': lastModified, 'content-type': contentType } = headers
  const metadata: Record<string, string> = {}
  for (const name in headers) {
    if (name.startsWith(METADATA)) metadata[name.slice(METADATA.length)] = String(headers[name])
  }
  delete metadata[MARK]
  return { ...metaOf(key, size, etag, lastModified), contentType, metadata }
}

export function sizeOf({ 'content-length': length = '0' }: IncomingHttpHeaders): number {
  return Number(length)
}

async function openObject(
  bucket: S3Bucket,
  key: string,
  range: RequestedRange | undefined,
  { ifMatch, signal }: Pinned,
): Promise<Reply> {
  const asked: S3Headers = range === undefined ? {} : { range: headerOf(range) }
  const headers = { ...bucket.defaults.customerKey, ...pinOf(ifMatch), ...asked }
  const stream = await bucket.open({ name: 'GetObject', method: 'GET', key, headers, signal })
  const { range: got, size } = extentOf(stream.headers['content-range'], sizeOf(stream.headers))
  return { meta: infoOf(key, stream.headers, size), range: got, stream }
}

function headerOf(range: RequestedRange): string {
  if ('suffix' in range) return `bytes=-${range.suffix}`
  return `bytes=${range.start}-${range.end === undefined ? '' : range.end - 1}`
}

function pinOf(etag: string | undefined): S3Headers {
  return etag === undefined ? {} : { 'if-match': `"${etag}"` }
}
