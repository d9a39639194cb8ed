import type { RecordBatch, Schema } from 'apache-arrow'
import { GROUPS_SHARE } from '../core/aggregation/aggregate-rows.ts'
import { alignedBatch, alignSchemas } from '../core/align-schemas.ts'
import { SluiceError } from '../core/errors.ts'
import { type Columns, type Operator, restartable } from '../core/operator.ts'
import { Pipeline } from '../core/pipeline.ts'
import { isStage, leadingStages, schemaAfter } from '../core/planner.ts'
import type { ResolvedExecution, Run } from '../core/run.ts'
import type { Source, SourceExplanation } from '../core/source.ts'
import { stageOperator } from '../core/stage-operator.ts'
import { type Stage, stagesSchema } from '../core/stages.ts'
import { ParquetScan } from '../dataset/scan.ts'

/**
 * Several pipelines as one: all batches of the first, then all of the second, and so on. Columns are matched by name and
 * come in the order of the first pipeline's; each has the widest of its types (int64 for int32 and int64), and is
 * nullable if it is anywhere.
 *
 * Where all of them are `source(...)` with nothing but `filter`, `derive`, `project`, `drop` and `rename` behind, they
 * are read as one dataset: in the lanes, files ahead of need, and row groups that stay as they are pass through to a
 * sink as bytes, renamed or not. Else one is opened when the one before has ended, and rows come by way of the main
 * thread. Nothing is buffered in between. Mode, memory and lanes are those of the first.
 *
 * Fails with `schema` before any data is read, naming the source and the column, if one of them lacks a column, has one
 * that others lack, or has a type that does not go together with theirs. A function of one's own does not say which
 * columns it gives: put it behind `concat`, or say them with `fromBatches(schema, pipeline)`.
 *
 * @example
 * concat(source(before2020).pipe(rename({ VendorID: 'vendor' })), source(since2020)).pipe(repartition({ by: ['year'] }))
 */
export function concat<T extends Columns, const R extends readonly Columns[]>(
  first: Pipeline<T>,
  ...others: { [I in keyof R]: Pipeline<R[I]> & SameNames<T, R[I]> }
): Pipeline<Concatenated<T, R>> {
  const pipelines: readonly Pipeline[] = [first, ...others]
  for (const [i, pipeline] of pipelines.entries()) checkPart(pipeline, `argument ${i + 1} of concat()`)
  const { execution } = first.source
  const scans = pipelines.map(scanOf)
  const parts = scans.flatMap(scan => scan ?? [])
  return new Pipeline(
    scans.includes(undefined) ? new ConcatSource(pipelines, execution) : new ParquetScan(parts, execution),
  )
}

/** The values of a column are those that any of the pipelines has. */
export type Concatenated<T extends Columns, R extends readonly Columns[]> = {
  [K in keyof T]: T[K] | (R[number] extends infer U ? (K extends keyof U ? U[K] : never) : never)
}

/** What is not known to the compiler may be the same. */
type SameNames<T, U> = string extends keyof T | keyof U
  ? unknown
  : [keyof T, keyof U] extends [keyof U, keyof T]
    ? unknown
    : never

function checkPart(pipeline: Pipeline, option: string): void {
  if (!(pipeline instanceof Pipeline)) {
    throw new SluiceError('invalid-argument', `must be a pipeline, not ${typeof pipeline}`, { option })
  }
  for (const { description, name } of pipeline.operators) {
    if (description?.op === 'repartition') {
      throw new SluiceError('invalid-argument', 'says how a sink lays rows out, which are not all', {
        option,
        hint: 'Put repartition() behind concat().',
      })
    }
    if (description === undefined || description.op === 'custom') {
      throw new SluiceError(
        'invalid-argument',
        `has a function of which the columns are not known: ${description?.name ?? (name || 'anonymous')}`,
        { option, hint: 'Put it behind concat(), or write fromBatches(schema, pipeline).' },
      )
    }
  }
}

