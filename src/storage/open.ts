import { fileURLToPath } from 'node:url'
import { SluiceError } from '../core/errors.ts'
import { LocalStore, type LocalStoreOptions } from './local.ts'
import { MemoryStore } from './memory.ts'
import type { Store } from './store.ts'

export interface OpenStoreOptions extends LocalStoreOptions {}

/** Schemes whose drivers are not part of this release. */
const LATER = new Set(['s3:', 'gs:', 'az:', 'http:', 'https:'])

const memories = new Map<string, MemoryStore>()

/**
 * Opens a place for objects: a folder, by its path or `file:` URL, or `memory:`. A folder need not exist yet; it
 * is made by the first write. `memory:` is a new, empty store each time, `memory:name` the same one within the
 * thread, and `memory:name/folder` a folder of that.
 *
 * @example
 * ```ts
 * const lake = await openStore('./lake')
 * await lake.put('bronze/hello.txt', new TextEncoder().encode('hello'))
 * ```
 */
export async function openStore(url: string | URL, options: OpenStoreOptions = {}): Promise<Store> {
  const text = String(url)
  // Two letters at least: `C:` is a drive.
  const scheme = /^[a-z][a-z0-9+.-]+:/i.exec(text)?.[0].toLowerCase()
  if (scheme === undefined) return openFolder(text, options)
  if (scheme === 'file:') return openFolder(pathOf(text), options)
  if (scheme === 'memory:') return openMemory(text.slice(scheme.length))
  const known = "'file:', 'memory:' and plain paths"
  if (LATER.has(scheme)) {
    throw new SluiceError('unsupported', `'${scheme}' stores come with a later release`, {
      option: 'url',
      hint: `This one opens ${known}.`,
    })
  }
  throw new SluiceError('invalid-argument', `nothing is known of '${scheme}' stores`, {
    option: 'url',
    hint: `This release opens ${known}; a folder of that name is './${text}'.`,
  })
}

async function openFolder(path: string, options: OpenStoreOptions): Promise<Store> {
  if (path === '' || path.includes('\0')) {
    throw new SluiceError('invalid-argument', `${JSON.stringify(path)} is no path`, { option: 'url' })
  }
  const store = new LocalStore(path, options)
  if (await store.isBlocked()) {
    throw new SluiceError('invalid-argument', 'is a file, not a folder', {
      option: 'url',
      file: path,
      hint: 'Open the folder that it lies in.',
    })
  }
  return store
}

function pathOf(text: string): string {
  try {
    const url = new URL(text)
    // `file:data` would silently be `/data`, and what follows `?` or `#` be dropped.
    if (/^file:\//i.test(text) && url.search === '' && url.hash === '') return fileURLToPath(url)
  } catch (error) {
    throw unreadable(text, error)
  }
  throw unreadable(text)
}

function unreadable(text: string, cause?: unknown): SluiceError {
  return new SluiceError('invalid-argument', `${JSON.stringify(text)} is no URL of a local folder`, {
    option: 'url',
    hint: "Write 'file:///absolute/path' with '?', '#' and '%' percent-encoded, or the plain path.",
    cause,
  })
}

function openMemory(rest: string): Store {
  if (rest === '') return new MemoryStore()
  const [name = '', ...folders] = decode(rest).split('/')
  if (name === '') throw unreadableName(rest)
  let store = memories.get(name)
  if (store === undefined) memories.set(name, (store = new MemoryStore(name)))
  return store.child(folders.join('/'))
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    throw unreadableName(text, error)
  }
}

function unreadableName(rest: string, cause?: unknown): SluiceError {
  return new SluiceError('invalid-argument', `'memory:${rest}' is no name of a store in memory`, {
    option: 'url',
    hint: "Write 'memory:' or 'memory:name/folder', percent-encoded.",
    cause,
  })
}
