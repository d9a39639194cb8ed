import { createHash, type Hash } from 'node:crypto'
import type { Budget } from '../../core/budget.ts'
import { SluiceError } from '../../core/errors.ts'
import { joinUrl } from '../keys.ts'
import { readParallel } from '../read.ts'
import type { ObjectAttributes, ObjectInfo, ObjectMeta, PutMode, StagedWriter, Store } from '../store.ts'
import type { TransferJournal } from './journal.ts'
import { PIECE, PIECES_IN_HAND, type TransferSettings } from './options.ts'
import { SOURCE_TAG, sourceTag } from './same.ts'

/** Versions of an object that is replaced while it is copied, until that is a failure. */
const VERSIONS = 3
/** Pieces of one object that are read at once. */
const READS = 4
/** Bytes of an object after which it is recorded again how far it has got. */
const CHECKPOINT = 32 * 1024 * 1024

/** What objects are copied with. */
export interface CopyContext {
  from: Store
  to: Store
  /** Both are places of one store, which copies by itself. */
  within: boolean
  settings: Pick<TransferSettings, 'existing' | 'verify' | 'signal' | 'memory'>
  budget: Budget
  /** Where the destination lets an upload be gone on with. */
  journal: TransferJournal | undefined
}

/** What a copy tells of itself. */
export interface CopyWatch {
  /** Bytes of the object that have arrived by now; fewer than before when it is begun anew. */
  arrived(bytes: number): void
  /** Bytes that had arrived in an earlier run. */
  resumed(bytes: number): void
}

/** Copies an object as it was listed or, if it has been replaced since, as it is now. Gives the source's version. */
export async function copyObject(
  context: CopyContext,
  listed: ObjectMeta,
  watch: CopyWatch,
): Promise<ObjectMeta> {
  const { from, settings } = context
  let source = listed
  for (let version = 1; ; version++) {
    try {
      await (context.within ? copyWithin : source.size > PIECE ? copyLarge : copySmall)(
        context,
        source,
        watch,
      )
      return source
    } catch (error) {
      const replaced = error instanceof SluiceError && error.code === 'precondition'
      if (!replaced || version === VERSIONS) throw error
      source = await from.head(source.key, { signal: settings.signal })
    }
  }
}

async function copyWithin(context: CopyContext, source: ObjectMeta, { arrived }: CopyWatch): Promise<void> {
  const { from, to, settings } = context
  const { signal } = settings
  const mode = modeOf(context)
  const copied = await to.root.store.copy(from.root.prefix + source.key, to.root.prefix + source.key, {
    mode,
    signal,
  })
  const result = { ...copied, key: source.key }
  if (settings.verify !== false && result.size !== source.size) await assertCurrent(context, source)
  const hash = settings.verify === 'checksum' ? await hashOf(from, source, settings) : undefined
  await verify(context, source, result, hash)
  arrived(source.size)
}

/** In one piece. */
async function copySmall(context: CopyContext, source: ObjectMeta, { arrived }: CopyWatch): Promise<void> {
  const { from, to, settings } = context
  const { signal } = settings
  using _memory = await context.budget.acquire(Math.max(1, source.size), signal)
  const { meta, body } = await from.get(source.key, { ifMatch: source.etag, signal })
  const bytes = new Uint8Array(source.size)
  let length = 0
  for await (const chunk of body) {
    if (length + chunk.length <= bytes.length) bytes.set(chunk, length)
    length += chunk.length
  }
  assertLength(context, source, length)
  const hash = settings.verify === 'checksum' ? createHash('sha256').update(bytes) : undefined
  const options = { ...attributesOf(context, meta), mode: modeOf(context), signal }
  await verify(context, source, await to.put(source.key, bytes, options), hash)
  await assertUnchanged(context, source)
  arrived(source.size)
}

