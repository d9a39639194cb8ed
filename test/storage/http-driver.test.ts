import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { after, before, type TestContext, test } from 'node:test'
import { inspect } from 'node:util'
import { type HttpStoreOptions, isSluiceError, type OpenStoreOptions, openStore } from '../../src/index.ts'
import { isPrivate } from '../../src/storage/http/addresses.ts'
import { readAll } from '../../src/storage/read.ts'
import {
  bytesOf,
  collect,
  keysOf,
  pattern,
  rejectsWith,
  textOf,
} from '../../src/testing/conformance/context.ts'
import { startFaultServer } from '../../src/testing/index.ts'
import { type HttpServer, noNginx, startHttp } from '../servers/http.ts'
import { root } from '../support/root.ts'

const untried = { retry: false } as const
const skip = noNginx

/** The same files, served in other ways. */
const LOCATIONS = `
  location /no-ranges/ { alias $files/; max_ranges 0; }
  location /zipped/ { alias $files/; gzip on; gzip_types *; gzip_min_length 1; }
  location /no-head/ { alias $files/; if ($request_method = HEAD) { return 405; } }
  location /get-only/ { alias $files/; if ($request_method = HEAD) { return 403; } }
  location /no-tags/ { alias $files/; etag off; }
  location /nothing/ { alias $files/; etag off; add_header Last-Modified ""; }
  location /token/ { alias $files/; if ($http_authorization != "Bearer hunter2") { return 401; } }
  location /signed/ { alias $files/; if ($arg_sig != "hunter2") { return 403; } }
`

let nginx: HttpServer
before(async () => {
  if (!noNginx) nginx = await startHttp(LOCATIONS)
})
after(() => nginx?.stop())

/** One of the locations of nginx. */
const open = (location: string, options: OpenStoreOptions = {}) =>
  openStore(new URL(`/${location}/`, nginx.url), { ...untried, ...options })

interface Server {
  origin: string
  port: number
  requests: IncomingMessage[]
}

/** A server that does what no honest one does. */
async function serve(t: TestContext, listener: RequestListener): Promise<Server> {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    listener(request, response)
  })
  // Of both families where there are both, for `localhost` may be either.
  server.listen(0)
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  return { origin: `http://127.0.0.1:${port}`, port, requests }
}

const VERSION = { etag: '"1"', 'last-modified': new Date(0).toUTCString() }

/** Answers with a text. */
const says =
  (text: string): RequestListener =>
  (_, response) => {
    response.writeHead(200, { ...VERSION, 'content-length': text.length }).end(text)
  }

const redirectsTo =
  (target: (request: IncomingMessage) => string): RequestListener =>
  (request, response) => {
    response.writeHead(302, { location: target(request) }).end()
  }

test('keys are percent-encoded, segment by segment, and nothing else is done to them', async t => {
  const { origin, requests } = await serve(t, says('x'))
  const store = await openStore(`${origin}/a%2Fb//%7Ec/`, untried)
  for (const [key, path] of [
    ['a b+c', 'a%20b%2Bc'],
    ['%41', '%2541'],
    ['é=ü', '%C3%A9%3D%C3%BC'],
    ['k=v/#?&;', 'k%3Dv/%23%3F%26%3B'],
    ['back\\slash', 'back%5Cslash'],
    ['%2e%2e/x', '%252e%252e/x'],
    ['日本/😀', '%E6%97%A5%E6%9C%AC/%F0%9F%98%80'],
  ] as const) {
    assert.equal(await textOf(store, key), 'x')
    assert.equal(requests.pop()?.url, `/a%2Fb//%7Ec/${path}`)
  }
})

test('a server that ignores ranges is noticed; what is wanted whole is read', { skip }, async () => {
  nginx.put('ignored', 'twelve bytes')
  const store = await open('no-ranges')
  assert.equal((await store.head('ignored')).size, 12)
  assert.equal(await textOf(store, 'ignored'), 'twelve bytes')
  for (const range of [{ start: 0, end: 5 }, { start: 3 }, { suffix: 2 }]) {
    await rejectsWith(store.get('ignored', { range }), 'unsupported', 'Range header')
  }
  await rejectsWith(store.getRanges('ignored', [{ start: 0, end: 5 }]), 'unsupported', 'Range header')
  const [all] = await store.getRanges('ignored', [{ start: 0, end: 12 }])
  assert.deepEqual(all, bytesOf('twelve bytes'))
})

