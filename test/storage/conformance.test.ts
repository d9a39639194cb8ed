import { openStore, type Store, withLimit, withObserver, withRetry, withThrottle } from '../../src/index.ts'
import { type MakeStore, storeConformance } from '../../src/testing/index.ts'
import { tempFolder } from '../support/temp.ts'

const local =
  (durability: 'fsync' | 'none'): MakeStore =>
  async t => {
    const reopen = () => openStore(folder, { durability })
    const folder = tempFolder(t)
    return { store: await reopen(), reopen }
  }

/** A store in memory, wrapped. */
const memory =
  (wrap: (store: Store) => Store): MakeStore =>
  async () => {
    const inner = await openStore('memory:')
    return { store: wrap(inner), reopen: async () => wrap(inner) }
  }

storeConformance('local', local('none'), { nesting: false })
storeConformance('local, durable', local('fsync'), { nesting: false })
storeConformance(
  'memory',
  memory(store => store),
)
storeConformance(
  'memory, limited',
  memory(store => withLimit(store, { requests: 3 })),
)
storeConformance(
  'memory, observed',
  memory(store => withObserver(store, () => undefined)),
)
storeConformance(
  'memory, retried',
  memory(store => withRetry(store)),
)
const ample = { bytesPerSecond: '100GB', requestsPerSecond: 1e7 }
storeConformance(
  'memory, throttled',
  memory(store => withThrottle(store, ample)),
)
storeConformance(
  'memory, all wrappers at once',
  memory(store =>
    withObserver(withRetry(withLimit(withThrottle(store, ample), { requests: 4 })), () => undefined),
  ),
)
storeConformance(
  'a child of a wrapped store',
  memory(store => withRetry(withLimit(store.child('deep/er'), { requests: 2 }))),
)
