import { glob, type ObjectMeta, walk } from '../../index.ts'
import { type Command, usage } from '../command.ts'
import { locate, type Place } from '../location.ts'

/** An object, or, without a size, a folder. */
type Entry = Pick<ObjectMeta, 'key'> & Partial<ObjectMeta>

export const ls: Command = {
  name: 'ls',
  summary: 'List the objects of a folder.',
  arguments: ['URL'],
  options: {
    recursive: { short: 'r', help: 'all objects below it, not only its own' },
    depth: { value: 'LEVELS', help: 'objects so many levels below it, and the folders that go deeper' },
    json: { help: 'one JSON object a line' },
  },
  details: 'Prints size in bytes, time of the last change (UTC) and name. Unfinished uploads are not shown.',
  async run({ arguments: [url], options, output, signal }) {
    const print = options.flag('json') ? jsonOf : lineOf
    const recursive = options.flag('recursive') ?? false
    const depth = options.count('depth')
    if (depth === 0 || (depth !== undefined && recursive)) {
      throw usage('depth', recursive ? 'does not go with --recursive' : 'must be above 0')
    }
    const place = await locate(url!)
    const listed = depth === undefined ? entries(place, recursive, signal) : levels(place, depth, signal)
    for await (const entry of listed) await output.write(print(entry))
  },
}

/** Folders first. */
async function* entries(
  { store, files }: Place,
  recursive: boolean,
  signal: AbortSignal,
): AsyncGenerator<Entry> {
  if (files !== undefined) yield* glob(store, files, { signal })
  else if (recursive) yield* store.list({ signal })
  else {
    const { objects, prefixes } = await store.listLevel({ signal })
    for (const key of prefixes) yield { key }
    yield* objects
  }
}

/** In the order of the keys. */
async function* levels({ store, files }: Place, depth: number, signal: AbortSignal): AsyncGenerator<Entry> {
  if (files !== undefined) throw usage('depth', 'goes with a folder, not with files')
  for await (const entry of walk(store, { depth, signal })) {
    yield 'prefix' in entry ? { key: entry.prefix } : entry
  }
}

function lineOf({ key, size, lastModified }: Entry): string {
  const time = lastModified?.toISOString().slice(0, 19).replace('T', ' ') ?? ''
  return `${String(size ?? '').padStart(14)}  ${time.padEnd(19)}  ${key}\n`
}

function jsonOf(entry: Entry): string {
  return `${JSON.stringify(entry)}\n`
}
