import { parseBytes } from '../core/bytes.ts'
import { SluiceError } from '../core/errors.ts'
import { checkKeys, type PipelinePlan } from '../core/planner.ts'
import type { RunReport } from '../core/report.ts'
import type { Run } from '../core/run.ts'
import type { ResolvedWriteOptions } from '../parquet/write-options.ts'
import type { Store } from '../storage/store.ts'
import { type Drain, type DrainTask, drainBatches, drainScan, fileFields, fusedScan } from './drain.ts'
import { emptyFile, stageEmpty } from './empty-file.ts'
import type { Existing } from './folder.ts'
import { openJob, type SourceObject } from './job.ts'
import type { FileLimits } from './output.ts'
import type { RowGroupSize } from './partition-buffers.ts'
import { checkPartitionType } from './partition-types.ts'
import type { SourceFile } from './scan-listing.ts'

/** What a dataset sink has been told, checked. */
export interface DatasetSinkOptions {
  existing: Existing
  write: ResolvedWriteOptions
  size: RowGroupSize
  passThrough: boolean
  /** Source bytes that make a task. */
  taskBytes: number
  fileName:
    | ((parts: { task: number; partition: string; sequence: number; tag: string }) => string)
    | undefined
  successFile: boolean
  commonMetadata: boolean
  state: Store | undefined
}

/** Runs a pipeline into a Hive-partitioned dataset, as a job that commits or leaves nothing. */
export async function writeDataset(
  store: Store,
  plan: PipelinePlan,
  options: DatasetSinkOptions,
  run: Run,
): Promise<RunReport> {
  const keys = plan.repartition?.by ?? []
  if (plan.middle.length === 0) {
    checkKeys({ by: keys }, plan.schema)
    for (const { name, type } of plan.schema.fields) if (keys.includes(name)) checkPartitionType(type, name)
    if (fileFields(plan.schema, keys).length === 0) throw onlyKeys(keys)
  }
  const scan = fusedScan(plan)
  const files = scan === undefined ? [] : await scan.files(run)
  const tasks = scan === undefined ? [[]] : groupFiles(files, options.taskBytes, run)
  const job = await openJob<string[]>(store, {
    name: run.job,
    existing: options.existing,
    successFile: options.successFile,
    state: options.state,
    signal: run.signal,
    plan: {
      sources: files.map(sourceObject),
      pipeline: {
        source: plan.source.describe(),
        operators: describeOperators(plan),
        layout: describeLayout(options),
      },
      tasks: tasks.map(group => group.map(({ key }) => key)),
    },
  })
  const name = run.job ?? job.id
  if (job.committed) return { ...run.report(), job: name, alreadyCommitted: true }
  const partitions = new Set<string>()
  const sequences = new Map<number, number>()
  const drain: Drain = {
    keys,
    limits: fileLimits(plan),
    size: rowGroupSize(options.size, plan),
    write: options.write,
    passThrough: options.passThrough,
    createFile: (task, partition) => {
      if (options.fileName === undefined) return job.createFile(task, partition)
      const sequence = sequences.get(task) ?? 0
      sequences.set(task, sequence + 1)
      return job.createFile(task, partition, options.fileName({ task, partition, sequence, tag: job.tag }))
    },
    finishTask: async (task, files) => {
      // A dataset without partitions has a file even if it has no rows, so that every engine can open it.
      const empty = files.length === 0 && keys.length === 0 && tasks.length === 1 && plan.middle.length === 0
      const written = empty ? [await stageEmpty(await drain.createFile(task, ''), plan, drain, run)] : files
      for (const { partition } of written) partitions.add(partition)
      run.partitions = partitions.size
      await job.finishTask(task, written)
    },
  }
  try {
    run.phase = 'run'
    const open = job.plan.tasks.map((taskKeys, task) => ({ task, keys: taskKeys }))
    const left = open.filter(({ task }) => !job.doneTasks.has(task))
    if (scan === undefined) {
      if (left.length > 0) await drainBatches(plan, drain, run)
    } else await drainScan(scan, plan, frozenTasks(left, job.plan.sources, files), drain, run)
    run.signal.throwIfAborted()
    run.phase = 'commit'
    const result = await job.commit()
    if (options.commonMetadata) await putCommonMetadata(store, plan, drain, run)
    return { ...run.report(), job: name, files: result.files }
  } catch (error) {
    // What cannot be tidied up now is invisible, and left to vacuum; the failure itself is what matters.
    await (run.job === undefined ? job.abort() : job.suspend()).catch(() => {})
    throw error
  }
}

/** Consecutive files of about `taskBytes` together; in mode `fragment` each file for itself. */
function groupFiles(files: readonly SourceFile[], taskBytes: number, run: Run): SourceFile[][] {
  if (run.execution.mode === 'fragment') return files.map(file => [file])
  const groups: SourceFile[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const file of files) {
    if (bytes + file.object.size > taskBytes) {
      groups.push([])
      bytes = 0
    }
    groups.at(-1)!.push(file)
    bytes += file.object.size
  }
  return groups
}

export function sourceObject({ key, object: { size, etag } }: SourceFile): SourceObject {
  return { key, size, etag }
}

/** The files as they were when the job was planned: one that has changed since fails when it is read. */
export function frozenTasks(
  tasks: readonly { task: number; keys: readonly string[] }[],
  sources: readonly SourceObject[],
  files: readonly SourceFile[],
): DrainTask[] {
  const frozen = new Map(sources.map(source => [source.key, source]))
  const listed = new Map(files.map(file => [file.key, file]))
  return tasks.map(({ task, keys }) => ({
    task,
    files: keys.map(key => {
      const file = listed.get(key)
      const { size, etag } = frozen.get(key)!
      if (file === undefined || file.object.size !== size || file.object.etag !== etag) {
        throw new SluiceError('precondition', 'the source has changed since the job was begun', {
          file: key,
          hint: 'Abort the job, or run it under another name.',
        })
      }
      return file
    }),
  }))
}

export function fileLimits({ repartition = {} }: PipelinePlan): FileLimits {
  const { maxRowsPerFile, targetFileBytes, maxPartitions = 10_000 } = repartition
  return {
    maxRowsPerFile: maxRowsPerFile ?? Number.POSITIVE_INFINITY,
    targetFileBytes:
      targetFileBytes === undefined
        ? Number.POSITIVE_INFINITY
        : parseBytes(targetFileBytes, 'targetFileBytes'),
    maxPartitions,
  }
}

export function rowGroupSize(size: RowGroupSize, { repartition }: PipelinePlan): RowGroupSize {
  return { ...size, rows: Math.min(size.rows, repartition?.maxRowsPerFile ?? size.rows) }
}

function describeOperators({ operators }: PipelinePlan): unknown {
  // How fast and how often is not what: a job may be resumed with another throttle.
  return operators.filter(({ op }) => op !== 'throttle' && op !== 'retry')
}

function describeLayout({ write, size }: DatasetSinkOptions): unknown {
  return { write: { ...write, encodings: [...write.encodings] }, size }
}

/** `_common_metadata`: a Parquet file of the schema alone, which Dask and Spark read it from. */
async function putCommonMetadata(store: Store, plan: PipelinePlan, drain: Drain, run: Run): Promise<void> {
  if (plan.middle.length > 0) return
  await store.put('_common_metadata', emptyFile(plan, drain), { signal: run.signal })
}

function onlyKeys(keys: readonly string[]): SluiceError {
  return new SluiceError('schema', 'all columns are partition keys, so that the files would have none', {
    option: 'repartition',
    hint: `Keep another column beside ${keys.join(', ')}.`,
  })
}
