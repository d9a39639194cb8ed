import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { root } from '../support/root.ts'

const folder = process.env['SLUICE_SERVERS'] ?? join(root, 'node_modules/.cache/servers')
const versitygw = join(folder, 'versitygw')

/** For `test(name, { skip: noS3 }, …)`: why tests against a real S3 server cannot run. In CI they run, and fail. */
export const noS3: string | false =
  !process.env['CI'] &&
  !existsSync(versitygw) &&
  `no ${versitygw} (run test/servers/install.sh, or set SLUICE_SERVERS)`

export interface S3Server {
  endpoint: string
  region: string
  credentials: { accessKeyId: string; secretAccessKey: string }
  /** Makes a bucket of that name and gives its folder: an object is the file of its key. */
  createBucket: (name: string) => string
  stop: () => Promise<void>
}

/**
 * Starts versitygw over a new folder, on a free port. A bucket is a folder in it. Whoever starts it stops it; it also
 * ends with this process.
 */
export async function startS3(): Promise<S3Server> {
  const data = mkdtempSync(join(tmpdir(), 'sluice-s3-'))
  const port = await freePort()
  const credentials = { accessKeyId: 'sluice-test-access', secretAccessKey: 'sluice-test-secret' }
  const region = 'us-east-1'
  const args = [
    '--port',
    `127.0.0.1:${port}`,
    '--region',
    region,
    '--health',
    '/health',
    '--quiet',
    '--keep-alive',
  ]
  const child = spawn(versitygw, [...args, 'posix', data], {
    env: { ROOT_ACCESS_KEY: credentials.accessKeyId, ROOT_SECRET_KEY: credentials.secretAccessKey },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', text => (said += text))
  const ended = once(child, 'exit')
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const endpoint = `http://127.0.0.1:${port}`
  while (!(await isHealthy(`${endpoint}/health`))) {
    if (child.exitCode !== null) throw new Error(`${versitygw} ended:\n${said}`)
    await sleep(20)
  }
  return {
    endpoint,
    region,
    credentials,
    createBucket: name => {
      mkdirSync(join(data, name))
      return join(data, name)
    },
    stop: async () => {
      process.off('exit', kill)
      kill()
      await ended
      rmSync(data, { recursive: true, force: true })
    },
  }
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok
  } catch {
    return false
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
