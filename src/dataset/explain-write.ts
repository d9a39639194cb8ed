import type { PipelinePlan } from '../core/planner.ts'
import type { Run } from '../core/run.ts'
import type { SourceExplanation } from '../core/source.ts'
import { fileFields, fusedScan } from './drain.ts'
import { PassThrough } from './pass-through.ts'
import { type DatasetSinkOptions, fileLimits, rowGroupSize } from './write-dataset.ts'

/** What a pipeline into files would read, and which row groups would get there without being decoded. */
export async function explainWrite(
  plan: PipelinePlan,
  { size, passThrough }: Pick<DatasetSinkOptions, 'size' | 'passThrough'>,
  run: Run,
): Promise<SourceExplanation> {
  const scan = fusedScan(plan)
  if (scan === undefined) {
    const explained = await plan.source.explain(plan.head, run)
    const { total, pruned } = explained.rowGroups
    return { ...explained, passThrough: { copied: 0, joined: 0, decoded: total - pruned } }
  }
  const keys = plan.repartition?.by ?? []
  const fields = fileFields(plan.schema, keys)
  const { targetFileBytes } = fileLimits(plan)
  const passing = passThrough
    ? PassThrough.of(
        plan,
        await scan.listedParts(run),
        fields,
        keys,
        rowGroupSize(size, plan),
        targetFileBytes,
      )
    : undefined
  return scan.explain(plan.head, run, { passing })
}
