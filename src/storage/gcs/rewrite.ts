import { SluiceError } from '../../core/errors.ts'
import type { GcsBucket } from './bucket.ts'
import { type GcsObject, objectOf, recordOf } from './object.ts'

export interface Rewrite {
  /** In the store, for messages. */
  key: string
  /** In the bucket. */
  from: string
  to: string
  /** Of the source. */
  generation?: string
  /** Of what is replaced; 0 for nothing. */
  ifGenerationMatch?: string | undefined
  /** What the copy is to be like. @default as the source, with its content type and metadata */
  resource?: Record<string, unknown> | undefined
}

/** What a copy is to be like if the store says anything of that: then the service copies nothing but the bytes. */
export function resourceOfCopy(
  { creation: { storageClass } }: GcsBucket,
  { properties, metadata }: GcsObject,
): Record<string, unknown> | undefined {
  return storageClass === undefined ? undefined : { ...properties, metadata, storageClass }
}

/** Copies within the service: a large object in several calls, each of which goes on where the one before stopped. */
export async function rewriteObject(
  bucket: GcsBucket,
  { key, from, to, generation, ifGenerationMatch, resource }: Rewrite,
  signal: AbortSignal | undefined,
): Promise<GcsObject> {
  let rewriteToken: string | undefined
  for (;;) {
    const { json } = await bucket.call({
      operation: 'objects.rewrite',
      key,
      method: 'POST',
      path: `${bucket.path(from)}/rewriteTo/b/${bucket.name}/o/${encodeURIComponent(to)}`,
      query: {
        sourceGeneration: generation,
        ifGenerationMatch,
        destinationKmsKeyName: bucket.creation.kmsKeyName,
        rewriteToken,
      },
      ...(resource === undefined
        ? {}
        : {
            headers: { 'content-type': 'application/json; charset=utf-8' },
            body: [Buffer.from(JSON.stringify(resource))],
          }),
      signal,
    })
    const answer = recordOf(json)
    if (answer['done'] === true) return objectOf(answer['resource'], bucket.place(key))
    if (typeof answer['rewriteToken'] !== 'string') {
      throw new SluiceError('io', 'the answer tells neither the end of the copy nor how to go on', {
        file: bucket.place(key),
      })
    }
    rewriteToken = answer['rewriteToken']
  }
}
