import { randomUUID } from 'node:crypto'
import { type BigIntStats, constants } from 'node:fs'
import { truncate, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { STAGING } from '../keys.ts'
import { errno } from './errors.ts'
import { LocalFile } from './file.ts'
import type { LocalFolders } from './folders.ts'

/** Longest name, in bytes, that is given to one file or folder below the staging folder. */
const MAX_NAME = 200

/** Begins the names of all but the first piece, so that none is `.` or `..`. */
const MORE = '~'

/** An unfinished file as its name tells. */
export interface StagedName {
  id: string
  key: string
}

/**
 * Files that nobody sees yet. Their names carry the key that they are for (so that a listing of them needs no
 * other record) and an id of their own. The folder is removed whenever nothing is left in it.
 */
export class LocalStaging {
  readonly path: string
  readonly #folders: LocalFolders
  /** Files that this process is writing: while there are any, the folder stays. */
  #open = 0

  constructor(folders: LocalFolders) {
    this.path = join(folders.path, STAGING)
    this.#folders = folders
  }

  pathOf({ id, key }: StagedName): string {
    return join(this.path, ...pieces(`${id}.${key.replaceAll('%', '%25').replaceAll('/', '%2F')}`))
  }

  /** Opens a new file for `key`, to be ended by {@link StagedFile.close} and {@link LocalStaging.drop}. */
  async create(key: string): Promise<StagedFile> {
    const name = { id: randomUUID(), key }
    this.#open++
    try {
      const path = this.pathOf(name)
      return new StagedFile(name, path, await this.#create(path))
    } catch (error) {
      this.#open--
      throw error
    }
  }

  /** Opens an unfinished file to go on behind its first `size` bytes; undefined if it is gone or has fewer. */
  async reopen(name: StagedName, size: number): Promise<StagedFile | undefined> {
    const path = this.pathOf(name)
    const { calls } = this.#folders
    const real = await this.#folders.resolve(path).catch(ifThere)
    const stats = real === undefined ? undefined : await calls.lstat(real).catch(ifThere)
    if (real === undefined || !stats?.isFile() || Number(stats.size) < size) return undefined
    this.#open++
    try {
      await truncate(real, size)
      return new StagedFile(name, path, await LocalFile.open(calls, real, constants.O_WRONLY), size)
    } catch (error) {
      this.#open--
      return ifThere(error)
    }
  }

  /** Makes an empty file of a name that others may want, too; `EEXIST` if one of them has it. */
  async createEmpty(name: StagedName): Promise<void> {
    await (await this.#create(this.pathOf(name))).close()
  }

  /** Ends what {@link LocalStaging.create} began: closes the file and, unless it is kept, removes it. */
  async drop(file: StagedFile, keep = false): Promise<void> {
    if (file.dropped) return
    file.dropped = true
    this.#open--
    await file.close()
    if (!keep) await this.remove(file.path)
  }

  /** Removes an unfinished file, if it is there, and the folder with the last one. */
  async remove(path: string): Promise<void> {
    await unlink(path).catch(ifThere)
    await this.prune(path)
  }

  /** Removes the staging folder if the file that has just left it was the last. */
  async prune(path: string): Promise<void> {
    if (this.#open === 0 || dirname(path) !== this.path) await this.#folders.prune(dirname(path))
  }

  #create(path: string): Promise<LocalFile> {
    const { calls } = this.#folders
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL
    return this.#folders.within(path, real => LocalFile.open(calls, real, flags), { sync: false })
  }

  /** Unfinished files, in no particular order. */
  async *list(): AsyncGenerator<StagedName & { stats: BigIntStats }, void, undefined> {
    const todo = [{ path: this.path, name: '' }]
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
      const entries = await this.#folders.calls.readdir(next.path).catch(ifThere)
      for (const entry of entries ?? []) {
        const path = join(next.path, entry.name)
        const name = next.name + (next.name === '' ? entry.name : entry.name.slice(MORE.length))
        if (entry.isDirectory()) todo.push({ path, name })
        const staged = entry.isFile() ? parse(name) : undefined
        const stats = staged && (await this.#folders.calls.lstat(path).catch(ifThere))
        if (stats !== undefined) yield { ...staged!, stats }
      }
    }
  }
}

/** A file that is being written, from its beginning to its end. */
export class StagedFile {
  readonly name: StagedName
  readonly path: string
  dropped = false
  size: number
  readonly #file: LocalFile

  constructor(name: StagedName, path: string, file: LocalFile, size = 0) {
    this.name = name
    this.path = path
    this.size = size
    this.#file = file
  }

  /** Appends. After a failure the same bytes go to the same place again. */
  async write(bytes: Uint8Array): Promise<void> {
    let done = 0
    while (done < bytes.length) {
      done += await this.#file.write(bytes.subarray(done), this.size + done)
    }
    this.size += done
  }

  /** Brings what is written so far to the disk. */
  sync(): Promise<void> {
    return this.#file.sync()
  }

  /** Brings the bytes to the disk if they are to be durable, and tells what the file is from now on. Idempotent. */
  async finish(durable: boolean): Promise<BigIntStats> {
    // The kernel's own clock ticks every few milliseconds, and numbers of inodes are used again: without a
    // finer time two versions of an object that follow one another quickly could have the same tag.
    const now = (Date.now() + (performance.now() % 1)) / 1000
    this.#file.touch(now)
    if (durable) await this.#file.sync()
    return await this.#file.stat()
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}

/** A name as folders and a file, none of them longer than a file system takes. */
function pieces(name: string): string[] {
  const pieces: string[] = []
  let piece = ''
  let bytes = 0
  for (const character of name) {
    const length = Buffer.byteLength(character)
    if (bytes + length > MAX_NAME) {
      pieces.push(piece)
      piece = MORE
      bytes = MORE.length
    }
    piece += character
    bytes += length
  }
  return [...pieces, piece]
}

function parse(name: string): StagedName | undefined {
  const dot = name.indexOf('.')
  if (dot < 1) return undefined
  return {
    id: name.slice(0, dot),
    key: name
      .slice(dot + 1)
      .replaceAll('%2F', '/')
      .replaceAll('%25', '%'),
  }
}

function ifThere(error: unknown): undefined {
  if (errno(error) === 'ENOENT' || errno(error) === 'ENOTDIR') return undefined
  throw error
}
