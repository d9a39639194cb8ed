import type { DataType, Decimal, RecordBatch, Schema } from 'apache-arrow'
import type { Region } from '../arena.ts'
import { makeBatch } from '../batch.ts'
import { bitmapBytes } from '../expressions/column.ts'
import { kindOf } from '../expressions/operands.ts'
import { describeType } from '../expressions/typename.ts'
import { sumOverflow } from './accumulator.ts'
import { dataOfForm, type Formed, formOf } from './form.ts'
import type { GroupSlice } from './groups.ts'
import { type Aggregation, type GroupPlan, stateName } from './plan.ts'

/** Of `arithmeticF64`. */
const DIVIDE = 3

/**
 * Groups that have all their rows as the columns that come out: sums in their types, means divided, and null where
 * there was no value.
 *
 * @param input the columns that were aggregated
 */
export function finishedBatch(
  { by, functions }: Aggregation,
  plan: GroupPlan,
  input: Schema,
  output: Schema,
  { keys, states, rows, region }: GroupSlice,
): RecordBatch {
  const stateOf = (op: 'count' | 'sum' | 'min' | 'max', column?: string): Formed =>
    states[plan.accumulations.findIndex(({ name }) => name === stateName(op, column))]!
  const results = functions.map(([, { fn, column }], i): Formed => {
    const counts = stateOf('count', column)
    if (fn === 'count') return counts
    const validity = anyCounted(counts, region)
    const state = { ...stateOf(fn === 'mean' ? 'sum' : fn, column), validity }
    if (fn === 'sum') return fittingSum(state, column!, output.fields[by.length + i]!.type, region)
    if (fn !== 'mean') return state
    const { type } = input.fields.find(({ name }) => name === column)!
    return mean(state, counts, formOf(type) === 'i128' ? (type as Decimal).scale : 0, region)
  })
  const columns = [...keys, ...results].map((column, i) => dataOfForm(output.fields[i]!.type, column, region))
  return makeBatch(output.fields, columns, rows)
}

/** Where a count is above 0; 0 if everywhere. */
function anyCounted({ rows, values }: Formed, region: Region): number {
  const { kernels } = region.arena
  const bits = region.alloc(bitmapBytes(rows))
  kernels.compareI64(1, 0, region.zeroed(8), 0, values, 8, rows, bits)
  return kernels.popcount(bits, rows) === rows ? 0 : bits
}

/** A sum of 128 bits as int64, uint64 or a decimal, if it fits. */
function fittingSum(sum: Formed, column: string, type: DataType, region: Region): Formed {
  if (sum.form !== 'i128') return sum
  const { kernels } = region.arena
  const { rows, values, validity } = sum
  const form = formOf(type)!
  const out = form === 'i128' ? values : region.alloc(rows * 8)
  const bad =
    form === 'i128'
      ? kernels.limitDecimal(values, rows, 38, validity, 0)
      : kernels.i64OfDecimal(values, rows, form === 'u64' ? 1 : 0, validity, 0, out)
  if (bad >= 0) throw sumOverflow(column, describeType(type))
  return { form, rows, values: out, validity }
}

function mean(sum: Formed, counts: Formed, scale: number, region: Region): Formed {
  const { kernels } = region.arena
  const { rows, validity } = sum
  let dividend = sum.values
  if (sum.form === 'i128') {
    dividend = region.alloc(rows * 8)
    kernels.f64OfDecimal(sum.values, rows, scale, dividend)
  }
  const divisor = region.alloc(rows * 8)
  kernels.widenF64(kindOf('i64'), counts.values, rows, divisor)
  const values = region.alloc(rows * 8)
  kernels.arithmeticF64(DIVIDE, dividend, 8, divisor, 8, rows, values)
  return { form: 'f64', rows, values, validity }
}