/** Read by several requests at once, written in order, out of sight until all of it has arrived. */
async function copyLarge(context: CopyContext, source: ObjectMeta, watch: CopyWatch): Promise<void> {
  const { from, to, settings, budget, journal } = context
  const { signal, verify: how } = settings
  if (settings.existing === 'error') await assertAbsent(context, source.key)
  if (!to.capabilities.stage) return copyStreamed(context, source, watch)
  const reads = Math.min(READS, Math.floor(settings.memory / PIECE) - PIECES_IN_HAND)
  using _memory = await budget.acquire((reads + PIECES_IN_HAND) * PIECE, signal)
  const pieces = new PieceMemory()
  const begun = await journal?.take(source, { signal })
  let writer = begun === undefined ? undefined : await resume(to, begun, signal)
  let length = writer === undefined ? 0 : (begun?.size ?? 0)
  if (length > 0) watch.resumed(length)
  watch.arrived(length)
  const { meta, body } = await readParallel(from, source.key, {
    range: { start: length },
    ifMatch: source.etag,
    concurrency: reads,
    pieceBytes: PIECE,
    allocate: pieces.allocate,
    signal,
  })
  // Of the beginning of an upload that is gone on with nothing has been read by this process.
  const hash = how === 'checksum' && length === 0 ? createHash('sha256') : undefined
  let recording: Promise<void> | undefined
  try {
    writer ??= await to.stage(source.key, { ...attributesOf(context, meta), signal })
    const record = async (staged: StagedWriter) => {
      const checkpoint = await staged.checkpoint({ signal })
      await recording
      // Nothing waits for it, and nothing is lost without it but time.
      recording = journal?.record(source, checkpoint, { signal }).catch(() => undefined)
    }
    if (journal !== undefined) await record(writer)
    // There is something to find before there is something to lose.
    await recording
    let recorded = length
    for await (const chunk of body) {
      hash?.update(chunk)
      await writer.write(chunk, { signal })
      pieces.give(chunk)
      length += chunk.length
      watch.arrived(length)
      if (journal !== undefined && length - recorded >= CHECKPOINT) {
        await record(writer)
        recorded = length
      }
    }
    assertLength(context, source, length)
    const sealed = await writer.seal({ signal })
    // As late as can be: a staged upload replaces what is there.
    if (settings.existing === 'error') await assertAbsent(context, source.key)
    const result = await to.completeStaged(sealed, { signal })
    const read = how === 'checksum' ? (hash ?? (await hashOf(from, source, settings))) : undefined
    await verify(context, source, result, read)
    await assertUnchanged(context, source)
    await recording
    await journal?.remove(source.key)
  } catch (error) {
    await body[Symbol.asyncIterator]().return?.()
    await recording
    // An upload that cannot be ended now stays in the journal, for the next run to go on with.
    await writer
      ?.abort()
      .then(() => journal?.remove(source.key))
      .catch(() => undefined)
    throw error
  }
}

/** Through a put, which is as atomic as any, to a store that has no staged uploads. */
async function copyStreamed(context: CopyContext, source: ObjectMeta, watch: CopyWatch): Promise<void> {
  const { from, to, settings } = context
  const { signal } = settings
  using _memory = await context.budget.acquire((1 + PIECES_IN_HAND) * PIECE, signal)
  const read = { ifMatch: source.etag, concurrency: 1, pieceBytes: PIECE, signal }
  const { meta, body } = await readParallel(from, source.key, read)
  const hash = settings.verify === 'checksum' ? createHash('sha256') : undefined
  let length = 0
  const counted = async function* () {
    for await (const chunk of body) {
      hash?.update(chunk)
      yield chunk
      length += chunk.length
      watch.arrived(length)
    }
    assertLength(context, source, length)
  }
  const options = { ...attributesOf(context, meta), mode: modeOf(context), signal }
  await verify(context, source, await to.put(source.key, counted(), options), hash)
  await assertUnchanged(context, source)
}

