import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { Socket } from 'node:net'
import type * as Sdk from '@azure/storage-blob'
import { SluiceError } from '../../core/errors.ts'
import { joinUrl, validateKey } from '../keys.ts'
import { loadPeer } from '../remote/peer.ts'
import { sendOnce } from '../remote/send.ts'
import type { UnwrappedStore } from '../store.ts'
import { type Authority, type AzureAccess, accessOf } from './access.ts'
import { azureError } from './errors.ts'
import { type AzureStoreOptions, type AzureTokenCredential, validateAzureOptions } from './options.ts'
import type { AzureLocation } from './url.ts'

/** What the SDK wants of whatever gives tokens. */
const SCOPE = 'https://storage.azure.com/.default'

const DAY = 24 * 3_600_000

/** Sends one request; `abort` is to be passed on to the SDK. */
type Send<T> = (container: Sdk.ContainerClient, abort: { abortSignal?: AbortSignal }) => Promise<T>

/** Below the root of the store: what is there is unfinished, and no object. */
export const STAGING = '_sluice/.staging/'

/** What is unfinished: its name below {@link STAGING}, and the key that it is for, by which messages call it. */
export interface Unfinished {
  name: string
  key: string
}

/** An object that the service is to read by itself, and what it may do that by. */
export interface CopySource {
  url: string
  authorization: { sourceAuthorization?: Sdk.HttpAuthorization }
}

/** A folder of a container, the SDK's client for it, and the way in which every request is made. */
export class AzureContainer {
  readonly url: string
  readonly name: string
  /** Before each key: `''`, or a folder that ends in `/`. */
  readonly #prefix: string
  readonly #client: Sdk.ContainerClient
  readonly #authorize: (blob: Sdk.BlobClient) => Promise<CopySource>

  constructor(
    client: Sdk.ContainerClient,
    base: string,
    prefix: string,
    authorize: (blob: Sdk.BlobClient) => Promise<CopySource>,
  ) {
    this.#client = client
    this.name = client.containerName
    this.url = joinUrl(base, prefix.slice(0, -1))
    this.#prefix = prefix
    this.#authorize = authorize
  }

