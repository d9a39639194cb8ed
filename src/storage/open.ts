import { fileURLToPath } from 'node:url'
import { SluiceError } from '../core/errors.ts'
import { folderPrefix } from './keys.ts'
import { LocalStore, type LocalStoreOptions } from './local/store.ts'
import { MemoryStore } from './memory.ts'
import { openBucket } from './s3/bucket.ts'
import { parseS3Url, type S3StoreOptions } from './s3/options.ts'
import { S3Store } from './s3/store.ts'
import type { Store } from './store.ts'
import { type StoreRetryOptions, withRetry } from './wrappers/retry.ts'

export interface OpenStoreOptions extends LocalStoreOptions, S3StoreOptions {
  /** How requests to a remote store are tried again; false for not at all. @default {} */
  retry?: StoreRetryOptions | false | undefined
}

/** Schemes whose drivers are not part of this release. */
const LATER = new Set(['gs:', 'az:', 'http:', 'https:'])

const memories = new Map<string, MemoryStore>()

/**
 * Opens a place for objects: a folder, by its path or `file:` URL, a bucket or a folder of one, by its `s3:` URL, or
 * `memory:`. A folder need not exist yet; it is made by the first write. `memory:` is a new, empty store each time,
 * `memory:name` the same one within the thread, and `memory:name/folder` a folder of that. URLs are
 * percent-encoded.
 *
 * For S3 and what speaks its protocol install `@aws-sdk/client-s3`. Nothing else is needed where the SDK's own
 * settings are (`AWS_REGION`, `AWS_PROFILE`, `AWS_ENDPOINT_URL` and friends). Failed requests are tried again.
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
  if (scheme === 's3:') return openS3(text, options)
  const known = "'file:', 'memory:', 's3:' and plain paths"
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

async function openS3(text: string, options: OpenStoreOptions): Promise<Store> {
  const { bucket, folder } = parseS3Url(text)
  const store = new S3Store(
    await openBucket(bucket, folderPrefix(folder), options),
    options.conditionalPut ?? true,
  )
  return options.retry === false ? store : withRetry(store, options.retry)
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
