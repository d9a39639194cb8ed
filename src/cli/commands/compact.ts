import { formatBytes } from '../../core/bytes.ts'
import { type CompactReport, compact as compactDataset } from '../../index.ts'
import { type Command, given } from '../command.ts'
import { locateFolder } from '../location.ts'
import { RESOURCES } from '../pipeline-options.ts'
import { REPORT, saveReport } from '../report.ts'
import { show, textTable } from '../text-table.ts'

export const compact: Command = {
  name: 'compact',
  summary: 'Merge the small files of a dataset, in place or into another folder.',
  arguments: ['URL'],
  options: {
    to: { value: 'DEST', help: 'write merged files there, and leave URL as it is (default: in place)' },
    existing: {
      value: 'WHAT',
      help: 'if DEST has data: error, append, overwrite or overwrite-partitions (default: error)',
    },
    'target-file-size': { value: 'SIZE', help: 'about how large files get (default: 128MB)' },
    where: { value: 'SQL', help: `which partitions, by their keys: "day >= '2024-01-01'" (default: all)` },
    'dry-run': { help: 'say what would be merged, and change nothing' },
    ...RESOURCES,
    job: { value: 'NAME', help: 'name of the job: run it again to resume it, or to find it done' },
    progress: { help: 'show progress on stderr; --no-progress: do not (default: on a terminal)' },
    json: { help: 'print the report as JSON' },
    ...REPORT,
  },
  details: `URL is a folder of Parquet files, partitioned or not. Files of three quarters of the target and more stay.
Readers find the files as they were, or merged; nothing is removed before the merged ones are there.`,
  async run({ arguments: [url], options, output, signal }) {
    const to = options.text('to')
    const report = await compactDataset(
      await locateFolder(url!),
      given({
        to: to === undefined ? undefined : await locateFolder(to),
        existing: options.choice('existing', ['error', 'append', 'overwrite', 'overwrite-partitions']),
        targetFileBytes: options.text('target-file-size'),
        partitions: options.text('where'),
        dryRun: options.flag('dry-run'),
        memory: options.text('memory'),
        lanes: options.count('lanes'),
        job: options.text('job'),
        progress: options.flag('progress') ?? process.stderr.isTTY,
        signal,
      }),
    )
    await saveReport(report, options)
    await output.write(options.flag('json') ? `${JSON.stringify(report, null, 2)}\n` : textOf(report))
  },
}

function textOf(report: CompactReport): string {
  const { before, after, compacted, dryRun, rowGroups, seconds } = report
  if (report.alreadyCommitted) return `job '${report.job}' was done before: nothing to do\n`
  const size = `${count(before.files)} files, ${formatBytes(before.bytes)}`
  if (compacted.length === 0) return `${size}: nothing to merge\n`
  if (dryRun) return `${planOf(report)}${size}: would be about ${count(after.files)} files\n`
  const { total, pruned, copied, joined } = rowGroups
  const decoded = total - pruned - copied - joined
  return [
    `${size}, are ${count(after.files)} files, ${formatBytes(after.bytes)}`,
    `row groups: ${count(copied)} copied, ${count(joined)} joined, ${count(decoded)} decoded`,
    `${count(report.rowsOut)} rows, ${formatBytes(report.bytesRead)} read, ${formatBytes(report.bytesWritten)} written, ${seconds.toFixed(2)} s`,
    '',
  ].join('\n')
}

function planOf({ compacted }: CompactReport): string {
  const lines = compacted.map(({ partition, filesBefore, filesAfter, bytes }) => {
    const name = partition === '' ? '(the folder itself)' : show(partition)
    return [name, count(filesBefore), count(filesAfter), formatBytes(bytes)]
  })
  return textTable([['partition', 'files', 'would be', 'size'], ...lines], [false, true, true, true])
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}
