import { randomUUID } from 'node:crypto'
import { SluiceError } from '../../core/errors.ts'
import { deleteEach } from '../batch.ts'
import { STAGING } from '../keys.ts'
import { failureOf } from '../remote/errors.ts'
import { canBegin } from '../remote/list.ts'
import type { PartMemory } from '../remote/part-memory.ts'
import { isCheckpoint, type PartUpload, PartWriter } from '../remote/part-writer.ts'
import type { ObjectAttributes, SignalOption, StagedUpload, StagedWriter, StageOptions } from '../store.ts'
import type { GcsBucket } from './bucket.ts'
import { isNotFound } from './errors.ts'
import { insertObject } from './insert.ts'
import { pageOf } from './list.ts'
import { type GcsObject, recordOf } from './object.ts'
import { describeObject } from './read.ts'
import { deleteObject } from './upload.ts'

/** An empty object that is there from the beginning to the end of an upload: by it one without parts is listed. */
const OPEN = 'open'
const MAX_NAME = 1024
const LONGEST = 'part-00000'

/** Begins an upload. */
export async function stageObject(
  bucket: GcsBucket,
  key: string,
  { signal, ...attributes }: StageOptions,
  memory: PartMemory,
): Promise<StagedWriter> {
  signal?.throwIfAborted()
  const parts = new StagedParts(bucket, key, randomUUID(), attributes)
  const room = MAX_NAME - Buffer.byteLength(parts.nameOf(LONGEST))
  if (room < 0) {
    const most = Buffer.byteLength(key) + room
    throw new SluiceError('invalid-argument', `a key that is staged has at most ${most} bytes`, {
      option: 'key',
      file: bucket.place(key),
    })
  }
  try {
    // Not interrupted: cut off, it would leave behind what nobody knows of.
    await parts.begin()
    signal?.throwIfAborted()
  } catch (error) {
    if (signal?.aborted || failureOf(error) === undefined) await parts.abort().catch(() => undefined)
    throw error
  }
  return new PartWriter(parts, memory)
}

/** Goes on with an upload. */
export async function resumeStaged(
  bucket: GcsBucket,
  checkpoint: StagedUpload,
  { signal }: SignalOption,
  memory: PartMemory,
): Promise<StagedWriter> {
  signal?.throwIfAborted()
  const { upload, parts } = StagedParts.of(bucket, checkpoint)
  if (parts === undefined || !isCheckpoint(checkpoint)) {
    throw new SluiceError('invalid-argument', 'is no checkpoint of a staged upload', {
      option: 'checkpoint',
      file: upload.place,
    })
  }
  if (!(await upload.isOpen(signal))) throw upload.gone()
  return new PartWriter(upload, memory, parts)
}

/** Removes what is in the staging folder; what it has become stays. */
export async function abortStaged(
  bucket: GcsBucket,
  upload: StagedUpload,
  { signal }: SignalOption,
): Promise<void> {
  signal?.throwIfAborted()
  await StagedParts.of(bucket, upload).upload.abort(signal)
}

/** The uploads that have anything in the staging folder. */
export async function* listStaged(
  bucket: GcsBucket,
  prefix: string,
  { signal }: SignalOption,
): AsyncGenerator<{ upload: StagedUpload; started: Date }, void, undefined> {
  signal?.throwIfAborted()
  if (!canBegin(prefix)) return
  let found: { upload: StagedUpload; started: Date } | undefined
  for await (const { name, size, updated } of objectsBelow(bucket, `${STAGING}/${prefix}`, signal)) {
    const [, key, id] = STAGED.exec(bucket.relative(name).slice(STAGING.length + 1)) ?? []
    if (key === undefined || !key.startsWith(prefix)) continue
    if (found !== undefined && found.upload.token['id'] === id) {
      found.upload.size += size
      if (updated > found.started) found.started = updated
      continue
    }
    if (found !== undefined) yield found
    signal?.throwIfAborted()
    found = { upload: { key, size, token: { id } }, started: updated }
  }
  if (found !== undefined) yield found
}

const STAGED = /^(.+)\/([0-9a-f-]{36})\/[^/]+$/s

/**
 * The parts of an upload: objects in the staging folder, below its key and an id of its own. A part that is sent anew
 * is another version of its object; the token says which version counts.
 */
