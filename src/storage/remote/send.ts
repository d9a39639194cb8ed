import { abortable } from '../../core/abort.ts'
import type { SluiceError } from '../../core/errors.ts'

/**
 * One request of an SDK, once: a failure is a typed error, an abort rejects with the signal's own reason. SDKs leave
 * their listener on a signal until the connection is closed: so they get one of ours.
 */
export async function sendOnce<T>(
  signal: AbortSignal | undefined,
  send: (abortSignal: AbortSignal | undefined) => Promise<T>,
  typed: (error: unknown) => SluiceError,
): Promise<T> {
  signal?.throwIfAborted()
  const controller = signal && new AbortController()
  const abort = () => controller?.abort()
  signal?.addEventListener('abort', abort, { once: true })
  try {
    return await abortable(send(controller?.signal), signal)
  } catch (error) {
    signal?.throwIfAborted()
    throw typed(error)
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}
