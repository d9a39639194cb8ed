import { hash } from 'node:crypto'
import { forEachConcurrently } from '../../core/concurrency.ts'
import { isSluiceError, type SluiceError } from '../../core/errors.ts'
import { deleteEach } from '../batch.ts'
import { failureOf, ServiceFailure } from '../remote/errors.ts'
import type { SignalOption } from '../store.ts'
import type { S3Bucket } from './bucket.ts'
import { answerError } from './errors.ts'
import { escapeXml, isXmlText, NAMESPACE, textOf, type XmlElement } from './xml.ts'

/** Keys that a service takes at once. */
const BATCH = 1_000
/** Such calls at once: each is as much work for the service as its keys. */
const CONCURRENCY = 4

export function deleteObject(bucket: S3Bucket, key: string, { signal }: SignalOption): Promise<unknown> {
  return bucket.call({ name: 'DeleteObject', method: 'DELETE', key, signal })
}

/** Deletes objects a thousand at a time, and one by one where the service, or the keys, are not up to that. */
export async function deleteObjects(
  bucket: S3Bucket,
  keys: readonly string[],
  options: SignalOption,
): Promise<Map<string, SluiceError>> {
  const { signal } = options
  signal?.throwIfAborted()
  // What is no key is told so, key by key; of some there is no XML.
  const [named, others]: [string[], string[]] = [[], []]
  for (const key of new Set(keys)) (isXmlText(key) && isKey(bucket, key) ? named : others).push(key)
  const batches: string[][] = []
  for (let start = 0; start < named.length; start += BATCH) batches.push(named.slice(start, start + BATCH))
  if (named.length === 1) others.push(...(batches.pop() ?? []))
  const failures = new Map<string, SluiceError>()
  await forEachConcurrently(batches, CONCURRENCY, async batch => {
    try {
      await deleteBatch(bucket, batch, failures, options)
    } catch (error) {
      signal?.throwIfAborted()
      if (!isSluiceError(error)) throw error
      if (isUnknown(error)) others.push(...batch)
      else for (const key of batch) failures.set(key, error)
    }
  })
  const each = { delete: async (key: string) => void (await deleteObject(bucket, key, options)) }
  for (const [key, error] of await deleteEach(each, others, options)) failures.set(key, error)
  return failures
}

async function deleteBatch(
  bucket: S3Bucket,
  keys: readonly string[],
  failures: Map<string, SluiceError>,
  { signal }: SignalOption,
): Promise<void> {
  const objects = keys.map(key => `<Object><Key>${escapeXml(bucket.absolute(key))}</Key></Object>`)
  const body = Buffer.from(`<Delete xmlns="${NAMESPACE}"><Quiet>true</Quiet>${objects.join('')}</Delete>`)
  const reply = await bucket.ask({
    name: 'DeleteObjects',
    method: 'POST',
    query: { delete: '' },
    // Services demand a digest of this request, and not all know another one.
    headers: { 'content-md5': hash('md5', body, 'base64'), ...bucket.checksumOf(body) },
    body,
    signal,
  })
  const asked = new Set(keys)
  for (const element of reply.children) {
    if (element.name !== 'Error' || textOf(element, 'Code') === 'NoSuchKey') continue
    const key = bucket.relative(textOf(element, 'Key') ?? '')
    const error = errorOf(bucket, key, element)
    if (!asked.has(key)) throw error
    failures.set(key, error)
  }
}

function errorOf(bucket: S3Bucket, key: string, element: XmlElement): SluiceError {
  const code = textOf(element, 'Code') ?? ''
  const failure = new ServiceFailure(textOf(element, 'Message') ?? '', code, STATUSES[code] ?? 200, undefined)
  return answerError({ failure }, { name: 'DeleteObjects', file: bucket.place(key), bucket: bucket.name })
}

/** What the service would have answered if it had been asked for the one key. */
const STATUSES: Record<string, number> = { AccessDenied: 403, InternalError: 500, SlowDown: 503 }

/** Whether a service refused because it does not know the request. */
function isUnknown(error: SluiceError): boolean {
  const { code = '', status } = failureOf(error) ?? {}
  return status === 405 || status === 501 || code === 'NotImplemented' || code === 'MethodNotAllowed'
}

function isKey(bucket: S3Bucket, key: string): boolean {
  try {
    bucket.absolute(key)
    return true
  } catch {
    return false
  }
}
