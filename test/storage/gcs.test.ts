import { randomUUID } from 'node:crypto'
import { after, before } from 'node:test'
import { type OpenStoreOptions, openStore } from '../../src/index.ts'
import { type MakeStore, storeConformance } from '../../src/testing/index.ts'
import { type GcsServer, noGcs, startGcs } from '../servers/gcs.ts'
import { onOneNode } from '../support/cases.ts'

let server: GcsServer
before(async () => {
  if (!noGcs) server = await startGcs()
})
after(() => server?.stop())

/** A bucket of its own for each test. */
const bucket =
  (folder: string, options: OpenStoreOptions<'gs://bucket'> = {}): MakeStore =>
  async () => {
    const name = `test-${randomUUID()}`
    await server.createBucket(name)
    const { endpoint } = server
    const reopen = () => openStore(`gs://${name}${folder}`, { endpoint, retry: false, ...options })
    return { store: await reopen(), reopen }
  }

// fake-gcs-server ignores the conditions of a compose.
const kind = { completesOnce: false, skip: noGcs } as const
storeConformance('GCS', bucket(''), kind)
storeConformance('a folder of a GCS bucket, retried', bucket('/deep%20%C3%A9/er', { retry: {} }), {
  ...kind,
  skip: kind.skip || onOneNode,
})