export class StagedParts implements PartUpload<string> {
  readonly key: string
  readonly id: string
  readonly attributes: ObjectAttributes
  readonly #bucket: GcsBucket

  constructor(bucket: GcsBucket, key: string, id: string, attributes: ObjectAttributes) {
    this.#bucket = bucket
    this.key = key
    this.id = id
    this.attributes = attributes
  }

  /** The upload that another process has begun; `invalid-argument` if its coordinates are none. */
  static of(
    bucket: GcsBucket,
    { key, token }: StagedUpload,
  ): { upload: StagedParts; parts: string[] | undefined } {
    bucket.absolute(key)
    const { id, parts, contentType, metadata } = token
    if (typeof id !== 'string' || !/^[0-9a-f-]{36}$/.test(id)) {
      throw new SluiceError('invalid-argument', 'is no staged upload of a GCS store', { option: 'upload' })
    }
    const attributes = {
      contentType: typeof contentType === 'string' ? contentType : undefined,
      metadata: Object.fromEntries(
        Object.entries(recordOf(metadata)).map(([name, value]) => [name, String(value)]),
      ),
    }
    const known = Array.isArray(parts) && parts.every(part => /^\d+$/.test(String(part)))
    return {
      upload: new StagedParts(bucket, key, id, attributes),
      parts: known ? parts.map(String) : undefined,
    }
  }

  get place(): string {
    return this.#bucket.place(this.key)
  }

  /** Growing from part 1001 on, 32³ of them, which are composed in three rounds, hold 5 TiB. */
  partBytes(number: number): number {
    return PART + Math.max(0, number - EQUAL_PARTS) * GROWTH
  }

  async begin(): Promise<void> {
    await this.#insert(OPEN, new Uint8Array(0), undefined)
  }

  /** Whether it is neither completed nor aborted. */
  async isOpen(signal: AbortSignal | undefined): Promise<boolean> {
    try {
      await describeObject(this.#bucket, this.key, this.nameOf(OPEN), { signal })
      return true
    } catch (error) {
      if (isNotFound(error)) return false
      throw error
    }
  }

  async send(number: number, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<string> {
    return (await this.#insert(partName(number), bytes, signal)).generation
  }

  token(parts: readonly string[]): Record<string, unknown> {
    return { id: this.id, parts, ...this.attributes }
  }

  /** Also what has been written behind a checkpoint. What it is listed by goes last. */
  async abort(signal?: AbortSignal): Promise<void> {
    const names: string[] = []
    for await (const { name } of objectsBelow(this.#bucket, this.#folder, signal)) {
      if (name !== this.nameOf(OPEN)) names.push(name)
    }
    const remove = (name: string) => deleteObject(this.#bucket, this.key, { name }, signal)
    const [failure] = (await deleteEach({ delete: remove }, names, { signal })).values()
    if (failure !== undefined) throw failure
    await remove(this.nameOf(OPEN))
  }

  /** In the bucket, of one of its objects. */
  nameOf(object: string): string {
    return this.#bucket.absolutePrefix(this.#folder + object)
  }

  gone(): SluiceError {
    return new SluiceError('not-found', 'there is no such staged upload', {
      file: this.place,
      hint: 'It was aborted, or completed and the object has since been replaced or deleted.',
    })
  }

  get #folder(): string {
    return `${STAGING}/${this.key}/${this.id}/`
  }

  #insert(object: string, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<GcsObject> {
    const target = { key: this.key, name: this.nameOf(object), mode: 'overwrite', attributes: {} } as const
    return insertObject(this.#bucket, target, bytes, signal)
  }
}

const PART = 8 * 1024 * 1024
const EQUAL_PARTS = 1_000
const GROWTH = 11 * 1024

/** Of a part's object, by its number from 1 on. */
export function partName(number: number): string {
  return `part-${String(number).padStart(5, '0')}`
}

/** All objects whose names begin with a prefix, in the staging folder, too. */
async function* objectsBelow(
  bucket: GcsBucket,
  prefix: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<GcsObject, void, undefined> {
  let pageToken: string | undefined
  do {
    const page = await pageOf(bucket, { prefix, signal }, { pageToken })
    yield* page.objects
    pageToken = page.next
  } while (pageToken !== undefined)
}
