import { SluiceError } from '../../core/errors.ts'
import { maskedUrl, type OptionKinds } from '../options.ts'
import type { UploadOptions } from '../remote/part-memory.ts'
import { type TimeoutOptions, validateTimeouts } from '../remote/timeouts.ts'

/** Of a service account's key file: what it proves itself by. */
export interface GcsCredentials {
  client_email: string
  private_key: string
}

export interface GcsStoreOptions extends UploadOptions, TimeoutOptions {
  /** URL of the service, for emulators. @default as `STORAGE_EMULATOR_HOST` says, else Google's */
  endpoint?: string | undefined
  /** For the SDK's client; requests for objects name none. @default the project that the SDK finds */
  projectId?: string | undefined
  /** @default those that the SDK finds: `GOOGLE_APPLICATION_CREDENTIALS`, gcloud, the metadata server */
  credentials?: GcsCredentials | undefined
  /** File of a service account's key, or of workload identity federation. */
  keyFile?: string | undefined
  /** Whether requests go without credentials, as for public buckets. @default whether an endpoint that is not Google's gets none by option */
  anonymous?: boolean | undefined
  /** Project that pays for requests to a bucket of the kind "requester pays". */
  userProject?: string | undefined
  /** Of new objects, such as `NEARLINE`. @default as the bucket says */
  storageClass?: string | undefined
  /** Key of Cloud KMS that encrypts new objects, `projects/…/cryptoKeys/…`. @default as the bucket says */
  kmsKeyName?: string | undefined
}

/** The kinds of the options. */
export const GCS_OPTIONS: OptionKinds<GcsStoreOptions> = {
  endpoint: 'text',
  projectId: 'text',
  credentials: {
    members: { client_email: 'secret', private_key: 'secret' } satisfies OptionKinds<GcsCredentials>,
  },
  keyFile: 'text',
  anonymous: 'boolean',
  userProject: 'text',
  storageClass: 'text',
  kmsKeyName: 'text',
  uploadMemory: 'text',
  idleTimeoutMs: 'number',
  connectTimeoutMs: 'number',
}

const GOOGLE = 'https://storage.googleapis.com'

/** Where requests go, and whether credentials go with them. */
export function endpointOf(options: GcsStoreOptions): { endpoint: URL; anonymous: boolean } {
  const text = options.endpoint ?? emulator() ?? GOOGLE
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') {
    throw invalid(
      'endpoint',
      `${JSON.stringify(maskedUrl(text))} is no URL of a service`,
      "Write 'https://host:port'.",
    )
  }
  // What was wrong is not repeated: it holds a password.
  if (url.username !== '' || url.password !== '') {
    throw invalid('endpoint', 'must not hold credentials', "Give them with the option 'credentials'.")
  }
  const google = /(^|\.)googleapis\.com$/.test(url.hostname)
  const given = options.credentials !== undefined || options.keyFile !== undefined
  return { endpoint: url, anonymous: options.anonymous ?? !(google || given) }
}

/** Bucket and folder of a `gs:` URL, whose path is percent-encoded. */
export function parseGcsUrl(text: string): { bucket: string; folder: string } {
  const [, bucket = '', path = ''] = /^gs:\/\/([^/?#]*)\/?([^?#]*)$/i.exec(text) ?? []
  if (bucket.includes('@')) {
    throw invalid('url', 'must not hold credentials', "Give them with the option 'credentials'.")
  }
  const hint = "Write 'gs://bucket/folder' with '?', '#' and '%' percent-encoded."
  if (!/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/.test(bucket)) {
    throw invalid('url', `${JSON.stringify(maskedUrl(text))} names no bucket`, hint)
  }
  try {
    return { bucket, folder: decodeURIComponent(path) }
  } catch (cause) {
    throw invalid('url', `${JSON.stringify(maskedUrl(text))} is not percent-encoded`, hint, cause)
  }
}

/** Checks what can be checked before the first request. */
export function validateGcsOptions(options: GcsStoreOptions): void {
  const { credentials, keyFile, anonymous, idleTimeoutMs, connectTimeoutMs } = options
  const given = Object.entries({ credentials, keyFile, anonymous: anonymous || undefined }).filter(
    ([, value]) => value !== undefined,
  )
  if (given.length > 1) {
    const names = given.map(([name]) => `'${name}'`).join(' and ')
    throw invalid(given[0]![0], `only one of ${names} can be given`)
  }
  if (credentials !== undefined && !(credentials.client_email && credentials.private_key)) {
    const hint = "Give the object of a service account's key file, or name the file by 'keyFile'."
    throw invalid('credentials', "must have 'client_email' and 'private_key'", hint)
  }
  validateTimeouts({ idleTimeoutMs, connectTimeoutMs })
}

/** The emulator's address, which is a URL for some of its clients and `host:port` for others. */
function emulator(): string | undefined {
  const text = process.env['STORAGE_EMULATOR_HOST']
  if (!text) return undefined
  const url = /^[a-z]+:\/\//i.test(text) ? text : `http://${text}`
  return url.replace(/\/storage\/v1\/?$/, '')
}

function invalid(option: string, reason: string, hint?: string, cause?: unknown): SluiceError {
  return new SluiceError('invalid-argument', reason, {
    option,
    ...(hint === undefined ? {} : { hint }),
    ...(cause === undefined ? {} : { cause }),
  })
}
