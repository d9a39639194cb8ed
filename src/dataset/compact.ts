import { parseBytes } from '../core/bytes.ts'
import { SluiceError } from '../core/errors.ts'
import { type Expr, sql } from '../core/expressions/expr.ts'
import { Pipeline } from '../core/pipeline.ts'
import type { PipelinePlan } from '../core/planner.ts'
import type { RunOptions, RunReport } from '../core/report.ts'
import { type ExecutionOptions, type ResolvedExecution, Run, resolveExecution } from '../core/run.ts'
import type { SchemaMemo } from '../parquet/file-metadata.ts'
import type { ObjectMeta, Store } from '../storage/store.ts'
import { choosePartitions } from './choose-partitions.ts'
import {
  type CompactionJob,
  type CompactionResult,
  conflictOr,
  type DatasetSize,
  runCompaction,
} from './compaction-job.ts'
import { bytesOf, type FolderPlan, filesAfter, groupFolders, planFolders } from './compaction-plan.ts'
import { rollForward } from './finalise.ts'
import { assertPlainFolder } from './foreign-table.ts'
import { ParquetScan } from './scan.ts'
import type { SettledFiles } from './scan-listing.ts'
import { ScanPart } from './scan-part.ts'
import { settleFiles } from './settle-files.ts'
import { readSnapshot } from './snapshot.ts'
import { stateStore } from './state.ts'

export interface CompactOptions extends RunOptions, Pick<ExecutionOptions, 'memory' | 'lanes'> {
  /** About how large files get, in bytes or as text such as `'128MB'`. @default '128MB' */
  targetFileBytes?: number | string | undefined
  /** A condition on the partition keys, such as `"day >= '2024-01-01'"`: which partitions. @default all */
  partitions?: Expr | string | undefined
  /** Another place, which then gets all files of the partitions, merged. @default in place */
  to?: Store | undefined
  /** What becomes of data that is there already: only with `to`. @default 'error' */
  existing?: 'error' | 'append' | 'overwrite' | 'overwrite-partitions' | undefined
  /** Only say what would be done. @default false */
  dryRun?: boolean | undefined
  /** Where the state of jobs is kept. @default `_sluice/<path of the dataset>/` at the root of the opened store */
  state?: Store | undefined
}

/** A partition whose files are merged. */
export interface CompactedPartition {
  /** Its folder, with a trailing `/`; empty for files that lie in none. */
  partition: string
  /** The files that are merged, and about how many they become. */
  filesBefore: number
  filesAfter: number
  /** Of the files that are merged. */
  bytes: number
}

/** What a compaction did, or would do. */
export interface CompactReport extends RunReport {
  /** Nothing was done. */
  dryRun: boolean
  /** The chosen partitions as they were. */
  before: DatasetSize
  /** As they are now; for a dry run, about as they would be. */
  after: DatasetSize
  /** The partitions that had files to merge; empty if the dataset was compact already. */
  compacted: CompactedPartition[]
}

const DEFAULT_TARGET = '128MB'
/** Source bytes that a resumed job does not repeat. */
const TASK_BYTES = 4 * 2 ** 30

/**
 * Merges the small files of a dataset, folder by folder: those below three quarters of `targetFileBytes`, where that
 * makes them fewer. Larger ones stay as they are, and so does a folder in which there is nothing to merge. A dataset
 * need not be Sluice's own, nor partitioned; one whose files a Delta, Iceberg or Hudi table accounts for is refused.
 *
 * In place it is a job: readers find the files as they were, or merged, and nothing is removed before the merged ones
 * are committed. Files that are added meanwhile stay. If one of the merged files is changed or removed by somebody
 * else meanwhile, it fails with `conflict`, and the dataset stays as it is. `job` names it, so that running it again
 * resumes it. With `to` the files of all chosen partitions go to another place, and these stay.
 *
 * Row groups go into the new files as the bytes that they are, and small ones are joined without being decoded, as far
 * as {@link CompactReport.rowGroups} says. Files that differ in their columns or in the width of these are merged to ones
 * that have all columns, at their widest; the row groups that have to change for that are decoded. Types that do not go
 * together are a `schema` error. What all files say of themselves alike (their key-value metadata) is kept.
 *
 * The rows of a row group keep their order; row groups of a file that are copied, and those that are joined to one, keep
 * theirs, by the files' names. In which order joined, copied and decoded ones lie in a file is not promised.
 *
 * @example
 * const report = await compact(lake.child('trips'), { partitions: "day >= '2024-01-01'" })
 * console.log(`${report.before.files} files are ${report.after.files} now`)
 */
