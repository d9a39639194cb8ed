import type { CopyOptions, ObjectMeta } from '../store.ts'
import type { GcsBucket } from './bucket.ts'
import { conditionError, conditionLost } from './errors.ts'
import { generationOf } from './insert.ts'
import { metaOf } from './object.ts'
import { describeObject, generationAt } from './read.ts'
import { resourceOfCopy, rewriteObject } from './rewrite.ts'

/** Copies within the service, with content type and metadata. */
export async function copyObject(
  bucket: GcsBucket,
  from: string,
  to: string,
  { mode = 'overwrite', signal }: CopyOptions,
): Promise<ObjectMeta> {
  const name = bucket.absolute(to)
  const source = await describeObject(bucket, from, bucket.absolute(from), { signal })
  const ifGenerationMatch = generationOf(mode)
  // The copy has the condition, too, but an emulator that ignores it would be believed.
  if (
    ifGenerationMatch !== undefined &&
    (await generationAt(bucket, to, name, signal)) !== ifGenerationMatch
  ) {
    throw conditionLost(mode, bucket.place(to))
  }
  const { name: sourceName, generation } = source
  const resource = resourceOfCopy(bucket, source)
  const rewrite = { key: to, from: sourceName, to: name, generation, ifGenerationMatch, resource }
  try {
    return metaOf(to, await rewriteObject(bucket, rewrite, signal))
  } catch (error) {
    throw conditionError(error, mode, bucket.place(to))
  }
}
