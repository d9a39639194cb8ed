import { randomUUID } from 'node:crypto'
import { ContainerClient, StorageSharedKeyCredential } from '@azure/storage-blob'
import { answers, freePort, missingServer, serverProgram, startServer } from './server.ts'

const azurite = serverProgram('node_modules/.bin/azurite-blob')

/** For `test(name, { skip: noAzure }, …)`. */
export const noAzure: string | false = missingServer(azurite)

export interface AzureServer {
  endpoint: string
  account: string
  accountKey: string
  /** Makes a container, of a new name unless one is given, and gives the SDK's client for it. */
  createContainer: (name?: string) => Promise<ContainerClient>
  stop: () => Promise<void>
}

/** Starts Azurite, which keeps all in memory, on a free port. */
export async function startAzure(): Promise<AzureServer> {
  const port = await freePort()
  const account = 'sluicetest'
  const accountKey = Buffer.from('sluice-test-secret-key-of-an-account').toString('base64')
  const listen = ['--blobHost', '127.0.0.1', '--blobPort', String(port), '--skipApiVersionCheck']
  const origin = `http://127.0.0.1:${port}`
  const server = await startServer(
    azurite,
    [...listen, '--inMemoryPersistence', '--silent', '--disableTelemetry'],
    {
      env: { AZURITE_ACCOUNTS: `${account}:${accountKey}` },
      isReady: () => answers(origin),
    },
  )
  const endpoint = `${origin}/${account}`
  return {
    endpoint,
    account,
    accountKey,
    createContainer: async (name = `test-${randomUUID()}`) => {
      const credential = new StorageSharedKeyCredential(account, accountKey)
      const container = new ContainerClient(`${endpoint}/${name}`, credential)
      await container.create()
      return container
    },
    stop: server.stop,
  }
}
