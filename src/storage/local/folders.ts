import { constants } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { basename, dirname, join, relative, sep } from 'node:path'
import { SluiceError } from '../../core/errors.ts'
import { LocalCalls } from './calls.ts'
import { errno, notBoth } from './errors.ts'
import { LocalFile } from './file.ts'

/** How many times a folder may vanish under a writer, which others delete from, before that is an error. */
const RETRIES = 256

/**
 * The folders of a local store. To the store's users folders do not exist: they are made when something is
 * written, removed when nothing is left in them, and never lead out of the root.
 */
export class LocalFolders {
  /** Absolute path of the store's root, as the user gave it. */
  readonly path: string
  /** Whether changes of folders are written through to the disk. */
  readonly durable: boolean
  readonly calls: LocalCalls = new LocalCalls()
  #root: string | undefined
  #made = new Map<string, Promise<string>>()
  #syncs = new Map<string, { started: boolean; done: Promise<void> }>()

  constructor(path: string, durable: boolean) {
    this.path = path
    this.durable = durable
  }

  /** The real path of a file or folder that exists: `permission` if a symbolic link leads out of the root. */
  async resolve(path: string): Promise<string> {
    const real = await this.calls.realpath(path)
    this.#root ??= await this.calls.realpath(this.path)
    if (isWithin(real, this.#root)) return real
    throw new SluiceError('permission', `a symbolic link leads out of the store, to ${real}`, { file: path })
  }

  /** Makes a folder and what it lies in, once, and gives its real path; `sync` brings that to the disk. */
  make(folder: string, sync = true): Promise<string> {
    const known = this.#made.get(folder)
    if (known !== undefined) return known
    const made = this.#make(folder, sync).catch(error => {
      this.#made.delete(folder)
      throw error
    })
    this.#made.set(folder, made)
    return made
  }

  /**
   * Runs `write` with the real path of a file to be written at `path`, having made its folder; again if a
   * deletion removed the folder in between. `source` is what gets moved there: without it trying is pointless.
   */
  async within<T>(
    path: string,
    write: (path: string) => Promise<T>,
    { source, sync = true }: { source?: string; sync?: boolean } = {},
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        const folder = await this.make(dirname(path), sync)
        return await write(join(folder, basename(path)))
      } catch (error) {
        if (errno(error) !== 'ENOENT') throw error
        if (source !== undefined && !(await this.#exists(source))) throw error
        if (attempt === RETRIES) {
          throw new SluiceError('io', 'its folder cannot be made, or vanishes again and again', {
            file: path,
            cause: error,
          })
        }
        this.#made.delete(dirname(path))
      }
    }
  }

  /** Removes a folder and those above it that are empty, up to the root, which stays. Gives what is left. */
  async prune(folder: string): Promise<string> {
    let remaining = folder
    while (remaining !== this.path && isWithin(remaining, this.path)) {
      this.#made.delete(remaining)
      try {
        await this.calls.rmdir(remaining)
      } catch (error) {
        // Not empty, a link, or not ours to remove: it stays. Removed by someone else: go on above it.
        if (errno(error) !== 'ENOENT') break
      }
      remaining = dirname(remaining)
    }
    return remaining
  }

  /**
   * Writes a folder's entries through to the disk if the store is durable. Calls that arrive while a sync of
   * the same folder runs share the next one.
   */
  sync(folder: string): Promise<void> {
    if (!this.durable) return Promise.resolve()
    const last = this.#syncs.get(folder)
    if (last !== undefined && !last.started) return last.done
    const entry = { started: false, done: Promise.resolve() }
    const turn = last?.done.catch(() => undefined) ?? Promise.resolve()
    entry.done = turn
      .then(() => {
        entry.started = true
        return this.#syncNow(folder)
      })
      .finally(() => {
        if (this.#syncs.get(folder) === entry) this.#syncs.delete(folder)
      })
    this.#syncs.set(folder, entry)
    return entry.done
  }

  /** Syncs a folder and all above it up to the root, for folders that may have been made just now. */
  async syncUp(folder: string): Promise<void> {
    const folders = [this.path]
    for (let path = folder; path !== this.path; path = dirname(path)) folders.push(path)
    await Promise.all(folders.map(path => this.sync(path)))
  }

  async #make(folder: string, sync: boolean): Promise<string> {
    await this.#checkNearest(folder)
    const first = await this.#mkdir(folder)
    const real = await this.resolve(folder)
    if (first !== undefined && sync) {
      // The folder that the first new one was made in, down to the one that the last was made in.
      let parent = dirname(first)
      const syncs = [this.sync(parent)]
      for (const name of relative(parent, dirname(folder)).split(sep)) {
        if (name !== '') syncs.push(this.sync((parent = join(parent, name))))
      }
      await Promise.all(syncs)
    }
    return real
  }

  /**
   * Makes a folder and those above it; gives the first one that was made. One that another process removes just
   * after it was found to be there, Node takes for a file: then it is tried again.
   */
  async #mkdir(folder: string): Promise<string | undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await mkdir(folder, { recursive: true })
      } catch (error) {
        if (errno(error) !== 'EEXIST' && errno(error) !== 'ENOTDIR') throw error
        if (attempt === RETRIES || (await this.#leadsThroughFile(folder))) throw notBoth(folder, error)
      }
    }
  }

  /** Whether what is there of a folder, or else the nearest one above it, is none. */
  async #leadsThroughFile(folder: string): Promise<boolean> {
    for (let path = folder; path !== dirname(path); path = dirname(path)) {
      try {
        return !(await this.calls.stat(path)).isDirectory()
      } catch (error) {
        if (errno(error) !== 'ENOENT' && errno(error) !== 'ENOTDIR') throw error
      }
    }
    return false
  }

  /** Nothing is made through a link that leads out of the root: checks the nearest folder that exists. */
  async #checkNearest(folder: string): Promise<void> {
    for (let path = folder; isWithin(path, this.path); path = dirname(path)) {
      try {
        await this.resolve(path)
        return
      } catch (error) {
        if (errno(error) === 'ENOTDIR') continue
        if (errno(error) !== 'ENOENT') throw error
      }
    }
  }

  async #exists(path: string): Promise<boolean> {
    try {
      await this.calls.lstat(path)
      return true
    } catch (error) {
      if (errno(error) === 'ENOENT') return false
      throw error
    }
  }

  async #syncNow(folder: string): Promise<void> {
    // Windows cannot open a folder, and keeps its entries safe by itself.
    if (process.platform === 'win32') return
    let file: LocalFile
    try {
      file = await LocalFile.open(this.calls, folder, constants.O_RDONLY)
    } catch (error) {
      // Removed since: nothing in it to keep.
      if (errno(error) === 'ENOENT') return
      throw error
    }
    try {
      await file.sync()
    } finally {
      await file.close()
    }
  }
}

/** Whether `path` is `folder` or lies in it. Both absolute and normalised. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
}
