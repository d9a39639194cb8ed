import { forEachConcurrently } from '../core/concurrency.ts'
import type { ObjectMeta, SignalOption, StagedUpload, Store } from '../storage/store.ts'
import { parallel, readJson } from './state.ts'

/** A source object that a job reads, frozen when the job was planned. */
export interface SourceObject {
  key: string
  size: number
  etag: string
}

/** What a job is going to do. `Task` is the planner's own, kept as JSON. */
export interface JobPlan<Task = unknown> {
  sources: readonly SourceObject[]
  /** Describes what is done to the rows, and to which source; its hash tells whether two jobs are the same. */
  pipeline: unknown
  tasks: readonly Task[]
}

/** `overwrite-sources`: the files that the job reads are replaced, and no others. */
export type Existing = 'error' | 'append' | 'overwrite' | 'overwrite-partitions' | 'overwrite-sources'

/** `jobs/<folder>/plan.json`. */
export interface PlanFile extends JobPlan {
  version: 1
  /** Unique, and part of the name of every file that the job writes. */
  id: string
  hash: string
  existing: Existing
  created: string
  /** Host and process that made it. */
  by?: string
  /** What `overwrite` and `overwrite-partitions` are about to replace: a digest of each partition's files. */
  base: [partition: string, digest: string][]
}

/** A file that a task has written and nobody sees yet. */
export interface FileRecord {
  /** Relative to the dataset. */
  key: string
  rows: number
  bytes: number
  staged: StagedUpload
}

/** `jobs/<folder>/task-<n>.<job>.json`. */
export interface TaskFile {
  version: 1
  /** Which run of the task this is, so that a process knows its own after a lost reply. */
  attempt: string
  files: FileRecord[]
}

/** What a job's folder holds. */
export interface JobFolder {
  plan: boolean
  tasks: { task: number; job: string }[]
  /** Hashes of what was committed under this name. */
  done: string[]
  /** Ids of the jobs that were given up. */
  discarded: string[]
}

export function planKey(folder: string): string {
  return `jobs/${folder}/plan.json`
}

/** With the job's id: a job that was given up may still be writing when another has taken its name. */
export function taskKey(folder: string, task: number, job: string): string {
  return `jobs/${folder}/task-${task}.${job}.json`
}

/** The empty file that remembers a named job. */
export function doneKey(folder: string, hash: string): string {
  return `jobs/${folder}/done-${hash}`
}

/** The empty file that tells other processes of a job that it was given up. */
export function discardedKey(folder: string, job: string): string {
  return `jobs/${folder}/discarded-${job}`
}

export async function lookAtJob(state: Store, folder: string, options: SignalOption): Promise<JobFolder> {
  const { objects } = await state.listLevel({ ...options, prefix: `jobs/${folder}/` })
  return jobFolder(folder, objects)
}

/** What the objects in a job's folder say. */
export function jobFolder(folder: string, objects: readonly ObjectMeta[]): JobFolder {
  const found: JobFolder = { plan: false, tasks: [], done: [], discarded: [] }
  const prefix = `jobs/${folder}/`
  for (const { key } of objects) {
    const [name, task, job, done, discarded] =
      /^(?:plan\.json|task-(\d+)\.(\w+)\.json|done-(\w+)|discarded-(\w+))$/.exec(key.slice(prefix.length)) ??
      []
    if (name === 'plan.json') found.plan = true
    else if (task !== undefined && job !== undefined) found.tasks.push({ task: Number(task), job })
    else if (done !== undefined) found.done.push(done)
    else if (discarded !== undefined) found.discarded.push(discarded)
  }
  return found
}

export async function readPlan(
  state: Store,
  folder: string,
  options: SignalOption,
): Promise<PlanFile | undefined> {
  return (await readJson<PlanFile>(state, planKey(folder), options))?.value
}

/** Deletes the plan and the tasks of a job; those of another job that has its name now stay. */
export async function clearJob(
  state: Store,
  folder: string,
  job: string,
  options: SignalOption,
): Promise<void> {
  const { plan, tasks } = await lookAtJob(state, folder, options)
  if (plan && (await readPlan(state, folder, options))?.id === job)
    await state.delete(planKey(folder), options)
  const own = tasks.filter(task => task.job === job)
  await forEachConcurrently(own, parallel, ({ task }) => state.delete(taskKey(folder, task, job), options))
}
