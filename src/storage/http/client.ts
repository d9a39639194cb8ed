import type { Readable } from 'node:stream'
import type * as Undici from 'undici'
import { abortable } from '../../core/abort.ts'
import { SluiceError } from '../../core/errors.ts'
import { joinUrl, validateKey } from '../keys.ts'
import { loadPeer } from '../remote/peer.ts'
import type { UnwrappedStore } from '../store.ts'
import { guardedConnector, guardedLookup, namesPrivate } from './addresses.ts'
import { answerError, type HttpOperation, requestError } from './errors.ts'
import type { HttpSettings } from './options.ts'

const MAX_REDIRECTS = 5
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** An answer that has begun. */
export interface HttpAnswer {
  status: number
  /** Of those that a server sent twice, the first. */
  headers: Record<string, string | undefined>
  body: Readable
}

export interface HttpRequest {
  method: 'HEAD' | 'GET'
  headers?: Record<string, string>
  signal?: AbortSignal | undefined
}

/** A folder of an HTTP server, and the way in which every request to it is made. */
export class HttpFolder {
  /** Without credentials, query and the slash at its end. */
  readonly url: string
  readonly #settings: HttpSettings
  readonly #agent: Undici.Agent

  constructor(settings: HttpSettings, agent: Undici.Agent) {
    this.#settings = settings
    this.#agent = agent
    this.url = settings.base.href.slice(0, -1)
  }

  /** File of the listing, if the user has named one. */
  get index(): URL | undefined {
    return this.#settings.index
  }

  unwrap(): UnwrappedStore {
    return { client: this.#agent, container: this.#settings.base.href, prefix: '' }
  }

  /** Names an object in messages. */
  place(key: string): string {
    return key === '' ? this.url : `${this.url}/${key}`
  }

  /** Where an object is, exactly: no normalisation takes `%41` for `A`. */
  locate(key: string): URL {
    return new URL(joinUrl(this.#settings.base.href, validateKey(key)))
  }

  /**
   * One request, and those that redirects lead to. Answers of other statuses than those of `accept` are typed errors,
   * as is an answer that is encoded: its ranges and its length would not be those of the object.
   */
  async request(
    url: URL,
    operation: HttpOperation,
    { method, headers = {}, signal }: HttpRequest,
    accept: readonly number[],
  ): Promise<HttpAnswer> {
    const { base, query } = this.#settings
    let target = new URL(url.href + query)
    for (let redirects = 0; ; redirects++) {
      // Credentials go to the server that they are for.
      const own = target.origin === base.origin ? this.#settings.headers : {}
      const sent = { ...own, ...headers, 'accept-encoding': 'identity' }
      const answer = await this.#send(target, operation, { method, headers: sent, signal })
      if (REDIRECTS.has(answer.status)) {
        discard(answer)
        if (redirects === MAX_REDIRECTS) {
          throw new SluiceError('unsupported', `the server redirects more than ${MAX_REDIRECTS} times`, {
            file: operation.file,
          })
        }
        target = this.#redirected(target, answer, operation)
        continue
      }
      if (!accept.includes(answer.status)) {
        discard(answer)
        throw answerError(answer, operation)
      }
      const encoding = answer.headers['content-encoding'] ?? 'identity'
      if (answer.status < 300 && encoding !== 'identity') {
        discard(answer)
        const reason = `the server sends it encoded ('${encoding}') although it was asked not to`
        throw new SluiceError('unsupported', reason, {
          file: operation.file,
          hint: 'Turn compression off for these files, on the server or the proxy before it.',
        })
      }
      return answer
    }
  }

  async #send(target: URL, operation: HttpOperation, request: HttpRequest): Promise<HttpAnswer> {
    const { method, headers = {}, signal } = request
    signal?.throwIfAborted()
    // undici leaves its listener on the signal until the body has ended: so it gets one of ours.
    const controller = signal && new AbortController()
    const abort = () => controller?.abort()
    signal?.addEventListener('abort', abort, { once: true })
    try {
      const sent = this.#agent.request({
        origin: target.origin,
        path: target.pathname + target.search,
        method,
        headers,
        ...(controller === undefined ? {} : { signal: controller.signal }),
      })
      const { statusCode: status, headers: received, body } = await abortable(sent, signal)
      // The connection may break before anybody reads, which nobody would listen to.
      return { status, headers: firstOf(received), body: body.on('error', () => undefined) }
    } catch (error) {
      signal?.throwIfAborted()
      throw requestError(error, operation)
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  #redirected(from: URL, { status, headers }: HttpAnswer, { method, file }: HttpOperation): URL {
    const { location = '' } = headers
    const target = URL.canParse(location, from.href) ? new URL(location, from) : undefined
    if (location === '' || target === undefined || !/^https?:$/.test(target.protocol)) {
      throw new SluiceError('unsupported', `the server redirects to nowhere (${method}, ${status})`, { file })
    }
    // So servers say of a folder that it is one.
    if (target.origin === from.origin && decoded(target) === `${decoded(from)}/`) {
      throw answerError({ status: 404, headers: {} }, { method, file })
    }
    if (!this.#mayRedirect(target) || target.username !== '' || target.password !== '') {
      throw new SluiceError(
        'permission',
        `the server redirects to '${target.origin}', which is another origin`,
        {
          file,
          hint: `If it is to be trusted, open the store with 'allowRedirects: ["${target.origin}"]'.`,
        },
      )
    }
    return target
  }

  #mayRedirect(target: URL): boolean {
    const { base, redirects } = this.#settings
    if (target.origin === base.origin) return true
    if (redirects !== 'any') return redirects.includes(target.origin)
    return base.protocol === 'http:' || target.protocol === 'https:'
  }
}

/** Loads undici and makes an agent; no request is sent. */
export async function openFolder(settings: HttpSettings): Promise<HttpFolder> {
  const { Agent, buildConnector } = await loadPeer(
    'undici',
    "'http:' and 'https:' stores",
    () => import('undici'),
    { version: '@7' },
  )
  const { base, redirects, allowPrivate, idleTimeoutMs, connectTimeoutMs: timeout } = settings
  const origins = [base, ...(redirects === 'any' ? [] : redirects.map(origin => new URL(origin)))]
  const hosts = origins.map(({ hostname }) => hostname).filter(namesPrivate)
  const named = new Set(hosts.map(hostname => hostname.replace(/^\[|\]$/g, '')))
  const connect = allowPrivate
    ? buildConnector({ timeout })
    : guardedConnector(buildConnector({ timeout, lookup: guardedLookup(named) }), named)
  const agent = new Agent({ connect, headersTimeout: idleTimeoutMs, bodyTimeout: idleTimeoutMs })
  return new HttpFolder(settings, agent)
}

/** Ends an answer whose body nobody wants. A short one is read, so that its connection can be used again. */
export function discard({ body }: Pick<HttpAnswer, 'body'>): void {
  let left = 64 * 1024
  body.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) body.destroy()
  })
}

/** Servers differ in which characters they percent-encode. */
function decoded({ pathname }: URL): string {
  try {
    return decodeURIComponent(pathname)
  } catch {
    return pathname
  }
}

function firstOf(received: Undici.Dispatcher.ResponseData['headers']): HttpAnswer['headers'] {
  const headers: HttpAnswer['headers'] = {}
  for (const [name, value] of Object.entries(received)) {
    headers[name] = Array.isArray(value) ? value[0] : value
  }
  return headers
}
