import { forEachConcurrently } from '../core/concurrency.ts'
import type { SignalOption, StagedUpload } from '../storage/store.ts'
import { type JobIdentity, standingOf } from './commit.ts'
import { commitKey, listCommits } from './commits.ts'
import { rollForward } from './finalise.ts'
import { clearJob, discardedKey } from './folder.ts'
import { claim, type Places, parallel } from './state.ts'

export interface DiscardOptions extends SignalOption {
  /** Another process may be running the job, or a commit of ours may still be on its way to the store. */
  shared: boolean
  /** The job is another process's, which has to find the mark when it comes back. */
  foreign?: boolean
}

/** Gives a job up and removes all it wrote. False: it turned out to be committed, and was brought to its end. */
export async function discardJob(
  places: Places,
  job: JobIdentity,
  options: DiscardOptions,
): Promise<boolean> {
  const { dataset, state } = places
  const { id } = job.plan
  const signal = { signal: options.signal }
  if (options.shared && !(await fence(places, job, signal))) return false
  const left: StagedUpload[] = []
  for await (const { upload } of dataset.listStaged('', signal))
    if (upload.key.includes(id)) left.push(upload)
  await forEachConcurrently(left, parallel, upload => dataset.abortStaged(upload, signal))
  await clearJob(state, job.folder, id, signal)
  // Of an unnamed job nobody knows but the process that runs it; otherwise the mark stays for the others.
  if (options.shared && !options.foreign && !job.named)
    await state.delete(discardedKey(job.folder, id), signal)
  return true
}

/**
 * Makes sure that the job cannot commit any more. Its processes look for a mark before they take a number. One that
 * looked too early is after the number that is next now: so that is taken, with an empty file, a finished commit
 * that did nothing. False: the job has committed.
 */
async function fence(places: Places, job: JobIdentity, options: SignalOption): Promise<boolean> {
  const { state } = places
  const mark = discardedKey(job.folder, job.plan.id)
  for (let marked = false; ; marked = true) {
    const number = (await rollForward(places, options)) + 1
    const standing = await standingOf(places, job, options)
    if (standing === 'committed') {
      await rollForward(places, options)
      await state.delete(mark, options)
      return false
    }
    if (!marked) {
      await claim(state, mark, 'empty', options)
    } else if (await claim(state, commitKey(number), 'empty', options)) {
      if ((await listCommits(state, options)).at(-1)?.number === number) return true
      await state.delete(commitKey(number), options)
    }
  }
}
