import { SluiceError } from '../../core/errors.ts'
import { failureOf } from '../remote/errors.ts'
import { extentOf, type ObjectReader, type Pinned, type Reply, type RequestedRange } from '../remote/read.ts'
import type { ObjectInfo } from '../store.ts'
import type { GcsBucket } from './bucket.ts'
import { isNotFound, requestError } from './errors.ts'
import { type GcsObject, infoOf, objectOf } from './object.ts'

const META = 'x-goog-meta-'

/** Reads objects of a bucket. */
export function gcsReader(bucket: GcsBucket): ObjectReader {
  return {
    place: key => bucket.place(key),
    head: (key, options) => headObject(bucket, key, options),
    open: (key, range, options) => openObject(bucket, key, range, options),
    isBeyondEnd: error => failureOf(error)?.status === 416,
    broken: (key, error) =>
      requestError(error, { name: 'objects.get', file: bucket.place(key), bucket: bucket.name }),
  }
}

export async function headObject(bucket: GcsBucket, key: string, options: Pinned): Promise<ObjectInfo> {
  const object = await describeObject(bucket, key, bucket.absolute(key), options)
  // Emulators ignore the condition.
  if (options.ifMatch !== undefined && object.generation !== options.ifMatch) {
    throw new SluiceError('precondition', 'the object has been changed', { file: bucket.place(key) })
  }
  return infoOf(key, object)
}

/** All that is known of an object, by its name in the bucket. */
export async function describeObject(
  bucket: GcsBucket,
  key: string,
  name: string,
  { ifMatch, signal }: Pinned,
): Promise<GcsObject> {
  const { json } = await bucket.call({
    operation: 'objects.get',
    key,
    method: 'GET',
    path: bucket.path(name),
    query: { ifGenerationMatch: ifMatch },
    signal,
  })
  return objectOf(json, bucket.place(key))
}

/** The version that is at a name; `0` if there is none. */
export async function generationAt(
  bucket: GcsBucket,
  key: string,
  name: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  try {
    return (await describeObject(bucket, key, name, { signal })).generation
  } catch (error) {
    if (isNotFound(error)) return '0'
    throw error
  }
}

/** By the XML API: the JSON API's reads do not tell the metadata. */
async function openObject(
  bucket: GcsBucket,
  key: string,
  range: RequestedRange | undefined,
  { ifMatch, signal }: Pinned,
): Promise<Reply> {
  const stream = await bucket.send({
    operation: 'objects.get',
    key,
    method: 'GET',
    path: bucket.mediaPath(bucket.absolute(key)),
    headers: {
      // Who does not take gzip gets objects that are stored so decompressed, whatever range was asked for.
      'accept-encoding': 'gzip',
      ...(range === undefined ? {} : { range: headerOf(range) }),
      ...(ifMatch === undefined ? {} : { 'x-goog-if-generation-match': ifMatch }),
    },
    signal,
  })
  const { headers } = stream
  const generation = headers['x-goog-generation']
  const length = headers['content-length']
  if (typeof generation !== 'string' || length === undefined) {
    stream.destroy()
    const reason = "the answer does not tell the object's generation and length"
    throw new SluiceError('unsupported', reason, { file: bucket.place(key) })
  }
  const { range: got, size } = extentOf(headers['content-range'], Number(length))
  const metadata = Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith(META) ? [[name.slice(META.length), String(value)]] : [],
  )
  const meta = infoOf(key, {
    size,
    generation,
    updated: new Date(headers['last-modified'] ?? 0),
    contentType: headers['content-type'],
    metadata: Object.fromEntries(metadata),
  })
  return { meta, range: got, stream }
}

function headerOf(range: RequestedRange): string {
  if ('suffix' in range) return `bytes=-${range.suffix}`
  return `bytes=${range.start}-${range.end === undefined ? '' : range.end - 1}`
}
