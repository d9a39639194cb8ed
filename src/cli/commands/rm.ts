import { formatCount } from '../../core/progress.ts'
import { deleteAll, glob, globToRegExp, SluiceError } from '../../index.ts'
import type { Command } from '../command.ts'
import { usage } from '../command.ts'
import { locate, type Place } from '../location.ts'
import { show } from '../text-table.ts'

export const rm: Command = {
  name: 'rm',
  summary: 'Delete files, or all files of a folder.',
  arguments: ['URL'],
  options: {
    recursive: { short: 'r', help: 'URL is a folder: everything below it' },
    include: { value: 'GLOB', multiple: true, help: 'of a folder only these, by their path below it' },
    exclude: { value: 'GLOB', multiple: true, help: 'not these' },
    'dry-run': { help: 'say what would be deleted, and delete nothing' },
  },
  details: `URL is a file, a glob ('**' goes into folders) or, with --recursive, a folder. All that can be deleted is;
what cannot is named, and the command fails.`,
  async run({ arguments: [url], options, output, signal }) {
    const place = await locate(url!)
    const recursive = options.flag('recursive') ?? false
    const include = options.texts('include')
    if (place.files === undefined && !recursive) {
      throw usage('recursive', `'${url}' is a folder, or not there`, 'Add it to delete everything below it.')
    }
    if (place.files !== undefined && include.length > 0) {
      throw usage('include', 'is for a folder, and URL names files')
    }
    const dryRun = options.flag('dry-run') ?? false
    const { done, failures } = await deleteAll(
      place.store,
      keysOf(place, include, options.texts('exclude'), signal),
      {
        dryRun,
        signal,
        onKey: async (key, error) => {
          if (error !== undefined) process.stderr.write(`${show(key)}: ${error.message}\n`)
          else if (dryRun) await output.write(`${show(key)}\n`)
        },
      },
    )
    const [failure] = failures.values()
    if (failure !== undefined) {
      throw new SluiceError(
        failure.code,
        `${formatCount(failures.size)} of ${done + failures.size} not deleted`,
        {
          file: place.store.url,
        },
      )
    }
    if (done === 0) throw new SluiceError('not-found', 'there are no such files', { file: place.store.url })
    await output.write(`${formatCount(done)} ${dryRun ? 'would be deleted' : 'deleted'}\n`)
  },
}

async function* keysOf(
  { store, files }: Place,
  include: readonly string[],
  exclude: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<string> {
  const wanted = files === undefined ? include : [files]
  const unwanted = exclude.map(globToRegExp)
  const objects = wanted.length === 0 ? store.list({ signal }) : glob(store, wanted, { signal })
  for await (const { key } of objects) if (!unwanted.some(pattern => pattern.test(key))) yield key
}
