import { createHash, randomUUID } from 'node:crypto'
import { SluiceError } from '../../core/errors.ts'
import type { ObjectAttributes, PutMode } from '../store.ts'
import type { GcsBucket } from './bucket.ts'
import { conditionError } from './errors.ts'
import { type GcsObject, MARK, objectOf } from './object.ts'

/** An object that is to be. */
export interface Target {
  /** In the store, for messages. */
  key: string
  /** In the bucket. */
  name: string
  mode: PutMode
  attributes: ObjectAttributes
  /** Goes into its metadata, so that it can be told whose it is. */
  mark?: string
}

/** Creates an object by one request, which the service refuses if other bytes arrive than were sent. */
export async function insertObject(
  bucket: GcsBucket,
  target: Target,
  bytes: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<GcsObject> {
  const md5 = createHash('md5').update(unshared(bytes)).digest('base64')
  const resource = resourceOf(bucket, target)
  const boundary = `sluice-${randomUUID()}`
  const head = [
    `--${boundary}\r\ncontent-type: application/json; charset=utf-8\r\n\r\n`,
    JSON.stringify({ ...resource, md5Hash: md5 }),
    `\r\n--${boundary}\r\ncontent-type: ${resource.contentType}\r\n\r\n`,
  ]
  const place = bucket.place(target.key)
  try {
    const { json } = await bucket.call({
      operation: 'objects.insert',
      key: target.key,
      method: 'POST',
      path: bucket.uploadPath,
      query: { uploadType: 'multipart', name: target.name, ...creationQuery(bucket, target) },
      headers: { 'content-type': `multipart/related; boundary=${boundary}` },
      body: [Buffer.from(head.join('')), bytes, Buffer.from(`\r\n--${boundary}--\r\n`)],
      signal,
    })
    return objectOf(json, place)
  } catch (error) {
    throw conditionError(error, target.mode, place)
  }
}

/** What a new object is to be like, for the service. */
export function resourceOf(
  bucket: GcsBucket,
  { key, attributes, mark }: Target,
): { contentType: string } & Record<string, unknown> {
  const { contentType = 'application/octet-stream', metadata } = attributes
  if (!/^[\x20-\x7e]+$/.test(contentType)) {
    throw new SluiceError('invalid-argument', `${JSON.stringify(contentType)} is no media type`, {
      option: 'contentType',
      file: bucket.place(key),
    })
  }
  const { storageClass } = bucket.creation
  return {
    contentType,
    metadata: { ...metadata, ...(mark === undefined ? {} : { [MARK]: mark }) },
    ...(storageClass === undefined ? {} : { storageClass }),
  }
}

/** On what condition it is made, and under which key. */
export function creationQuery(
  bucket: GcsBucket,
  { mode }: Target,
): { ifGenerationMatch: string | undefined; kmsKeyName: string | undefined } {
  return { ifGenerationMatch: generationOf(mode), kmsKeyName: bucket.creation.kmsKeyName }
}

/** The version that is to be replaced; 0 stands for none. */
export function generationOf(mode: PutMode): string | undefined {
  if (mode === 'overwrite') return undefined
  if (mode === 'create') return '0'
  // Another store's tag is none of this one: never the 0 by which an object would be created.
  return /^[1-9]\d*$/.test(mode.ifMatch) ? mode.ifMatch : '1'
}

/** Bytes that can be digested: those in shared memory cannot. */
export function unshared(bytes: Uint8Array): Uint8Array {
  return bytes.buffer instanceof SharedArrayBuffer ? bytes.slice() : bytes
}