  unwrap(): UnwrappedStore {
    return { client: this.#client, container: this.name, prefix: this.#prefix }
  }

  /** One request, once: a failure is a typed error, an abort rejects with the signal's own reason. */
  send<T>(name: string, key: string, signal: AbortSignal | undefined, send: Send<T>): Promise<T> {
    return sendOnce(
      signal,
      abortSignal => send(this.#client, abortSignal === undefined ? {} : { abortSignal }),
      error => azureError(error, { name, file: this.place(key), container: this.name }),
    )
  }

  /** The same for a blob. */
  sendTo<T>(
    name: string,
    at: string | Unfinished,
    signal: AbortSignal | undefined,
    send: (blob: Sdk.BlockBlobClient, abort: { abortSignal?: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    const [key, absolute] =
      typeof at === 'string' ? [at, this.absolute(at)] : [at.key, this.#prefix + STAGING + at.name]
    return this.send(name, key, signal, (client, abort) => send(client.getBlockBlobClient(absolute), abort))
  }

  /** A blob as the source of a copy. */
  sourceOf(at: string | Unfinished, signal: AbortSignal | undefined): Promise<CopySource> {
    return this.sendTo('Authorize', at, signal, blob => this.#authorize(blob))
  }

  /** The key in the container. */
  absolute(key: string): string {
    validateKey(key)
    if (key.includes('\\')) {
      throw new SluiceError('unsupported', `${JSON.stringify(key)} has a '\\'`, {
        option: 'key',
        file: this.url,
        hint: "The service takes it for a '/': choose another key.",
      })
    }
    if (key.startsWith(STAGING)) {
      throw new SluiceError('invalid-argument', `'${STAGING}' holds unfinished uploads, not objects`, {
        option: 'key',
        file: this.url,
      })
    }
    return this.#prefix + key
  }

  /** What keys in the container begin with, or come after. */
  absolutePrefix(prefix: string): string {
    return this.#prefix + prefix
  }

  /** The key in the store of a key, or of what keys begin with, in the container. */
  relative(key: string): string {
    return key.slice(this.#prefix.length)
  }

  /** Names an object in messages. */
  place(key: string): string {
    return key === '' ? this.url : `${this.url}/${key}`
  }
}

/** Loads the SDK and makes a client; no request is sent. */
export async function openContainer(
  location: AzureLocation,
  prefix: string,
  options: AzureStoreOptions,
): Promise<AzureContainer> {
  validateAzureOptions(options)
  const access = accessOf(options, location)
  const sdk = await loadPeer('@azure/storage-blob', 'Azure stores', () => import('@azure/storage-blob'))
  const { credential, authorize } = await credentialOf(sdk, access)
  // The SDK hands `agent` on to its HTTP client, which its type does not tell.
  const settings: Sdk.StoragePipelineOptions & { agent: HttpAgent } = {
    // Requests are retried in one place, which is not here.
    retryOptions: { maxTries: 1 },
    agent: agentOf(access.endpoint, options),
  }
  const url = `${access.endpoint}/${encodeURIComponent(location.container)}${queryOf(access.authority)}`
  const client = new sdk.ContainerClient(url, sdk.newPipeline(credential, settings))
  return new AzureContainer(client, location.base, prefix, authorize)
}

type Credential = Sdk.StorageSharedKeyCredential | Sdk.AnonymousCredential | AzureTokenCredential

/** What signs requests, and what lets the service read the source of a copy by itself. */
async function credentialOf(
  { AnonymousCredential, BlobSASPermissions, StorageSharedKeyCredential }: typeof Sdk,
  { account = '', authority }: AzureAccess,
): Promise<{ credential: Credential; authorize: (blob: Sdk.BlobClient) => Promise<CopySource> }> {
  // The URLs that the SDK makes of one with a signature have that, too.
  if ('sas' in authority) {
    const authorize = async ({ url }: Sdk.BlobClient) => ({ url, authorization: {} })
    return { credential: new AnonymousCredential(), authorize }
  }
  if ('key' in authority) {
    const authorize = async (blob: Sdk.BlobClient) => {
      const permissions = BlobSASPermissions.parse('r')
      const url = await blob.generateSasUrl({ permissions, expiresOn: new Date(Date.now() + DAY) })
      return { url, authorization: {} }
    }
    return { credential: new StorageSharedKeyCredential(account, authority.key), authorize }
  }
  const credential = authority.credential ?? (await defaultCredential())
  const authorize = async ({ url }: Sdk.BlobClient) => {
    const value = (await credential.getToken(SCOPE))?.token
    return {
      url,
      authorization: value === undefined ? {} : { sourceAuthorization: { scheme: 'Bearer', value } },
    }
  }
  return { credential, authorize }
}

async function defaultCredential(): Promise<AzureTokenCredential> {
  const { DefaultAzureCredential } = await loadPeer(
    '@azure/identity',
    'Azure stores',
    () => import('@azure/identity'),
  )
  return new DefaultAzureCredential()
}

function queryOf(authority: Authority): string {
  return 'sas' in authority ? `?${authority.sas}` : ''
}

/** Connections that end when nothing moves on them: the SDK itself would wait for ever. */
function agentOf(
  endpoint: string,
  { idleTimeoutMs = 30_000, connectTimeoutMs = 10_000 }: AzureStoreOptions,
): HttpAgent {
  const settings = { keepAlive: true, timeout: idleTimeoutMs }
  const secure = endpoint.startsWith('https:')
  const agent = secure ? new HttpsAgent(settings) : new HttpAgent(settings)
  const connect = agent.createConnection
  agent.createConnection = (...args) => {
    const socket = connect.apply(agent, args) as Socket
    const end = (reason: string) => socket.destroy(Object.assign(new Error(reason), { code: 'ETIMEDOUT' }))
    const timer = setTimeout(end, connectTimeoutMs, `no connection within ${connectTimeoutMs} ms`)
    socket.once(secure ? 'secureConnect' : 'connect', () => clearTimeout(timer))
    socket.once('close', () => clearTimeout(timer))
    socket.on('timeout', () => end(`no progress for ${idleTimeoutMs} ms`))
    return socket
  }
  // A kept connection has the shorter time that the service keeps it for, until it is used again.
  const reuse = agent.reuseSocket
  agent.reuseSocket = (socket, request) => {
    reuse.call(agent, socket, request)
    if (socket instanceof Socket) socket.setTimeout(idleTimeoutMs)
  }
  return agent
}
