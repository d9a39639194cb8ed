import { SluiceError } from '../../core/errors.ts'
import { maskedUrl, type OptionKinds } from '../options.ts'
import type { UploadOptions } from '../remote/part-memory.ts'
import { type TimeoutOptions, validateTimeouts } from '../remote/timeouts.ts'

/** Keys to an account, as the provider hands them out. */
export interface S3Credentials {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string
  /** When they end; a function that gives credentials is asked again before. */
  expiration?: Date
}

export interface S3StoreOptions extends UploadOptions, TimeoutOptions {
  /** URL of the service, for stores that are not Amazon's. @default as `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL` and the profile say */
  endpoint?: string | undefined
  /** @default as `AWS_REGION` and the profile say; `us-east-1` with an endpoint of one's own */
  region?: string | undefined
  /** @default those that the SDK finds: environment, profile, SSO, web identity, container, instance */
  credentials?: S3Credentials | (() => Promise<S3Credentials>) | undefined
  /** Whether the bucket is named in the path and not in the host. @default whether the endpoint is not Amazon's */
  pathStyle?: boolean | undefined
  /**
   * Checksums (CRC-32) that are sent with each upload and that the service compares and keeps. `required`: only where
   * the service demands one, for stores that know none. @default 'supported', with an endpoint of one's own 'required'
   */
  checksums?: 'supported' | 'required' | undefined
  /**
   * Bytes of a part of an upload, of 5 MiB to 5 GiB: an object has at most 10,000. For stores that refuse parts of
   * several sizes, such as R2, where objects of more than 8 GB need it. @default 8 MiB, growing from part 1,001 on
   */
  partSize?: number | undefined
  /** Whether the caller pays for requests to a bucket of the kind "requester pays". @default false */
  requesterPays?: boolean | undefined
  /** How new objects are encrypted; objects under a key of the customer's are also read with it. @default as the bucket says */
  encryption?: 'AES256' | { kmsKeyId: string } | { customerKey: Uint8Array } | undefined
  /** Of new objects, such as `INTELLIGENT_TIERING`. @default as the bucket says */
  storageClass?: string | undefined
  /**
   * Whether the store honours `If-None-Match` and `If-Match` of a put. Say false for one that ignores them: whatever
   * depends on them then fails at once with `unsupported`. @default true
   */
  conditionalPut?: boolean | undefined
}

/** Kinds of the options. */
export const S3_OPTIONS: OptionKinds<S3StoreOptions> = {
  endpoint: 'text',
  region: 'text',
  credentials: {
    members: {
      accessKeyId: 'secret',
      secretAccessKey: 'secret',
      sessionToken: 'secret',
      expiration: 'date',
    } satisfies OptionKinds<S3Credentials>,
  },
  pathStyle: 'boolean',
  checksums: 'text',
  partSize: 'number',
  requesterPays: 'boolean',
  encryption: { itself: 'text', members: { kmsKeyId: 'text', customerKey: 'bytes' } },
  storageClass: 'text',
  conditionalPut: 'boolean',
  uploadMemory: 'text',
  idleTimeoutMs: 'number',
  connectTimeoutMs: 'number',
}

/** Multi-region ones have no region. */
const ACCESS_POINT =
  /^s3:\/\/(arn:[a-z-]+:s3(?:-object-lambda)?:[a-z0-9-]*:\d{12}:accesspoint)[:/]([a-z0-9][a-z0-9.-]*)(?:\/([^?#]*))?$/

/** The service's own hosts, which want the bucket in the host's name. */
const AMAZON = /(^|\.)amazonaws\.com(\.cn)?$/

/** Whether an endpoint is one of Amazon's own. */
export function isAmazon(endpoint: string): boolean {
  return AMAZON.test(new URL(endpoint).hostname)
}

/**
 * Where requests go if that has been said in the options or in the environment. (A profile may also say; the SDK reads
 * it with the first request.)
 */
export function endpointOf({ endpoint }: S3StoreOptions): string | undefined {
  const { env } = process
  const ignored = env['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS']?.toLowerCase() === 'true'
  const configured = ignored ? undefined : env['AWS_ENDPOINT_URL_S3'] || env['AWS_ENDPOINT_URL']
  const text = endpoint ?? configured
  if (text === undefined) return undefined
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
  return text
}

/** Bucket, or ARN of an access point, and folder of an `s3:` URL, whose path is percent-encoded. */
export function parseS3Url(text: string): { bucket: string; folder: string } {
  const [, start = '', name = '', rest = ''] = ACCESS_POINT.exec(text) ?? []
  // The form with colons, in which the name is no segment of the path.
  const point = start === '' ? undefined : [`${start}:${name}`, rest]
  const [bucket = '', path = ''] = point ?? /^s3:\/\/([^/?#]*)\/?([^?#]*)$/i.exec(text)?.slice(1) ?? []
  if (bucket.includes('@')) {
    throw invalid('url', 'must not hold credentials', "Give them with the option 'credentials'.")
  }
  const hint = "Write 's3://bucket/folder' with '?', '#' and '%' percent-encoded."
  if (point === undefined && /^arn:/i.test(bucket)) {
    const reason = `${JSON.stringify(maskedUrl(text))} is no ARN of an access point`
    throw invalid(
      'url',
      reason,
      "Write 's3://arn:aws:s3:region:account:accesspoint:name/folder', or the bucket's name.",
    )
  }
  if (point === undefined && !/^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/.test(bucket)) {
    throw invalid('url', `${JSON.stringify(maskedUrl(text))} names no bucket`, hint)
  }
  try {
    return { bucket, folder: decodeURIComponent(path) }
  } catch (cause) {
    throw invalid('url', `${JSON.stringify(maskedUrl(text))} is not percent-encoded`, hint, cause)
  }
}

/** What the protocol allows, of all parts but the last. */
const MIN_PART = 5 * 1024 ** 2
const MAX_PART = 5 * 1024 ** 3

/** Checks what can be checked before the first request. */
export function validateS3Options({
  pathStyle,
  checksums,
  partSize,
  encryption,
  idleTimeoutMs,
  connectTimeoutMs,
}: S3StoreOptions): void {
  if (pathStyle !== undefined && typeof pathStyle !== 'boolean') {
    throw invalid('pathStyle', `must be true or false, not ${JSON.stringify(pathStyle)}`)
  }
  if (checksums !== undefined && checksums !== 'supported' && checksums !== 'required') {
    throw invalid('checksums', `must be 'supported' or 'required', not ${JSON.stringify(checksums)}`)
  }
  if (
    partSize !== undefined &&
    !(Number.isInteger(partSize) && partSize >= MIN_PART && partSize <= MAX_PART)
  ) {
    throw invalid('partSize', `must be a whole number of bytes from 5 MiB to 5 GiB, not ${partSize}`)
  }
  if (typeof encryption === 'object' && 'customerKey' in encryption && encryption.customerKey.length !== 32) {
    throw invalid('encryption', `a customer's key has 32 bytes, not ${encryption.customerKey.length}`)
  }
  validateTimeouts({ idleTimeoutMs, connectTimeoutMs })
}

function invalid(option: string, reason: string, hint?: string, cause?: unknown): SluiceError {
  return new SluiceError('invalid-argument', reason, {
    option,
    ...(hint === undefined ? {} : { hint }),
    ...(cause === undefined ? {} : { cause }),
  })
}
