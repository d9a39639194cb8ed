import { after, before } from 'node:test'
import { type OpenStoreOptions, openStore } from '../../src/index.ts'
import { type MakeStore, storeConformance } from '../../src/testing/index.ts'
import { type HttpServer, noNginx, startHttp } from '../servers/http.ts'

let server: HttpServer
before(async () => {
  if (!noNginx) server = await startHttp()
})
after(() => server?.stop())

let folders = 0

/** A folder of its own for each test, with an index that is brought up to date with each change. */
const folder =
  (index: boolean, options: OpenStoreOptions = {}): MakeStore =>
  async () => {
    const name = `test %41 é+${folders++}`
    const objects = new Map<string, object>()
    const write = () => {
      if (index) server.put(`${name}/_index.json`, JSON.stringify([...objects.values()]))
    }
    write()
    const url = new URL(`${encodeURIComponent(name)}/`, server.url)
    const settings: OpenStoreOptions = {
      retry: false,
      ...(index ? { index: '_index.json' } : {}),
      ...options,
    }
    const reopen = () => openStore(url, settings)
    const seed = {
      put: async (key: string, bytes: Uint8Array) => {
        server.put(`${name}/${key}`, bytes)
        objects.set(key, { key, ...(await server.describe(`${name}/${key}`)) })
        write()
      },
      delete: async (key: string) => {
        server.delete(`${name}/${key}`)
        objects.delete(key)
        write()
      },
    }
    return { store: await reopen(), reopen, seed }
  }

const kind = { readOnly: true, skip: noNginx } as const
storeConformance('HTTP, with an index', folder(true), kind)
storeConformance('HTTP, retried', folder(false, { retry: {} }), { ...kind, unlisted: true })
