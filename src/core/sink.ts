import type { PipelinePlan } from './planner.ts'
import type { RunReport } from './report.ts'
import type { Run } from './run.ts'

/** Where batches go. */
export interface Sink {
  readonly name: string
  write(plan: PipelinePlan, run: Run): Promise<RunReport>
}
