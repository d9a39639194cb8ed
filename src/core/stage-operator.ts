import type { RecordBatch, Schema } from 'apache-arrow'
import { SluiceError } from './errors.ts'
import { type Columns, describe, type Operator } from './operator.ts'
import { type Stage, StageRunner } from './stages.ts'
import { copyBatch } from './transport.ts'

/**
 * A stage as an operator: described, so that the planner fuses it into the lanes where it can, and able to
 * run on the main thread where it stands behind a user's function. Batches left empty are dropped.
 */
export function stageOperator<In extends Columns, Out extends Columns>(stage: Stage): Operator<In, Out> {
  return describe(stage, async function* (input, run) {
    let schema: Schema | undefined
    let runner: StageRunner | undefined
    for await (const batch of input) {
      if (runner === undefined || batch.schema !== schema) {
        schema = batch.schema
        runner = new StageRunner([stage], schema)
      }
      const region = run.arena.region()
      let result: RecordBatch
      try {
        result = copyBatch(runner.run(batch, region))
      } finally {
        region.free()
      }
      if (result.numRows > 0) yield result
    }
  })
}

/** Names of columns as the user has given them: at least one, none twice. */
export function columnNames(names: readonly string[], operator: string): string[] {
  const invalid = (reason: string) => new SluiceError('invalid-argument', reason, { option: operator })
  if (names.length === 0) throw invalid('names no column')
  const unnamed = names.find(name => typeof name !== 'string')
  if (unnamed !== undefined) throw invalid(`must be names of columns, not ${String(unnamed)}`)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw invalid(`names '${twice}' twice`)
  return [...names]
}
