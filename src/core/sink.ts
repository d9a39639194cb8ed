import type { PipelinePlan } from './planner.ts'
import type { RunReport } from './report.ts'
import type { Run } from './run.ts'
import type { SourceExplanation } from './source.ts'

/** Where batches go. */
export interface Sink {
  readonly name: string
  write(plan: PipelinePlan, run: Run): Promise<RunReport>
  /** What the source says of itself, and what of it {@link write} would pass through; absent if nothing ever is. */
  explain?(plan: PipelinePlan, run: Run): Promise<SourceExplanation>
}
