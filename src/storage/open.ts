import { fileURLToPath } from 'node:url'
import { SluiceError } from '../core/errors.ts'
import { nearestName } from '../core/expressions/nearest.ts'
import { LOCAL_OPTIONS, LocalStore, type LocalStoreOptions } from './local/store.ts'
import { MemoryStore } from './memory.ts'
import { S3_OPTIONS, type S3StoreOptions } from './s3/options.ts'
import type { Store } from './store.ts'
import { type StoreRetryOptions, withRetry } from './wrappers/retry.ts'

/** What every store can be opened with. */
export interface CommonStoreOptions {
  /** How requests to a remote store are tried again; false for not at all. @default {} */
  retry?: StoreRetryOptions | false | undefined
}

/** Options by the kind of store that they are for. */
interface DriverOptions {
  file: LocalStoreOptions
  s3: S3StoreOptions
}

/** The options of the store that a URL names: of any store, where the URL is not known when types are checked. */
export type OpenStoreOptions<Url extends string | URL = string> = CommonStoreOptions &
  (Url extends `s3://${string}` ? S3StoreOptions : DriverOptions[keyof DriverOptions])

/** Schemes whose drivers are not part of this release. */
const LATER = new Set(['gs:', 'az:', 'abfss:', 'http:', 'https:'])

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
export async function openStore<const Url extends string | URL>(
  url: Url,
  options: OpenStoreOptions<Url> = {},
): Promise<Store> {
  const text = String(url)
  // Two letters at least: `C:` is a drive.
  const scheme = /^[a-z][a-z0-9+.-]+:/i.exec(text)?.[0].toLowerCase()
  const { retry, ...own } = options
  if (scheme === undefined) return openFolder(text, optionsOf(own, LOCAL_OPTIONS, 'folders'))
  if (scheme === 'file:') return openFolder(pathOf(text), optionsOf(own, LOCAL_OPTIONS, 'folders'))
  if (scheme === 'memory:') return openMemory(text.slice(scheme.length))
  if (scheme === 's3:') {
    const { openS3 } = await import('./s3/open.ts')
    return repeated(await openS3(text, optionsOf(own, S3_OPTIONS, "'s3:' stores")), retry)
  }
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

async function openFolder(path: string, options: LocalStoreOptions): Promise<Store> {
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

/** Takes options for those of one kind of store once their names are known to be. */
function optionsOf<Options extends object>(
  options: object,
  names: Record<keyof Options, true>,
  kind: string,
): Options {
  for (const [name, value] of Object.entries(options)) {
    if (Object.hasOwn(names, name) || value === undefined) continue
    const nearest = nearestName(name, Object.keys(names))
    throw new SluiceError('invalid-argument', `is no option of ${kind}`, {
      option: name,
      hint:
        nearest === undefined
          ? `Theirs are: ${Object.keys(names).join(', ')}.`
          : `Did you mean '${nearest}'?`,
    })
  }
  return options as Options
}

/** Requests to a remote store are tried again. */
function repeated(store: Store, retry: CommonStoreOptions['retry']): Store {
  return retry === false ? store : withRetry(store, retry)
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
