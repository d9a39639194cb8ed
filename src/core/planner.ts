import type { RecordBatch, Schema } from 'apache-arrow'
import { aggregateRows, GROUPS_SHARE } from './aggregation/aggregate-rows.ts'
import {
  type Aggregation,
  aggregatedColumns,
  aggregationSchema,
  describeAggregation,
} from './aggregation/plan.ts'
import { SluiceError } from './errors.ts'
import { Expr } from './expressions/expr.ts'
import {
  describe,
  type Operator,
  type OperatorDescription,
  type RepartitionOptions,
  restartable,
} from './operator.ts'
import type { Run } from './run.ts'
import type { Source, SourceExplanation } from './source.ts'
import { type Stage, stagesSchema, unknownColumn } from './stages.ts'
import { throttleBuckets } from './throttle.ts'

/**
 * A pipeline cut into what the source's lanes do (`head`), what runs on the main thread (`middle`: user
 * functions and whatever depends on the order of rows), and what the sink's lanes do (`tail`).
 */
export interface PipelinePlan {
  source: Source
  head: Stage[]
  /** What the source's lanes do behind `head`; `middle` then begins with what merges their groups. */
  groups: Aggregation | undefined
  middle: Operator[]
  tail: Stage[]
  /** Of the last `repartition`, if any. */
  repartition: RepartitionOptions | undefined
  /** Every operator's description, in order: with the source's, what the plan's hash is made of. */
  operators: OperatorDescription[]
  /** Value types after everything, or before the first function of the user's: what that gives is not known. */
  schema: Schema
  /** The batches after all operators. */
  batches(run: Run): AsyncIterable<RecordBatch>
  /** The batches after `middle`. */
  beforeTail(run: Run): AsyncIterable<RecordBatch>
}

/** Resolves the source's schema, checks every expression that can be checked, and decides what runs where. */
export async function planPipeline(
  source: Source,
  operators: readonly Operator[],
  run: Run,
): Promise<PipelinePlan> {
  const head: Stage[] = []
  const middle: Operator[] = []
  let groups: Aggregation | undefined
  let repartition: RepartitionOptions | undefined
  let schema = await source.schema(run, leadingStages(operators))
  let known = true
  const aggregations = operators.filter(({ description }) => description?.op === 'aggregate').length
  if (aggregations > 0) run.laneShare = 1 - GROUPS_SHARE
  for (const operator of operators) {
    const { description } = operator
    const before = known ? schema : undefined
    known &&= description !== undefined && description.op !== 'custom'
    if (known) schema = schemaAfter(description!, schema)
    if (description?.op === 'repartition') repartition = description
    else if (description?.op === 'aggregate') {
      const behind = middle.length === 0 && source.readGroups !== undefined
      if (behind) head.push({ op: 'project', columns: aggregatedColumns(description) })
      // A throttle paces rows, which have to come out for that.
      const partial = behind && run.throttles.length === 0
      if (partial) groups = description
      const input = { schema: before, partial, among: aggregations }
      middle.push(describe(description, (rows, current) => aggregateRows(description, rows, input, current)))
    } else if (middle.length > 0 || description === undefined) middle.push(operator)
    else if (isStage(description)) head.push(description)
    else if (description.op === 'retry' && source.governed) run.retry = description
    else if (description.op === 'throttle' && source.governed)
      run.throttles.push(throttleBuckets(description))
    else middle.push(operator)
  }
  const tail: Stage[] = []
  const tailOperators: Operator[] = []
  for (let last = middle.at(-1); isStage(last?.description); last = middle.at(-1)) {
    tail.unshift(last!.description as Stage)
    tailOperators.unshift(middle.pop()!)
  }
  if (known && repartition !== undefined) checkKeys(repartition, schema)
  const apply = (input: AsyncIterable<RecordBatch>, list: readonly Operator[], current: Run) =>
    list.reduce((stream, operator) => restartable(() => streamOf(operator, stream, current)), input)
  const beforeTail = (current: Run) =>
    apply(
      restartable(() =>
        groups === undefined ? source.read(head, current) : source.readGroups!(head, groups, current),
      ),
      middle,
      current,
    )
  return {
    source,
    head,
    groups,
    middle,
    tail,
    repartition,
    operators: operators.map(describeOperator),
    schema,
    batches: current => apply(beforeTail(current), tailOperators, current),
    beforeTail,
  }
}

/** The stages that operators begin with. */
export function leadingStages(operators: readonly Operator[]): Stage[] {
  const end = operators.findIndex(({ description }) => !isStage(description))
  return (end < 0 ? operators : operators.slice(0, end)).map(({ description }) => description as Stage)
}

