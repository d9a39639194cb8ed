import { existsSync, realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { SluiceError } from '../core/errors.ts'
import { isSluiceError, openStore, type Store } from '../index.ts'

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

/** Finds what a path or URL of a file, a folder or a glob stands for. */
export async function locate(text: string): Promise<Place> {
  const path = pathOf(text)
  const { names } = path
  const wild = names.findIndex((name, i) => /[*?[{]/.test(name) && !isThere(path, i + 1))
  if (wild >= 0)
    return { store: await openFolder({ ...path, names: names.slice(0, wild) }), files: keyOf(path, wild) }
  if (names.length > 0) {
    const { store, key } = await openFile(path)
    if (await isObject(store, key)) return { store, files: key.replace(/[\\*?[{]/g, String.raw`\$&`) }
  }
  return { store: await openFolder(path) }
}

/**
 * The folder of a path or URL, opened as a child of the one above it: so that a dataset's state lies beside the
 * dataset and not in it.
 */
export function locateFolder(text: string): Promise<Store> {
  return openFolder(pathOf(text))
}

/** The file of a path or URL. */
export async function locateFile(text: string): Promise<Item> {
  const path = pathOf(text)
  if (path.names.length > 0 && !text.endsWith('/')) return openFile(path)
  throw new SluiceError('invalid-argument', `'${text}' is no name of a file`)
}

interface Path {
  /** What `openStore` opens: `/`, `s3://bucket/`, `memory:name/`. */
  root: string
  /** The folders below it and the last name, as they are written. */
  names: string[]
  isUrl: boolean
}

function pathOf(text: string): Path {
  const isUrl = /^[a-z][a-z0-9+.-]+:/i.test(text)
  const full = isUrl ? text : realPath(resolve(text))
  const root = /^(memory:[^/]*\/?|[a-z][a-z0-9+.-]+:\/\/[^/]*\/?|\/)/i.exec(full)?.[0] ?? full
  return {
    root,
    names: full
      .slice(root.length)
      .split('/')
      .filter(name => name !== ''),
    isUrl,
  }
}

async function openFolder(path: Path): Promise<Store> {
  if (path.names.length === 0) return openStore(path.root)
  const { store, key } = await openFile(path)
  return store.child(key)
}

async function openFile(path: Path): Promise<Item> {
  const last = path.names.length - 1
  const store = await openStore(path.root + path.names.slice(0, last).join('/'))
  return { store, key: keyOf(path, last) }
}

/** The names from one on as a key; those of a URL are percent-encoded. */
function keyOf({ names, isUrl }: Path, from: number): string {
  const key = names.slice(from).join('/')
  return isUrl ? decodeURIComponent(key) : key
}

/** Follows links as far as the path exists: a store does not leave its root through one. */
function realPath(path: string): string {
  if (existsSync(path) || dirname(path) === path) return realpathSync(path)
  return join(realPath(dirname(path)), basename(path))
}

/** Whether a name with wildcards in it is that of a file or folder after all. */
function isThere({ root, names, isUrl }: Path, count: number): boolean {
  return !isUrl && existsSync(root + names.slice(0, count).join('/'))
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
