import { SluiceError } from '../../core/errors.ts'
import { isCheckpoint } from '../remote/part-writer.ts'
import type { ObjectMeta, PutMode, SignalOption, StagedUpload } from '../store.ts'
import type { GcsBucket } from './bucket.ts'
import { isPrecondition } from './errors.ts'
import { creationQuery, resourceOf, type Target } from './insert.ts'
import { type GcsObject, metaOf, objectOf } from './object.ts'
import { generationAt } from './read.ts'
import { partName, StagedParts } from './staging.ts'
import { deleteObject, markedObject } from './upload.ts'

/** Most objects that are composed by one request. */
const FAN_IN = 32
/** How often a completion finds that somebody else has replaced the object in the meantime, before it gives up. */
const ROUNDS = 10

/** What an object is made of. */
interface Component {
  name: string
  generation?: string | undefined
}

/**
 * Makes an upload an object: the service composes its parts, which moves no bytes, and then they are deleted. Many
 * processes may do that at a time: one of them makes the object, and the others find it by its mark.
 */
export async function completeStaged(
  bucket: GcsBucket,
  staged: StagedUpload,
  { signal }: SignalOption,
): Promise<ObjectMeta> {
  signal?.throwIfAborted()
  const { upload, parts } = StagedParts.of(bucket, staged)
  const { key, id: mark, attributes, place } = upload
  if (parts === undefined || parts.length === 0 || isCheckpoint(staged)) {
    throw new SluiceError('invalid-argument', 'the upload is not sealed', { option: 'upload', file: place })
  }
  const name = bucket.absolute(key)
  // Most often there is nothing to be replaced.
  let mode: PutMode = 'create'
  for (let round = 1; ; round++) {
    const target: Target = { key, name, mark, attributes, mode }
    let object: GcsObject | undefined
    try {
      object = await composeParts(bucket, upload, parts, target, signal)
    } catch (error) {
      signal?.throwIfAborted()
      object = await markedObject(bucket, { key, name, mark }, signal)
      if (object === undefined && !(await upload.isOpen(signal))) throw upload.gone()
      if (object === undefined && (!isPrecondition(error) || round === ROUNDS)) throw error
    }
    if (object !== undefined) {
      await assertSize(bucket, key, object, staged.size)
      await upload.abort(signal)
      return metaOf(key, object)
    }
    const generation = await generationAt(bucket, key, name, signal)
    mode = generation === '0' ? 'create' : { ifMatch: generation }
  }
}

/** More parts than one request takes are joined before, as often as it needs. */
async function composeParts(
  bucket: GcsBucket,
  upload: StagedParts,
  parts: readonly string[],
  target: Target,
  signal: AbortSignal | undefined,
): Promise<GcsObject> {
  let components: Component[] = parts.map((generation, i) => ({
    name: upload.nameOf(partName(i + 1)),
    generation,
  }))
  for (let level = 1; components.length > FAN_IN; level++) {
    const joined: Component[] = []
    for (let start = 0; start < components.length; start += FAN_IN) {
      const name = upload.nameOf(`join-${level}-${joined.length}`)
      const whole: Target = { key: upload.key, name, mode: 'overwrite', attributes: {} }
      await compose(bucket, components.slice(start, start + FAN_IN), whole, signal)
      // Not of one version: whoever completes the upload at the same time makes the same bytes anew.
      joined.push({ name })
    }
    components = joined
  }
  return compose(bucket, components, target, signal)
}

async function compose(
  bucket: GcsBucket,
  sourceObjects: readonly Component[],
  target: Target,
  signal: AbortSignal | undefined,
): Promise<GcsObject> {
  const { json } = await bucket.call({
    operation: 'objects.compose',
    key: target.key,
    method: 'POST',
    path: `${bucket.path(target.name)}/compose`,
    query: creationQuery(bucket, target),
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: [Buffer.from(JSON.stringify({ sourceObjects, destination: resourceOf(bucket, target) }))],
    signal,
  })
  return objectOf(json, bucket.place(target.key))
}

/** The parts were compared as they came; here it is whether they are all there. */
async function assertSize(
  bucket: GcsBucket,
  key: string,
  { name, size, generation }: GcsObject,
  announced: number,
): Promise<void> {
  if (size === announced) return
  await deleteObject(bucket, key, { name, generation })
  throw new SluiceError('corrupt', `the object has ${size} bytes where ${announced} were staged`, {
    file: bucket.place(key),
  })
}
