import { SluiceError } from '../../core/errors.ts'
import type { OptionKinds } from '../options.ts'
import { type TimeoutOptions, validateTimeouts } from '../remote/timeouts.ts'

export interface HttpStoreOptions extends TimeoutOptions {
  /** Sent with each request to the origin of the URL, such as `authorization`, and to no other one. Secret. */
  headers?: Readonly<Record<string, string>> | undefined
  /** Added to the URL of each object, such as the signature of a folder's signed URL. Secret. */
  query?: string | undefined
  /**
   * Path, from the store, of a file that lists its objects: a JSON array of keys and of objects with `key` and, if
   * known, `size`, `etag` and `lastModified`; or a text with one key a line. Without one the store does not list.
   */
  index?: string | undefined
  /**
   * Where the server may redirect to: its own origin, any other one (from `https:` only to `https:`), or the origins
   * listed. @default 'same-origin'
   */
  allowRedirects?: 'same-origin' | 'any' | readonly string[] | undefined
  /**
   * Whether names that resolve to private, loopback and link-local addresses, and redirects to these, are followed.
   * Not needed where the URL has such an address, or `localhost`, itself. @default false
   */
  allowPrivate?: boolean | undefined
}

/** Kinds of the options. */
export const HTTP_OPTIONS: OptionKinds<HttpStoreOptions> = {
  headers: 'secrets',
  query: 'secret',
  index: 'text',
  allowRedirects: 'text',
  allowPrivate: 'boolean',
  idleTimeoutMs: 'number',
  connectTimeoutMs: 'number',
}

/** Options that have been checked, with what follows from them. */
export interface HttpSettings {
  /** The folder: ends in `/`, without credentials and query. */
  base: URL
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>
  /** `''`, or from its `?` on. */
  query: string
  index: URL | undefined
  redirects: 'any' | readonly string[]
  allowPrivate: boolean
  idleTimeoutMs: number
  connectTimeoutMs: number
}

/** Headers that say how a request is made, which is the driver's business. */
const RESERVED =
  /^(accept-encoding|connection|content-.*|expect|host|if-.*|keep-alive|range|te|trailer|transfer-encoding|upgrade)$/

/** Checks everything that can be checked before the first request. */
export function httpSettings(text: string, options: HttpStoreOptions): HttpSettings {
  const base = parseHttpUrl(text)
  const { allowRedirects = 'same-origin', allowPrivate = false } = options
  if (typeof allowPrivate !== 'boolean') {
    throw invalid('allowPrivate', `must be true or false, not ${JSON.stringify(allowPrivate)}`)
  }
  const { idleTimeoutMs = 30_000, connectTimeoutMs = 10_000 } = options
  validateTimeouts({ idleTimeoutMs, connectTimeoutMs })
  return {
    base,
    headers: headersOf(options.headers),
    query: queryOf(options.query),
    index: indexOf(base, options.index),
    redirects: allowRedirects === 'any' ? 'any' : originsOf(allowRedirects),
    allowPrivate,
    idleTimeoutMs,
    connectTimeoutMs,
  }
}

/** What is wrong is not repeated where it may be a secret. */
function parseHttpUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw invalid('url', 'is no URL of a folder', "Write 'https://host/folder/', percent-encoded.")
  }
  if (url.username !== '' || url.password !== '') {
    throw invalid('url', 'must not hold credentials', "Give them with the option 'headers'.")
  }
  if (url.search !== '' || url.hash !== '') {
    const hint =
      "Give the query, such as a signature, with the option 'query'; write '?' and '#' as %3F and %23."
    throw invalid('url', 'names a folder, and must have neither query nor fragment', hint)
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return url
}

function headersOf(headers: HttpStoreOptions['headers'] = {}): Record<string, string> {
  const checked: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) {
      throw invalid('headers', `${JSON.stringify(name)} is no name of a header`)
    }
    if (RESERVED.test(name.toLowerCase())) {
      throw invalid('headers', `'${name}' is set by the store itself`)
    }
    if (typeof value !== 'string' || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
      throw invalid('headers', `'${name}' has a value that no header can have`)
    }
    checked[name.toLowerCase()] = value
  }
  return checked
}

function queryOf(query = ''): string {
  const text = query.replace(/^\?/, '')
  if (/[^\x21-\x7e]|#/.test(text)) {
    throw invalid('query', 'has characters that have to be percent-encoded')
  }
  return text === '' ? '' : `?${text}`
}

function indexOf(base: URL, index: string | undefined): URL | undefined {
  if (index === undefined) return undefined
  const url = URL.canParse(index, base.href) ? new URL(index, base) : undefined
  if (url?.origin !== base.origin || url.username !== '' || url.search !== '' || url.hash !== '') {
    const hint = "Write its path, percent-encoded, such as 'index.json'."
    throw invalid('index', 'is no path of a file of the same server', hint)
  }
  return url
}

function originsOf(origins: 'same-origin' | readonly string[]): readonly string[] {
  if (origins === 'same-origin') return []
  if (!Array.isArray(origins)) {
    throw invalid('allowRedirects', "must be 'same-origin', 'any' or a list of origins")
  }
  return origins.map(text => {
    const url = URL.canParse(text) ? new URL(text) : undefined
    // A URL's own form of itself ends in a slash.
    if (url !== undefined && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`)
      return url.origin
    throw invalid('allowRedirects', 'has something that is no origin', "Write 'https://host'.")
  })
}

function invalid(option: string, reason: string, hint?: string): SluiceError {
  return new SluiceError('invalid-argument', reason, { option, ...(hint === undefined ? {} : { hint }) })
}
