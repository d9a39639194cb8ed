import { DataType, Decimal, Field, Schema, Uint64 } from 'apache-arrow'
import { valueType } from '../batch.ts'
import { SluiceError } from '../errors.ts'
import { computedType } from '../expressions/column.ts'
import { describeType } from '../expressions/typename.ts'
import { FLOAT64, INT64, isNumeric } from '../expressions/types.ts'
import { unknownColumn } from '../stages.ts'
import { type Form, formOf } from './form.ts'

export type AggregateFunction = 'count' | 'sum' | 'min' | 'max' | 'mean'

/** What is computed for each group; plain data. */
export interface Aggregation {
  /** Key columns; none: all rows are one group. */
  by: string[]
  /** Functions by the name of the column that they give. Only `count` goes without a column. */
  functions: [name: string, aggregate: { fn: AggregateFunction; column?: string }][]
}

/** A state that is kept for each group, in its form; named by what it is of. */
export interface Accumulation {
  name: string
  /** `total` adds up counts. */
  op: 'count' | 'total' | 'sum' | 'min' | 'max'
  /** Absent: rows are counted. */
  column: string | undefined
  form: Form
}

/**
 * How groups are accumulated. The first accumulation is the number of rows; the values of every column that has one
 * are counted, too: a group without any has no sum and no bounds.
 */
export interface GroupPlan {
  keys: { name: string; column: string; form: Form }[]
  accumulations: Accumulation[]
}

/** The columns that an aggregation needs, each once. */
export function aggregatedColumns({ by, functions }: Aggregation): string[] {
  return [...new Set([...by, ...functions.flatMap(([, { column }]) => column ?? [])])]
}

/** The columns that come out: the keys, then the functions. */
export function aggregationSchema({ by, functions }: Aggregation, input: Schema): Schema {
  const keys = by.map(name => keyField(name, input))
  const fields = functions.map(([name, { fn, column }]) => {
    if (fn === 'count' && column === undefined) return new Field(name, INT64, false)
    const type = aggregatedType(fn, column!, input)
    return fn === 'count' ? new Field(name, INT64, false) : new Field(name, resultType(fn, type), true)
  })
  return new Schema([...keys, ...fields])
}

/** How rows become groups. What two functions need is accumulated once; a mean is a sum and a count. */
export function groupPlan({ by, functions }: Aggregation, input: Schema): GroupPlan {
  const accumulations = new Map<string, Accumulation>()
  const add = (op: 'count' | 'sum' | 'min' | 'max', column?: string) => {
    const name = stateName(op, column)
    const form = op === 'count' ? 'i64' : formOf(aggregatedType(op, column!, input))!
    accumulations.set(name, { name, op, column, form: op === 'sum' && form !== 'f64' ? 'i128' : form })
  }
  add('count')
  for (const [, { fn, column }] of functions) {
    if (column !== undefined) add('count', column)
    if (fn !== 'count') add(fn === 'mean' ? 'sum' : fn, column)
  }
  const keys = by.map(column => ({
    name: stateName('by', column),
    column,
    form: formOf(keyField(column, input).type)!,
  }))
  return { keys, accumulations: [...accumulations.values()] }
}

/** How the partial groups that a plan gives are merged. */
export function mergePlan({ keys, accumulations }: GroupPlan): GroupPlan {
  return {
    keys: keys.map(key => ({ ...key, column: key.name })),
    accumulations: accumulations.map(state => ({
      ...state,
      op: state.op === 'count' ? 'total' : state.op,
      column: state.name,
    })),
  }
}

/** The name of a state, or key, among a plan's; the first word keeps them apart. */
export function stateName(op: 'by' | 'count' | 'sum' | 'min' | 'max', column?: string): string {
  return column === undefined ? op : `${op} ${column}`
}

export function describeAggregation({ by, functions }: Aggregation): string {
  const calls = functions.map(([name, { fn, column }]) => `${name} = ${fn}(${column ?? ''})`)
  return `aggregate ${by.length === 0 ? '' : `by ${by.join(', ')}: `}${calls.join(', ')}`
}

/** Integers are summed to int64, or uint64 if that is what they are; bounds keep the type. */
function resultType(fn: 'sum' | 'min' | 'max' | 'mean', type: DataType): DataType {
  if (fn === 'mean') return FLOAT64
  if (fn !== 'sum') return computedType(type)
  if (DataType.isDecimal(type)) return new Decimal(type.scale, 38)
  const form = formOf(type)
  return form === 'f64' ? FLOAT64 : form === 'u64' ? new Uint64() : INT64
}

function keyField(column: string, input: Schema): Field {
  const field = fieldOf(column, input)
  if (formOf(field.type) === undefined) {
    throw new SluiceError('schema', `values of type ${describeType(field.type)} cannot be grouped by`, {
      column,
      hint: 'Group by columns of flat types.',
    })
  }
  return new Field(column, computedType(field.type), field.nullable)
}

function aggregatedType(fn: AggregateFunction, column: string, input: Schema): DataType {
  const type = valueType(fieldOf(column, input).type)
  const number = fn === 'sum' || fn === 'mean'
  if (fn === 'count' || DataType.isNull(type)) return type
  if (formOf(type) !== undefined && (!number || isNumeric(type))) return type
  throw new SluiceError('schema', `${fn} does not take values of type ${describeType(type)}`, {
    column,
    hint: number ? 'It takes integers, floats and decimals.' : 'It takes values of flat types.',
  })
}

function fieldOf(column: string, input: Schema): Field {
  const field = input.fields.find(({ name }) => name === column)
  if (field === undefined) throw unknownColumn(column, input)
  return field
}
