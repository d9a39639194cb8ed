import type { IncomingHttpHeaders } from 'node:http'
import { type ErrorCode, isSluiceError, SluiceError } from '../../core/errors.ts'
import { failureOf, millisecondsUntil, ServiceFailure, STATUSES, systemCode } from '../remote/errors.ts'
import type { PutMode } from '../store.ts'

/** What a request was about. */
export interface GcsOperation {
  /** The name that the service gives it, such as `objects.get`. */
  name: string
  /** URL of the object, without credentials. */
  file: string
  bucket: string
}

/** By reasons of the JSON API and codes of the XML API, which go beyond the status that they come with. */
const CODES: Record<string, ErrorCode> = {
  InvalidRange: 'invalid-argument',
  SlowDown: 'io',
  UserProjectMissing: 'permission',
  orgPolicyConstraintFailed: 'permission',
  quotaExceeded: 'io',
  rateLimitExceeded: 'io',
  userProjectMissing: 'permission',
  userRateLimitExceeded: 'io',
}

/** What the account has to be granted, and a role that has it. */
const PERMISSIONS: Record<string, string> = {
  'objects.get':
    'storage.objects.get, and storage.objects.list so that what is not there can be told from what is forbidden (roles/storage.objectViewer)',
  'objects.list': 'storage.objects.list (roles/storage.objectViewer)',
  'objects.insert':
    'storage.objects.create, and storage.objects.delete to replace an object (roles/storage.objectUser)',
  'objects.compose':
    'storage.objects.get and storage.objects.create, and storage.objects.delete to replace an object (roles/storage.objectUser)',
  'objects.delete': 'storage.objects.delete (roles/storage.objectUser)',
  'objects.rewrite':
    'storage.objects.get and storage.objects.create, and storage.objects.delete to replace an object (roles/storage.objectUser)',
}

