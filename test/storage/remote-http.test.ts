import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { HttpClient, type HttpRequest, readBody } from '../../src/storage/remote/http.ts'

/** A server that ends with the test. */
async function serve(t: TestContext, listener: RequestListener): Promise<{ server: Server; origin: URL }> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { server, origin: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`) }
}

function client(options: Partial<ConstructorParameters<typeof HttpClient>[0]> = {}): HttpClient {
  return new HttpClient({ connectTimeoutMs: 10_000, idleTimeoutMs: 30_000, ...options })
}

function get(origin: URL, rest: Partial<HttpRequest> = {}): HttpRequest {
  const headers = { host: origin.host }
  return { method: 'GET', origin, path: '/a?b=c', headers, idempotent: true, ...rest }
}

async function textOf(reply: IncomingMessage): Promise<string> {
  return (await readBody(reply)).toString()
}

test('what is sent is what was given, from shared memory too', async t => {
  const { origin } = await serve(t, async (incoming, outgoing) => {
    const body = await textOf(incoming)
    outgoing.end(JSON.stringify([incoming.method, incoming.url, incoming.rawHeaders, body]))
  })
  const shared = new Uint8Array(new SharedArrayBuffer(3))
  shared.set(Buffer.from('xyz'))
  for (const body of [Buffer.from('xyz'), shared]) {
    const headers = { host: 'other:99', 'x-amz-meta-a': 'b  c' }
    const reply = await client().send(get(origin, { method: 'PUT', path: '/a%20(', headers, body }))
    const [method, url, sent, received] = JSON.parse(await textOf(reply))
    assert.deepEqual([method, url, received], ['PUT', '/a%20(', 'xyz'])
    const kept = [
      'host',
      'other:99',
      'x-amz-meta-a',
      'b  c',
      'content-length',
      '3',
      'Connection',
      'keep-alive',
    ]
    assert.deepEqual(sent, kept)
  }
})

test('a kept connection that the service has closed costs what may be done twice nothing', async t => {
  let requests = 0
  // Closed with the second request on a connection, before any answer.
  const used = new WeakSet<object>()
  const { origin } = await serve(t, (incoming, outgoing) => {
    requests++
    if (used.has(incoming.socket)) incoming.socket.destroy()
    else outgoing.end('x')
    used.add(incoming.socket)
  })
  const http = client()
  for (const [idempotent, expected] of [
    [true, 3],
    [false, 2],
  ] as const) {
    requests = 0
    assert.equal(await textOf(await http.send(get(origin))), 'x')
    const second = http.send(get(origin, { method: 'PUT', body: Buffer.from('y'), idempotent }))
    if (idempotent) assert.equal(await textOf(await second), 'x')
    else await assert.rejects(second, { code: 'ECONNRESET' })
    assert.equal(requests, expected)
  }
})

test('a new connection that breaks is not tried again', async t => {
  let requests = 0
  const { origin } = await serve(t, incoming => {
    requests++
    incoming.socket.destroy()
  })
  await assert.rejects(client().send(get(origin)), { code: 'ECONNRESET' })
  assert.equal(requests, 1)
})

test('connections are used again, and idle ones let the process end', async t => {
  let connections = 0
  const { server, origin } = await serve(t, (_, outgoing) => outgoing.end('x'))
  server.on('connection', () => connections++)
  const script = `
    import { HttpClient, readBody } from './src/storage/remote/http.ts'
    const http = new HttpClient({ connectTimeoutMs: 10_000, idleTimeoutMs: 300_000 })
    const origin = new URL('${origin}')
    for (let i = 0; i < 5; i++) {
      const headers = { host: origin.host }
      await readBody(await http.send({ method: 'GET', origin, path: '/', headers, idempotent: true }))
    }
    console.log('done')
  `
  server.keepAliveTimeout = 300_000
  const { stdout } = await runScript(script)
  assert.equal(stdout, 'done\n')
  assert.equal(connections, 1)
})

test('an abort ends the connection for as long as no answer has begun', async t => {
  const controller = new AbortController()
  let closed: Promise<unknown> | undefined
  const { origin } = await serve(t, incoming => {
    closed = once(incoming.socket, 'close')
    controller.abort()
  })
  await assert.rejects(client().send(get(origin, { signal: controller.signal })))
  await closed
})

test('a service that sends nothing more is given up, before an answer and within its body', async t => {
  const { origin } = await serve(t, (incoming, outgoing) => {
    if (incoming.method === 'PUT') return
    outgoing.writeHead(200, { 'content-length': 10 })
    outgoing.write('x')
  })
  const http = client({ idleTimeoutMs: 100 })
  await assert.rejects(http.send(get(origin, { method: 'PUT' })), { code: 'ETIMEDOUT' })
  await assert.rejects(readBody(await http.send(get(origin))), { code: 'ETIMEDOUT' })
})

test('a reader that takes its time is not given up, and one that then gets nothing is', async t => {
  const bytes = 8 * 1024 * 1024
  const { origin } = await serve(t, (incoming, outgoing) => {
    const whole = incoming.url === '/whole'
    outgoing.writeHead(200, { 'content-length': whole ? bytes : bytes + 1 })
    outgoing.write(new Uint8Array(bytes))
    if (whole) outgoing.end()
  })
  const http = client({ idleTimeoutMs: 500 })
  for (const path of ['/whole', '/part']) {
    const reply = await http.send(get(origin, { path }))
    // The connection holds more than is buffered, so that nothing moves.
    await sleep(1_300)
    if (path === '/whole') assert.equal((await readBody(reply)).length, bytes)
    else await assert.rejects(readBody(reply), { code: 'ETIMEDOUT' })
  }
})

test('a connection that does not come to be is given up', async t => {
  // Accepts, and never answers the greeting of TLS.
  const server = createTcpServer(socket => socket.on('error', () => undefined)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const origin = new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}`)
  await assert.rejects(client({ connectTimeoutMs: 100 }).send(get(origin)), {
    code: 'ETIMEDOUT',
    message: 'no connection within 100 ms',
  })
})

async function runScript(script: string): Promise<{ stdout: string }> {
  return promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script])
}