/** The writer of an upload that was begun by another run, unless that is gone. */
async function resume(
  to: Store,
  begun: Parameters<Store['resumeStaged']>[0],
  signal: AbortSignal | undefined,
): Promise<StagedWriter | undefined> {
  try {
    return await to.resumeStaged(begun, { signal })
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'not-found') return undefined
    throw error
  }
}

/** Content type and metadata, and of which version it is a copy. */
function attributesOf({ to }: CopyContext, meta: ObjectInfo): ObjectAttributes {
  if (!to.capabilities.attributes) return {}
  const { contentType, metadata } = meta
  return { contentType, metadata: { ...metadata, [SOURCE_TAG]: sourceTag(meta) } }
}

function modeOf({ to, settings }: CopyContext): PutMode {
  return settings.existing === 'error' && to.capabilities.putCreate ? 'create' : 'overwrite'
}

/** Compares what is there with what was to be copied; what is not that is removed. */
async function verify(
  { to, settings }: CopyContext,
  source: ObjectMeta,
  result: ObjectMeta,
  hash: Hash | undefined,
): Promise<void> {
  if (settings.verify === false) return
  const sound =
    result.size === source.size &&
    (hash === undefined || hash.digest('hex') === (await hashOf(to, result, settings)).digest('hex'))
  if (sound) return
  const { etag } = await to.head(source.key, { signal: settings.signal })
  if (etag === result.etag) await to.delete(source.key, { signal: settings.signal })
  throw new SluiceError('corrupt', 'what has arrived is not what was read: it was removed', {
    file: joinUrl(to.url, source.key),
  })
}

async function hashOf(
  store: Store,
  { key, etag }: ObjectMeta,
  { signal }: CopyContext['settings'],
): Promise<Hash> {
  const hash = createHash('sha256')
  const { body } = await store.get(key, { ifMatch: etag, signal })
  for await (const chunk of body) hash.update(chunk)
  return hash
}

/**
 * Where nothing tells of which version an object is a copy, it is by the times that a later run sees whether it has
 * to be replaced: so none may be made of a version that has been replaced before.
 */
async function assertUnchanged(context: CopyContext, source: ObjectMeta): Promise<void> {
  if (!context.to.capabilities.attributes && context.settings.existing !== 'error')
    await assertCurrent(context, source)
}

async function assertCurrent({ from, settings }: CopyContext, { key, etag }: ObjectMeta): Promise<void> {
  const now = await from.head(key, { signal: settings.signal })
  if (now.etag === etag) return
  throw new SluiceError('precondition', 'the object is replaced while it is copied', {
    file: joinUrl(from.url, key),
  })
}

async function assertAbsent({ to, settings }: CopyContext, key: string): Promise<void> {
  try {
    await to.head(key, { signal: settings.signal })
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'not-found') return
    throw error
  }
  throw new SluiceError('already-exists', 'the object exists already', { file: joinUrl(to.url, key) })
}

function assertLength({ from }: CopyContext, { key, size }: ObjectMeta, length: number): void {
  if (length === size) return
  throw new SluiceError('io', `${length} bytes came where ${size} were announced`, {
    file: joinUrl(from.url, key),
  })
}

/** Memory that pieces are read into, over and over: to get it afresh is dear. */
class PieceMemory {
  readonly #own = new Map<ArrayBufferLike, Uint8Array>()
  readonly #free: Uint8Array[] = []

  readonly allocate = (bytes: number): Uint8Array => {
    if (bytes > PIECE) return new Uint8Array(bytes)
    const memory = this.#free.pop() ?? new Uint8Array(PIECE)
    this.#own.set(memory.buffer, memory)
    return memory.subarray(0, bytes)
  }

  /** Takes back what nobody needs any longer, if it is of this memory. */
  give({ buffer }: Uint8Array): void {
    const memory = this.#own.get(buffer)
    if (memory === undefined) return
    this.#own.delete(buffer)
    this.#free.push(memory)
  }
}
