import { answers, freePort, missingServer, serverProgram, startServer } from './server.ts'

const fakeGcs = serverProgram('fake-gcs-server')

/** For `test(name, { skip: noGcs }, …)`. */
export const noGcs: string | false = missingServer(fakeGcs)

export interface GcsServer {
  endpoint: string
  createBucket: (name: string) => Promise<void>
  stop: () => Promise<void>
}

/** Starts fake-gcs-server, with its objects in memory, on a free port. */
export async function startGcs(): Promise<GcsServer> {
  const port = await freePort()
  const endpoint = `http://127.0.0.1:${port}`
  const listen = ['-scheme', 'http', '-host', '127.0.0.1', '-port', String(port), '-backend', 'memory']
  // Without a port: so it also knows itself behind a fault server.
  const names = ['-public-host', '127.0.0.1', '-external-url', endpoint]
  const server = await startServer(fakeGcs, [...listen, ...names, '-log-level', 'error'], {
    isReady: () => answers(`${endpoint}/_internal/healthcheck`, { ok: true }),
  })
  return {
    endpoint,
    createBucket: async name => {
      const response = await fetch(`${endpoint}/storage/v1/b?project=test`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name }),
      })
      if (!response.ok) throw new Error(`no bucket: ${response.status} ${await response.text()}`)
      await response.body?.cancel()
    },
    stop: server.stop,
  }
}
