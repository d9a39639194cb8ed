import type { IncomingHttpHeaders } from 'node:http'
import { type ErrorCode, SluiceError } from '../../core/errors.ts'
import { millisecondsUntil, ServiceFailure, STATUSES, systemCode } from '../remote/errors.ts'
import { parseXml, textOf, type XmlElement } from './xml.ts'

/** What a request was about. */
export interface S3Operation {
  /** The name that the service gives it, such as `PutObject`. */
  name: string
  /** URL of the object, without credentials. */
  file: string
  bucket: string
}

const CODES: Record<string, ErrorCode> = {
  AccessDenied: 'permission',
  AllAccessDisabled: 'permission',
  AuthorizationHeaderMalformed: 'invalid-argument',
  // Another conditional request for the key is under way: to be repeated, which is not a lost condition.
  ConditionalRequestConflict: 'io',
  EntityTooLarge: 'invalid-argument',
  ExistingObjectIsDirectory: 'unsupported',
  ExpiredToken: 'permission',
  InvalidObjectState: 'unsupported',
  KeyTooLongError: 'invalid-argument',
  MethodNotAllowed: 'unsupported',
  NotImplemented: 'unsupported',
  ObjectParentIsFile: 'unsupported',
  OperationAborted: 'io',
  PermanentRedirect: 'invalid-argument',
  PreconditionFailed: 'precondition',
  RequestTimeout: 'io',
  // The service's time is taken from the answer: a second try succeeds.
  RequestTimeTooSkewed: 'io',
  SlowDown: 'io',
}

/** What the policy of the account has to allow. */
const PERMISSIONS: Record<string, string> = {
  HeadObject: 's3:GetObject, and s3:ListBucket so that what is not there can be told from what is forbidden',
  GetObject: 's3:GetObject, and s3:ListBucket so that what is not there can be told from what is forbidden',
  ListObjectsV2: 's3:ListBucket on the bucket',
  ListMultipartUploads: 's3:ListBucketMultipartUploads on the bucket',
  DeleteObject: 's3:DeleteObject',
  DeleteObjects: 's3:DeleteObject',
  AbortMultipartUpload: 's3:AbortMultipartUpload',
  CopyObject: 's3:GetObject on the source and s3:PutObject on the destination',
  UploadPartCopy: 's3:GetObject on the source and s3:PutObject on the destination',
}

/** A request that failed, as a typed error: it got no answer, or the SDK, asked for credentials, threw. */
export function s3Error(error: unknown, operation: S3Operation): SluiceError {
  if (error instanceof SluiceError) return error
  const answer = answerOf(error)
  return answer === undefined ? withoutAnswer(error, operation) : answerError(answer, operation)
}

