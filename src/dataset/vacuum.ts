import { forEachConcurrently } from '../core/concurrency.ts'
import { parseDuration } from '../core/duration.ts'
import type { SignalOption, StagedUpload, Store } from '../storage/store.ts'
import { newestCommit, pruneCommits } from './commits.ts'
import { discardJob } from './discard.ts'
import { rollForward } from './finalise.ts'
import { readPlan } from './folder.ts'
import { type FoundJob, identityOf, type JobInfo, type JobsOptions, jobFolders } from './jobs.ts'
import { type Places, parallel, stateStore } from './state.ts'

export interface VacuumOptions extends JobsOptions {
  /**
   * What nothing has been heard of for so long counts as left behind: milliseconds or text such as `'7d'`. Longer than
   * any task of a job that may be running takes.
   * @default '7d'
   */
  olderThan?: number | string | undefined
  /** Tells what would go, and removes nothing. @default false */
  dryRun?: boolean | undefined
}

export interface VacuumReport {
  dryRun: boolean
  /** Unnamed jobs that were given up: nobody could have gone on with them. */
  jobs: JobInfo[]
  /** Uploads that no job knew of any more: keys and, where they are known, bytes. */
  uploads: { key: string; size: number; started: Date }[]
  /** Records of jobs long ended that were removed. */
  records: number
  /** Named jobs that are unfinished and older than that: run them again, or `abortJob` them. */
  kept: JobInfo[]
}

/**
 * Clears away what processes have left behind that ended before their job did: uploads that nobody has completed, jobs
 * without a name, records of jobs given up. Never touches a file of the dataset, a job that something has been heard of
 * since `olderThan`, or one with a name, which can be resumed.
 */
export async function vacuum(dataset: Store, options: VacuumOptions = {}): Promise<VacuumReport> {
  const { dryRun = false, olderThan = '7d', signal } = options
  const before = Date.now() - parseDuration(olderThan, 'olderThan')
  const places: Places = { dataset, state: options.state ?? stateStore(dataset) }
  const report: VacuumReport = { dryRun, jobs: [], uploads: [], records: 0, kept: [] }
  if (!dryRun) await rollForward(places, { signal })
  const staged: { upload: StagedUpload; started: Date }[] = []
  for await (const item of dataset.listStaged('', { signal })) staged.push(item)
  for await (const job of jobFolders(places.state, { signal })) {
    const heard = staged.flatMap(({ upload, started }) =>
      job.plan !== undefined && upload.key.includes(job.plan.id) ? [started.getTime()] : [],
    )
    if (Math.max(job.info.lastActivity.getTime(), ...heard) >= before) continue
    await clearFolder(places, job, report, { signal })
  }
  await abortUploads(places, staged, before, report, { signal })
  if (!dryRun) await pruneCommits(places.state, { signal })
  return report
}

async function clearFolder(
  places: Places,
  { info, plan, folder, objects }: FoundJob,
  report: VacuumReport,
  options: SignalOption,
): Promise<void> {
  if (info.state === 'unfinished' && info.named) {
    report.kept.push(info)
    return
  }
  if (plan !== undefined) {
    if (!report.dryRun) {
      const given = { shared: true, foreign: true, ...options }
      // It may have committed since it was looked at.
      if (!(await discardJob(places, identityOf(info.name, plan), given))) return
    }
    report.jobs.push(info)
    return
  }
  // What keeps a name taken stays; marks and tasks of jobs that are gone do not.
  const taken = new Set(folder.done.map(hash => `done-${hash}`))
  const records = objects.filter(({ key }) => !taken.has(key.slice(key.lastIndexOf('/') + 1)))
  report.records += records.length
  if (report.dryRun) return
  await forEachConcurrently(records, parallel, ({ key }) => places.state.delete(key, options))
}

/** Ends the uploads that no job, of this dataset or of one in a folder of it, has in its hands. */
async function abortUploads(
  { dataset, state }: Places,
  staged: readonly { upload: StagedUpload; started: Date }[],
  before: number,
  report: VacuumReport,
  options: SignalOption,
): Promise<void> {
  const given = new Set(report.jobs.map(({ id }) => id))
  const old = staged.filter(({ started }) => started.getTime() < before)
  if (old.length === 0) return
  const alive = new Set<string>()
  for await (const { key } of state.list(options)) {
    const [, inner = '', folder = ''] = /^(|.*\/)jobs\/([^/]+)\/plan\.json$/.exec(key) ?? []
    if (folder === '') continue
    const plan = await readPlan(inner === '' ? state : state.child(inner), folder, options)
    if (plan !== undefined && !given.has(plan.id)) alive.add(plan.id)
  }
  const { record } = await newestCommit(state, options)
  const wanted = new Set(record?.added.map(({ key }) => key))
  const left = old.filter(
    ({ upload: { key } }) => !wanted.has(key) && ![...alive].some(id => key.includes(id)),
  )
  for (const { upload, started } of left) {
    report.uploads.push({ key: upload.key, size: upload.size, started })
  }
  if (report.dryRun) return
  await forEachConcurrently(left, parallel, ({ upload }) => dataset.abortStaged(upload, options))
}
