import { listJobs } from '../../index.ts'
import type { Command } from '../command.ts'
import { locateFolder } from '../location.ts'
import { show, textTable } from '../text-table.ts'

export const jobs: Command = {
  name: 'jobs',
  summary: 'List the jobs of a dataset: unfinished ones, and the names that are taken.',
  arguments: ['URL'],
  options: { json: { help: 'one JSON object a line' } },
  details: `An unfinished job with a name goes on when it is run again under that name. Others are given up with
'sluice abort URL JOB', or by 'sluice vacuum URL' when nothing has been heard of them for a while.`,
  async run({ arguments: [url], options, output, signal }) {
    const found = await listJobs(await locateFolder(url!), { signal })
    if (options.flag('json')) {
      for (const job of found) await output.write(`${JSON.stringify(job)}\n`)
      return
    }
    if (found.length === 0) return output.write('no jobs\n')
    const lines = found.map(({ name, state, tasks, started, startedBy, lastActivity }) => [
      show(name),
      state,
      tasks === undefined ? '' : `${tasks.done} of ${tasks.total}`,
      started?.toISOString().slice(0, 19) ?? '',
      startedBy ?? '',
      lastActivity.toISOString().slice(0, 19),
    ])
    await output.write(
      textTable([['job', 'state', 'tasks done', 'started', 'by', 'last activity'], ...lines]),
    )
  },
}
