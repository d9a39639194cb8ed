import { formatBytes } from '../../core/bytes.ts'
import { type VacuumReport, vacuum as vacuumDataset } from '../../index.ts'
import { type Command, given } from '../command.ts'
import { locateFolder } from '../location.ts'
import { show } from '../text-table.ts'

export const vacuum: Command = {
  name: 'vacuum',
  summary: 'Clear away what jobs that died have left behind.',
  arguments: ['URL'],
  options: {
    'older-than': { value: 'TIME', help: 'only what nothing has been heard of for so long (default: 7d)' },
    'dry-run': { help: 'say what would be removed, and change nothing' },
    json: { help: 'print the report as JSON' },
  },
  details: `Unfinished uploads, jobs without a name, and records of jobs given up. No file of the dataset is touched, and no
job with a name, which can be resumed. TIME has to be longer than any task of a running job takes.`,
  async run({ arguments: [url], options, output, signal }) {
    const report = await vacuumDataset(
      await locateFolder(url!),
      given({ olderThan: options.text('older-than'), dryRun: options.flag('dry-run'), signal }),
    )
    await output.write(options.flag('json') ? `${JSON.stringify(report, null, 2)}\n` : textOf(report))
  },
}

function textOf({ dryRun, jobs, uploads, records, kept }: VacuumReport): string {
  const would = dryRun ? 'would remove' : 'removed'
  const bytes = uploads.reduce((sum, { size }) => sum + size, 0)
  const lines = [
    `${would} ${uploads.length} unfinished uploads${bytes > 0 ? `, ${formatBytes(bytes)} and more` : ''}`,
    `${would} ${jobs.length} jobs without a name, ${records} records of jobs that were given up`,
    ...kept.map(({ name, tasks }) => {
      return `kept job '${show(name)}', ${tasks?.done} of ${tasks?.total} tasks done: run it again, or sluice abort it`
    }),
  ]
  return `${lines.join('\n')}\n`
}