/** What a run would do. Print it, or read its fields. */
export class Explanation {
  readonly source: SourceExplanation
  /** What runs in the lanes right behind the reads. */
  readonly pushed: string[]
  /** What runs on the main thread. */
  readonly main: string[]
  /** What runs in the lanes before the sink. */
  readonly tail: string[]
  readonly partitionBy: readonly string[]
  readonly schema: { name: string; type: string; nullable: boolean }[]

  constructor(plan: PipelinePlan, source: SourceExplanation) {
    this.source = source
    this.pushed = plan.head.map(describeText)
    if (plan.groups !== undefined) this.pushed.push(describeAggregation(plan.groups))
    this.main = plan.middle.map((operator, i) =>
      i === 0 && plan.groups !== undefined ? 'merge groups' : describeText(describeOperator(operator)),
    )
    this.tail = plan.tail.map(describeText)
    this.partitionBy = plan.repartition?.by ?? []
    this.schema = plan.schema.fields.map(({ name, type, nullable }) => ({
      name,
      type: String(type),
      nullable,
    }))
  }

  toString(): string {
    const { source } = this
    const rows = source.rows === undefined ? '' : `, ${source.rows.toLocaleString('en')} rows`
    const bytes = source.bytes === undefined ? '' : `, ${source.bytes.toLocaleString('en')} bytes to read`
    const { pruned: bloomed } = source.bloomFilters
    const blooms = bloomed === 0 ? '' : ` (${bloomed} less by bloom filters)`
    const pages = source.pages.pruned === 0 ? '' : `, without ${source.pages.pruned} of their pages`
    const lines = [
      `read ${source.source}`,
      `  files ${source.fragments.total - source.fragments.pruned} of ${source.fragments.total}, row groups ${source.rowGroups.total - source.rowGroups.pruned} of ${source.rowGroups.total}${blooms}${pages}${rows}${bytes}`,
      ...(source.listing ?? []).map(({ by, because }) => `  listed by ${by}: ${because}`),
      `  columns ${source.columns.join(', ') || '(none)'}`,
      `  mode ${source.mode}: ${source.because}`,
      `  lanes ${source.lanes}`,
      ...this.pushed.map(text => `in the lanes: ${text}`),
      ...this.main.map(text => `on the main thread: ${text}`),
      ...this.tail.map(text => `in the sink's lanes: ${text}`),
    ]
    if (source.passThrough !== undefined) {
      const { copied, joined, decoded } = source.passThrough
      lines.push(`pass through ${copied} row groups as bytes, join ${joined}, decode ${decoded}`)
    }
    if (this.partitionBy.length > 0) lines.push(`partition by ${this.partitionBy.join(', ')}`)
    lines.push('gives', ...this.schema.map(f => `  ${f.name}: ${f.type}${f.nullable ? '' : ' not null'}`))
    return lines.join('\n')
  }
}

/** Partition keys have to be columns. */
export function checkKeys({ by = [] }: RepartitionOptions, schema: Schema): void {
  for (const name of by) {
    if (!schema.fields.some(field => field.name === name)) throw unknownColumn(name, schema)
  }
}

export function isStage(description: OperatorDescription | undefined): description is Stage {
  return description !== undefined && STAGES.has(description.op)
}

const STAGES: ReadonlySet<string> = new Set<Stage['op']>(['filter', 'derive', 'project', 'drop', 'rename'])

/** The schema after an operator that is not a function of the user's. */
export function schemaAfter(description: OperatorDescription, schema: Schema): Schema {
  if (description.op === 'aggregate') return aggregationSchema(description, schema)
  return isStage(description) ? stagesSchema([description], schema) : schema
}

function describeOperator(operator: Operator): OperatorDescription {
  return operator.description ?? { op: 'custom', name: operator.name || 'anonymous' }
}

function describeText(description: OperatorDescription): string {
  switch (description.op) {
    case 'filter':
      return `filter ${new Expr(description.predicate)}`
    case 'derive':
      return `derive ${description.columns.map(([name, node]) => `${name} = ${new Expr(node)}`).join(', ')}`
    case 'project':
    case 'drop':
      return `${description.op} ${description.columns.join(', ')}`
    case 'rename':
      return `rename ${description.columns.map(([from, to]) => `${from} to ${to}`).join(', ')}`
    case 'aggregate':
      return describeAggregation(description)
    case 'custom':
      return description.name
    default: {
      const { op, ...options } = description
      const shown = Object.entries(options).filter(
        ([, value]) => value !== undefined && typeof value !== 'function',
      )
      return [op, ...shown.map(([key, value]) => `${key}=${value}`)].join(' ')
    }
  }
}

function streamOf(
  operator: Operator,
  input: AsyncIterable<RecordBatch>,
  run: Run,
): AsyncIterable<RecordBatch> {
  const stream = operator(input, run)
  if (typeof stream?.[Symbol.asyncIterator] === 'function') return stream
  const { op } = describeOperator(operator)
  throw new SluiceError('callback', `operator '${operator.name || op}' did not return an async iterable`)
}
