import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { systemCode } from './errors.ts'

export interface HttpOptions {
  /** Longest time to make a connection, in milliseconds. */
  connectTimeoutMs: number
  /** Longest time without a byte of what is being waited for, in milliseconds. */
  idleTimeoutMs: number
}

export interface HttpRequest {
  method: string
  /** Where to. */
  origin: URL
  /** With the query, as it is to be sent. */
  path: string
  headers: Readonly<Record<string, string>>
  /** Whole, or in pieces. */
  body?: Uint8Array | readonly Uint8Array[] | undefined
  /** Ends the connection for as long as the answer has not begun. */
  signal?: AbortSignal | undefined
  /** Whether it may be carried out twice. */
  idempotent: boolean
}

/** Connections to a service, kept for the requests to come; idle ones let the process end. */
export class HttpClient {
  readonly #options: HttpOptions
  readonly #http = new Agent({ keepAlive: true })
  readonly #https = new HttpsAgent({ keepAlive: true })

  constructor(options: HttpOptions) {
    this.#options = options
  }

  /** Sends one request. The answer's body is still to be read; somebody listens to its errors. */
  async send(request: HttpRequest): Promise<IncomingMessage> {
    const agent = request.origin.protocol === 'https:' ? this.#https : this.#http
    const { outgoing, answer } = begin(request, agent, this.#options)
    try {
      return await answer
    } catch (error) {
      // The service has closed a connection that was kept, at the very moment that it was used again.
      const stale = outgoing.reusedSocket && ['ECONNRESET', 'EPIPE'].includes(systemCode(error) ?? '')
      if (!stale || !request.idempotent || request.signal?.aborted) throw error
      return await begin(request, false, this.#options).answer
    }
  }
}

/** Reads an answer to its end; what it ends early with is thrown. */
export async function readBody(
  reply: IncomingMessage,
  most: number = Number.POSITIVE_INFINITY,
): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of reply as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    length += chunk.length
    if (length >= most) break
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
}

function begin(
  { method, origin, path, headers, body, signal }: HttpRequest,
  agent: Agent | false,
  { connectTimeoutMs, idleTimeoutMs }: HttpOptions,
): { outgoing: ClientRequest; answer: Promise<IncomingMessage> } {
  const send = origin.protocol === 'https:' ? httpsRequest : httpRequest
  // A list is sent as it is, in less time than a record.
  const list = Object.entries(headers).flat()
  const pieces = body instanceof Uint8Array ? [body] : (body ?? [])
  const length = pieces.reduce((sum, { length }) => sum + length, 0)
  if (method === 'PUT' || method === 'POST') list.push('content-length', String(length))
  const outgoing = send({
    method,
    // Of an IPv6 address the URL has brackets.
    host: origin.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: origin.port,
    path,
    headers: list,
    agent,
  })
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    let reply: IncomingMessage | undefined
    const abort = () => outgoing.destroy()
    signal?.addEventListener('abort', abort, { once: true })
    outgoing.once('response', incoming => {
      signal?.removeEventListener('abort', abort)
      // The connection may break before anybody reads, which nobody would listen to.
      reply = incoming.on('error', () => undefined)
      resolve(incoming)
    })
    // After the answer has begun it is the answer that fails.
    outgoing.on('error', error => {
      signal?.removeEventListener('abort', abort)
      reject(error)
    })
    limitIdleness(outgoing, idleTimeoutMs, () => reply)
  })
  limitConnecting(outgoing, connectTimeoutMs)
  for (const piece of pieces.slice(0, -1)) outgoing.write(piece)
  outgoing.end(pieces.at(-1))
  return { outgoing, answer }
}

/** Ends a request for which nothing has come for so long, unless that is for want of somebody who reads. */
function limitIdleness(outgoing: ClientRequest, ms: number, reply: () => IncomingMessage | undefined): void {
  outgoing.once('socket', socket => {
    const idle = () => {
      const answer = reply()
      if (answer !== undefined && answer.readableLength > 0) socket.setTimeout(ms)
      else (answer ?? outgoing).destroy(timedOut(`nothing came for ${ms} ms`))
    }
    socket.setTimeout(ms)
    socket.on('timeout', idle)
    // The connection goes on with other requests.
    outgoing.once('close', () => socket.off('timeout', idle))
  })
}

function limitConnecting(outgoing: ClientRequest, ms: number): void {
  outgoing.once('socket', socket => {
    if (!socket.connecting) return
    const timer = setTimeout(() => outgoing.destroy(timedOut(`no connection within ${ms} ms`)), ms)
    const connected = () => clearTimeout(timer)
    socket.once('encrypted' in socket ? 'secureConnect' : 'connect', connected).once('close', connected)
  })
}

function timedOut(message: string): Error {
  return Object.assign(new Error(message), { code: 'ETIMEDOUT' })
}
