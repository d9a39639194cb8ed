import { abortJob } from '../../index.ts'
import type { Command } from '../command.ts'
import { locateFolder } from '../location.ts'

export const abort: Command = {
  name: 'abort',
  summary: 'Give up an unfinished job: remove what it wrote, and leave the dataset as it is.',
  arguments: ['URL', 'JOB'],
  options: {},
  details:
    "JOB is a name or an id that 'sluice jobs URL' lists. A process that is still at it fails with a conflict.",
  async run({ arguments: [url, job], output, signal }) {
    await abortJob(await locateFolder(url!), job!, { signal })
    await output.write(`gave up '${job}'\n`)
  },
}
