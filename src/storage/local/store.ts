import { type BigIntStats, constants } from 'node:fs'
import { copyFile, link, rename, unlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { untilAborted } from '../../core/abort.ts'
import { SluiceError } from '../../core/errors.ts'
import { deleteEach } from '../batch.ts'
import { childOf } from '../child.ts'
import { validateUnstaged } from '../keys.ts'
import type { OptionKinds } from '../options.ts'
import {
  atOnce,
  type CoalescedRange,
  coalesceRanges,
  extentOf,
  resolveRange,
  validateRanges,
  validateReadOptions,
  viewsOf,
} from '../ranges.ts'
import { headIfExists } from '../read.ts'
import { showStores } from '../shown.ts'
import type {
  ByteRange,
  Capabilities,
  CopyOptions,
  GetOptions,
  GetRangesOptions,
  GetResult,
  ListLevel,
  ListOptions,
  ObjectMeta,
  PutMode,
  PutOptions,
  SignalOption,
  StagedUpload,
  StagedWriter,
  Store,
  UnwrappedStore,
} from '../store.ts'
import { aboutFile, errno, fileError, notBoth } from './errors.ts'
import { LocalFile } from './file.ts'
import { changed, etagOf, isFolder, metaOf } from './files.ts'
import { LocalFolders } from './folders.ts'
import { listFolder, listFolderLevel } from './list.ts'
import { withLock } from './lock.ts'
import { type OpenFile, readBody, readFull, verify } from './read.ts'
import { LocalStaging, type StagedFile } from './staging.ts'
import { LocalStagedWriter } from './writer.ts'

export interface LocalStoreOptions {
  /**
   * `fsync`: what a call has written survives a power failure once the call has returned. `none`: it survives
   * the end of the process; the operating system writes it to the disk in its own time.
   * @default 'fsync'
   */
  durability?: 'fsync' | 'none'
}

/** Kinds of the options. */
export const LOCAL_OPTIONS: OptionKinds<LocalStoreOptions> = { durability: 'text' }

const DEFAULT_GAP = 64 * 1024

/**
 * A folder of a local file system. An object appears under its name whole: it is written under `_sluice/.staging`
 * in the root and linked (`create`) or renamed to its key. Folders are made and removed as needed. Symbolic
 * links are followed within the root; one that leads out of it is `permission` to touch and is not listed.
 *
 * `ifMatch` is atomic among the callers that use it or `create`, in this process and in others; it does not
 * hold up those who overwrite or delete without a condition.
 */
export class LocalStore implements Store {
  readonly url: string
  readonly capabilities: Capabilities = {
    write: true,
    list: true,
    putCreate: true,
    putIfMatch: true,
    stage: true,
    resume: true,
    attributes: false,
  }
  readonly root: { store: Store; prefix: string }
  readonly #folders: LocalFolders
  readonly #staging: LocalStaging

  constructor(path: string, { durability = 'fsync' }: LocalStoreOptions = {}) {
    if (durability !== 'fsync' && durability !== 'none') {
      throw new SluiceError('invalid-argument', `must be 'fsync' or 'none', not ${durability}`, {
        option: 'durability',
      })
    }
    this.#folders = new LocalFolders(resolve(path), durability === 'fsync')
    this.#staging = new LocalStaging(this.#folders)
    this.url = pathToFileURL(this.#folders.path).href
    this.root = { store: this, prefix: '' }
  }

  child(prefix: string): Store {
    return childOf(this, prefix)
  }

  /** Whether something other than a folder lies where the root should be. */
  async isBlocked(): Promise<boolean> {
    try {
      return !(await this.#folders.calls.stat(this.#folders.path)).isDirectory()
    } catch (error) {
      if (errno(error) === 'ENOENT') return false
      if (errno(error) === 'ENOTDIR') return true
      throw fileError(error, this.#folders.path)
    }
  }

  unwrap(): UnwrappedStore {
    return { client: undefined, container: this.#folders.path, prefix: '' }
  }

  async head(key: string, { signal }: SignalOption = {}): Promise<ObjectMeta> {
    signal?.throwIfAborted()
    const path = this.#pathOf(key)
    const meta = metaOf(key, path, await this.#stat(path))
    signal?.throwIfAborted()
    return meta
  }

  async get(key: string, { range, ifMatch, signal }: GetOptions = {}): Promise<GetResult> {
    const path = this.#pathOf(key)
    const { open, meta } = await this.#open(key, path, ifMatch, signal)
    try {
      const wanted = resolveRange(range, meta.size, path)
      return { meta, range: wanted, body: await readBody(open, wanted, signal) }
    } catch (error) {
      await open.file.close()
      throw fileError(error, path, signal)
    }
  }

  async getRanges(
    key: string,
    ranges: readonly ByteRange[],
    options: GetRangesOptions = {},
  ): Promise<Uint8Array[]> {
    validateReadOptions(options)
    const { coalesceGap: gap = DEFAULT_GAP, eachRequest = atOnce } = options
    const joined = coalesceRanges(ranges, { gap })
    const memory: Uint8Array[] = []
    await eachRequest(extentOf(joined), own =>
      this.#fill(key, ranges, joined, memory, { ...options, ...own }),
    )
    return viewsOf(ranges, joined, memory)
  }

  /** Reads what ranges have been joined to, each into its memory, which is asked for once. */
  async #fill(
    key: string,
    ranges: readonly ByteRange[],
    joined: readonly CoalescedRange[],
    memory: Uint8Array[],
    { ifMatch, signal, allocate = bytes => new Uint8Array(bytes) }: GetRangesOptions,
  ): Promise<void> {
    const path = this.#pathOf(key)
    const { open, meta } = await this.#open(key, path, ifMatch, signal)
    try {
      validateRanges(ranges, meta.size, path)
      joined.forEach(({ start, end }, i) => {
        memory[i] ??= allocate(end - start)
      })
      // All have to end before the first failure is told: they write to memory that is the caller's.
      const reads = joined.map(({ start, end }, i) =>
        readFull(open, memory[i]!.subarray(0, end - start), start, signal),
      )
      for (const read of await Promise.allSettled(reads)) if (read.status === 'rejected') throw read.reason
      await verify(open)
    } catch (error) {
      throw fileError(error, path, signal)
    } finally {
      await open.file.close()
    }
  }

  async put(
    key: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    { mode = 'overwrite', signal }: PutOptions = {},
  ): Promise<ObjectMeta> {
    return this.#create(key, mode, signal, async file => {
      const write = (bytes: Uint8Array) => aboutFile(file.path, file.write(bytes))
      if (body instanceof Uint8Array) await write(body)
      // A failure of the body is not one of ours: it comes back as it is.
      else for await (const bytes of untilAborted(body, signal)) await write(bytes)
    })
  }

  async copy(
    from: string,
    to: string,
    { mode = 'overwrite', signal }: CopyOptions = {},
  ): Promise<ObjectMeta> {
    const source = this.#pathOf(from)
    await this.head(from, { signal })
    return this.#create(to, mode, signal, async file => {
      const path = await aboutFile(source, this.#folders.resolve(source))
      await aboutFile(source, copyFile(path, file.path, constants.COPYFILE_FICLONE))
    })
  }

  async delete(key: string, { signal }: SignalOption = {}): Promise<void> {
    signal?.throwIfAborted()
    const path = this.#pathOf(key)
    try {
      await this.#folders.resolve(dirname(path))
      await unlink(path)
      await this.#folders.sync(await this.#folders.prune(dirname(path)))
    } catch (error) {
      const code = errno(error)
      if (code === 'ENOENT' || code === 'ENOTDIR' || (await isFolder(this.#folders.calls, code, path))) return
      throw fileError(error, path)
    }
  }

  deleteMany(keys: readonly string[], options?: SignalOption): Promise<Map<string, SluiceError>> {
    return deleteEach(this, keys, options)
  }

  async *list(options: ListOptions = {}): AsyncGenerator<ObjectMeta, void, undefined> {
    options.signal?.throwIfAborted()
    yield* listFolder(this.#folders, options)
  }

  async listLevel(options: ListOptions = {}): Promise<ListLevel> {
    options.signal?.throwIfAborted()
    const level = await listFolderLevel(this.#folders, options)
    options.signal?.throwIfAborted()
    return level
  }

  async stage(key: string, { signal }: SignalOption = {}): Promise<StagedWriter> {
    signal?.throwIfAborted()
    const path = this.#pathOf(key)
    const file = await aboutFile(path, this.#staging.create(key))
    return new LocalStagedWriter(file, this.#staging, this.#folders)
  }

  async resumeStaged(checkpoint: StagedUpload, { signal }: SignalOption = {}): Promise<StagedWriter> {
    signal?.throwIfAborted()
    const path = this.#pathOf(checkpoint.key)
    const { id, open } = checkpoint.token
    this.#stagedPath(checkpoint)
    if (typeof id !== 'string' || open !== true) {
      throw new SluiceError('invalid-argument', 'is no checkpoint of a staged upload', {
        option: 'checkpoint',
        file: path,
      })
    }
    const { key, size } = checkpoint
    const file = await aboutFile(path, this.#staging.reopen({ id, key }, size))
    if (file === undefined) throw noUpload(path)
    return new LocalStagedWriter(file, this.#staging, this.#folders)
  }

  /**
   * A move keeps a file's inode, size and time, so its tag tells a completed upload from any other object at
   * the same key, without a record that could be lost between the move and its writing.
   */
  async completeStaged(upload: StagedUpload, { signal }: SignalOption = {}): Promise<ObjectMeta> {
    signal?.throwIfAborted()
    const path = this.#pathOf(upload.key)
    const { etag } = upload.token
    if (typeof etag !== 'string') {
      throw new SluiceError('invalid-argument', 'the upload is not sealed', { option: 'upload', file: path })
    }
    const staged = this.#stagedPath(upload)
    try {
      const stats = await this.#folders.calls.stat(staged)
      if (etagOf(stats) !== etag) {
        throw new SluiceError('corrupt', 'the staged file is not what was sealed', { file: staged })
      }
      await this.#place(staged, upload.key, 'overwrite', signal)
      await this.#staging.prune(staged)
      return metaOf(upload.key, path, stats)
    } catch (error) {
      if (errno(error) !== 'ENOENT') throw fileError(error, path)
    }
    const meta = await headIfExists(this, upload.key, { signal })
    if (meta?.etag === etag) {
      // Whoever moved it may have been stopped before this.
      await aboutFile(path, this.#folders.syncUp(dirname(path)))
      return meta
    }
    throw noUpload(path)
  }

  async abortStaged(upload: StagedUpload, { signal }: SignalOption = {}): Promise<void> {
    signal?.throwIfAborted()
    const path = this.#pathOf(upload.key)
    await aboutFile(path, this.#staging.remove(this.#stagedPath(upload)))
  }

  async *listStaged(
    prefix: string,
    { signal }: SignalOption = {},
  ): AsyncGenerator<{ upload: StagedUpload; started: Date }, void, undefined> {
    signal?.throwIfAborted()
    for await (const { id, key, stats } of this.#staging.list()) {
      signal?.throwIfAborted()
      if (!key.startsWith(prefix)) continue
      yield { upload: { key, size: Number(stats.size), token: { id } }, started: stats.mtime }
    }
  }

  #pathOf(key: string): string {
    validateUnstaged(key)
    return join(this.#folders.path, key)
  }

  #stagedPath({ key, token: { id } }: StagedUpload): string {
    if (typeof id === 'string' && /^[0-9a-z-]+$/.test(id)) return this.#staging.pathOf({ id, key })
    throw new SluiceError('invalid-argument', 'is no staged upload of a local store', { option: 'upload' })
  }

  async #stat(path: string): Promise<BigIntStats> {
    const real = await aboutFile(path, this.#folders.resolve(path))
    return aboutFile(path, this.#folders.calls.stat(real))
  }

  async #open(
    key: string,
    path: string,
    ifMatch: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<{ open: OpenFile; meta: ObjectMeta }> {
    signal?.throwIfAborted()
    let file: LocalFile | undefined
    try {
      // Non-blocking, or opening a pipe that lies there would wait for its writer.
      const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)
      file = await LocalFile.open(this.#folders.calls, await this.#folders.resolve(path), flags)
      const meta = metaOf(key, path, await file.stat())
      signal?.throwIfAborted()
      if (ifMatch !== undefined && ifMatch !== meta.etag) throw changed(path)
      return { open: { file, path, etag: meta.etag }, meta }
    } catch (error) {
      await file?.close()
      throw fileError(error, path, signal)
    }
  }

  /** Writes an object out of sight, then puts it in its place. */
  async #create(
    key: string,
    mode: PutMode,
    signal: AbortSignal | undefined,
    fill: (file: StagedFile) => Promise<void>,
  ): Promise<ObjectMeta> {
    signal?.throwIfAborted()
    const path = this.#pathOf(key)
    // Spares the writing where the answer is clear already; decided below.
    if (mode !== 'overwrite') await this.#check(path, mode)
    const file = await aboutFile(path, this.#staging.create(key))
    try {
      await fill(file)
      signal?.throwIfAborted()
      const stats = await aboutFile(path, file.finish(this.#folders.durable))
      await aboutFile(path, file.close())
      signal?.throwIfAborted()
      await this.#place(file.path, key, mode, signal).catch(error => {
        throw fileError(error, path, signal)
      })
      return metaOf(key, path, stats)
    } finally {
      await this.#staging.drop(file)
    }
  }

  /** Moves a finished file to its key. */
  async #place(source: string, key: string, mode: PutMode, signal: AbortSignal | undefined): Promise<void> {
    const path = this.#pathOf(key)
    const { calls } = this.#folders
    const within = (act: (target: string) => Promise<void>) => this.#folders.within(path, act, { source })
    const move = () => within(target => rename(source, target))
    try {
      if (mode === 'overwrite') await move()
      else if (mode === 'create') await within(target => link(source, target))
      else {
        await withLock(this.#staging, key, signal, async () => {
          await this.#check(path, mode)
          await move()
        })
      }
    } catch (error) {
      throw (await isFolder(calls, errno(error), path)) ? notBoth(path, error) : error
    }
    await this.#folders.sync(dirname(path))
  }

  /** Throws unless the object at `path` is as a conditional put wants it. */
  async #check(path: string, mode: Exclude<PutMode, 'overwrite'>): Promise<void> {
    const stats = await this.#stat(path).catch(error => {
      if (error instanceof SluiceError && error.code === 'not-found') return undefined
      throw error
    })
    if (mode !== 'create') {
      if (stats === undefined || etagOf(stats) !== mode.ifMatch) throw changed(path)
    } else if (stats?.isFile()) {
      throw new SluiceError('already-exists', 'the object exists already', { file: path })
    }
  }
}

showStores(LocalStore.prototype)

function noUpload(path: string): SluiceError {
  return new SluiceError('not-found', 'there is no such staged upload', {
    file: path,
    hint: 'It was aborted, or completed and the object has since been replaced or deleted.',
  })
}
