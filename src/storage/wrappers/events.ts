import { type ErrorCode, isSluiceError } from '../../core/errors.ts'
import { failureOf } from '../remote/errors.ts'
import type { StoreMethod } from './wrapped.ts'

/** What a request failed with; nothing of it is secret. */
export interface RequestFailure {
  error?: unknown
  /** Of a `SluiceError`. */
  code?: ErrorCode | undefined
  /** HTTP status of the service's answer. */
  status?: number | undefined
}

/** A request, and once it has ended how it went. Holds no contents and no credentials. */
export interface RequestEvent extends RequestFailure {
  /** The store's URL. */
  readonly store: string
  readonly method: StoreMethod
  /** Key or prefix, from the root of the store. */
  readonly key: string
  /** Which try it is, from 1 on, where a layer above retries. */
  readonly attempt: number
  /** Bytes received or sent, of `getRanges` with the gaps that coalescing read. */
  bytes: number
  /** Objects that a listing gave; stretches that a request of `getRanges` read of a local file; 1 otherwise. */
  count: number
  /** From the call to its end, with the time that a stream waited for its reader or writer. */
  milliseconds: number
}

/** A failed request that is tried again. */
export interface RetryEvent extends RequestFailure {
  readonly store: string
  readonly method: StoreMethod
  readonly key: string
  /** The try that failed, from 1 on. */
  readonly attempt: number
  /** The pause before the next one, in milliseconds. */
  readonly delayMs: number
}

/** A failure as events tell of it. */
export function describeFailure(error: unknown): RequestFailure {
  return {
    error,
    code: isSluiceError(error) ? error.code : undefined,
    status: failureOf(error)?.status,
  }
}