test('nothing is read compressed', { skip }, async t => {
  const text = 'a'.repeat(10_000)
  nginx.put('zipped.txt', text)
  const store = await open('zipped')
  assert.equal(await textOf(store, 'zipped.txt'), text)
  assert.equal((await store.get('zipped.txt', { range: { suffix: 3 } })).meta.size, 10_000)
  const { origin } = await serve(t, (_, response) => {
    response.writeHead(200, { ...VERSION, 'content-encoding': 'gzip', 'content-length': 3 }).end('abc')
  })
  const encoded = await openStore(origin, untried)
  await rejectsWith(encoded.head('key'), 'unsupported', "'gzip'")
  await rejectsWith(encoded.get('key'), 'unsupported', "'gzip'")
})

test('where HEAD is refused, GET tells of an object', { skip }, async t => {
  nginx.put('a/full', pattern(1_000))
  nginx.put('a/empty', '')
  for (const [location, requests] of [
    ['no-head', ['HEAD', 'GET', 'GET', 'GET']],
    ['get-only', ['HEAD', 'GET', 'HEAD', 'GET', 'HEAD', 'GET']],
  ] as const) {
    const wire = await startFaultServer(nginx.url, () => undefined)
    t.after(() => wire.stop())
    const store = await openStore(`${wire.endpoint}/${location}/a`, untried)
    const direct = await openStore(new URL('a', nginx.url))
    for (const key of ['full', 'empty']) assert.deepEqual(await store.head(key), await direct.head(key))
    await rejectsWith(store.head('missing'), 'not-found', 'missing')
    assert.deepEqual(
      wire.requests.map(({ method }) => method),
      requests,
    )
    assert.deepEqual(await readAll(store, 'empty'), new Uint8Array(0))
    assert.deepEqual(await readAll(store, 'full', { range: { suffix: 10 } }), pattern(1_000).slice(-10))
  }
})

test('without a tag, time and size tell versions apart', { skip }, async () => {
  nginx.put('changing', 'old')
  const store = await open('no-tags')
  const { etag, lastModified } = await store.head('changing')
  assert.equal(etag, `${lastModified.getTime() / 1000}-3`)
  assert.equal(await textOf(store, 'changing'), 'old')
  await readAll(store, 'changing', { ifMatch: etag })
  nginx.put('changing', 'new')
  await rejectsWith(store.get('changing', { ifMatch: etag }), 'precondition', 'changing')
  await rejectsWith(store.getRanges('changing', [{ start: 0, end: 1 }], { ifMatch: etag }), 'precondition')
  assert.notEqual((await store.head('changing')).etag, etag)
  const untold = await open('nothing')
  for (const call of [untold.head('changing'), untold.get('changing')]) {
    await rejectsWith(call, 'unsupported', 'neither an ETag nor Last-Modified')
  }
})

test('a weak tag is none: it says that the meaning is the same, not the bytes', async t => {
  let modified = 1_000
  const { origin, requests } = await serve(t, (_, response) => {
    const time = new Date(modified++ * 1000).toUTCString()
    response.writeHead(200, { etag: 'W/"1"', 'last-modified': time, 'content-length': 1 }).end('x')
  })
  const store = await openStore(origin, untried)
  const { etag } = await store.head('key')
  assert.equal(etag, '1000-1')
  // The server looks at no condition: what it answers is looked at.
  await rejectsWith(store.get('key', { ifMatch: etag }), 'precondition', 'key')
  assert.equal(requests.at(-1)?.headers['if-unmodified-since'], new Date(1_000_000).toUTCString())
  assert.equal(requests.at(-1)?.headers['if-match'], undefined)
})

test('an answer that does not say what it is, is none', async t => {
  for (const [headers, message] of [
    [{ ...VERSION }, /no Content-Length/],
    [{ ...VERSION, 'content-range': 'bytes 0-0/*', status: '206' }, /which bytes of how many/],
    [
      { ...VERSION, 'content-type': 'multipart/byteranges; boundary=x', status: '206' },
      /which bytes of how many/,
    ],
  ] as const) {
    const { status = '200', ...rest }: Record<string, string> = headers
    const { origin } = await serve(t, (_, response) => response.writeHead(Number(status), rest).end('x'))
    const store = await openStore(origin, untried)
    await assert.rejects(store.get('key'), { code: 'unsupported', message })
  }
})

