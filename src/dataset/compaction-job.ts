import { isSluiceError } from '../core/errors.ts'
import type { PipelinePlan } from '../core/planner.ts'
import type { RunReport } from '../core/report.ts'
import type { Run } from '../core/run.ts'
import type { Store } from '../storage/store.ts'
import { assertUnchanged } from './commit.ts'
import { bytesOf, folderOf } from './compaction-plan.ts'
import { type Drain, drainScan } from './drain.ts'
import { stageEmpty } from './empty-file.ts'
import { type Existing, openJob, type SourceObject } from './job.ts'
import type { ParquetScan } from './scan.ts'
import type { SourceFile } from './scan-listing.ts'
import { resolveFileOptions } from './sink-options.ts'
import { readSnapshot } from './snapshot.ts'
import { stateStore } from './state.ts'
import { frozenTasks, sourceObject } from './write-dataset.ts'

export interface CompactionJob {
  scan: ParquetScan
  /** Where the files go. */
  target: Store
  existing: Existing
  tasks: readonly (readonly SourceFile[])[]
  targetFileBytes: number
  /** Of the files written. */
  keyValueMetadata: readonly [string, string][]
  state: Store | undefined
  /** Leave an empty `_SUCCESS` beside the data. */
  successFile: boolean
  /** What makes it another job than one of the same name. */
  description: unknown
}

export interface CompactionResult {
  report: RunReport
  /** The files that were merged, by this run or one that it resumed. */
  read: DatasetSize
  /** Those that they have become. */
  written: DatasetSize
}

/** Files and their bytes. */
export interface DatasetSize {
  files: number
  bytes: number
}

/** Writes files anew, each folder's rows into fewer files of that folder, as a job. */
export async function runCompaction(
  compaction: CompactionJob,
  plan: PipelinePlan,
  run: Run,
): Promise<CompactionResult> {
  const { scan, target, existing, tasks, targetFileBytes, keyValueMetadata, state } = compaction
  const job = await openJob<string[]>(target, {
    name: run.job,
    existing,
    successFile: compaction.successFile,
    state,
    signal: run.signal,
    plan: {
      sources: tasks.flat().map(sourceObject),
      pipeline: compaction.description,
      tasks: tasks.map(files => files.map(({ key }) => key)),
    },
  })
  const name = run.job ?? job.id
  if (job.committed) {
    const none = { files: 0, bytes: 0 }
    return { report: { ...run.report(), job: name, alreadyCommitted: true }, read: none, written: none }
  }
  const folders = new Set<string>()
  const drain: Drain = {
    ...resolveFileOptions({ keyValueMetadata }),
    keys: [],
    limits: {
      maxRowsPerFile: Number.POSITIVE_INFINITY,
      targetFileBytes,
      maxPartitions: Number.POSITIVE_INFINITY,
    },
    partitionOf: ({ object }) => folderOf(object.key),
    createFile: (task, folder) => job.createFile(task, folder),
    finishTask: async (task, files) => {
      const written = [...files]
      // A folder without rows keeps a file that says which columns it has.
      for (const folder of new Set(job.plan.tasks[task]!.map(folderOf))) {
        folders.add(folder)
        if (files.some(({ partition }) => partition === folder)) continue
        const empty = await stageEmpty(await job.createFile(task, folder), plan, drain, run)
        written.push({ ...empty, partition: folder })
      }
      run.partitions = folders.size
      await job.finishTask(task, written)
    },
  }
  try {
    run.phase = 'run'
    const left = job.plan.tasks
      .map((keys, task) => ({ task, keys }))
      .filter(({ task }) => !job.doneTasks.has(task))
    await drainScan(scan, plan, frozenTasks(left, job.plan.sources, await scan.files(run)), drain, run)
    run.signal.throwIfAborted()
    run.phase = 'commit'
    const { files, bytes } = await job.commit()
    const { sources } = job.plan
    const read = { files: sources.length, bytes: bytesOf(sources) }
    return { report: { ...run.report(), job: name, files }, read, written: { files, bytes } }
  } catch (error) {
    const failure =
      existing === 'overwrite-sources'
        ? await conflictOr(error, job.plan.sources, target, { signal: run.signal, state })
        : error
    // A job whose sources have gone cannot be resumed.
    const resumable = run.job !== undefined && !(isSluiceError(failure) && failure.code === 'conflict')
    // What cannot be tidied up now is invisible, and left to vacuum; the failure itself is what matters.
    await (resumable ? job.suspend() : job.abort()).catch(() => {})
    throw failure
  }
}

/** The same failure, or a `conflict` where a source could not be read because somebody has changed or removed it. */
export async function conflictOr(
  error: unknown,
  sources: readonly SourceObject[],
  store: Store,
  options: { signal?: AbortSignal | undefined; state?: Store | undefined },
): Promise<unknown> {
  if (!isSluiceError(error) || (error.code !== 'not-found' && error.code !== 'precondition')) return error
  const { signal, state = stateStore(store) } = options
  try {
    assertUnchanged(sources, (await readSnapshot(store, { signal, state })).objects)
    return error
  } catch (failure) {
    return isSluiceError(failure) && failure.code === 'conflict' ? failure : error
  }
}
