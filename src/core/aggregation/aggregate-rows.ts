import { Field, Null, type RecordBatch, Schema } from 'apache-arrow'
import { alignBatch } from '../align.ts'
import { Arena } from '../arena.ts'
import { logicalSchema } from '../batch.ts'
import { formatBytes } from '../bytes.ts'
import { SluiceError } from '../errors.ts'
import { LANES_SHARE, type Run } from '../run.ts'
import { copyBatch } from '../transport.ts'
import { finishedBatch } from './finish.ts'
import { chunksOf, Groups } from './groups.ts'
import { type Aggregation, aggregatedColumns, aggregationSchema, groupPlan, mergePlan } from './plan.ts'

/** Share of the lanes' part of the budget that all groups on the main thread get; lanes get the rest. */
export const GROUPS_SHARE = 0.5
/** Share of that for groups at rest; the rest is for growing and sorting them. */
const AT_REST = 0.5

/** What comes in: rows of this schema (of the first batch's, if that is not known), or partial groups of such rows. */
export interface AggregateInput {
  schema: Schema | undefined
  partial: boolean
  /** How many aggregations the budget is for. */
  among: number
}

/** One row for each group, sorted by the keys. Nothing comes out before everything is in. */
export async function* aggregateRows(
  aggregation: Aggregation,
  input: AsyncIterable<RecordBatch>,
  { schema, partial, among }: AggregateInput,
  run: Run,
): AsyncGenerator<RecordBatch, void, void> {
  const arena = new Arena(
    Math.floor((run.execution.memory * LANES_SHARE * GROUPS_SHARE) / among),
    run.execution.memory,
  )
  run.onClose(() => {
    run.laneHighWater += arena.highWater
  })
  const begin = (rows: Schema) => {
    const plan = groupPlan(aggregation, rows)
    const columns = aggregatedColumns(aggregation)
    return {
      plan,
      rows,
      groups: new Groups(arena, partial ? mergePlan(plan) : plan),
      fields: rows.fields.filter(({ name }) => columns.includes(name)),
      output: aggregationSchema(aggregation, rows),
    }
  }
  let state = schema === undefined ? undefined : begin(schema)
  for await (const batch of input) {
    state ??= begin(logicalSchema(batch.schema))
    const { groups, fields } = state
    for (const chunk of chunksOf(partial ? batch : alignBatch(batch, fields))) {
      groups.add(chunk)
      checkSize(groups, arena)
    }
  }
  state ??= begin(untyped(aggregation))
  const { plan, rows, groups, output } = state
  for (const slice of groups.slices(run.execution.batchRows, true)) {
    yield copyBatch(finishedBatch(aggregation, plan, rows, output, slice))
  }
}

function checkSize({ bytes }: Groups, { limit }: Arena): void {
  if (bytes <= limit * AT_REST) return
  throw new SluiceError(
    'budget',
    `the groups of aggregate() take more than ${formatBytes(Math.floor(limit * AT_REST))}`,
    {
      option: 'memory',
      hint: 'Raise it, or group by keys with fewer values.',
    },
  )
}

/** What is known of the columns where no batch has come. */
function untyped(aggregation: Aggregation): Schema {
  return new Schema(aggregatedColumns(aggregation).map(name => new Field(name, new Null(), true)))
}
