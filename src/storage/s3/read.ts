import { Readable } from 'node:stream'
import type { GetObjectOutput, HeadObjectOutput } from '@aws-sdk/client-s3'
import { SluiceError } from '../../core/errors.ts'
import { failureOf } from '../remote/errors.ts'
import { extentOf, type ObjectReader, type Pinned, type Reply, type RequestedRange } from '../remote/read.ts'
import type { ObjectInfo } from '../store.ts'
import { MARK, metaOf, type S3Bucket } from './bucket.ts'
import { s3Error } from './errors.ts'

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
  const reply = await head(bucket, key, options)
  return infoOf(key, reply, reply.ContentLength ?? 0)
}

/** With the attributes that whoever put it has given. */
export function infoOf(key: string, reply: HeadObjectOutput, size: number): ObjectInfo {
  const { ContentType: contentType, Metadata = {} } = reply
  const { [MARK]: _, ...metadata } = Metadata
  return { ...metaOf(key, reply, size), contentType, metadata }
}

/** All that the service says of an object. */
export function head(bucket: S3Bucket, key: string, { ifMatch, signal }: Pinned): Promise<HeadObjectOutput> {
  const { all, customerKey } = bucket.defaults
  const request = { ...all, ...customerKey, Key: bucket.absolute(key), ...pinOf(ifMatch) }
  return bucket.send('HeadObject', key, signal, (s3, http) => s3.headObject(request, http))
}

async function openObject(
  bucket: S3Bucket,
  key: string,
  range: RequestedRange | undefined,
  { ifMatch, signal }: Pinned,
): Promise<Reply> {
  const { all, customerKey } = bucket.defaults
  const asked = { ...all, ...customerKey, Key: bucket.absolute(key), ...pinOf(ifMatch) }
  const reply = await bucket.send('GetObject', key, signal, (s3, http) =>
    s3.getObject(range === undefined ? asked : { ...asked, Range: headerOf(range) }, http),
  )
  const { range: got, size } = extentOf(reply.ContentRange, reply.ContentLength ?? 0)
  return { meta: infoOf(key, reply, size), range: got, stream: streamOf(reply) }
}

function headerOf(range: RequestedRange): string {
  if ('suffix' in range) return `bytes=-${range.suffix}`
  return `bytes=${range.start}-${range.end === undefined ? '' : range.end - 1}`
}

function streamOf({ Body: body }: GetObjectOutput): Readable {
  if (!(body instanceof Readable)) throw new SluiceError('io', 'the answer has no body that can be read')
  // The connection may break before anybody reads, which nobody would listen to.
  return body.on('error', () => undefined)
}

function pinOf(etag: string | undefined): { IfMatch?: string } {
  return etag === undefined ? {} : { IfMatch: `"${etag}"` }
}
