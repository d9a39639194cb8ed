import { type ErrorCode, isSluiceError, SluiceError } from '../../core/errors.ts'
import { millisecondsUntil, ServiceFailure, STATUSES, systemCode } from '../remote/errors.ts'

/** What a request was about. */
export interface HttpOperation {
  method: 'HEAD' | 'GET'
  /** URL of the object, without credentials and query. */
  file: string
}

const REASONS: Partial<Record<ErrorCode, string>> = {
  'not-found': 'there is no such object',
  permission: 'the server refused',
  precondition: 'the object has been changed',
  unsupported: 'the server cannot do that',
}

/** An answer that is none to what was asked, as a typed error. */
export function answerError(
  { status, headers }: { status: number; headers: Readonly<Record<string, string | undefined>> },
  { method, file }: HttpOperation,
): SluiceError {
  const kind = kindOf(status)
  const requestId = headers['x-request-id']
  const request = requestId === undefined ? '' : `, request ${requestId}`
  const reason = REASONS[kind] ?? 'the server answered with an error'
  const retryAfterMs = millisecondsUntil(headers['retry-after'])
  const hint = hintOf(status)
  return new SluiceError(kind, `${reason} (${method}, ${status}${request})`, {
    file,
    cause: new ServiceFailure('', String(status), status, requestId),
    ...(hint === undefined ? {} : { hint }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })
}

function kindOf(status: number): ErrorCode {
  if (status === 410) return 'not-found'
  if (status === 407) return 'permission'
  return STATUSES[status] ?? (status >= 500 ? 'io' : 'unsupported')
}

function hintOf(status: number): string | undefined {
  if (status === 401) return "Give credentials with the option 'headers' or 'query'."
  if (status === 403) return "It may want other credentials: see the options 'headers' and 'query'."
  return undefined
}

/** A request that got no answer, or not all of it. What went wrong within it names no header and no query. */
export function requestError(error: unknown, { method, file }: HttpOperation): SluiceError {
  if (isSluiceError(error)) return error.within({ file })
  const { message } = error instanceof Error ? error : new Error(String(error))
  const code = systemCode(error)
  const hint = code === undefined ? undefined : connectionHint(code)
  // Of a failed connection the message may be empty.
  return new SluiceError('io', `the request failed (${method}: ${message === '' ? code : message})`, {
    file,
    ...(hint === undefined ? {} : { hint }),
    ...(code === undefined ? {} : { cause: error }),
  })
}

function connectionHint(code: string): string | undefined {
  if (code === 'ENOTFOUND' || code === 'ECONNREFUSED') {
    return 'Correct the URL, or see to it that the server runs.'
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code)) {
    return 'An authority of your own is trusted if NODE_EXTRA_CA_CERTS names its file.'
  }
  return undefined
}
