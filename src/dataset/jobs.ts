import { SluiceError } from '../core/errors.ts'
import { mapOrdered } from '../core/ordered.ts'
import type { ObjectMeta, SignalOption, Store } from '../storage/store.ts'
import type { JobIdentity } from './commit.ts'
import { newestCommit } from './commits.ts'
import { discardJob } from './discard.ts'
import { rollForward } from './finalise.ts'
import { type JobFolder, jobFolder, type PlanFile, readPlan } from './folder.ts'
import { type Places, parallel, stateStore } from './state.ts'

export interface JobsOptions extends SignalOption {
  /** Where the dataset's jobs and commits are kept. @default `_sluice/<path>/` at the root of the store */
  state?: Store | undefined
}

/** What is known of a job on a dataset. */
export interface JobInfo {
  /** The job's own, or its id if it has none. */
  name: string
  named: boolean
  /**
   * `unfinished`: running, or left behind by a process that ended; the same job run again under its name goes on with
   * it. `committing`: its files are becoming visible; whatever looks at the dataset next takes it to its end.
   * `committed` and `given-up` are records of jobs that have ended.
   */
  state: 'unfinished' | 'committing' | 'committed' | 'given-up'
  /** Of an unfinished job. */
  id?: string
  tasks?: { done: number; total: number }
  existing?: PlanFile['existing']
  started?: Date
  /** Host and process that began it. */
  startedBy?: string
  /** When it was last heard of: when something was last put into its folder. */
  lastActivity: Date
}

/** The jobs of a dataset that have left anything, by the names of their folders. */
export async function listJobs(dataset: Store, options: JobsOptions = {}): Promise<JobInfo[]> {
  const { signal } = options
  const state = options.state ?? stateStore(dataset)
  const committing = (await newestCommit(state, { signal })).record?.job
  const infos: JobInfo[] = []
  for await (const { info } of jobFolders(state, { signal })) {
    if (info.id !== undefined && info.id === committing) info.state = 'committing'
    infos.push(info)
  }
  return infos
}

/**
 * Gives an unfinished job up: removes all it wrote. The dataset stays as it was. A process that is still at it fails
 * with `conflict`.
 *
 * @param name A job's name or id, as {@link listJobs} gives it.
 */
export async function abortJob(dataset: Store, name: string, options: JobsOptions = {}): Promise<void> {
  const { signal } = options
  const places: Places = { dataset, state: options.state ?? stateStore(dataset) }
  await rollForward(places, { signal })
  const plan = await readPlan(places.state, name, { signal })
  if (plan === undefined) {
    const unfinished = (await listJobs(dataset, options)).filter(job => job.state === 'unfinished')
    throw new SluiceError('not-found', `there is no unfinished job '${name}'`, {
      file: dataset.url,
      hint:
        unfinished.length === 0
          ? 'No job is unfinished.'
          : `Unfinished: ${unfinished.map(job => `'${job.name}'`).join(', ')}.`,
    })
  }
  if (await discardJob(places, identityOf(name, plan), { shared: true, foreign: true, signal })) return
  throw new SluiceError('conflict', `job '${name}' has committed, and cannot be given up any more`, {
    file: dataset.url,
  })
}

/** A job and all that its folder holds. */
export interface FoundJob {
  info: JobInfo
  plan: PlanFile | undefined
  folder: JobFolder
  objects: ObjectMeta[]
}

/** The folders below `jobs/`, with what they say. */
export async function* jobFolders(
  state: Store,
  options: SignalOption,
): AsyncGenerator<FoundJob, void, undefined> {
  const { prefixes } = await state.listLevel({ ...options, prefix: 'jobs/' })
  const found = mapOrdered(prefixes, parallel, async prefix => {
    const name = prefix.slice('jobs/'.length, -1)
    const { objects } = await state.listLevel({ ...options, prefix })
    const folder = jobFolder(name, objects)
    const plan = folder.plan ? await readPlan(state, name, options) : undefined
    return { info: infoOf(name, plan, folder, objects), plan, folder, objects }
  })
  for await (const job of found) if (job.objects.length > 0) yield job
}

/** An unnamed job's folder has its id for a name. */
export function identityOf(folder: string, plan: PlanFile): JobIdentity {
  return { plan, folder, named: folder !== plan.id }
}

function infoOf(
  name: string,
  plan: PlanFile | undefined,
  folder: JobFolder,
  objects: readonly ObjectMeta[],
): JobInfo {
  const lastActivity = new Date(Math.max(...objects.map(({ lastModified }) => lastModified.getTime())))
  if (plan === undefined) {
    const state = folder.done.length > 0 ? 'committed' : 'given-up'
    return { name, named: state === 'committed' || !folder.discarded.includes(name), state, lastActivity }
  }
  const { id, tasks, existing, created, by } = plan
  return {
    name,
    named: name !== id,
    state: folder.discarded.includes(id) ? 'given-up' : 'unfinished',
    id,
    tasks: { done: folder.tasks.filter(task => task.job === id).length, total: tasks.length },
    existing,
    started: new Date(created),
    ...(by === undefined ? {} : { startedBy: by }),
    lastActivity,
  }
}