test('redirects are followed within the origin, credentials with them', async t => {
  const { origin, requests } = await serve(t, (request, response) => {
    const step = Number(/^\/(\d)\//.exec(request.url ?? '')?.[1] ?? 0)
    if (step < 5)
      redirectsTo(({ url }) => (step === 0 ? `/1${url}` : `../${step + 1}/key`))(request, response)
    else says('here')(request, response)
  })
  const store = await openStore(origin, { ...untried, headers: { authorization: 'Bearer hunter2' } })
  assert.equal(await textOf(store, 'key'), 'here')
  assert.equal(requests.length, 6)
  for (const { headers } of requests) assert.equal(headers.authorization, 'Bearer hunter2')
  const endless = await serve(
    t,
    redirectsTo(({ url }) => `${url}x`),
  )
  await rejectsWith(
    (await openStore(endless.origin, untried)).head('key'),
    'unsupported',
    'more than 5 times',
  )
  assert.equal(endless.requests.length, 6)
})

test('redirects to another origin are refused unless allowed, and take no credentials there', async t => {
  const other = await serve(t, says('there'))
  const { origin } = await serve(
    t,
    redirectsTo(({ url }) => other.origin + url),
  )
  const secrets: HttpStoreOptions = {
    headers: { authorization: 'hunter2', 'x-key': 'hunter2' },
    query: 'sig=hunter2',
  }
  const refused = await openStore(origin, { ...untried, ...secrets })
  await assert.rejects(refused.head('key'), (error: Error) => {
    assert.match(error.message, new RegExp(`allowRedirects: \\["${other.origin}"\\]`))
    return isSluiceError(error) && error.code === 'permission' && !error.message.includes('hunter2')
  })
  assert.equal(other.requests.length, 0)
  for (const allowRedirects of ['any', [other.origin]] as const) {
    const store = await openStore(origin, { ...untried, headers: secrets.headers, allowRedirects })
    assert.equal(await textOf(store, 'key'), 'there')
    const { headers, url } = other.requests.pop()!
    assert.equal(url, '/key')
    for (const value of Object.values(headers)) assert.notEqual(value, 'hunter2')
  }
  const elsewhere = await openStore(origin, { ...untried, allowRedirects: ['https://example.org'] })
  await rejectsWith(elsewhere.head('key'), 'permission', other.origin)
})

test('redirects to where no HTTP server is, or with a password, are refused', async t => {
  for (const [target, code] of [
    ['file:///etc/passwd', 'unsupported'],
    ['http://', 'unsupported'],
    ['', 'unsupported'],
    ['http://hunter2:hunter2@127.0.0.1/', 'permission'],
  ] as const) {
    const { origin } = await serve(
      t,
      redirectsTo(() => target),
    )
    const store = await openStore(origin, { ...untried, allowRedirects: 'any' })
    await assert.rejects(store.head('key'), (error: Error) => {
      return isSluiceError(error) && error.code === code && !error.message.includes('hunter2')
    })
  }
})

test('private addresses are reached only if the URL has named them', async t => {
  const other = await serve(t, says('there'))
  const from = async (target: string, options: HttpStoreOptions = {}) => {
    const { origin } = await serve(
      t,
      redirectsTo(() => target),
    )
    return openStore(origin, { ...untried, allowRedirects: 'any', ...options })
  }
  const { port } = other
  // By name, which a name server resolves, and by address, mapped and in other writings.
  for (const host of ['localhost', '[::ffff:127.0.0.1]', '127.0.0.2', '0x7f000003', '[::1]']) {
    const target = `http://${host}:${port}/key`
    await assert.rejects((await from(target)).head('key'), {
      code: 'permission',
      message: /private.*allowPrivate/,
    })
  }
  assert.equal(other.requests.length, 0)
  for (const options of [{ allowPrivate: true }, { allowRedirects: [`http://localhost:${port}`] }]) {
    assert.equal(await textOf(await from(`http://localhost:${port}/key`, options), 'key'), 'there')
  }
  for (const host of ['localhost', '0x7f.1', '[::ffff:127.0.0.1]']) {
    assert.equal(await textOf(await openStore(`http://${host}:${port}`, untried), 'key'), 'there', host)
  }
  assert.equal(await textOf(await from(`http://127.0.0.1:${port}/key`), 'key'), 'there')
})

test('which addresses are private', () => {
  const inner = `0.0.0.0 10.1.2.3 100.64.0.1 127.0.0.1 169.254.169.254 172.31.255.255 192.168.0.1 198.19.0.1 224.0.0.1
    255.255.255.255 :: ::1 ::10.0.0.1 ::ffff:10.0.0.1 ::ffff:a9fe:a9fe 64:ff9b::a00:1 64:ff9b:1::1 2002:7f00:1::
    2002:c0a8:101::1 fc00::1 fd12::1 fe80::1 fe80::1%eth0 fec0::1 ff02::1 2001:db8::1`
  const outer = `1.1.1.1 11.0.0.1 100.128.0.1 126.255.255.255 169.253.0.1 172.32.0.1 192.167.0.1 198.20.0.1 223.1.1.1
    ::ffff:1.1.1.1 64:ff9b::101:101 2002:101:101::1 2606:4700::1111 2a00::1 fb00::1`
  for (const address of inner.split(/\s+/)) assert.ok(isPrivate(address), address)
  for (const address of outer.split(/\s+/)) assert.ok(!isPrivate(address), address)
})

test('tokens and signatures are sent, and never shown', { skip }, async () => {
  nginx.put('guarded', 'text')
  for (const [location, options] of [
    ['token', { headers: { Authorization: 'Bearer hunter2' } }],
    ['signed', { query: '?sig=hunter2' }],
  ] as const) {
    const store = await open(location, options)
    assert.equal(await textOf(store, 'guarded'), 'text')
    assert.equal(await textOf(store.child('a/..b').root.store, 'guarded'), 'text')
    const missing = await store.head('missing').catch((error: unknown) => error)
    assert.ok(isSluiceError(missing))
    for (const shown of [store, store.unwrap(), missing]) {
      assert.ok(!inspect(shown, { depth: 20, showHidden: true }).includes('hunter2'))
    }
    assert.ok(!JSON.stringify(missing).includes('hunter2'))
    await rejectsWith((await open(location)).head('guarded'), 'permission', "'headers'")
  }
})

test('an index lists the objects; what it does not tell is asked for', { skip }, async t => {
  for (const key of ['b', 'a/2', 'a/10', 'a b', 'c/deep/é']) nginx.put(`lake/${key}`, key)
  nginx.put('lake/keys.txt', 'b\na/2\r\na/10\n\na b\nc/deep/é\n')
  nginx.put(
    'lake/keys.json',
    JSON.stringify(['b', 'a/2', { key: 'a/10', size: 99 }, 'a b', { key: 'c/deep/é' }]),
  )
  const wire = await startFaultServer(nginx.url, () => undefined)
  t.after(() => wire.stop())
  const direct = await openStore(new URL('lake', nginx.url), untried)
  for (const index of ['keys.txt', './keys.json', '/files/lake/keys.txt']) {
    const store = await openStore(`${wire.endpoint}/files/lake`, { ...untried, index })
    const listed = await collect(store.list())
    assert.deepEqual(
      listed.map(({ key }) => key),
      ['a b', 'a/10', 'a/2', 'b', 'c/deep/é'],
    )
    for (const { key, size, etag } of listed) {
      const { size: expected, etag: tag } = await direct.head(key)
      assert.deepEqual([size, etag], [expected, tag])
    }
    wire.requests.length = 0
    assert.deepEqual((await store.listLevel({ prefix: 'a' })).prefixes, ['a/'])
    // The index, which has not changed, and the one object of the level.
    assert.deepEqual(
      wire.requests.map(({ method, headers }) => [method, headers['if-none-match'] !== undefined]),
      [
        ['GET', true],
        ['HEAD', false],
      ],
    )
    assert.deepEqual(await keysOf(store.child('c')), ['deep/é'])
  }
})

test('a complete entry of an index is believed, and found out when it is read', { skip }, async () => {
  nginx.put('stale/key', 'new')
  const entry = { key: 'key', size: 3, etag: 'old', lastModified: new Date(0).toISOString() }
  nginx.put('stale/index', JSON.stringify([entry]))
  const store = await open('files/stale', { index: 'index' })
  const [listed] = await collect(store.list())
  assert.deepEqual(listed, { ...entry, etag: '"old"', lastModified: new Date(0) })
  await rejectsWith(store.get('key', { ifMatch: listed!.etag }), 'precondition', 'key')
})

test('an index that is none says so', { skip }, async () => {
  nginx.put('bad/there', 'x')
  for (const [content, code, message] of [
    ['["there", "missing"]', 'not-found', /bad\/missing.*index '.*names it/],
    ['["there", "there"]', 'corrupt', /bad\/index.*"there" twice/],
    ['["../out"]', 'corrupt', /bad\/index.*"..\/out"/],
    ['/there\n', 'corrupt', /bad\/index.*absolute/],
    ['[{"name": "there"}]', 'corrupt', /bad\/index.*names no key/],
    ['["there"', 'corrupt', /bad\/index.*neither JSON/],
    [Uint8Array.of(0xff, 0xfe), 'corrupt', /bad\/index.*neither JSON/],
  ] as const) {
    nginx.put('bad/index', content)
    await assert.rejects(keysOf(await open('files/bad', { index: 'index' })), { code, message })
  }
  await rejectsWith(keysOf(await open('files/bad', { index: 'nowhere' })), 'not-found', 'bad/nowhere')
  nginx.put('bad/index', '')
  assert.deepEqual(await keysOf(await open('files/bad', { index: 'index' })), [])
})

test('who reads slowly, or no more, is not sent more', async t => {
  let sent = 0
  const { origin, requests } = await serve(t, async (_, response) => {
    response.writeHead(200, { ...VERSION, 'content-length': 1024 ** 3 })
    const chunk = new Uint8Array(1024 * 1024)
    while (!response.destroyed) {
      sent += chunk.length
      if (!response.write(chunk)) await new Promise(go => response.once('drain', go).once('close', go))
    }
  })
  const store = await openStore(origin, { ...untried, idleTimeoutMs: 200 })
  const body = (await store.get('key')).body[Symbol.asyncIterator]()
  await body.next()
  // Twice as long as a server may do nothing: it is not the server that does nothing.
  await new Promise(resolve => setTimeout(resolve, 400))
  assert.ok(sent < 64 * 1024 * 1024, `${sent} bytes were sent`)
  assert.equal((await body.next()).done, false)
  const end = ({ socket }: IncomingMessage) => new Promise(resolve => socket.once('close', resolve))
  const closed = end(requests[0]!)
  await body.return?.()
  await closed
  const controller = new AbortController()
  const aborted = await store.get('key', { signal: controller.signal })
  const ended = end(requests[1]!)
  const next = aborted.body[Symbol.asyncIterator]().next()
  controller.abort('no')
  await assert.rejects(next, error => error === 'no')
  await ended
})

test('what cannot be opened says why, and never repeats a secret', async () => {
  const refused: [string, HttpStoreOptions, string, RegExp][] = [
    ['http://', {}, 'url', /no URL of a folder/],
    ['https://user:hunter2@host/', {}, 'url', /must not hold credentials.*'headers'/],
    ['https://host/lake?sig=hunter2', {}, 'url', /neither query.*'query'/],
    ['https://host/lake#part', {}, 'url', /nor fragment/],
    ['https://host', { headers: { 'bad name': 'x' } }, 'headers', /"bad name"/],
    ['https://host', { headers: { Range: 'x' } }, 'headers', /'Range' is set by the store/],
    ['https://host', { headers: { 'x-key': 'hunter2\r\nx: y' } }, 'headers', /'x-key'/],
    ['https://host', { query: 'sig=hunter2 #' }, 'query', /percent-encoded/],
    ['https://host', { index: 'https://other/index.json' }, 'index', /same server/],
    ['https://host', { index: 'index.json?sig=hunter2' }, 'index', /its path/],
    ['https://host', { allowRedirects: ['https://other/path'] }, 'allowRedirects', /no origin/],
    ['https://host', { allowRedirects: 'some' as 'any' }, 'allowRedirects', /'same-origin', 'any'/],
    ['https://host', { allowPrivate: 1 as never as boolean }, 'allowPrivate', /true or false/],
    ['https://host', { idleTimeoutMs: 0 }, 'idleTimeoutMs', /above 0/],
    ['https://host', { connectTimeoutMs: 0.5 }, 'connectTimeoutMs', /above 0/],
  ]
  for (const [url, options, option, message] of refused) {
    await assert.rejects(openStore(url, options), (error: Error) => {
      assert.match(error.message, message)
      assert.ok(!inspect(error, { depth: 20 }).includes('hunter2'))
      assert.ok(isSluiceError(error))
      assert.deepEqual([error.code, error.option], ['invalid-argument', option])
      return true
    })
  }
  const { url } = await openStore('https://host/a%20b/c', untried)
  assert.equal(url, 'https://host/a%20b/c')
  assert.equal((await openStore(url)).url, url)
  const nowhere = await openStore('http://127.0.0.1:1', untried)
  await assert.rejects(nowhere.head('key'), {
    code: 'io',
    message: /127.0.0.1:1\/key.*ECONNREFUSED.*Correct the URL/,
  })
})

test('without undici a store says what to install', () => {
  const program = `
    import { registerHooks } from 'node:module'
    registerHooks({
      resolve(name, context, next) {
        if (name !== 'undici') return next(name, context)
        throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
      },
    })
    const { openStore } = await import('./src/index.ts')
    await openStore('https://host').catch(error => console.log(error.code, error.message))`
  const args = ['--import', 'tsx', '--input-type=module', '--eval', program]
  const printed = execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  assert.match(printed, /^unsupported .*npm install undici@7\n$/)
})
