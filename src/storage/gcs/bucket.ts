import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { basename, dirname } from 'node:path'
import type * as Sdk from '@google-cloud/storage'
import { abortable } from '../../core/abort.ts'
import { SluiceError } from '../../core/errors.ts'
import { joinUrl, validateUnstaged } from '../keys.ts'
import { LocalStore } from '../local/store.ts'
import { readJson } from '../read.ts'
import { HttpClient, readBody } from '../remote/http.ts'
import { loadPeer } from '../remote/peer.ts'
import type { SignalOption, UnwrappedStore } from '../store.ts'
import { answerError, credentialsError, type GcsOperation, isNotFound, requestError } from './errors.ts'
import { recordOf } from './object.ts'
import { endpointOf, type GcsStoreOptions, validateGcsOptions } from './options.ts'

type Query = Record<string, string | number | undefined>

/** A request to the service; the credentials and who pays are added to it. */
export interface GcsRequest extends SignalOption {
  /** The name that the service gives it. */
  operation: string
  /** That it is about: `''` for the bucket. */
  key: string
  method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  /** Percent-encoded. */
  path: string
  query?: Query
  headers?: Record<string, string>
  body?: readonly Uint8Array[]
  /** Statuses that are answers and no failures, besides those from 200 to 299. */
  accept?: readonly number[]
}

/** The answer to a request that is answered in JSON. */
export interface GcsAnswer {
  status: number
  headers: IncomingHttpHeaders
  json: unknown
}

/** A folder of a bucket, the SDK's client for it, and the way in which every request is made. */
export class GcsBucket {
  readonly url: string
  readonly name: string
  /** What new objects are like. */
  readonly creation: Pick<GcsStoreOptions, 'storageClass' | 'kmsKeyName'>
  /** Before each key: `''`, or a folder that ends in `/`. */
  readonly #prefix: string
  readonly #sdk: Sdk.Bucket
  readonly #http: HttpClient
  readonly #endpoint: URL
  readonly #anonymous: boolean
  readonly #userProject: string | undefined

  constructor(
    sdk: Sdk.Bucket,
    prefix: string,
    http: HttpClient,
    options: Omit<GcsStoreOptions, 'endpoint'> & { endpoint: URL; anonymous: boolean },
  ) {
    this.name = sdk.name
    this.url = joinUrl(`gs://${sdk.name}`, prefix.slice(0, -1))
    const { storageClass, kmsKeyName } = options
    this.creation = { storageClass, kmsKeyName }
    this.#sdk = sdk
    this.#prefix = prefix
    this.#http = http
    this.#endpoint = options.endpoint
    this.#anonymous = options.anonymous
    this.#userProject = options.userProject
  }

