import { fileURLToPath } from 'node:url'
import { assertCount } from '../core/count.ts'
import { SluiceError } from '../core/errors.ts'
import { AZURE_OPTIONS, type AzureStoreOptions } from './azure/options.ts'
import { isAzureUrl } from './azure/url.ts'
import { GCS_OPTIONS, type GcsStoreOptions } from './gcs/options.ts'
import { HTTP_OPTIONS, type HttpStoreOptions } from './http/options.ts'
import { LOCAL_OPTIONS, LocalStore, type LocalStoreOptions } from './local/store.ts'
import { MemoryStore } from './memory.ts'
import { maskedUrl, type OptionKind, type OptionKinds, optionsOf } from './options.ts'
import { S3_OPTIONS, type S3StoreOptions } from './s3/options.ts'
import type { Store } from './store.ts'
import { withLimit } from './wrappers/limit.ts'
import { withDiagnostics } from './wrappers/observe.ts'
import { type StoreRetryOptions, withRetry } from './wrappers/retry.ts'

/** What every store can be opened with. */
export interface CommonStoreOptions {
  /** How requests to a remote store are tried again; false for not at all. @default {} */
  retry?: StoreRetryOptions | false | undefined
  /** Requests to a remote store that may be under way at once; the others wait in order. @default 64 */
  concurrency?: number | undefined
}

const CONCURRENCY = 64

/** Options by the kind of store that they are for. */
interface DriverOptions {
  file: LocalStoreOptions
  s3: S3StoreOptions
  az: AzureStoreOptions
  gs: GcsStoreOptions
  http: HttpStoreOptions
}

/** The options of the store that a URL names: of any store, where the URL is not known when types are checked. */
export type OpenStoreOptions<Url extends string | URL = string> = CommonStoreOptions &
  ([Url] extends [`s3://${string}`]
    ? S3StoreOptions
    : [Url] extends [AzureUrl]
      ? AzureStoreOptions
      : [Url] extends [`gs://${string}`]
        ? GcsStoreOptions
        : [Url] extends [`http://${string}`]
          ? HttpStoreOptions
          : DriverOptions[keyof DriverOptions])

type AzureUrl = `${'az' | 'abfss'}://${string}` | `https://${string}.blob.core.${string}`

/** The kinds of {@link CommonStoreOptions}. */
const COMMON_OPTIONS: OptionKinds<CommonStoreOptions> = {
  retry: {
    itself: 'off',
    members: {
      attempts: 'number',
      minDelayMs: 'number',
      maxDelayMs: 'number',
      budget: 'number',
      timeoutMs: 'number',
      onRetry: 'code',
    } satisfies Record<keyof StoreRetryOptions, OptionKind>,
  },
  concurrency: 'number',
}

/** How stores of a kind are opened. */
interface Driver {
  /** How messages call them. */
  stores: string
  options: OptionKinds
  open(url: string, options: object): Promise<Store>
  /** Whether its requests are limited and tried again. */
  remote: boolean
}

/** An entry of the table below. */
function driver<Options extends object>(
  stores: string,
  options: OptionKinds<Options>,
  open: (url: string, options: Options) => Promise<Store>,
  { remote = false }: { remote?: boolean } = {},
): Driver {
  return { stores, options, open: async (url, given) => open(url, optionsOf(given, options, stores)), remote }
}

const FOLDERS = driver('folders', LOCAL_OPTIONS, openFolder)

const WEB = driver(
  "'http:' and 'https:' stores",
  HTTP_OPTIONS,
  async (url, options) => (await import('./http/open.ts')).openHttp(url, options),
  { remote: true },
)

const AZURE = driver(
  'Azure stores',
  AZURE_OPTIONS,
  async (url, options) => (await import('./azure/open.ts')).openAzure(url, options),
  { remote: true },
)

/** By the scheme of the URL. Drivers that need a package are loaded when they are used. */
const DRIVERS: Readonly<Record<string, Driver>> = {
  'file:': FOLDERS,
  'memory:': driver("'memory:' stores", {}, openMemory),
  's3:': driver(
    "'s3:' stores",
    S3_OPTIONS,
    async (url, options) => (await import('./s3/open.ts')).openS3(url, options),
    { remote: true },
  ),
  'az:': AZURE,
  'abfss:': AZURE,
  'gs:': driver(
    "'gs:' stores",
    GCS_OPTIONS,
    async (url, options) => (await import('./gcs/open.ts')).openGcs(url, options),
    { remote: true },
  ),
  'http:': WEB,
  'https:': WEB,
}

