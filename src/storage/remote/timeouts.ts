import { SluiceError } from '../../core/errors.ts'

/** How long connections are waited for: options of every remote store. */
export interface TimeoutOptions {
  /** Longest time in which a request may make no progress, in milliseconds. @default 30000 */
  idleTimeoutMs?: number | undefined
  /** Longest time to make a connection, in milliseconds. @default 10000 */
  connectTimeoutMs?: number | undefined
}

export function validateTimeouts({ idleTimeoutMs, connectTimeoutMs }: TimeoutOptions): void {
  for (const [option, value] of Object.entries({ idleTimeoutMs, connectTimeoutMs })) {
    if (value === undefined || (Number.isInteger(value) && value > 0)) continue
    const reason = `must be a whole number of milliseconds above 0, not ${value}`
    throw new SluiceError('invalid-argument', reason, { option })
  }
}
