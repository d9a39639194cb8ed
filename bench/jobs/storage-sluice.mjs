/** Sluice, as built: `node bench/jobs/storage-sluice.mjs TASK`. */
import { readFileSync } from 'node:fs'
import { openStore, transfer } from '../../dist/index.js'
import { eachSmall, large, listed, piece, readLarge, readSmall } from './storage-support.mjs'
import { measure, task } from './support.mjs'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))

// Its driver, and with it the SDK, is loaded with the first store.
const [source, target, keys] = await Promise.all(
  ['source', 'target', 'keys'].map(name => openStore(`s3://${name}`)),
)

await measure(version, async () => {
  switch (task.kind) {
    case 'put-large':
      await target.put('large/object', large())
      return {}
    case 'get-large':
      return readLarge((await source.get('large/object')).body)
    case 'put-small':
      await eachSmall((i, key) => target.put(key, piece(i, task.smallBytes)))
      return {}
    case 'get-small':
      return readSmall(async key => {
        const { meta, body } = await source.get(key)
        return joined(meta.size, body)
      })
    case 'list':
      return listed(keysOf(keys.list()))
    case 'copy-streamed':
      await transfer(source.child('large'), target.child('large'))
      return {}
    case 'copy-in-store':
      await source.copy('large/object', 'large/copy')
      return {}
  }
})

async function joined(size, body) {
  const bytes = Buffer.allocUnsafe(size)
  let length = 0
  for await (const chunk of body) {
    bytes.set(chunk, length)
    length += chunk.length
  }
  return bytes
}

async function* keysOf(objects) {
  for await (const { key } of objects) yield key
}
