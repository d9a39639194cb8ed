import { type ErrorCode, isSluiceError, SluiceError } from '../../core/errors.ts'
import { failureOf, millisecondsUntil, ServiceFailure, STATUSES, systemCode } from '../remote/errors.ts'
import type { PutMode } from '../store.ts'

/** What a request was about. */
export interface AzureOperation {
  /** The name that the service's logs give it, such as `PutBlob`. */
  name: string
  /** URL of the object, without credentials. */
  file: string
  container: string
}

const CODES: Record<string, ErrorCode> = {
  AccountIsDisabled: 'permission',
  BlobArchived: 'unsupported',
  BlobBeingRehydrated: 'unsupported',
  BlobImmutableDueToPolicy: 'permission',
  // Of a put that is to create; a lost condition.
  BlobAlreadyExists: 'precondition',
  InvalidBlobType: 'unsupported',
  NoAuthenticationInformation: 'permission',
  PublicAccessNotPermitted: 'permission',
  ResourceTypeMismatch: 'unsupported',
  SnapshotsPresent: 'unsupported',
  UnsupportedHeader: 'unsupported',
}

/** What has been found wrong with the request by codes that say no more, and what to do. */
const HINTS: Record<string, string> = {
  AccountIsDisabled: 'Enable the account.',
  BlobArchived: 'Bring the object back from the archive first.',
  BlobBeingRehydrated: 'Wait until the object is back from the archive.',
  BlobImmutableDueToPolicy:
    "An immutability policy or legal hold keeps the object; the container's owner can lift it.",
  InvalidAuthenticationInfo: 'Renew or correct the credentials.',
  InvalidBlobType: 'The object is no block blob: delete it, or choose another key.',
  InvalidResourceName: 'A key has at most 1024 characters.',
  KeyBasedAuthenticationNotPermitted:
    "The account takes no keys: leave 'accountKey' away, or give a 'credential'.",
  Lease: 'Another client holds a lease on the object: wait until it ends, or break it.',
  NoAuthenticationInformation: "Give an 'accountKey', 'sasToken' or 'credential'.",
  OutOfRangeInput: 'A key has at most 1024 characters.',
  PublicAccessNotPermitted: "Give an 'accountKey', 'sasToken' or 'credential'.",
  ResourceTypeMismatch:
    "An account with folders cannot hold an object 'a' beside an object 'a/b': choose another key.",
  SnapshotsPresent: 'Delete the snapshots of the object first.',
}

const READS = new Set(['GetBlob', 'GetBlobProperties', 'ListBlobs'])

/** What a shared access signature has to allow. */
const SIGNED: Record<string, string> = {
  GetBlob: 'r',
  GetBlobProperties: 'r',
  ListBlobs: 'l',
  DeleteBlob: 'd',
}