/** The parts of a pipeline that is a scan with nothing but stages behind it. */
function scanOf({ source, operators }: Pipeline): ParquetScan['parts'] | undefined {
  if (!(source instanceof ParquetScan)) return undefined
  const stages = operators.flatMap(({ description }) => (isStage(description) ? [description] : []))
  if (stages.length < operators.length) return undefined
  // What is computed of several parts may depend on the type that they have in common.
  if (source.parts.length > 1 && stages.some(({ op }) => op === 'derive')) return undefined
  return source.parts.map(part => part.followedBy(stages))
}

/** Pipelines of any kind, one after another. */
class ConcatSource implements Source {
  readonly name = 'concat'
  readonly governed = false
  readonly execution: ResolvedExecution
  readonly #parts: readonly Pipeline[]

  constructor(parts: readonly Pipeline[], execution: ResolvedExecution) {
    this.#parts = parts
    this.execution = execution
  }

  async schema(run: Run): Promise<Schema> {
    return (await this.#aligned(run)).schema
  }

  async #aligned(run: Run): Promise<{ schema: Schema; stages: Stage[][] }> {
    const schemas: Schema[] = []
    for (const { source, operators } of this.#parts) {
      const after = (schema: Schema, { description }: Operator) => schemaAfter(description!, schema)
      schemas.push(operators.reduce(after, await source.schema(run)))
    }
    return alignSchemas(schemas.map((schema, i) => ({ schema, name: `argument ${i + 1} of concat()` })))
  }

  async *read(stages: readonly Stage[], run: Run): AsyncGenerator<RecordBatch, void, void> {
    const { schema, stages: aligning } = await this.#aligned(run)
    const { fields } = stagesSchema(stages, schema)
    for (const [i, { source, operators }] of this.#parts.entries()) {
      if (operators.some(({ description }) => description!.op === 'aggregate'))
        run.laneShare = Math.min(run.laneShare, 1 - GROUPS_SHARE)
      const all = [...operators, ...[...aligning[i]!, ...stages].map(stage => stageOperator(stage))]
      for await (const batch of streamOf(source, all, run)) yield alignedBatch(batch, fields)
    }
  }

  async explain(stages: readonly Stage[], run: Run): Promise<SourceExplanation> {
    const { stages: aligning } = await this.#aligned(run)
    const parts: SourceExplanation[] = []
    for (const [i, { source, operators }] of this.#parts.entries()) {
      const all = [...operators, ...[...aligning[i]!, ...stages].map(stage => stageOperator(stage))]
      parts.push(await source.explain(leadingStages(all), run))
    }
    const total = (count: (part: SourceExplanation) => number | undefined) =>
      parts.reduce<number | undefined>((sum, part) => {
        const own = count(part)
        return sum === undefined || own === undefined ? undefined : sum + own
      }, 0)
    const { fragments, rowGroups, pages, bloomFilters } = run
    return {
      source: parts.map(({ source }) => source).join(', '),
      mode: 'streaming',
      because: 'the sources are read one after another',
      ...{ fragments, rowGroups, pages, bloomFilters },
      rows: total(({ rows }) => rows),
      bytes: total(({ bytes }) => bytes),
      columns: [...new Set(parts.flatMap(({ columns }) => columns))],
      lanes: Math.max(...parts.map(({ lanes }) => lanes)),
    }
  }

  describe(): unknown {
    const parts = this.#parts.map(({ source, operators }) => ({
      source: source.describe(),
      operators: operators.map(({ description }) => description),
    }))
    return { source: this.name, parts }
  }
}

/** The batches of a source behind operators, of which it runs the leading stages itself. */
function streamOf(source: Source, operators: readonly Operator[], run: Run): AsyncIterable<RecordBatch> {
  const head = leadingStages(operators)
  return operators.slice(head.length).reduce(
    (stream, operator) => restartable(() => operator(stream, run)),
    restartable(() => source.read(head, run)),
  )
}
