import { existsSync, realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { SluiceError } from '../core/errors.ts'
import { isSluiceError, loadConfig, openStore, type Registry, type Store } from '../index.ts'

/** What SRC names: a folder, or some files in it. */
export interface Place {
  store: Store
  /** A glob of keys; undefined for the whole folder. */
  files?: string
}

/** An object, there or not. */
export interface Item {
  store: Store
  key: string
}

/** How `--help` says what a location is. */
export const LOCATIONS =
  "A location is a path, a URL, or 'NAME:path' in a store of sluice.config.ts (see 'sluice stores')."

/** Finds what a path, a URL or `NAME:path` of a file, a folder or a glob stands for. */
export async function locate(text: string): Promise<Place> {
  return placeOf(await pathOf(text))
}

/**
 * The two places of a copy. Of one bucket or container both are opened as folders of one store, which then copies by
 * itself.
 */
export async function locatePair(source: string, destination: string): Promise<{ from: Place; to: Store }> {
  const [from, to] = await Promise.all([pathOf(source), pathOf(destination)])
  const { root } = from
  const isRemote = typeof root === 'string' && from.encoded && !/^(file|memory):/i.test(root)
  if (!isRemote || to.root !== root) return { from: await placeOf(from), to: await openFolder(to) }
  const most = Math.min(from.names.length, to.names.length) - 1
  let shared = 0
  while (shared < most && from.names[shared] === to.names[shared] && !WILD.test(from.names[shared]!)) shared++
  const store = await openAt(from, shared)
  const below = (path: Path): Path => ({ ...path, root: store, names: path.names.slice(shared) })
  return { from: await placeOf(below(from)), to: await openFolder(below(to)) }
}

async function placeOf(path: Path): Promise<Place> {
  const { names } = path
  const wild = names.findIndex((name, i) => WILD.test(name) && !isThere(path, i + 1))
  if (wild >= 0) {
    return { store: await openFolder({ ...path, names: names.slice(0, wild) }), files: keyOf(path, wild) }
  }
  if (names.length > 0) {
    const { store, key } = await openFile(path)
    if (await isObject(store, key)) return { store, files: key.replace(/[\\*?[{]/g, String.raw`\$&`) }
  }
  return { store: await openFolder(path) }
}

/**
 * The folder of a location, opened as a child of the one above it, or of the named store: so that a dataset's state
 * lies beside the dataset and not in it.
 */
export async function locateFolder(text: string): Promise<Store> {
  return openFolder(await pathOf(text))
}

/** The file of a location. */
export async function locateFile(text: string): Promise<Item> {
  const path = await pathOf(text)
  if (path.names.length > 0 && !text.endsWith('/')) return openFile(path)
  throw new SluiceError('invalid-argument', `'${text}' is no name of a file`)
}

/** The stores that are configured here. */
export function namedStores(): Promise<Registry> {
  registry ??= loadConfig()
  return registry
}

let registry: Promise<Registry> | undefined

const WILD = /[*?[{]/

interface Path {
  /** What `openStore` opens (`/`, `s3://bucket/`, `memory:name/`), or a named store. */
  root: string | Store
  /** The folders below it and the last name, as they are written. */
  names: string[]
  /** Whether the names are percent-encoded. */
  encoded: boolean
}

/** Another word before a colon is the name of a store. `C:` is a drive. */
const URLS = /^(?:file:|memory:|[a-z][a-z0-9+.-]+:\/\/)/i

async function pathOf(text: string): Promise<Path> {
  const [, name, rest = ''] = /^([a-z][a-z0-9+._-]+):(.*)$/is.exec(text) ?? []
  if (name !== undefined && !URLS.test(text)) {
    return { root: await (await namedStores()).store(name), names: namesIn(rest), encoded: false }
  }
  const full = name === undefined ? realPath(resolve(text)) : text
  const root = /^(memory:[^/]*\/?|[a-z][a-z0-9+.-]+:\/\/[^/]*\/?|\/)/i.exec(full)?.[0] ?? full
  return { root, names: namesIn(full.slice(root.length)), encoded: name !== undefined }
}

function namesIn(path: string): string[] {
  return path.split('/').filter(name => name !== '')
}

async function openFolder(path: Path): Promise<Store> {
  if (path.names.length === 0) return openAt(path, 0)
  const { store, key } = await openFile(path)
  return store.child(key)
}

async function openFile(path: Path): Promise<Item> {
  const above = typeof path.root === 'string' ? path.names.length - 1 : 0
  return { store: await openAt(path, above), key: keyOf(path, above) }
}

/** The store of the root and so many names. */
async function openAt({ root, names }: Path, count: number): Promise<Store> {
  return typeof root === 'string' ? openStore(root + names.slice(0, count).join('/')) : root
}

/** The names from one on as a key. */
function keyOf({ names, encoded }: Path, from: number): string {
  const key = names.slice(from).join('/')
  return encoded ? decodeURIComponent(key) : key
}

/** Follows links as far as the path exists: a store does not leave its root through one. */
function realPath(path: string): string {
  if (existsSync(path) || dirname(path) === path) return realpathSync(path)
  return join(realPath(dirname(path)), basename(path))
}

/** Whether a name with wildcards in it is that of a file or folder after all. */
function isThere({ root, names, encoded }: Path, count: number): boolean {
  return typeof root === 'string' && !encoded && existsSync(root + names.slice(0, count).join('/'))
}

async function isObject(store: Store, key: string): Promise<boolean> {
  try {
    await store.head(key)
    return true
  } catch (error) {
    if (isSluiceError(error) && error.code === 'not-found') return false
    throw error
  }
}