/** What the service has answered with instead of what was asked for. */
export function answerError(
  { failure, region, retryAfterMs }: FailedAnswer,
  operation: S3Operation,
): SluiceError {
  const { code, status, requestId } = failure
  const kind = CODES[code] ?? STATUSES[status] ?? 'io'
  const request = requestId === undefined ? '' : `, request ${requestId}`
  const named = code === String(status) ? code : `${status} ${code}`
  const said = failure.message === '' ? '' : `: ${failure.message.replace(/[.\s]+$/, '')}`
  const hint = hintOf(failure, region, operation)
  return new SluiceError(kind, `${reasonOf(kind, failure)} (${operation.name}, ${named}${request}${said})`, {
    file: operation.file,
    cause: failure,
    ...(hint === undefined ? {} : { hint }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })
}

function reasonOf(kind: ErrorCode, { code, status }: ServiceFailure): string {
  if (code === 'NoSuchBucket') return 'there is no such bucket'
  if (code === 'NoSuchUpload') return 'there is no such staged upload'
  if (kind === 'not-found') return 'there is no such object'
  if (kind === 'precondition') return 'the object has been changed'
  if (kind === 'permission') return 'the store refused'
  if (kind === 'unsupported') return 'the store cannot do that'
  if (status === 301 || code === 'AuthorizationHeaderMalformed') return 'the bucket is in another region'
  return 'the store answered with an error'
}

function hintOf(
  { code, status, message }: ServiceFailure,
  region: string | undefined,
  { name, bucket }: S3Operation,
): string | undefined {
  switch (code) {
    case 'NoSuchBucket':
      return `Create the bucket '${bucket}', or correct its name or the endpoint.`
    case 'RequestTimeTooSkewed':
      return "Set this machine's clock."
    case 'ExpiredToken':
    case 'TokenRefreshRequired':
      return 'Renew the credentials.'
    case 'InvalidAccessKeyId':
    case 'SignatureDoesNotMatch':
      return 'Correct the credentials.'
    case 'InvalidObjectState':
      return 'Restore the object from the archive first.'
    case 'KeyTooLongError':
      return 'A key has at most 1024 bytes.'
    case '400':
      // A HEAD has no body to say why.
      return 'The usual reasons are a wrong region and credentials that have expired.'
    case 'ObjectParentIsFile':
    case 'ExistingObjectIsDirectory':
      return "This store cannot hold an object 'a' beside an object 'a/b': choose another key."
  }
  const right = region ?? /expecting ["']([a-z0-9-]+)["']/.exec(message)?.[1]
  if (status === 301 || code === 'AuthorizationHeaderMalformed') {
    return `Set the option 'region' or AWS_REGION to ${right === undefined ? "the bucket's region" : `'${right}'`}.`
  }
  if (status === 403 || status === 401)
    return `The operation needs the permission ${PERMISSIONS[name] ?? 's3:PutObject'}.`
  return undefined
}

/** As the SDK names it. */
const NO_CREDENTIALS = 'CredentialsProviderError'

/** Credentials that are none. */
export function noCredentials(): Error {
  return Object.assign(new Error('The credentials have no key'), { name: NO_CREDENTIALS })
}

/** A request that got no answer: no connection, a broken one, or none was tried. */
function withoutAnswer(error: unknown, { name, file }: S3Operation): SluiceError {
  const { message, name: kind } = error instanceof Error ? error : new Error(String(error))
  if (kind === NO_CREDENTIALS) {
    return new SluiceError('permission', `no credentials were found (${name})`, {
      file,
      hint: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE or the option 'credentials'.",
    })
  }
  if (message === 'Region is missing') {
    return new SluiceError('invalid-argument', 'the region is not known', {
      option: 'region',
      file,
      hint: "Set it, or AWS_REGION, to the bucket's region.",
    })
  }
  if (kind === 'EndpointError') {
    return new SluiceError('invalid-argument', `there is no endpoint for the bucket: ${message}`, { file })
  }
  if (/SigV4a implementation/.test(message)) {
    return new SluiceError('unsupported', 'the bucket wants signatures of version 4a', {
      file,
      hint: "Install the package '@aws-sdk/signature-v4a' and load it.",
    })
  }
  const code = systemCode(error)
  if (code === 'ERR_INVALID_CHAR') {
    return new SluiceError('invalid-argument', `what was given cannot be sent (${name}): ${message}`, {
      file,
    })
  }
  // Of a failed connection the message may be empty; of others it is the operating system's or Node's.
  const reason = message === '' ? code : message
  return new SluiceError('io', `the request failed (${name}: ${reason ?? 'no connection'})`, {
    file,
    ...(code === 'ENOTFOUND' || code === 'ECONNREFUSED'
      ? { hint: "Correct the option 'endpoint' or 'region', or see to it that the service runs." }
      : {}),
    ...(code === undefined ? {} : { cause: error }),
  })
}

/** An error, as a service has answered it. */
export interface FailedAnswer {
  failure: ServiceFailure
  /** Where the bucket is, if the service has said so. */
  region?: string | undefined
  retryAfterMs?: number | undefined
}

/** The answer to a request of ours. Of its body only what names the failure is kept: others parts of it are secret. */
export function failedAnswer(status: number, headers: IncomingHttpHeaders, body: string): FailedAnswer {
  const said = errorIn(body)
  // A HEAD has no body to name the error in.
  const code = (said && textOf(said, 'Code')) || String(status)
  const message = (said && textOf(said, 'Message')) || ''
  const requestId = headers['x-amz-request-id'] ?? (said && textOf(said, 'RequestId'))
  return {
    // Some services send the header twice.
    failure: new ServiceFailure(message, code, status, String(requestId ?? '').split(',')[0] || undefined),
    region: headers['x-amz-bucket-region']?.toString(),
    retryAfterMs: millisecondsUntil(headers['retry-after']),
  }
}

/** The error that a body is, if it is one: also services that answer in HTML have a status. */
function errorIn(body: string): XmlElement | undefined {
  try {
    const root = parseXml(body)
    return root.name === 'Error' ? root : root.children.find(({ name }) => name === 'Error')
  } catch {
    return undefined
  }
}

/** What the SDK got from a service that it asked for credentials or for a session. */
function answerOf(error: unknown): FailedAnswer | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined
  const { httpStatusCode: status, requestId } = error.$metadata as {
    httpStatusCode?: number
    requestId?: string
  }
  if (status === undefined) return undefined
  const message = error.message === error.name ? '' : error.message
  return { failure: new ServiceFailure(message, error.name, status, requestId) }
}