/** An answer that is no success, as a typed error. */
export function answerError(
  { status, headers, text }: { status: number; headers: IncomingHttpHeaders; text: string },
  operation: GcsOperation,
): SluiceError {
  const { code, message } = explanationOf(text)
  const id = headers['x-guploader-uploadid']
  const failure = new ServiceFailure(
    message,
    code ?? String(status),
    status,
    typeof id === 'string' ? id : undefined,
  )
  const kind = kindOf(failure)
  const said = message === '' ? '' : `: ${message.replace(/[.\s]+$/, '')}`
  const named = code === undefined ? String(status) : `${status} ${code}`
  const request = failure.requestId === undefined ? '' : `, request ${failure.requestId}`
  const hint = hintOf(failure, operation)
  const retryAfterMs = millisecondsUntil(headers['retry-after'])
  return new SluiceError(
    kind,
    `${reasonOf(kind, failure, operation)} (${operation.name}, ${named}${request}${said})`,
    {
      file: operation.file,
      cause: failure,
      ...(hint === undefined ? {} : { hint }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    },
  )
}

/** A request that got no answer, or one that broke off. */
export function requestError(error: unknown, { name, file }: GcsOperation): SluiceError {
  if (isSluiceError(error)) return error
  const code = systemCode(error)
  const message = error instanceof Error ? error.message : String(error)
  // Of a failed connection the message may be empty; of others it is the operating system's or Node's.
  const reason = message === '' ? code : message
  return new SluiceError('io', `the request failed (${name}: ${reason ?? 'no connection'})`, {
    file,
    ...(code === 'ENOTFOUND' || code === 'ECONNREFUSED'
      ? { hint: "Correct the option 'endpoint', or see to it that the service can be reached." }
      : {}),
    ...(code === undefined ? {} : { cause: error }),
  })
}

/**
 * Why there is no token. What the SDK throws holds the request for one, with what proves the account: its message is
 * taken, and nothing else.
 */
export function credentialsError(error: unknown, { name, file }: GcsOperation): SluiceError {
  const message = error instanceof Error ? error.message : String(error)
  if (/Could not load the default credentials/.test(message)) {
    return new SluiceError('permission', `no credentials were found (${name})`, {
      file,
      hint: "Set GOOGLE_APPLICATION_CREDENTIALS, run 'gcloud auth application-default login', or give the option 'credentials', 'keyFile' or 'anonymous'.",
    })
  }
  const status = statusOf(error)
  const code = systemCode(error)
  const transient = status === undefined ? /^E(?!RR_)[A-Z]+$/.test(code ?? '') : status >= 500
  return new SluiceError(
    transient ? 'io' : 'permission',
    `no access token could be got (${name}: ${message})`,
    {
      file,
      ...(transient ? {} : { hint: 'Correct or renew the credentials.' }),
    },
  )
}

/** The failure of a conditional request, in terms of its condition. */
export function conditionError(error: unknown, mode: PutMode, file: string): unknown {
  return mode !== 'overwrite' && isPrecondition(error) ? conditionLost(mode, file, failureOf(error)) : error
}

/** A condition that does not hold. */
export function conditionLost(mode: PutMode, file: string, cause?: unknown): SluiceError {
  return mode === 'create'
    ? new SluiceError('already-exists', 'the object exists already', { file, cause })
    : new SluiceError('precondition', 'the object has been changed', { file, cause })
}

/** Whether a condition did not hold. */
export function isPrecondition(error: unknown): boolean {
  return isSluiceError(error) && error.code === 'precondition'
}

/** Whether the service, or the object, did not know what the request was about. */
export function isNotFound(error: unknown): boolean {
  return isSluiceError(error) && error.code === 'not-found'
}

function kindOf({ code, status, message }: ServiceFailure): ErrorCode {
  // On the way it has become something else: to be sent again.
  if (status === 400 && /\b(MD5|CRC32C)\b/i.test(message)) return 'io'
  // An upload that has ended: by completion, by an abort, or because a week has passed.
  if (status === 410 || status === 499) return 'not-found'
  if (status >= 300 && status < 400) return 'unsupported'
  return CODES[code] ?? STATUSES[status] ?? 'io'
}

function reasonOf(kind: ErrorCode, failure: ServiceFailure, operation: GcsOperation): string {
  if (isMissingBucket(failure, operation)) return 'there is no such bucket'
  if (kind === 'not-found')
    return operation.name === 'upload' ? 'there is no such upload' : 'there is no such object'
  if (kind === 'precondition') return 'the object has been changed'
  if (kind === 'permission') return 'the store refused'
  if (failure.status >= 300 && failure.status < 400) return 'the service redirects, which is not followed'
  if (kind === 'unsupported') return 'the store cannot do that'
  return 'the store answered with an error'
}

function hintOf(failure: ServiceFailure, operation: GcsOperation): string | undefined {
  const { code, status } = failure
  if (isMissingBucket(failure, operation)) {
    return `Create the bucket '${operation.bucket}', or correct its name or the endpoint.`
  }
  if (/^userProjectMissing$/i.test(code)) {
    return "The bucket's requests are paid by who makes them: give the option 'userProject'."
  }
  if (status >= 300 && status < 400) return "Correct the option 'endpoint'."
  if (status === 401) {
    return "Give credentials that are valid: GOOGLE_APPLICATION_CREDENTIALS, or the option 'credentials' or 'keyFile'."
  }
  if (status === 403 && kindOf(failure) === 'permission') {
    return `The operation needs the permission ${PERMISSIONS[operation.name] ?? PERMISSIONS['objects.insert']}.`
  }
  return undefined
}

/** A list and an upload are about no object that could be missing. */
function isMissingBucket({ code, status, message }: ServiceFailure, { name }: GcsOperation): boolean {
  if (code === 'NoSuchBucket') return true
  if (status !== 404) return false
  return /bucket does not exist/.test(message) || name === 'objects.list' || name === 'objects.insert'
}

/** What the body of an answer says: JSON, or XML where objects are read. */
function explanationOf(text: string): { code: string | undefined; message: string } {
  const [, code] = /<Code>([A-Za-z0-9]+)<\/Code>/.exec(text) ?? []
  if (code !== undefined) {
    const [, message = ''] = /<Message>([^<]*)<\/Message>/.exec(text) ?? []
    return { code, message: message.replace(/&(amp|lt|gt|quot|apos);/g, (_, name) => ENTITIES[name] ?? '') }
  }
  try {
    const { error } = JSON.parse(text) as {
      error?: { message?: unknown; errors?: { reason?: unknown }[] }
    }
    const reason = error?.errors?.[0]?.reason
    return {
      code: typeof reason === 'string' && /^\w+$/.test(reason) ? reason : undefined,
      message: typeof error?.message === 'string' ? error.message : '',
    }
  } catch {
    return { code: undefined, message: '' }
  }
}

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function statusOf(error: unknown): number | undefined {
  const status = error instanceof Error && 'status' in error ? error.status : undefined
  return typeof status === 'number' ? status : undefined
}
