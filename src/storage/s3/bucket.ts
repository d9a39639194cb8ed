import type * as Sdk from '@aws-sdk/client-s3'
import { abortable } from '../../core/abort.ts'
import { SluiceError } from '../../core/errors.ts'
import { joinUrl, validateKey } from '../keys.ts'
import type { ObjectMeta, UnwrappedStore } from '../store.ts'
import { s3Error } from './errors.ts'
import { endpointOf, isAmazon, type S3StoreOptions, validateS3Options } from './options.ts'

/** The metadata by which an object is known to be the result of an upload, whatever has become of its reply. */
export const MARK = 'sluice-upload'

/** What goes with every request of a kind, besides what it is about. */
interface Defaults {
  /** With each. */
  all: { Bucket: string; RequestPayer?: 'requester' }
  /** With those that read or write bytes of an object under a key of the customer's. */
  customerKey: { SSECustomerAlgorithm?: string; SSECustomerKey?: string }
  /** With those that make an object. */
  create: Pick<Sdk.PutObjectRequest, 'ServerSideEncryption' | 'SSEKMSKeyId' | 'StorageClass'>
  /** With those that begin an upload: the checksum that its parts come with is announced. */
  multipart: { ChecksumAlgorithm?: 'CRC32' }
}

/** Sends one request; `http` is to be passed on to the SDK. */
type Send<T> = (s3: Sdk.S3, http: { abortSignal?: AbortSignal }) => Promise<T>

/** A folder of a bucket, the SDK's client for it, and the way in which every request is made. */
export class S3Bucket {
  readonly url: string
  readonly name: string
  readonly defaults: Defaults
  /** Before each key: `''`, or a folder that ends in `/`. */
  readonly #prefix: string
  readonly #s3: Sdk.S3

  constructor(s3: Sdk.S3, name: string, prefix: string, options: S3StoreOptions & { checksums: string }) {
    this.#s3 = s3
    this.name = name
    this.url = joinUrl(`s3://${name}`, prefix.slice(0, -1))
    this.#prefix = prefix
    this.defaults = {
      all: { Bucket: name, ...(options.requesterPays ? { RequestPayer: 'requester' } : {}) },
      customerKey: customerKeyOf(options.encryption),
      create: creationOf(options),
      multipart: options.checksums === 'supported' ? { ChecksumAlgorithm: 'CRC32' } : {},
    }
  }

  unwrap(): UnwrappedStore {
    return { client: this.#s3, container: this.name, prefix: this.#prefix }
  }

  /** One request, once: a failure is a typed error, an abort rejects with the signal's own reason. */
  async send<T>(name: string, key: string, signal: AbortSignal | undefined, send: Send<T>): Promise<T> {
    signal?.throwIfAborted()
    // The SDK leaves its listener on the signal until the connection is closed: so it gets one of ours.
    const controller = signal && new AbortController()
    const abort = () => controller?.abort()
    signal?.addEventListener('abort', abort, { once: true })
    try {
      const sent = send(this.#s3, controller === undefined ? {} : { abortSignal: controller.signal })
      return await abortable(sent, signal)
    } catch (error) {
      signal?.throwIfAborted()
      throw s3Error(error, { name, file: this.place(key), bucket: this.name })
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  /** The key in the bucket. */
  absolute(key: string): string {
    return this.#prefix + validateKey(key)
  }

  /** What keys in the bucket begin with, or come after. */
  absolutePrefix(prefix: string): string {
    return this.#prefix + prefix
  }

  /** The key in the store of a key, or of what keys begin with, in the bucket. */
  relative(key: string): string {
    return key.slice(this.#prefix.length)
  }

  /** Names an object in messages. */
  place(key: string): string {
    return key === '' ? this.url : `${this.url}/${key}`
  }
}

/** Loads the SDK and makes a client; no request is sent. */
export async function openBucket(name: string, prefix: string, options: S3StoreOptions): Promise<S3Bucket> {
  validateS3Options(options)
  const endpoint = endpointOf(options)
  const own = endpoint !== undefined && !isAmazon(endpoint)
  const { S3 } = await loadSdk()
  const checksums = options.checksums ?? (own ? 'required' : 'supported')
  const region = options.region ?? (own ? await configuredRegion(S3) : undefined)
  const agent = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY }
  const s3 = new S3({
    // Requests are retried in one place, which is not here.
    maxAttempts: 1,
    requestChecksumCalculation: checksums === 'required' ? 'WHEN_REQUIRED' : 'WHEN_SUPPORTED',
    // Checked by the SDK they triple the cost of a read; the transport and Parquet have checksums of their own.
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: options.connectTimeoutMs ?? 10_000,
      socketTimeout: options.idleTimeoutMs ?? 30_000,
      httpAgent: agent,
      httpsAgent: agent,
    },
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
  })
  choosePathStyle(s3, options.pathStyle)
  return new S3Bucket(s3, name, prefix, { ...options, checksums })
}

/** What a request's answer tells of an object; a whole second is all that each of them knows of its time. */
export function metaOf(
  key: string,
  { ETag, LastModified }: { ETag?: string | undefined; LastModified?: Date | undefined },
  size: number,
): ObjectMeta {
  const seconds = Math.floor((LastModified?.getTime() ?? 0) / 1000)
  return { key, size, etag: unquoted(ETag), lastModified: new Date(seconds * 1000) }
}

/** Services differ in whether they quote a tag. */
export function unquoted(etag: string | undefined): string {
  return etag?.replace(/^"(.*)"$/, '$1') ?? ''
}

async function loadSdk(): Promise<typeof Sdk> {
  try {
    return await import('@aws-sdk/client-s3')
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND')) throw cause
    throw new SluiceError('unsupported', "'s3:' stores need the package '@aws-sdk/client-s3'", {
      option: 'url',
      hint: 'Install it: npm install @aws-sdk/client-s3',
      cause,
    })
  }
}

/** Decided where the SDK, too, knows the endpoint that a profile may have named. */
function choosePathStyle({ config }: Sdk.S3, asked: boolean | undefined): void {
  const endpointFor = config.endpointProvider
  config.endpointProvider = (params, context) => {
    const { Endpoint: endpoint } = params
    const pathStyle = asked ?? (endpoint !== undefined && !isAmazon(endpoint))
    return endpointFor(pathStyle ? { ...params, ForcePathStyle: true } : params, context)
  }
}

/** The region that the SDK finds; where none is configured, the one that services with a single region go by. */
async function configuredRegion(S3: typeof Sdk.S3): Promise<string> {
  try {
    return await new S3().config.region()
  } catch {
    return 'us-east-1'
  }
}

function customerKeyOf(encryption: S3StoreOptions['encryption']): Defaults['customerKey'] {
  if (typeof encryption !== 'object' || !('customerKey' in encryption)) return {}
  // Base64: the SDK takes a text as it is and adds the digest that goes with it.
  return {
    SSECustomerAlgorithm: 'AES256',
    SSECustomerKey: Buffer.from(encryption.customerKey).toString('base64'),
  }
}

function creationOf({ encryption, storageClass }: S3StoreOptions): Defaults['create'] {
  const create: Defaults['create'] = {}
  if (encryption === 'AES256') create.ServerSideEncryption = 'AES256'
  if (typeof encryption === 'object' && 'kmsKeyId' in encryption) {
    create.ServerSideEncryption = 'aws:kms'
    create.SSEKMSKeyId = encryption.kmsKeyId
  }
  if (storageClass !== undefined) create.StorageClass = storageClass as Sdk.StorageClass
  return create
}