  unwrap(): UnwrappedStore {
    return { client: this.#sdk, container: this.name, prefix: this.#prefix }
  }

  /** One request, once; whoever calls reads the answer's body. */
  async send(request: GcsRequest): Promise<IncomingMessage> {
    const { operation: name, key, method, path, query = {}, headers, body, accept = [], signal } = request
    signal?.throwIfAborted()
    const operation = { name, file: this.place(key), bucket: this.name }
    const sent = {
      host: this.#endpoint.host,
      ...headers,
      ...(await this.#authorization(operation, signal)),
      // The XML API takes it from here.
      ...(this.#userProject === undefined ? {} : { 'x-goog-user-project': this.#userProject }),
    }
    const asked = path + queryOf({ ...query, userProject: this.#userProject })
    try {
      const reply = await abortable(
        this.#http.send({
          origin: this.#endpoint,
          method,
          path: this.#endpoint.pathname.replace(/\/$/, '') + asked,
          headers: sent,
          body,
          signal,
          idempotent: method === 'GET',
        }),
        signal,
      )
      const { statusCode: status = 0 } = reply
      if ((status >= 200 && status < 300) || accept.includes(status)) return reply
      const text = await textOf(reply, signal)
      throw answerError({ status, headers: reply.headers, text }, operation)
    } catch (error) {
      signal?.throwIfAborted()
      throw requestError(error, operation)
    }
  }

  /** One request, once, with its answer. */
  async call(request: GcsRequest): Promise<GcsAnswer> {
    const { operation, key, signal } = request
    const reply = await this.send(request)
    const { statusCode: status = 0, headers } = reply
    try {
      const text = await textOf(reply, signal)
      return { status, headers, json: text === '' ? undefined : parsed(text, status) }
    } catch (error) {
      signal?.throwIfAborted()
      throw requestError(error, { name: operation, file: this.place(key), bucket: this.name })
    }
  }

  /** Path of an object, or of all of them, for the JSON API. */
  path(name?: string): string {
    return `/storage/v1/b/${this.name}/o${name === undefined ? '' : `/${encodeURIComponent(name)}`}`
  }

  /** Path of an object for the XML API, whose answers to reads tell the metadata. */
  mediaPath(name: string): string {
    return `/${this.name}/${name.split('/').map(encodeURIComponent).join('/')}`
  }

  get uploadPath(): string {
    return `/upload/storage/v1/b/${this.name}/o`
  }

  /** The key in the bucket. */
  absolute(key: string): string {
    return this.#prefix + validateUnstaged(key)
  }

  /** What keys in the bucket begin with, or come after. */
  absolutePrefix(prefix: string): string {
    return this.#prefix + prefix
  }

  /** The key in the store of a key, or of what keys begin with, in the bucket. */
  relative(name: string): string {
    return name.slice(this.#prefix.length)
  }

  /** Names an object in messages. */
  place(key: string): string {
    return key === '' ? this.url : `${this.url}/${key}`
  }

  /** The SDK keeps a token for as long as it is valid. */
  async #authorization(
    operation: GcsOperation,
    signal: AbortSignal | undefined,
  ): Promise<Record<string, string>> {
    if (this.#anonymous) return {}
    try {
      return Object.fromEntries(await abortable(this.#sdk.storage.authClient.getRequestHeaders(), signal))
    } catch (error) {
      signal?.throwIfAborted()
      throw credentialsError(error, operation)
    }
  }
}

/** Loads the SDK and makes a client; no request is sent. */
export async function openBucket(name: string, prefix: string, options: GcsStoreOptions): Promise<GcsBucket> {
  validateGcsOptions(options)
  const { endpoint, anonymous } = endpointOf(options)
  const { Storage } = await loadPeer(
    '@google-cloud/storage',
    "'gs:' stores",
    () => import('@google-cloud/storage'),
  )
  const { projectId, userProject } = options
  const origin = endpoint.href.replace(/\/$/, '')
  const storage = new Storage({
    apiEndpoint: origin,
    // Requests are retried in one place, which is not here.
    retryOptions: { autoRetry: false, maxRetries: 0 },
    useAuthWithCustomEndpoint: !anonymous,
    ...(projectId === undefined ? {} : { projectId }),
  })
  // As options of its own the SDK takes them with a warning on the console.
  storage.authClient.jsonContent = await credentialsOf(options)
  // Of the emulator's address the SDK forgets the path below it.
  storage.baseUrl = `${origin}/storage/v1`
  const bucket = storage.bucket(name, userProject === undefined ? {} : { userProject })
  const { connectTimeoutMs = 10_000, idleTimeoutMs = 30_000 } = options
  const http = new HttpClient({ connectTimeoutMs, idleTimeoutMs })
  return new GcsBucket(bucket, prefix, http, { ...options, endpoint, anonymous })
}

/** The credentials that are given, in the words of the SDK; none for those that it finds. */
async function credentialsOf({
  credentials,
  keyFile,
}: GcsStoreOptions): Promise<Sdk.Storage['authClient']['jsonContent']> {
  if (credentials !== undefined) return { type: 'service_account', ...credentials }
  if (keyFile === undefined) return null
  try {
    return recordOf(await readJson(new LocalStore(dirname(keyFile)), basename(keyFile)))
  } catch (error) {
    const reason = isNotFound(error) ? 'there is no such file' : 'is no JSON file that can be read'
    // What was read of it is not repeated: it is secret.
    throw new SluiceError('invalid-argument', reason, { option: 'keyFile', file: keyFile })
  }
}

/** The rest of an answer, which is text. */
async function textOf(reply: IncomingMessage, signal: AbortSignal | undefined): Promise<string> {
  try {
    return (await abortable(readBody(reply), signal)).toString()
  } finally {
    reply.destroy()
  }
}

function queryOf(query: Query): string {
  const given = Object.entries(query).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, String(value)]],
  )
  return given.length === 0 ? '' : `?${String(new URLSearchParams(given)).replaceAll('+', '%20')}`
}

function parsed(text: string, status: number): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error(`the answer, of status ${status}, is no JSON`)
  }
}
