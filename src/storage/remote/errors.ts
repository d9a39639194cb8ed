import { type ErrorCode, SluiceError } from '../../core/errors.ts'

/** The service's answer to a request that failed: nothing of the request, whose headers are secret. */
export class ServiceFailure extends Error {
  override readonly name: string = 'ServiceFailure'
  /** The service's own code, such as `NoSuchUpload` or `BlobNotFound`; the status if it gave none. */
  readonly code: string
  /** HTTP status. */
  readonly status: number
  readonly requestId: string | undefined

  constructor(message: string, code: string, status: number, requestId: string | undefined) {
    super(message)
    this.code = code
    this.status = status
    this.requestId = requestId
  }
}

/** The service's answer behind a typed error, if there was one. */
export function failureOf(error: unknown): ServiceFailure | undefined {
  const { cause } = error instanceof SluiceError ? error : {}
  return cause instanceof ServiceFailure ? cause : undefined
}

/** What an HTTP status means where the service gives no code that says more. */
export const STATUSES: Record<number, ErrorCode> = {
  301: 'invalid-argument',
  307: 'io',
  400: 'invalid-argument',
  401: 'permission',
  403: 'permission',
  404: 'not-found',
  405: 'unsupported',
  408: 'io',
  409: 'io',
  412: 'precondition',
  416: 'invalid-argument',
  429: 'io',
  501: 'unsupported',
}

/** A `Retry-After`: seconds, or a date. */
export function millisecondsUntil(header: string | null | undefined): number | undefined {
  if (header == null) return undefined
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now()
  return ms > 0 ? ms : undefined
}

/** The code of the operating system, or of Node, that a request without an answer failed with. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