/** The options of each kind of store, by the scheme of its URLs. */
export const DRIVER_OPTIONS: Readonly<Record<string, OptionKinds>> = Object.fromEntries(
  Object.entries(DRIVERS).map(([scheme, { options }]) => [scheme, { ...COMMON_OPTIONS, ...options }]),
)

const memories = new Map<string, MemoryStore>()

/**
 * Opens a place for objects: a folder, by its path or `file:` URL, a bucket or container or a folder of one, by its
 * `s3:`, `az:` or `abfss:` URL, or `memory:`. A folder need not exist yet; it is made by the first write. `memory:` is
 * a new, empty store each time, `memory:name` the same one within the thread, and `memory:name/folder` a folder of
 * that. URLs are percent-encoded.
 *
 * For S3 and what speaks its protocol install `@aws-sdk/client-s3`. Nothing else is needed where the SDK's own
 * settings are (`AWS_REGION`, `AWS_PROFILE`, `AWS_ENDPOINT_URL` and friends). For a folder of a web server, which can be
 * read only, by its `http:` or `https:` URL, install `undici`. For Azure (the `https:` URLs of its own hosts too)
 * install `@azure/storage-blob` and, to log in without a key, `@azure/identity`; `AZURE_STORAGE_CONNECTION_STRING` and
 * friends are enough. For Google Cloud Storage (`gs:`) install `@google-cloud/storage`; its application default credentials
 * are enough, and so is `STORAGE_EMULATOR_HOST`. Failed requests are tried again.
 *
 * @example
 * ```ts
 * const lake = await openStore('./lake')
 * await lake.put('bronze/hello.txt', new TextEncoder().encode('hello'))
 * ```
 */
export async function openStore<const Url extends string | URL>(
  url: Url,
  options: OpenStoreOptions<Url> = {} as OpenStoreOptions<Url>,
): Promise<Store> {
  const text = String(url)
  const { retry, concurrency = CONCURRENCY, ...own } = options
  const { open, remote } = driverOf(text)
  const driver = withDiagnostics(await open(text, own))
  if (!remote) return driver
  assertCount('concurrency', concurrency)
  // A request that waits for its next try is not under way.
  const store = withLimit(driver, { requests: concurrency })
  return retry === false ? store : withRetry(store, retry)
}

/** The scheme of a URL, with its colon, in lower case; none of a path. `C:` is a drive. */
export function schemeOf(text: string): string | undefined {
  return /^[a-z][a-z0-9+.-]+:/i.exec(text)?.[0].toLowerCase()
}

/** Schemes of the URLs that are opened. */
export function isScheme(scheme: string): boolean {
  return Object.hasOwn(DRIVERS, scheme)
}

/** Fails as {@link openStore} does for a URL that it knows nothing of and for unknown names of options. */
export function checkOptions(url: string, options: object): OptionKinds {
  const kinds = optionKindsOf(url)
  optionsOf(options, kinds, driverOf(url).stores)
  return kinds
}

/** The options of the store that a URL names. */
export function optionKindsOf(url: string): OptionKinds {
  return { ...COMMON_OPTIONS, ...driverOf(url).options }
}

function driverOf(text: string): Driver {
  const scheme = schemeOf(text)
  if (scheme === undefined) return FOLDERS
  if (isAzureUrl(text)) return AZURE
  if (Object.hasOwn(DRIVERS, scheme)) return DRIVERS[scheme]!
  const known = `${Object.keys(DRIVERS)
    .map(name => `'${name}'`)
    .join(', ')} and plain paths`
  throw new SluiceError('invalid-argument', `nothing is known of '${scheme}' stores`, {
    option: 'url',
    hint: `This release opens ${known}; a folder of that name is './${maskedUrl(text)}'.`,
  })
}

async function openFolder(text: string, options: LocalStoreOptions): Promise<Store> {
  const path = schemeOf(text) === undefined ? text : pathOf(text)
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
  } catch {
    // The error holds the URL, and that, maybe, a password.
  }
  throw unreadable(text)
}

function unreadable(text: string): SluiceError {
  return new SluiceError(
    'invalid-argument',
    `${JSON.stringify(maskedUrl(text))} is no URL of a local folder`,
    {
      option: 'url',
      hint: "Write 'file:///absolute/path' with '?', '#' and '%' percent-encoded, or the plain path.",
    },
  )
}

async function openMemory(text: string): Promise<Store> {
  const rest = text.slice('memory:'.length)
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
