import type { BatchSubResponse, BlobClient } from '@azure/storage-blob'
import { forEachConcurrently } from '../../core/concurrency.ts'
import { isSluiceError, SluiceError } from '../../core/errors.ts'
import { retrying } from '../../core/retry.ts'
import { deleteEach } from '../batch.ts'
import { failureOf, systemCode } from '../remote/errors.ts'
import type { SignalOption, Store } from '../store.ts'
import type { AzureContainer } from './container.ts'
import { azureError } from './errors.ts'

/** What one request deletes at most. */
const BATCH = 256
const CONCURRENCY = 8

/** `deleteMany` by the service's batches; one by one where it refuses those, which is told by another status. */
export async function deleteBatches(
  store: Pick<Store, 'delete'>,
  container: AzureContainer,
  keys: readonly string[],
  { signal }: SignalOption = {},
): Promise<Map<string, SluiceError>> {
  signal?.throwIfAborted()
  const failures = new Map<string, SluiceError>()
  const valid = [...new Set(keys)].filter(key => {
    try {
      return container.absolute(key) !== ''
    } catch (error) {
      if (!isSluiceError(error)) throw error
      failures.set(key, error)
      return false
    }
  })
  const batches = Array.from({ length: Math.ceil(valid.length / BATCH) }, (_, i) =>
    valid.slice(i * BATCH, (i + 1) * BATCH),
  )
  await forEachConcurrently(batches, CONCURRENCY, async batch => {
    for (const [key, error] of await deleteBatch(store, container, batch, signal)) failures.set(key, error)
  })
  return failures
}

async function deleteBatch(
  store: Pick<Store, 'delete'>,
  container: AzureContainer,
  keys: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Map<string, SluiceError>> {
  const failures = new Map<string, SluiceError>()
  try {
    const send = () =>
      container.send('BlobBatch', '', signal, (client, abort) => {
        const blobs = keys.map((key): BlobClient => client.getBlobClient(container.absolute(key)))
        return client.getBlobBatchClient().deleteBlobs(blobs, abort)
      })
    // While the SDK puts batches together the service may close a connection that was kept for them.
    const { subResponses } = await retrying(send, {
      attempts: 2,
      minDelayMs: 0,
      signal,
      shouldRetry: isReset,
    })
    keys.forEach((key, i) => {
      const error = failureIn(subResponses[i], container, key)
      if (error !== undefined) failures.set(key, error)
    })
  } catch (error) {
    signal?.throwIfAborted()
    if (!isSluiceError(error)) throw error
    const { status = 0 } = failureOf(error) ?? {}
    if (status >= 400 && status < 500 && status !== 429) return deleteEach(store, keys, { signal })
    for (const key of keys) failures.set(key, error)
  }
  return failures
}

function isReset(error: unknown): boolean {
  return isSluiceError(error) && ['ECONNRESET', 'EPIPE'].includes(systemCode(error.cause) ?? '')
}

/** Why one of a batch was not deleted: what is not there need not be. */
function failureIn(
  answer: BatchSubResponse | undefined,
  container: AzureContainer,
  key: string,
): SluiceError | undefined {
  const operation = { name: 'DeleteBlob', file: container.place(key), container: container.name }
  if (answer === undefined) {
    return new SluiceError('io', 'the batch has no answer for it (BlobBatch)', { file: operation.file })
  }
  const { status, errorCode, headers, bodyAsText = '' } = answer
  if (status < 300 || errorCode === 'BlobNotFound') return undefined
  const failed = Object.assign(new Error(), { statusCode: status, response: { headers, bodyAsText } })
  return azureError(failed, operation)
}
