import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { SluiceError } from '../core/errors.ts'
import type { SignalOption, Store } from '../storage/store.ts'
import { assertEmpty, digestPartitions, type JobIdentity } from './commit.ts'
import { discardJob } from './discard.ts'
import { rollForward } from './finalise.ts'
import { type Existing, type JobPlan, lookAtJob, type PlanFile, planKey, readPlan } from './folder.ts'
import { CommittedJob, type Job, RunningJob } from './running-job.ts'
import { readSnapshot } from './snapshot.ts'
import { claim, digest, type Places, stateStore } from './state.ts'

export type { Existing, FileRecord, JobPlan, SourceObject } from './folder.ts'
export type { CommitResult, Job } from './running-job.ts'

export interface JobOptions<Task = unknown> extends SignalOption {
  /**
   * Run a job again under its name to resume it, or to find it done. Letters, digits, `.`, `_` and `-`.
   * @default none: the job cannot be resumed
   */
  name?: string | undefined
  /** What becomes of the data that is there. */
  existing: Existing
  /** What to do; a resumed job goes on with the plan it was begun with: see {@link Job.plan}. */
  plan: JobPlan<Task>
  /** Where the dataset's jobs and commits are kept. @default `_sluice/<path>/` at the root of the store */
  state?: Store | undefined
  /** Leave an empty `_SUCCESS` beside the data. @default true */
  successFile?: boolean | undefined
}

/**
 * Opens a job on a dataset: begins it, resumes it by its name, or finds that it was committed. Finishes what an
 * earlier job's process left undone after its commit.
 */
export async function openJob<Task>(dataset: Store, options: JobOptions<Task>): Promise<Job<Task>> {
  const places: Places = { dataset, state: options.state ?? stateStore(dataset) }
  assertCapable(places)
  const name = options.name === undefined ? undefined : validName(options.name)
  await rollForward(places, { signal: options.signal })
  return name === undefined ? openUnnamed(places, options) : openNamed(places, name, options)
}

/** Nobody can resume it, so it leaves nothing behind if it cannot begin. */
async function openUnnamed<Task>(places: Places, options: JobOptions<Task>): Promise<Job<Task>> {
  const { signal } = options
  const plan = await makePlan(places, options)
  const folder = plan.id
  try {
    await claim(places.state, planKey(folder), plan, { signal })
  } catch (error) {
    // The failed request may have been carried out. What failed is what the caller has to know.
    await places.state.delete(planKey(folder)).catch(() => {})
    throw error
  }
  return new RunningJob<Task>(places, { plan, folder, named: false }, [], options)
}

async function openNamed<Task>(places: Places, name: string, options: JobOptions<Task>): Promise<Job<Task>> {
  const { state } = places
  const signal = { signal: options.signal }
  const hash = hashOf(options)
  for (;;) {
    const before = await lookAtJob(state, name, signal)
    if (isDone(before.done, hash, name)) return new CommittedJob<Task>(options.plan)
    const fresh = before.plan ? undefined : await makePlan(places, options)
    if (fresh !== undefined) await claim(state, planKey(name), fresh, signal)
    const plan = await readPlan(state, name, signal)
    if (plan === undefined) continue
    if (plan.hash !== hash) throw otherPlan(name, plan, options)
    // The job may have been committed, by another process, between the first look and our plan.
    const now = await lookAtJob(state, name, signal)
    if (isDone(now.done, hash, name)) {
      if (plan.id === fresh?.id) await state.delete(planKey(name), signal)
      return new CommittedJob<Task>(options.plan)
    }
    const job: JobIdentity = { plan, folder: name, named: true }
    if (now.discarded.includes(plan.id)) {
      await discardJob(places, job, { shared: true, ...signal })
      continue
    }
    if (fresh === undefined && plan.existing === 'error') await findBase(places, 'error', signal)
    const done = now.tasks.filter(task => task.job === plan.id).map(({ task }) => task)
    return new RunningJob<Task>(places, job, done, options)
  }
}

async function makePlan(places: Places, options: JobOptions): Promise<PlanFile> {
  const { sources, pipeline, tasks } = options.plan
  return {
    version: 1,
    id: randomBytes(8).toString('hex'),
    hash: hashOf(options),
    existing: options.existing,
    created: new Date().toISOString(),
    by: `${hostname()}, process ${process.pid}`,
    sources,
    pipeline,
    tasks,
    base: await findBase(places, options.existing, { signal: options.signal }),
  }
}

/**
 * Of what the user asked for. The sources' listing is not part of it: a job goes on with the one it was begun
 * with, whatever has arrived since.
 */
function hashOf({ existing, plan: { pipeline } }: JobOptions): string {
  return digest({ existing, pipeline })
}

async function findBase(
  { dataset, state }: Places,
  existing: Existing,
  options: SignalOption,
): Promise<PlanFile['base']> {
  if (existing === 'append' || existing === 'overwrite-sources') return []
  const { objects } = await readSnapshot(dataset, { ...options, state })
  if (existing === 'error') assertEmpty(objects)
  return digestPartitions(existing, objects)
}

function isDone(done: string[], hash: string, name: string): boolean {
  if (done.length === 0 || done.includes(hash)) return done.length > 0
  throw new SluiceError('conflict', `the name '${name}' is that of a committed job that did something else`, {
    option: 'job',
    hint: `Choose another name. (Its pipeline has the hash ${done[0]}, this one's has ${hash}.)`,
  })
}

function otherPlan(name: string, found: PlanFile, wanted: JobOptions): SluiceError {
  const differs =
    found.existing === wanted.existing
      ? `its pipeline is ${JSON.stringify(found.pipeline)}, not ${JSON.stringify(wanted.plan.pipeline)}`
      : `it was begun with existing: '${found.existing}', not '${wanted.existing}'`
  return new SluiceError(
    'conflict',
    `there is an unfinished job '${name}' that does something else: ${differs}`,
    {
      option: 'job',
      hint: 'Choose another name, or give the unfinished job up first.',
    },
  )
}

function validName(name: string): string {
  if (/^[A-Za-z0-9][\w.-]{0,99}$/.test(name)) return name
  throw new SluiceError('invalid-argument', `'${name}' is not a name for a job`, {
    option: 'job',
    hint: 'Use up to 100 letters, digits, ".", "_" and "-", beginning with a letter or digit.',
  })
}

function assertCapable({ dataset, state }: Places): void {
  const needed: [Store, keyof Store['capabilities'], string][] = [
    [dataset, 'write', 'be written to'],
    [dataset, 'list', 'be listed'],
    [dataset, 'stage', 'keep an upload out of sight until it is completed'],
    [state, 'putCreate', 'create an object only if it is absent'],
  ]
  for (const [store, capability, what] of needed) {
    if (!store.capabilities[capability]) {
      throw new SluiceError('unsupported', `a job needs a store that can ${what}`, {
        file: store.url,
        hint: "Write to a store that can, or keep the job's state in one that can: option 'state'.",
      })
    }
  }
}
