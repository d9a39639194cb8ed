import { SluiceError } from '../core/errors.ts'
import type { ObjectMeta, SignalOption, StagedUpload } from '../storage/store.ts'
import { type CommitRecord, commitKey, newestCommit } from './commits.ts'
import { rollForward } from './finalise.ts'
import { lookAtJob, type PlanFile, readPlan, type SourceObject } from './folder.ts'
import { partitionOf } from './hive.ts'
import { readSnapshot } from './snapshot.ts'
import { claim, digest, type Places } from './state.ts'

/** A job as the protocol sees it. */
export interface JobIdentity {
  plan: PlanFile
  /** Its folder under `jobs/`. */
  folder: string
  named: boolean
}

export interface CommitOptions extends SignalOption {
  /** Whether to leave an empty `_SUCCESS` beside the data. */
  successFile: boolean
  /** Whether this process has tried before, to an end that it does not know. */
  tried: boolean
}

/** `open`: neither committed nor given up. */
export type Standing = 'open' | 'committed' | 'discarded'

/**
 * Commits a job, all of whose tasks are done, and brings the commit to its end. Safe to repeat, and safe for several
 * processes of one job: one commit comes of it. Returns how many files it replaced; `undefined` if the job was
 * committed before, by another process or by a request of ours whose reply got lost.
 */
export async function commitJob(
  places: Places,
  job: JobIdentity,
  added: StagedUpload[],
  { successFile, tried, ...options }: CommitOptions,
): Promise<number | undefined> {
  for (let round = tried ? 1 : 0; ; round++) {
    const number = (await rollForward(places, options)) + 1
    const standing = await standingOf(places, job, options)
    // Nobody but its own process commits an unnamed job: that one did not yet, so the job was cleared away.
    if (standing === 'committed' && !job.named && round === 0) throw discardedError(job)
    if (standing === 'committed') {
      await rollForward(places, options)
      return undefined
    }
    if (standing === 'discarded') throw discardedError(job)
    const removed = await replaced(places, job.plan, added, options)
    const { id, hash } = job.plan
    const { folder, named } = job
    const record: CommitRecord = {
      ...{ version: 1, state: 'committed', job: id, folder, named, hash },
      ...{ added, removed, successFile },
    }
    if (!(await take(places, job, number, record, options))) continue
    if ((await standingOf(places, job, options)) === 'committed') {
      await rollForward(places, options)
      return removed.length
    }
    // The number was free because it is an old one that had been pruned: it counts for nobody.
    await places.state.delete(commitKey(number), options)
  }
}

/**
 * Takes a number. False: somebody else has it, or this process has and never heard so; the caller's next round
 * tells. A failed request may have taken it, too.
 */
async function take(
  places: Places,
  job: JobIdentity,
  number: number,
  record: CommitRecord,
  options: SignalOption,
): Promise<boolean> {
  try {
    return await claim(places.state, commitKey(number), record, options)
  } catch (error) {
    if ((await standingOf(places, job, options)) === 'committed') return false
    throw error
  }
}

/** How far a job has come, whoever took it there: settles lost replies, and two processes of one job. */
export async function standingOf(
  { state }: Places,
  job: JobIdentity,
  options: SignalOption,
): Promise<Standing> {
  const { id, hash } = job.plan
  for (;;) {
    if ((await newestCommit(state, options)).record?.job === id) return 'committed'
    const folder = await lookAtJob(state, job.folder, options)
    if (job.named && folder.done.includes(hash)) return 'committed'
    if (folder.discarded.includes(id)) return 'discarded'
    // A plan goes when its job is finished or given up, and a name may have been taken by another job since.
    if (!folder.plan) return job.named ? 'discarded' : 'committed'
    const plan = await readPlan(state, job.folder, options)
    if (plan !== undefined) return plan.id === id ? 'open' : 'discarded'
  }
}

