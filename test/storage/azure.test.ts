import { after, before } from 'node:test'
import { type OpenStoreOptions, openStore } from '../../src/index.ts'
import { type MakeStore, storeConformance } from '../../src/testing/index.ts'
import { type AzureServer, noAzure, startAzure } from '../servers/azure.ts'
import { onOneNode } from '../support/cases.ts'

let server: AzureServer
before(async () => {
  if (!noAzure) server = await startAzure()
})
after(() => server?.stop())

/** A container of its own for each test. */
const container =
  (folder: string, options: OpenStoreOptions = {}): MakeStore =>
  async t => {
    const created = await server.createContainer()
    t.after(() => created.delete())
    const { endpoint, account, accountKey } = server
    const reopen = () =>
      openStore(`az://${created.containerName}${folder}`, {
        ...{ endpoint, account, accountKey, retry: false },
        ...options,
      })
    return { store: await reopen(), reopen }
  }

// The service takes a backslash for a slash. Azurite says 412 of what is not there, where the service says 404.
const kind = { refused: /\\/, pinnedMissing: 'precondition', skip: noAzure || onOneNode } as const
storeConformance('Azure', container(''), kind)
storeConformance('a folder of a container, retried', container('/deep%20%C3%A9/er', { retry: {} }), kind)
