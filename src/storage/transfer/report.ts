import { SluiceError } from '../../core/errors.ts'

/** What has become of an object; of a dry run, what would. */
export interface TransferEvent {
  key: string
  /** Bytes; of a deleted object, those that it had. */
  size: number
  outcome: 'copied' | 'skipped' | 'deleted' | 'failed'
  error?: SluiceError
}

/** What a transfer did; of a dry run, what it would do. */
export interface TransferReport {
  dryRun: boolean
  copied: { objects: number; bytes: number }
  /** Those that the destination had already. */
  skipped: { objects: number; bytes: number }
  deleted: { objects: number; bytes: number }
  /** Of these the destination has what it had before; where `verify` failed, nothing. */
  failed: { key: string; error: SluiceError }[]
  /** Large objects that went on where an earlier run, which was killed, had stopped; and what that spared. */
  resumed: { objects: number; bytes: number }
  /** Requests to both stores, as the transfer made them: retries below it are not counted. */
  requests: number
  seconds: number
  /** Most bytes of `memory` that were held at once. */
  memoryHighWaterBytes: number
}

/** A transfer of which something failed; `report` says what, and what did not. The code is the first failure's. */
export class TransferError extends SluiceError {
  override readonly name: string = 'TransferError'
  readonly report: TransferReport

  constructor(report: TransferReport, failure: SluiceError, reason: string) {
    super(failure.code, reason, { cause: failure })
    this.report = report
  }
}
