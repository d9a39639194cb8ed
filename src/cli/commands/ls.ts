import { globPrefix, globToRegExp, type ObjectMeta } from '../../index.ts'
import type { Command } from '../command.ts'
import { locate, type Place } from '../location.ts'

/** An object, or, without a size, a folder. */
type Entry = Pick<ObjectMeta, 'key'> & Partial<ObjectMeta>

export const ls: Command = {
  name: 'ls',
  summary: 'List the objects of a folder.',
  arguments: ['URL'],
  options: {
    recursive: { short: 'r', help: 'all objects below it, not only its own' },
    json: { help: 'one JSON object a line' },
  },
  details: 'Prints size in bytes, time of the last change (UTC) and name. Unfinished uploads are not shown.',
  async run({ arguments: [url], options, output, signal }) {
    const print = options.flag('json') ? jsonOf : lineOf
    for await (const entry of entries(await locate(url!), options.flag('recursive') ?? false, signal)) {
      await output.write(print(entry))
    }
  },
}

async function* entries(
  { store, files }: Place,
  recursive: boolean,
  signal: AbortSignal,
): AsyncGenerator<Entry> {
  if (files !== undefined) {
    const wanted = globToRegExp(files)
    for await (const object of store.list({ prefix: globPrefix(files), signal })) {
      if (wanted.test(object.key)) yield object
    }
  } else if (recursive) yield* store.list({ signal })
  else {
    const { objects, prefixes } = await store.listLevel({ signal })
    for (const key of prefixes) yield { key }
    yield* objects
  }
}

function lineOf({ key, size, lastModified }: Entry): string {
  const time = lastModified?.toISOString().slice(0, 19).replace('T', ' ') ?? ''
  return `${String(size ?? '').padStart(14)}  ${time.padEnd(19)}  ${key}\n`
}

function jsonOf(entry: Entry): string {
  return `${JSON.stringify(entry)}\n`
}