/** Anything that the SDK throws as a typed error about the operation. */
export function azureError(error: unknown, operation: AzureOperation): SluiceError {
  if (error instanceof SluiceError) return error
  const answer = answerOf(error)
  if (answer === undefined) return withoutAnswer(error, operation)
  const { failure, retryAfterMs } = answer
  const { code, status, requestId } = failure
  const kind = code.startsWith('Lease') ? 'permission' : (CODES[code] ?? STATUSES[status] ?? 'io')
  const request = requestId === undefined ? '' : `, request ${requestId}`
  const named = code === String(status) ? code : `${status} ${code}`
  const said = failure.message === '' ? '' : `: ${failure.message}`
  const hint = hintOf(answer, operation)
  return new SluiceError(kind, `${reasonOf(kind, failure)} (${operation.name}, ${named}${request}${said})`, {
    file: operation.file,
    cause: failure,
    ...(hint === undefined ? {} : { hint }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })
}

/** The failure of a conditional request, in terms of its condition. */
export function conditionError(error: unknown, mode: PutMode, file: string): unknown {
  const failure = failureOf(error)
  // Where there is nothing `create` has not failed: then it was the source of a copy that is another one.
  const lost =
    isSluiceError(error) && error.code === 'precondition' && failure?.code !== 'SourceConditionNotMet'
  if (mode !== 'create' || !lost) return error
  return new SluiceError('already-exists', 'the object exists already', { file, cause: failure })
}

function reasonOf(kind: ErrorCode, { code }: ServiceFailure): string {
  if (code === 'ContainerNotFound') return 'there is no such container'
  if (kind === 'not-found') return 'there is no such object'
  if (kind === 'precondition') return 'the object has been changed'
  if (kind === 'permission') return 'the store refused'
  if (kind === 'unsupported') return 'the store cannot do that'
  return 'the store answered with an error'
}

function hintOf({ failure, isLate }: Answer, { name, container }: AzureOperation): string | undefined {
  const { code, status } = failure
  if (code === 'ContainerNotFound') {
    return `Create the container '${container}', or correct its name or the account's.`
  }
  if (isLate) return "Set this machine's clock, or renew the signature."
  const known = HINTS[code.startsWith('Lease') ? 'Lease' : code]
  if (known !== undefined) return known
  if (code === 'AuthenticationFailed')
    return "Correct the credentials, and this machine's clock if it is wrong."
  if (status !== 401 && status !== 403) return undefined
  if (/^Authorization(Protocol|Resource|Service|SourceIP)/.test(code))
    return 'The signature does not cover that.'
  const role = READS.has(name) ? 'Storage Blob Data Reader' : 'Storage Blob Data Contributor'
  const needed = `The operation needs the role ${role}, or a signature that allows '${SIGNED[name] ?? 'w'}'`
  return `${needed}; the account's firewall, if it has one, must let this machine in.`
}

/** A request that got no answer: no connection, a broken one, or none was tried. */
function withoutAnswer(error: unknown, { name, file }: AzureOperation): SluiceError {
  const { message, name: kind } = error instanceof Error ? error : new Error(String(error))
  if (/^(CredentialUnavailable|AggregateAuthentication|Authentication(Required)?)Error$/.test(kind)) {
    return new SluiceError('permission', `no credentials were found (${name})`, {
      file,
      hint: "Log in ('az login'), set AZURE_STORAGE_KEY, or give an 'accountKey', 'sasToken' or 'credential'.",
    })
  }
  const code = systemCode(error)
  const said = kind === 'AbortError' ? 'the connection was closed' : withoutQueries(message)
  const reason = `the request failed (${name}: ${said || (code ?? 'no connection')})`
  // The SDK's own error holds the request, with its headers.
  const cause = Object.assign(new Error(said), { code })
  return new SluiceError('io', reason, {
    file,
    ...(code === 'ENOTFOUND' || code === 'ECONNREFUSED'
      ? { hint: "Correct the account or the option 'endpoint', or see to it that the service runs." }
      : {}),
    ...(code === undefined ? {} : { cause }),
  })
}

interface Answer {
  failure: ServiceFailure
  /** Whether a time in the request was the trouble: of this machine, or at which a signature ends. */
  isLate: boolean
  retryAfterMs: number | undefined
}

/** The parts of an error of the SDK's that are looked at. */
interface RestError extends Error {
  statusCode: number
  code?: string
  response?: { headers: { get(name: string): string | undefined }; bodyAsText?: string | null }
}

/** The SDK's error holds headers of the request, and its message what was signed: picked, not passed on. */
function answerOf(error: unknown): Answer | undefined {
  if (!isRestError(error)) return undefined
  const { statusCode: status, response } = error
  const header = (name: string) => response?.headers.get(name)
  const code = header('x-ms-error-code') ?? error.code ?? String(status)
  // What follows the first line repeats request id and time; without an answer to parse it is the SDK's own.
  const [first = ''] = /<Message>([^\n<]*)/.exec(response?.bodyAsText ?? '')?.slice(1) ?? []
  const message = withoutQueries(first.trim()).replace(/[.\s]+$/, '')
  const detail = response?.bodyAsText ?? ''
  return {
    failure: new ServiceFailure(message, code, status, header('x-ms-request-id')),
    isLate:
      status === 403 &&
      /date header too old|not valid in the specified time|Signature not valid/i.test(detail),
    retryAfterMs: millisecondsUntil(header('retry-after')),
  }
}

function isRestError(error: unknown): error is RestError {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
}

/** A signature is in the query of a URL. */
function withoutQueries(text: string): string {
  return text.replace(/\?\S*/g, '')
}
