/** Lists a generated store of so many keys, and prints the most memory that was in use on the way. */
import { glob, openStore, type Store, walk } from '../../src/index.ts'

const [count = 0, how = ''] = [Number(process.argv[2]), process.argv[3]]
const FOLDERS = 100
const DATE = new Date(0)
const keyOf = (i: number): string => {
  const folder = Math.floor(i / (count / FOLDERS))
  return `part=${String(folder).padStart(3, '0')}/${String(i).padStart(9, '0')}.parquet`
}

async function* list({ prefix = '' }: { prefix?: string } = {}) {
  for (let i = 0; i < count; i++) {
    const key = keyOf(i)
    if (key.startsWith(prefix)) yield { key, size: 1, etag: String(i), lastModified: DATE }
  }
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

const store: Store = Object.create(await openStore('memory:'), {
  list: { value: list },
  listLevel: {
    value: async ({ prefix = '' }) => {
      if (prefix.includes('/')) return { objects: await all(list({ prefix })), prefixes: [] }
      return {
        objects: [],
        prefixes: Array.from({ length: FOLDERS }, (_, i) => `${keyOf(i * (count / FOLDERS)).split('/')[0]}/`),
      }
    },
  },
})

const listings: Record<string, () => AsyncIterable<object>> = {
  list: () => store.list(),
  glob: () => glob(store, 'part=*/*.parquet', { concurrency: 4 }),
  deep: () => glob(store, '**/*.parquet'),
  walk: () => walk(store, { depth: 2, concurrency: 4 }),
}
const used = (): number => {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}
const before = used()
let most = 0
let found = 0
for await (const _ of listings[how]!()) if (++found % 20_000 === 0) most = Math.max(most, used() - before)
console.log(JSON.stringify({ found, most }))
