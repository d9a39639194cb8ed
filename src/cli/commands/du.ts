import { formatBytes } from '../../core/bytes.ts'
import { formatCount } from '../../core/progress.ts'
import { glob, type ObjectMeta } from '../../index.ts'
import type { Command } from '../command.ts'
import { locate, type Place } from '../location.ts'
import { show } from '../text-table.ts'

/** A folder and all that lies below it; the one that was asked for is `''`. */
interface Sum {
  folder: string
  objects: number
  bytes: number
}

export const du: Command = {
  name: 'du',
  summary: 'Count the files of a folder and their bytes.',
  arguments: ['URL'],
  options: {
    depth: { value: 'N', help: 'folders down to so many levels below it, too (default: 0)' },
    json: { help: 'one JSON object a line' },
  },
  details: 'Prints size, files and name of each folder behind those of the folders in it. URL may be a glob.',
  async run({ arguments: [url], options, output, signal }) {
    const print = options.flag('json') ? (sum: Sum) => `${JSON.stringify(sum)}\n` : lineOf
    for await (const sum of sums(objectsOf(await locate(url!), signal), options.count('depth') ?? 0)) {
      await output.write(print(sum))
    }
  },
}

function objectsOf({ store, files }: Place, signal: AbortSignal): AsyncIterable<ObjectMeta> {
  return files === undefined ? store.list({ signal }) : glob(store, files, { signal })
}

/** A listing has what lies in one folder in one stretch: only the folders around the current object are in memory. */
async function* sums(objects: AsyncIterable<ObjectMeta>, depth: number): AsyncGenerator<Sum> {
  const open: Sum[] = [{ folder: '', objects: 0, bytes: 0 }]
  for await (const { key, size } of objects) {
    while (!key.startsWith(open.at(-1)!.folder)) yield open.pop()!
    for (let { folder } = open.at(-1)!; open.length <= depth; ) {
      const slash = key.indexOf('/', folder.length)
      if (slash < 0) break
      folder = key.slice(0, slash + 1)
      open.push({ folder, objects: 0, bytes: 0 })
    }
    for (const sum of open) {
      sum.objects++
      sum.bytes += size
    }
  }
  for (let sum = open.pop(); sum !== undefined; sum = open.pop()) yield sum
}

function lineOf({ folder, objects, bytes }: Sum): string {
  const name = folder === '' ? '.' : show(folder)
  return `${formatBytes(bytes).padStart(10)}  ${formatCount(objects).padStart(11)}  ${name}\n`
}