export async function compact(store: Store, options: CompactOptions = {}): Promise<CompactReport> {
  const started = performance.now()
  const { to, dryRun = false } = options
  const resolved = resolve(options)
  const inPlace = to === undefined
  if (inPlace) await prepare(store, options)
  const objects = await listFiles(store, resolved.condition, options)
  const folders = planFolders(objects, resolved.targetFileBytes, !inPlace)
  const before = { files: objects.length, bytes: bytesOf(objects) }
  const compacted = folders.map(({ path, files }) => ({
    partition: path,
    filesBefore: files.length,
    filesAfter: filesAfter(files, resolved.targetFileBytes),
    bytes: bytesOf(files),
  }))
  const seconds = () => (performance.now() - started) / 1000
  if (dryRun || folders.length === 0) {
    await using run = new Run(resolved.execution, options)
    run.signal.throwIfAborted()
    const fewer = compacted.reduce((sum, partition) => sum + partition.filesBefore - partition.filesAfter, 0)
    const after = { ...before, files: before.files - fewer }
    return { ...run.report(), seconds: seconds(), dryRun, before, after, compacted }
  }
  const { report, read, written } = await merge(store, objects, folders, resolved, options)
  const kept = inPlace ? { files: before.files - read.files, bytes: before.bytes - read.bytes } : NOTHING
  const after = { files: kept.files + written.files, bytes: kept.bytes + written.bytes }
  const done = report.alreadyCommitted ? [] : compacted
  return { ...report, seconds: seconds(), dryRun, before, after, compacted: done }
}

const NOTHING: DatasetSize = { files: 0, bytes: 0 }

interface ResolvedOptions {
  execution: ResolvedExecution
  targetFileBytes: number
  condition: Expr | undefined
}

function resolve({ to, existing, partitions, ...options }: CompactOptions): ResolvedOptions {
  const { memory, lanes, targetFileBytes: target = DEFAULT_TARGET } = options
  const targetFileBytes = parseBytes(target, 'targetFileBytes')
  if (targetFileBytes === 0) throw invalid('targetFileBytes', 'must be above 0')
  if (to === undefined && existing !== undefined)
    throw invalid('existing', "is for another place: it goes with 'to'")
  const condition = typeof partitions === 'string' ? sql(partitions) : partitions
  if (condition !== undefined && typeof condition?.node !== 'object') {
    throw invalid('partitions', `must be an expression or SQL text, not ${String(partitions)}`)
  }
  return { execution: resolveExecution({ memory, lanes }), targetFileBytes, condition }
}

/** Nobody else says which files the folder consists of, and no commit is left half done. */
async function prepare(
  store: Store,
  { state = stateStore(store), dryRun, signal }: CompactOptions,
): Promise<void> {
  await assertPlainFolder(store, { signal })
  if (!dryRun) await rollForward({ dataset: store, state }, { signal })
}

/** The data files of the chosen partitions. */
async function listFiles(
  store: Store,
  condition: Expr | undefined,
  { to, state, signal }: CompactOptions,
): Promise<ObjectMeta[]> {
  const own = (to === undefined ? state : undefined) ?? stateStore(store)
  const { objects } = await readSnapshot(store, { signal, state: own })
  if (objects.length === 0) {
    throw new SluiceError('not-found', 'there are no Parquet files', {
      file: store.url,
      hint: 'Check the path.',
    })
  }
  return condition === undefined ? objects : choosePartitions(objects, condition)
}

/** Runs the job. `objects` are all there are, of which an earlier run of it may have chosen others. */
async function merge(
  store: Store,
  objects: readonly ObjectMeta[],
  folders: readonly FolderPlan[],
  { execution, targetFileBytes, condition }: ResolvedOptions,
  options: CompactOptions,
): Promise<CompactionResult> {
  const { to, existing, state } = options
  const chosen = new Set(folders.flatMap(({ files }) => files))
  const ordered = [...chosen, ...objects.filter(object => !chosen.has(object))]
  let keyValueMetadata: [string, string][] = []
  const settle = async (run: Run, memo: SchemaMemo): Promise<SettledFiles> => {
    // A job that is resumed goes on with the files it chose.
    const sources = options.job === undefined ? [...chosen] : ordered
    const settled = await settleFiles(store, sources, run, memo)
    keyValueMetadata = settled.keyValueMetadata
    return settled
  }
  const rules = { missingColumns: 'null', extraColumns: 'error' } as const
  const scan = new ParquetScan([new ScanPart(store, { objects: ordered, settle, ...rules })], execution)
  let result: CompactionResult | undefined
  const write = async (plan: PipelinePlan, run: Run): Promise<RunReport> => {
    const files = new Map((await scan.files(run)).map(file => [file.object, file]))
    const sources = folders.map(folder => folder.files.map(object => files.get(object)!))
    const job: CompactionJob = {
      ...{ scan, targetFileBytes, keyValueMetadata, state },
      target: to ?? store,
      existing: to === undefined ? 'overwrite-sources' : (existing ?? 'error'),
      tasks: groupFolders(sources, ({ object }) => object.size, TASK_BYTES),
      successFile: to !== undefined,
      description: { compact: scan.describe(), targetFileBytes, partitions: condition?.node ?? null },
    }
    result = await runCompaction(job, plan, run)
    return result.report
  }
  try {
    const report = await new Pipeline(scan).to({ name: 'compact', write }, options)
    return { ...result!, report }
  } catch (error) {
    throw to === undefined ? await conflictOr(error, objects, store, options) : error
  }
}

function invalid(option: string, reason: string): SluiceError {
  return new SluiceError('invalid-argument', reason, { option })
}
