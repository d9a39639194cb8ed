import type { BigIntStats, Dirent } from 'node:fs'
import { join } from 'node:path'
import { SluiceError } from '../../core/errors.ts'
import { compareKeys, folderMatches, keyMatches, STAGING } from '../keys.ts'
import type { ListLevel, ListOptions, ObjectMeta } from '../store.ts'
import { errno, fileError } from './errors.ts'
import { etagOf } from './files.ts'
import type { LocalFolders } from './folders.ts'

/** How many files are asked for their size at once. */
const STATS = 32

type Kind = 'file' | 'folder'

/** A file or folder of a listing; `key` of a folder ends in `/`. */
interface Entry {
  key: string
  path: string
  /** Real paths of the folders on the way, so that a link to one of them is not followed round and round. */
  trail: string[]
  folder: boolean
}

/** All objects in order of their keys, reading one folder at a time. */
export async function* listFolder(
  folders: LocalFolders,
  options: ListOptions,
): AsyncGenerator<ObjectMeta, void, undefined> {
  const base = baseOf(folders, options.prefix ?? '')
  if (base !== undefined) yield* walk(folders, base, options)
}

/** One level: a folder is a prefix if there is an object somewhere below it. */
export async function listFolderLevel(folders: LocalFolders, options: ListOptions): Promise<ListLevel> {
  const level: ListLevel = { objects: [], prefixes: [] }
  const base = baseOf(folders, options.prefix ?? '')
  if (base === undefined) return level
  const entries = (await readLevel(folders, base, options)).reverse()
  for (let i = 0; i < entries.length; i += STATS) {
    options.signal?.throwIfAborted()
    const found = await Promise.all(
      entries.slice(i, i + STATS).map(async entry => {
        if (!entry.folder) return describe(folders, entry)
        for await (const _ of walk(folders, entry, options)) return entry.key
        return undefined
      }),
    )
    for (const item of found) {
      if (typeof item === 'string') level.prefixes.push(item)
      else if (item !== undefined) level.objects.push(item)
    }
  }
  return level
}

async function* walk(
  folders: LocalFolders,
  base: Entry,
  options: ListOptions,
): AsyncGenerator<ObjectMeta, void, undefined> {
  // Each level with its next entry at its end.
  const levels = [await readLevel(folders, base, options)]
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    options.signal?.throwIfAborted()
    const files: Entry[] = []
    while (files.length < STATS && level.at(-1)?.folder === false) files.push(level.pop()!)
    if (files.length > 0) {
      for (const meta of await Promise.all(files.map(file => describe(folders, file)))) {
        options.signal?.throwIfAborted()
        if (meta !== undefined) yield meta
      }
      continue
    }
    const folder = level.pop()
    if (folder === undefined) levels.pop()
    else levels.push(await readLevel(folders, folder, options))
  }
}

/** The entries of a folder that can hold or be what is asked for, in descending order of their keys. */
async function readLevel(folders: LocalFolders, folder: Entry, options: ListOptions): Promise<Entry[]> {
  const { prefix = '', startAfter } = options
  let found: Dirent[]
  let trail: string[]
  try {
    const real = await folders.resolve(folder.path)
    trail = [...folder.trail, real]
    found = await folders.calls.readdir(real)
  } catch (error) {
    if (errno(error) === 'ENOENT' || errno(error) === 'ENOTDIR') return []
    throw fileError(error, folder.path)
  }
  const entries: Entry[] = []
  for (const entry of found) {
    const path = join(folder.path, entry.name)
    const kind = entry.isSymbolicLink() ? await followLink(folders, path, trail) : kindOf(entry)
    if (kind === undefined) continue
    const isFolder = kind === 'folder'
    const key = folder.key + entry.name + (isFolder ? '/' : '')
    const matches = isFolder ? folderMatches : keyMatches
    if (key !== `${STAGING}/` && matches(key, prefix, startAfter)) {
      entries.push({ key, path, trail, folder: isFolder })
    }
  }
  return entries.sort((a, b) => compareKeys(b.key, a.key))
}

/** What a symbolic link stands for; nothing if it leads out of the store, nowhere, or back to where we are. */
async function followLink(
  folders: LocalFolders,
  path: string,
  trail: readonly string[],
): Promise<Kind | undefined> {
  try {
    const real = await folders.resolve(path)
    return trail.includes(real) ? undefined : kindOf(await folders.calls.stat(real))
  } catch (error) {
    if (error instanceof SluiceError || errno(error) !== undefined) return undefined
    throw error
  }
}

function kindOf(entry: Dirent | BigIntStats): Kind | undefined {
  return entry.isFile() ? 'file' : entry.isDirectory() ? 'folder' : undefined
}

async function describe({ calls }: LocalFolders, { key, path }: Entry): Promise<ObjectMeta | undefined> {
  try {
    let stats = await calls.lstat(path)
    if (stats.isSymbolicLink()) stats = await calls.stat(path)
    return { key, size: Number(stats.size), etag: etagOf(stats), lastModified: stats.mtime }
  } catch (error) {
    // Deleted since its folder was read.
    if (errno(error) === 'ENOENT' || errno(error) === 'ENOTDIR') return undefined
    throw fileError(error, path)
  }
}

/** The deepest folder that a prefix names; nothing if no key can begin with it. */
function baseOf(folders: LocalFolders, prefix: string): Entry | undefined {
  const key = prefix.slice(0, prefix.lastIndexOf('/') + 1)
  const names = key.split('/').slice(0, -1)
  if (names.some(name => name === '' || name === '.' || name === '..' || name.includes('\0')))
    return undefined
  if (key.startsWith(`${STAGING}/`)) return undefined
  return { key, path: join(folders.path, ...names), trail: [], folder: true }
}
