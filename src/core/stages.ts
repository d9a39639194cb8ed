import { Field, type RecordBatch, Schema } from 'apache-arrow'
import type { Region } from './arena.ts'
import { columnOf, logicalSchema, makeBatch, valueType } from './batch.ts'
import { SluiceError } from './errors.ts'
import { bind, bindPredicate } from './expressions/bind.ts'
import type { BoundExpr } from './expressions/bound.ts'
import { evaluate, select } from './expressions/evaluate.ts'
import { Expr } from './expressions/expr.ts'
import { nearestName } from './expressions/nearest.ts'
import { columnsIn, type ExprNode } from './expressions/node.ts'
import { takeBatch } from './take.ts'

/** A step that is data, not code: the planner can push it down, and a lane can run it. */
export type Stage =
  | { op: 'filter'; predicate: ExprNode }
  | { op: 'derive'; columns: [name: string, expr: ExprNode][] }
  | { op: 'project'; columns: string[] }
  | { op: 'drop'; columns: string[] }
  /** All at once, so that two names can be swapped. */
  | { op: 'rename'; columns: [from: string, to: string][] }

/** The schema after `stages`; throws a `schema` error for an unknown column or types that do not go together. */
export function stagesSchema(stages: readonly Stage[], input: Schema): Schema {
  return stages.reduce(stageSchema, logicalSchema(input))
}

/** The columns of `input` that `stages` and their output need; in the input's order. */
export function requiredColumns(stages: readonly Stage[], input: Schema): string[] {
  const [needed] = liveColumns(stages, input)
  return input.fields.map(field => field.name).filter(name => needed!.has(name))
}

/** The same stages over an input that has the {@link requiredColumns} only. */
export function narrowStages(stages: readonly Stage[], input: Schema): Stage[] {
  const live = liveColumns(stages, input)
  let there = requiredColumns(stages, input)
  const narrowed = stages.map((stage, i): Stage => {
    if (stage.op === 'filter') return stage
    if (stage.op === 'derive') {
      const columns = stage.columns.filter(([name]) => live[i + 1]!.has(name))
      there = [...new Set([...there, ...columns.map(([name]) => name)])]
      return { op: 'derive', columns }
    }
    if (stage.op === 'rename') {
      const columns = stage.columns.filter(([from]) => there.includes(from))
      const names = new Map(columns)
      there = there.map(name => names.get(name) ?? name)
      return { op: 'rename', columns }
    }
    there =
      stage.op === 'project'
        ? stage.columns.filter(name => there.includes(name))
        : there.filter(name => !stage.columns.includes(name))
    return { op: 'project', columns: there }
  })
  // A column that was replaced unread has come last.
  const output = stagesSchema(stages, input).fields.map(field => field.name)
  return sameNames(there, output) ? narrowed : [...narrowed, { op: 'project', columns: output }]
}

/** Runs stages over batches of one schema. Rows keep their order. */
export class StageRunner {
  readonly output: Schema
  #steps: Step[]

  constructor(stages: readonly Stage[], input: Schema) {
    const live = liveColumns(stages, input)
    let schema = logicalSchema(input)
    this.#steps = stages.map((stage, i) => {
      const step = compile(stage, schema, live[i + 1]!)
      schema = stageSchema(schema, stage)
      return step
    })
    this.output = schema
  }

  /**
   * The result's columns lie in `region` or are the input's own; once a filter has dropped rows, all but the
   * dictionaries lie in `taken`.
   */
  run(batch: RecordBatch, region: Region, taken: Region = region): RecordBatch {
    const result = this.#steps.reduce(
      (current, step) => step(current, current.numRows < batch.numRows ? taken : region, taken),
      batch,
    )
    const names = this.output.fields.map(field => field.name)
    return sameNames(fieldNames(result), names) ? result : pick(result, names)
  }
}

type Step = (batch: RecordBatch, region: Region, taken: Region) => RecordBatch

function compile(stage: Stage, schema: Schema, live: ReadonlySet<string>): Step {
  if (stage.op === 'filter') {
    const predicate = bindPredicate(new Expr(stage.predicate), schema)
    return (batch, region, taken) => {
      const selection = select(predicate, batch, region)
      const kept = pick(
        batch,
        fieldNames(batch).filter(name => live.has(name)),
      )
      return selection.count === batch.numRows ? kept : takeBatch(kept, selection, taken)
    }
  }
  if (stage.op === 'derive') {
    const bound = stage.columns
      .filter(([name]) => live.has(name))
      .map(([name, node]): [string, BoundExpr] => [name, bind(new Expr(node), schema)])
    return (batch, region) => {
      const fields = [...batch.schema.fields]
      const columns = [...batch.data.children]
      for (const [name, expr] of bound) {
        const data = evaluate(expr, batch, region)
        const field = new Field(name, data.type, expr.nullable)
        const at = fields.findIndex(known => known.name === name)
        if (at < 0) {
          fields.push(field)
          columns.push(data)
        } else {
          fields[at] = field
          columns[at] = data
        }
      }
      return makeBatch(fields, columns, batch.numRows)
    }
  }
  if (stage.op === 'rename') {
    const renamed = renaming(stage.columns)
    return batch => makeBatch(batch.schema.fields.map(renamed), batch.data.children, batch.numRows)
  }
  if (stage.op === 'drop') {
    const isKept = (name: string) => !stage.columns.includes(name)
    return batch => pick(batch, fieldNames(batch).filter(isKept))
  }
  const needed = stage.columns.filter(name => live.has(name))
  return batch => pick(batch, needed)
}

