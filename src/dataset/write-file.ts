import { SluiceError } from '../core/errors.ts'
import type { PipelinePlan } from '../core/planner.ts'
import type { RunReport } from '../core/report.ts'
import type { Run } from '../core/run.ts'
import type { ResolvedWriteOptions } from '../parquet/write-options.ts'
import type { StagedUpload, Store } from '../storage/store.ts'
import { type Drain, drainBatches, drainScan, fusedScan } from './drain.ts'
import { stageEmpty } from './empty-file.ts'
import type { RowGroupSize } from './partition-buffers.ts'

/** What a file sink has been told, checked. */
export interface FileSinkOptions {
  existing: 'error' | 'overwrite'
  write: ResolvedWriteOptions
  size: RowGroupSize
  passThrough: boolean
}

/** Runs a pipeline into one file, which appears when it is whole. */
export async function writeFile(
  store: Store,
  key: string,
  plan: PipelinePlan,
  options: FileSinkOptions,
  run: Run,
): Promise<RunReport> {
  if ((plan.repartition?.by ?? []).length > 0) {
    throw new SluiceError('invalid-argument', 'a single file has no partitions', {
      option: 'repartition',
      hint: 'Leave repartition({ by }) out, or use partitionedParquet(store).',
    })
  }
  if (options.existing === 'error') await assertFree(store, key, run)
  const uploads: StagedUpload[] = []
  const unlimited = Number.POSITIVE_INFINITY
  const drain: Drain = {
    keys: [],
    limits: { maxRowsPerFile: unlimited, targetFileBytes: unlimited, maxPartitions: unlimited },
    size: options.size,
    write: options.write,
    passThrough: options.passThrough,
    createFile: () => store.stage(key, { signal: run.signal }),
    finishTask: async (_, files) => {
      uploads.push(...files.map(({ staged }) => staged))
    },
  }
  run.phase = 'run'
  try {
    const scan = fusedScan(plan)
    if (scan === undefined) await drainBatches(plan, drain, run)
    else {
      if (run.execution.mode === 'fragment') throw fragmentFile()
      await drainScan(scan, plan, [{ task: 0, files: await scan.files(run) }], drain, run)
    }
    if (uploads.length === 0)
      uploads.push((await stageEmpty(await drain.createFile(0, ''), plan, drain, run)).staged)
    run.signal.throwIfAborted()
    run.phase = 'commit'
    if (options.existing === 'error') await assertFree(store, key, run)
    await store.completeStaged(uploads[0]!, { signal: run.signal })
    return { ...run.report(), partitions: 1 }
  } catch (error) {
    await Promise.allSettled(uploads.map(upload => store.abortStaged(upload)))
    throw error
  }
}

async function assertFree(store: Store, key: string, run: Run): Promise<void> {
  const found = await store.head(key, { signal: run.signal }).catch(error => {
    if (error?.code === 'not-found') return undefined
    throw error
  })
  if (found === undefined) return
  throw new SluiceError('already-exists', 'there is a file already', {
    option: 'existing',
    file: key,
    hint: "Say existing: 'overwrite' to replace it.",
  })
}

function fragmentFile(): SluiceError {
  return new SluiceError('invalid-argument', "mode 'fragment' writes files for each source file, not one", {
    option: 'mode',
    hint: "Use mode 'streaming' or 'batch' with parquetFile().",
  })
}