/** A digest of each partition's files: what a job that replaces them found when it was planned. */
export function digestPartitions(
  existing: PlanFile['existing'],
  objects: readonly ObjectMeta[],
): [partition: string, digest: string][] {
  if (existing === 'overwrite') return [['', digestFiles(objects)]]
  if (existing !== 'overwrite-partitions') return []
  return Array.from(byPartition(objects), ([partition, files]) => [partition, digestFiles(files)])
}

/** The files that a commit removes; `conflict` if they are not those that the job meant to replace. */
async function replaced(
  { dataset, state }: Places,
  { existing, base, sources }: PlanFile,
  added: readonly StagedUpload[],
  options: SignalOption,
): Promise<string[]> {
  if (existing === 'append') return []
  const { objects } = await readSnapshot(dataset, { ...options, state })
  if (existing === 'error') {
    assertEmpty(objects)
    return []
  }
  if (existing === 'overwrite-sources') {
    assertUnchanged(sources, objects)
    return sources.map(({ key }) => key)
  }
  if (existing === 'overwrite') {
    if (digestFiles(objects) !== base[0]?.[1]) throw changed('the dataset')
    return objects.map(object => object.key)
  }
  const planned = new Map(base)
  const current = byPartition(objects)
  const removed: string[] = []
  for (const partition of new Set(added.map(upload => partitionOf(upload.key)))) {
    const files = current.get(partition) ?? []
    if (digestFiles(files) !== (planned.get(partition) ?? digestFiles([]))) {
      throw changed(partition === '' ? 'the unpartitioned part' : `the partition ${partition.slice(0, -1)}`)
    }
    for (const file of files) removed.push(file.key)
  }
  return removed
}

/** `existing: 'error'` */
export function assertEmpty(objects: readonly ObjectMeta[]): void {
  const [first] = objects
  if (first === undefined) return
  throw new SluiceError('already-exists', `the destination already holds data, for example '${first.key}'`, {
    option: 'existing',
    hint: "Say what is to become of it: 'append', 'overwrite' or 'overwrite-partitions'.",
  })
}

/** `existing: 'overwrite-sources'`: what was read has to be what is there. */
export function assertUnchanged(sources: readonly SourceObject[], objects: readonly ObjectMeta[]): void {
  const etags = new Map(objects.map(({ key, etag }) => [key, etag]))
  const changed = sources.find(({ key, etag }) => etags.get(key) !== etag)
  if (changed === undefined) return
  const what = etags.has(changed.key) ? 'has been changed' : 'has been removed'
  throw new SluiceError('conflict', `${what} since this job was planned, so nothing is replaced`, {
    file: changed.key,
    hint: 'Run it again on the dataset as it is now.',
  })
}

export function discardedError({ plan, folder }: JobIdentity): SluiceError {
  return new SluiceError('conflict', `job '${folder}' (${plan.id}) was given up by another process`, {
    hint: 'Run it again to start it anew.',
  })
}

function changed(what: string): SluiceError {
  return new SluiceError(
    'conflict',
    `${what} has changed since this job was planned, so it is not replaced`,
    {
      option: 'existing',
      hint: 'Run the job again on the dataset as it is now.',
    },
  )
}

function byPartition(objects: readonly ObjectMeta[]): Map<string, ObjectMeta[]> {
  const folders = new Map<string, string>()
  const partitions = new Map<string, ObjectMeta[]>()
  for (const object of objects) {
    const folder = object.key.slice(0, object.key.lastIndexOf('/') + 1)
    let partition = folders.get(folder)
    if (partition === undefined) folders.set(folder, (partition = partitionOf(folder)))
    const files = partitions.get(partition)
    if (files === undefined) partitions.set(partition, [object])
    else files.push(object)
  }
  return partitions
}

function digestFiles(objects: readonly ObjectMeta[]): string {
  return digest(objects.map(({ key, etag }) => [key, etag]).sort())
}
