import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'

/** A request as the server gets it. */
export interface WireRequest {
  method: string
  /** With the query. */
  path: string
  headers: IncomingMessage['headers']
}

/**
 * What goes wrong with one request on the wire:
 *
 * - `{ status }`: it is answered with this, and does not reach the service.
 * - `drop`: the connection is cut `before` the service gets it, or `after` the service has carried it out.
 * - `cut`: the connection is cut after so many bytes of the answer's body.
 * - `stall`: nothing more is sent after so many bytes of the answer's body.
 * - `headers`: the service's answer with some headers changed.
 */
export type WireFault =
  | { status: number; headers?: Record<string, string>; body?: string | Uint8Array }
  | { drop: 'before' | 'after' }
  | { cut: number }
  | { stall: number }
  | { headers: Record<string, string> }

export interface FaultServer {
  /** Where clients are to send what is meant for the service. */
  endpoint: string
  /** All requests so far. */
  requests: WireRequest[]
  stop(): Promise<void>
}

/**
 * An HTTP server that passes requests on to another one and spoils some of them, for tests of drivers and of whoever
 * uses them.
 *
 * @param target URL of the service.
 * @param fault Called for each request, with its ordinal from 0; nothing means that this one goes well.
 *
 * @example
 * ```ts
 * const server = await startFaultServer('http://127.0.0.1:7070', (_, i) => (i < 2 ? { status: 503 } : undefined))
 * const store = await openStore('s3://bucket', { endpoint: server.endpoint })
 * ```
 */
export async function startFaultServer(
  target: string,
  fault: (request: WireRequest, ordinal: number) => WireFault | undefined,
): Promise<FaultServer> {
  const requests: WireRequest[] = []
  const server = createServer((incoming, outgoing) => {
    const { method = 'GET', url: path = '/', headers } = incoming
    const received: WireRequest = { method, path, headers }
    const spoiled = fault(received, requests.push(received) - 1)
    if (spoiled !== undefined && 'status' in spoiled) answer(incoming, outgoing, spoiled)
    else if (spoiled !== undefined && 'drop' in spoiled && spoiled.drop === 'before')
      incoming.socket.destroy()
    else forward(target, received, incoming, outgoing, spoiled)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    endpoint: `http://127.0.0.1:${typeof address === 'object' ? address?.port : address}`,
    requests,
    stop: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { status, headers = {}, body = '' }: Extract<WireFault, { status: number }>,
): void {
  // Read to its end first: a client that is still sending would see a broken connection.
  incoming.resume().on('end', () => {
    outgoing.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers })
    outgoing.end(incoming.method === 'HEAD' ? undefined : body)
  })
}

function forward(
  target: string,
  { method, path, headers }: WireRequest,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  fault: WireFault | undefined,
): void {
  const upstream = request(new URL(path, target), { method, headers, path }, reply => {
    if (fault !== undefined && 'drop' in fault) {
      reply.resume().on('end', () => incoming.socket.destroy())
      return
    }
    const changed = fault !== undefined && 'headers' in fault ? fault.headers : {}
    outgoing.writeHead(reply.statusCode ?? 502, { ...reply.headers, ...changed })
    const limit =
      fault !== undefined && 'cut' in fault
        ? fault.cut
        : fault !== undefined && 'stall' in fault
          ? fault.stall
          : Number.POSITIVE_INFINITY
    let sent = 0
    reply.on('data', (chunk: Buffer) => {
      const part = chunk.subarray(0, Math.max(0, limit - sent))
      sent += chunk.length
      if (part.length > 0) outgoing.write(part)
      if (sent >= limit && fault !== undefined && 'cut' in fault) incoming.socket.end()
    })
    reply.on('end', () => {
      if (sent < limit) outgoing.end()
    })
  })
  upstream.on('error', () => incoming.socket.destroy())
  outgoing.on('close', () => upstream.destroy())
  incoming.pipe(upstream)
}
