import {
  openStore,
  readOnly,
  type Store,
  withCache,
  withDiagnostics,
  withLimit,
  withObserver,
  withRetry,
  withThrottle,
} from '../../src/index.ts'
import { type MakeStore, storeConformance } from '../../src/testing/index.ts'
import { onOneNode } from '../support/cases.ts'
import { tempFolder } from '../support/temp.ts'

type Wrap = (store: Store, folder: string) => Store

const local =
  (wrap: Wrap, durability: 'fsync' | 'none' = 'none'): MakeStore =>
  async t => {
    const [folder, other] = [tempFolder(t), tempFolder(t)]
    const reopen = async () => wrap(await openStore(folder, { durability }), other)
    return { store: await reopen(), reopen }
  }

const memory =
  (wrap: Wrap): MakeStore =>
  async t => {
    const [inner, folder] = [await openStore('memory:'), tempFolder(t)]
    return { store: wrap(inner, folder), reopen: async () => wrap(inner, folder) }
  }

const ample = { bytesPerSecond: '100GB', requestsPerSecond: 1e7 }

const WRAPPERS: Record<string, Wrap> = {
  'as it is': store => store,
  limited: store => withLimit(store, { requests: 3 }),
  observed: store => withObserver(store, () => undefined),
  'with diagnostics': store => withDiagnostics(store),
  retried: store => withRetry(store, { timeoutMs: 600_000 }),
  throttled: store => withThrottle(store, ample),
  'with a cache': store => withCache(store),
  'with a cache that trusts its own writes': store => withCache(store, { memory: '1MB', maxAgeMs: 1 }),
  'with a cache on disk': (store, folder) => withCache(store, { memory: 0, disk: { folder, bytes: '1MB' } }),
  'with all wrappers at once': (store, folder) =>
    withCache(
      withObserver(withRetry(withLimit(withThrottle(store, ample), { requests: 4 })), () => undefined),
      { disk: { folder } },
    ),
  'with a wrapped child': store => withRetry(withLimit(store.child('deep/er'), { requests: 2 })),
}

for (const [name, wrap] of Object.entries(WRAPPERS)) storeConformance(`memory, ${name}`, memory(wrap))
for (const name of ['as it is', 'with a cache on disk', 'with all wrappers at once']) {
  const skip = name !== 'as it is' && onOneNode
  storeConformance(`local, ${name}`, local(WRAPPERS[name]!), { nesting: false, skip })
}
storeConformance(
  'local, durable',
  local(store => store, 'fsync'),
  { nesting: false, skip: onOneNode },
)
storeConformance(
  'memory, read-only',
  async () => {
    const seed = await openStore('memory:')
    return { store: readOnly(seed), reopen: async () => readOnly(seed), seed }
  },
  { readOnly: true },
)
