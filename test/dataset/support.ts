import { isSluiceError } from '../../src/core/errors.ts'
import type { CommitResult, Job, JobOptions, JobPlan } from '../../src/dataset/job.ts'
import { openJob } from '../../src/dataset/job.ts'
import { readSnapshot } from '../../src/dataset/snapshot.ts'
import type { Store } from '../../src/storage/store.ts'

/** The files of a task: their texts by partition. A text stands for a Parquet file here. */
export type Files = Record<string, string[]>

export function planOf(tasks: number, pipeline: unknown = 'copy'): JobPlan<number> {
  return { sources: [], pipeline, tasks: Array.from({ length: tasks }, (_, task) => task) }
}

export async function seed(store: Store, files: Record<string, string>): Promise<void> {
  for (const [key, text] of Object.entries(files)) await store.put(key, Buffer.from(text))
}

export async function writeTask(job: Job, task: number, files: Files): Promise<void> {
  const records = []
  for (const [partition, texts] of Object.entries(files)) {
    for (const text of texts) {
      const writer = await job.createFile(task, partition)
      await writer.write(Buffer.from(text))
      const staged = await writer.seal()
      records.push({ key: staged.key, rows: 1, bytes: staged.size, staged })
    }
  }
  await job.finishTask(task, records)
}

/** A job from its opening to its commit. */
export async function runJob(
  dataset: Store,
  { tasks, ...options }: Omit<JobOptions, 'plan'> & { tasks: Files[] },
): Promise<CommitResult> {
  const job = await openJob(dataset, { ...options, plan: planOf(tasks.length) })
  for (const [task, files] of tasks.entries()) if (!job.doneTasks.has(task)) await writeTask(job, task, files)
  return await job.commit()
}

export async function allKeys(store: Store): Promise<string[]> {
  const keys = []
  for await (const { key } of store.list()) keys.push(key)
  return keys
}

/** The texts of the dataset's files as a reader of Sluice's sees them, sorted. */
export async function contents(dataset: Store): Promise<string[]> {
  const { objects } = await readSnapshot(dataset)
  return (await Promise.all(objects.map(({ key }) => textOf(dataset, key)))).sort()
}

/** The same for a reader that knows nothing of commits. */
export async function plainContents(dataset: Store): Promise<string[]> {
  const keys = (await allKeys(dataset)).filter(key => key.endsWith('.parquet'))
  return (await Promise.all(keys.map(key => textOf(dataset, key)))).sort()
}

export function hasCode(code: string): (error: unknown) => boolean {
  return error => isSluiceError(error) && error.code === code
}

async function textOf(store: Store, key: string): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const bytes of (await store.get(key)).body) chunks.push(bytes)
  return Buffer.concat(chunks).toString()
}

/** What is left of jobs that have ended: files of the state that are not empty. */
export async function leftovers(root: Store): Promise<string[]> {
  const keys = []
  for await (const { key, size } of root.list({ prefix: '_sluice/' })) if (size > 0) keys.push(key)
  return keys
}

export async function stagedKeys(store: Store): Promise<string[]> {
  const keys = []
  for await (const { upload } of store.listStaged('')) keys.push(upload.key)
  return keys
}
