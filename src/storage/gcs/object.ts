import { SluiceError } from '../../core/errors.ts'
import type { ObjectInfo, ObjectMeta } from '../store.ts'

/** The metadata by which an object is known to be the result of an upload, whatever has become of its reply. */
export const MARK = 'sluice-upload'

/** What the service says of an object, as far as it is used here. */
export interface GcsObject {
  /** In the bucket. */
  name: string
  size: number
  /** Of one version: a number of 64 bits, as text. */
  generation: string
  updated: Date
  contentType: string | undefined
  metadata: Record<string, string>
  /** Base64; composite objects have none. */
  md5: string | undefined
  /** What else a copy of it has to be given, where it is given anything. */
  properties: Record<string, unknown>
}

const PROPERTIES = ['cacheControl', 'contentDisposition', 'contentEncoding', 'contentLanguage', 'contentType']

/** Checks a resource of the JSON API. */
export function objectOf(resource: unknown, file: string): GcsObject {
  const record = recordOf(resource)
  const { name, size, generation, updated, contentType, metadata, md5Hash } = record
  if (typeof name !== 'string' || !/^\d+$/.test(String(size)) || !/^\d+$/.test(String(generation))) {
    throw new SluiceError('io', 'the answer does not describe an object', { file })
  }
  return {
    name,
    size: Number(size),
    generation: String(generation),
    updated: new Date(String(updated)),
    contentType: typeof contentType === 'string' ? contentType : undefined,
    metadata: Object.fromEntries(
      Object.entries(recordOf(metadata)).map(([name, value]) => [name, String(value)]),
    ),
    md5: typeof md5Hash === 'string' ? md5Hash : undefined,
    properties: Object.fromEntries(Object.entries(record).filter(([name]) => PROPERTIES.includes(name))),
  }
}

/** A value of JSON as an object; of anything else an empty one. */
export function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

/** A whole second is all that the headers of a read tell of the time. */
export function metaOf(
  key: string,
  { size, generation, updated }: Pick<GcsObject, 'size' | 'generation' | 'updated'>,
): ObjectMeta {
  const seconds = Math.floor(updated.getTime() / 1000) || 0
  return { key, size, etag: generation, lastModified: new Date(seconds * 1000) }
}

/** With the attributes that whoever put it has given. */
export function infoOf(key: string, object: Omit<GcsObject, 'name' | 'md5' | 'properties'>): ObjectInfo {
  const { [MARK]: _, ...metadata } = object.metadata
  return { ...metaOf(key, object), contentType: object.contentType, metadata }
}