function fieldNames({ schema }: RecordBatch): string[] {
  return schema.fields.map(field => field.name)
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, i) => name === b[i])
}

function pick(batch: RecordBatch, names: readonly string[]): RecordBatch {
  const fields = names.map(name => batch.schema.fields.find(field => field.name === name)!)
  const columns = names.map(name => columnOf(batch, name)!)
  return makeBatch(fields, columns, batch.numRows)
}

function stageSchema(schema: Schema, stage: Stage): Schema {
  if (stage.op === 'filter') {
    bindPredicate(new Expr(stage.predicate), schema)
    return schema
  }
  if (stage.op === 'derive') {
    const fields = [...schema.fields]
    for (const [name, node] of stage.columns) {
      const bound = bind(new Expr(node), schema)
      const field = new Field(name, valueType(bound.type), bound.nullable)
      const at = fields.findIndex(known => known.name === name)
      if (at < 0) fields.push(field)
      else fields[at] = field
    }
    return new Schema(fields, schema.metadata)
  }
  if (stage.op === 'rename') {
    for (const [from] of stage.columns) fieldNamed(schema, from)
    const fields = schema.fields.map(renaming(stage.columns))
    const names = fields.map(field => field.name)
    const twice = stage.columns.find(([, to]) => names.indexOf(to) !== names.lastIndexOf(to))
    if (twice !== undefined) throw nameTaken(...twice)
    return new Schema(fields, schema.metadata)
  }
  const fields = stage.columns.map(name => fieldNamed(schema, name))
  if (stage.op === 'project') return new Schema(fields, schema.metadata)
  const rest = schema.fields.filter(field => !stage.columns.includes(field.name))
  if (rest.length > 0) return new Schema(rest, schema.metadata)
  throw new SluiceError('schema', 'no column would be left', { option: 'drop' })
}

function fieldNamed(schema: Schema, name: string): Field {
  const field = schema.fields.find(known => known.name === name)
  if (field === undefined) throw unknownColumn(name, schema)
  return field
}

function renaming(columns: readonly [from: string, to: string][]): (field: Field) => Field {
  const names = new Map(columns)
  return field => {
    const name = names.get(field.name)
    return name === undefined ? field : new Field(name, field.type, field.nullable, field.metadata)
  }
}

function nameTaken(from: string, to: string): SluiceError {
  return new SluiceError('schema', `cannot be renamed to '${to}': there would be two columns of that name`, {
    column: from,
    hint: `Drop or rename the column '${to}', or choose another name.`,
  })
}

/** An error that names the columns there are, the nearest one first. */
export function unknownColumn(name: string, schema: Schema): SluiceError {
  const names = schema.fields.map(field => field.name)
  const nearest = nearestName(name, names)
  return new SluiceError('schema', 'there is no such column', {
    column: name,
    hint: `${nearest === undefined ? '' : `Did you mean '${nearest}'? `}The columns are ${names.map(n => `'${n}'`).join(', ')}.`,
  })
}

/** Which columns are needed before each stage, and (last) after all of them. */
function liveColumns(stages: readonly Stage[], input: Schema): Set<string>[] {
  let live = new Set(stagesSchema(stages, input).fields.map(field => field.name))
  const sets = [live]
  for (let i = stages.length - 1; i >= 0; i--) {
    const stage = stages[i]!
    const before = new Set(live)
    if (stage.op === 'filter') for (const name of columnsIn(stage.predicate)) before.add(name)
    if (stage.op === 'rename') {
      // First all names that are gone, then those that were there: of two that are swapped both are needed.
      const renamed = stage.columns.filter(([, to]) => live.has(to))
      for (const [, to] of renamed) before.delete(to)
      for (const [from] of renamed) before.add(from)
    }
    if (stage.op === 'derive') {
      const derived = stage.columns.filter(([name]) => live.has(name))
      for (const [name] of derived) before.delete(name)
      for (const [, node] of derived) for (const name of columnsIn(node)) before.add(name)
    }
    sets.unshift((live = before))
  }
  return sets
}
