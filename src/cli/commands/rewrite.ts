import { formatBytes } from '../../core/bytes.ts'
import { type Compression, partitionedParquet, type RunReport } from '../../index.ts'
import { type Command, given } from '../command.ts'
import { locateFolder } from '../location.ts'
import { DERIVATION, EXECUTION, LAYOUT, layout, openSource, SELECTION, select } from '../pipeline-options.ts'
import { REPORT, saveReport } from '../report.ts'

export const rewrite: Command = {
  name: 'rewrite',
  summary: 'Write rows of SRC as a Parquet dataset: the folder DEST.',
  arguments: ['SRC', 'DEST'],
  options: {
    ...SELECTION,
    ...DERIVATION,
    ...LAYOUT,
    existing: {
      value: 'WHAT',
      help: 'if DEST has data: error, append, overwrite or overwrite-partitions (default: error)',
    },
    compression: {
      value: 'CODEC',
      help: 'zstd, zstd:3, snappy, gzip, lz4_raw, brotli or none (default: zstd)',
    },
    ...EXECUTION,
    job: { value: 'NAME', help: 'name of the job: run it again to resume it, or to find it done' },
    progress: { help: 'show progress on stderr; --no-progress: do not (default: on a terminal)' },
    ...REPORT,
  },
  details: 'SRC is a file, a folder, a glob or a URL. DEST changes only once everything is written.',
  async run({ arguments: [src, dest], options, output, signal }) {
    const pipeline = (await openSource(src!, options)).pipe(...select(options), layout(options))
    const sink = partitionedParquet(
      await locateFolder(dest!),
      given({
        existing: options.choice('existing', ['error', 'append', 'overwrite', 'overwrite-partitions']),
        compression: options.text('compression') as Compression | undefined,
      }),
    )
    const report = await pipeline.to(sink, {
      signal,
      job: options.text('job'),
      progress: options.flag('progress') ?? process.stderr.isTTY,
    })
    await saveReport(report, options)
    await output.write(summaryOf(report))
  },
}

function summaryOf(report: RunReport): string {
  if (report.alreadyCommitted) return `job '${report.job}' was done before: nothing to do\n`
  const count = (value: number) => value.toLocaleString('en-US')
  const rate = count(Math.round(report.rowsIn / report.seconds))
  return [
    `${count(report.rowsIn)} rows in, ${count(report.rowsOut)} rows out, ${count(report.files)} files`,
    `${formatBytes(report.bytesRead)} read, ${formatBytes(report.bytesWritten)} written`,
    `${report.seconds.toFixed(2)} s, ${rate} rows/s, mode ${report.mode}, ${report.lanes} lanes`,
    `peak memory ${formatBytes(report.peakRssBytes)}, ${formatBytes(report.budgetHighWaterBytes)} of the budget`,
    '',
  ].join('\n')
}
