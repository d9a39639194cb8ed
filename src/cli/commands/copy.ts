import { formatBytes } from '../../core/bytes.ts'
import { formatCount } from '../../core/progress.ts'
import { SluiceError, TransferError, type TransferEvent, type TransferReport, transfer } from '../../index.ts'
import { type Command, given, type Options, usage } from '../command.ts'
import { locatePair } from '../location.ts'
import { show } from '../text-table.ts'

export const copy: Command = {
  name: 'copy',
  summary: 'Copy files and folders between any two places.',
  arguments: ['SRC', 'DEST'],
  options: {
    sync: { help: 'make DEST the same as SRC: --existing skip-same --delete' },
    delete: { help: 'delete from DEST what SRC has not, once all is copied' },
    existing: {
      value: 'WHAT',
      help: 'if DEST has the file: skip-same, overwrite or error (default: skip-same)',
    },
    include: { value: 'GLOB', multiple: true, help: 'only these files, by their path below SRC' },
    exclude: { value: 'GLOB', multiple: true, help: 'not these: neither copied nor deleted' },
    verify: {
      value: 'HOW',
      help: 'what has arrived: size, checksum (read back, SHA-256) or none (default: size)',
    },
    concurrency: { value: 'N', help: 'files on their way at once (default: 16)' },
    memory: { value: 'SIZE', help: 'bytes on their way at once (default: 128MiB)' },
    force: { help: 'delete even if SRC has nothing' },
    'stop-on-error': { help: 'begin nothing more once a file has failed' },
    'dry-run': { help: 'say what would be done, and do nothing' },
    progress: { help: 'show progress on stderr; --no-progress: do not (default: on a terminal)' },
    json: { help: 'print the report as JSON' },
  },
  details: `SRC is a file, a glob or a folder, of which the contents are copied; DEST is always a folder, made if it is not
there: 'copy a/x.csv b' makes b/x.csv, 'copy a b' makes b/x.csv, too. In globs '*' stays within a folder:
'**/*.csv' is every CSV file.
A file that DEST has with the same size and version, or newer than SRC's, is left as it is (skip-same): run the
command again to go on with a copy that was stopped. No file is ever seen half-written. Within a bucket the service
copies.`,
  async run({ arguments: [source, destination], options, output, signal }) {
    const { from, to } = await locatePair(source!, destination!)
    const { include, exclude } = globsOf(options, from.files)
    const dryRun = options.flag('dry-run') ?? false
    const isJson = options.flag('json') ?? false
    const report = await reported(
      transfer(
        from.store,
        to,
        given({
          select: include,
          exclude,
          existing: existingOf(options),
          delete: options.flag('sync') || options.flag('delete') || undefined,
          force: options.flag('force'),
          verify: verifyOf(options),
          concurrency: options.count('concurrency'),
          memory: options.text('memory'),
          stopOnError: options.flag('stop-on-error'),
          dryRun,
          progress: options.flag('progress') ?? process.stderr.isTTY,
          onObject: dryRun && !isJson ? (event: TransferEvent) => output.write(planOf(event)) : undefined,
          signal,
        }),
      ),
    )
    const { copied, skipped, deleted } = report
    if (copied.objects + skipped.objects + deleted.objects === 0) {
      throw new SluiceError('not-found', 'there are no files to copy', { file: from.store.url })
    }
    await output.write(isJson ? `${JSON.stringify(report, null, 2)}\n` : textOf(report))
  },
}

/** The globs of `--include` and `--exclude`, and of what SRC itself names. */
function globsOf(options: Options, files: string | undefined): { include?: string[]; exclude: string[] } {
  const include = options.texts('include')
  const exclude = options.texts('exclude')
  if (include.length === 0) return files === undefined ? { exclude } : { include: [files], exclude }
  if (files === undefined) return { include, exclude }
  throw usage('include', 'is for a folder, and SRC names files', 'Give the folder as SRC.')
}

function existingOf(options: Options): 'skip-same' | 'overwrite' | 'error' | undefined {
  const existing = options.choice('existing', ['skip-same', 'overwrite', 'error'])
  if (options.flag('sync') && existing !== undefined && existing !== 'skip-same') {
    throw usage('sync', `means '--existing skip-same --delete'`, `Say '--existing ${existing} --delete'.`)
  }
  return existing
}

function verifyOf(options: Options): 'size' | 'checksum' | false | undefined {
  const verify = options.choice('verify', ['size', 'checksum', 'none'])
  return verify === 'none' ? false : verify
}

/** Each failure on a line of its own, before the one that ends the command. */
async function reported(running: Promise<TransferReport>): Promise<TransferReport> {
  try {
    return await running
  } catch (error) {
    if (error instanceof TransferError) {
      for (const { key, error: failure } of error.report.failed) {
        process.stderr.write(`${show(key)}: ${failure.message}\n`)
      }
    }
    throw error
  }
}

function planOf({ key, size, outcome }: TransferEvent): string {
  const verbs = { copied: 'copy', skipped: 'skip', deleted: 'delete', failed: 'fail' }
  return `${verbs[outcome].padEnd(7)} ${String(size).padStart(14)}  ${show(key)}\n`
}

function textOf({ copied, skipped, deleted, seconds, dryRun }: TransferReport): string {
  const sums = [
    `${formatCount(copied.objects)} copied, ${formatBytes(copied.bytes)}`,
    ...(skipped.objects > 0 ? [`${formatCount(skipped.objects)} there already`] : []),
    ...(deleted.objects > 0 ? [`${formatCount(deleted.objects)} deleted`] : []),
  ]
  if (dryRun) return `would be: ${sums.join('; ')}\n`
  const rate = copied.bytes > 0 && seconds > 0 ? `, ${formatBytes(copied.bytes / seconds)}/s` : ''
  return `${sums.join('; ')}; ${seconds.toFixed(2)} s${rate}\n`
}
