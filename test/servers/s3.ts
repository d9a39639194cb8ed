import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { answers, freePort, missingServer, serverProgram, startServer } from './server.ts'

const versitygw = serverProgram('versitygw')

/** For `test(name, { skip: noS3 }, …)`. */
export const noS3: string | false = missingServer(versitygw)

export interface S3Server {
  endpoint: string
  region: string
  credentials: { accessKeyId: string; secretAccessKey: string }
  /** Makes a bucket of that name and gives its folder: an object is the file of its key. */
  createBucket: (name: string) => string
  stop: () => Promise<void>
}

/** Starts versitygw over a new folder, which lies in `parent`, on a free port. A bucket is a folder in it. */
export async function startS3(parent: string = tmpdir()): Promise<S3Server> {
  const data = mkdtempSync(join(parent, 'sluice-s3-'))
  const port = await freePort()
  const credentials = { accessKeyId: 'sluice-test-access', secretAccessKey: 'sluice-test-secret' }
  const region = 'us-east-1'
  const listen = ['--port', `127.0.0.1:${port}`, '--region', region, '--health', '/health']
  const endpoint = `http://127.0.0.1:${port}`
  const server = await startServer(versitygw, [...listen, '--quiet', '--keep-alive', 'posix', data], {
    env: { ROOT_ACCESS_KEY: credentials.accessKeyId, ROOT_SECRET_KEY: credentials.secretAccessKey },
    isReady: () => answers(`${endpoint}/health`, { ok: true }),
  })
  return {
    endpoint,
    region,
    credentials,
    createBucket: name => {
      mkdirSync(join(data, name))
      return join(data, name)
    },
    stop: async () => {
      await server.stop()
      rmSync(data, { recursive: true, force: true })
    },
  }
}
