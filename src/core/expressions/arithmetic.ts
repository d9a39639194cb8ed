import { DataType } from 'apache-arrow'
import type { Region } from '../arena.ts'
import { SluiceError } from '../errors.ts'
import type { BoundNode } from './bound.ts'
import { type Column, constantColumn, makeColumn, strideOf } from './column.ts'
import { bothValid, copiedValidity } from './operands.ts'
import { describeType } from './typename.ts'
import { BYTES } from './types.ts'
import { renderValue } from './value-text.ts'

export function arithmetic(
  region: Region,
  rows: number,
  node: BoundNode & { op: 'arithmetic' },
  a: Column,
  b: Column,
): Column {
  const { arena } = region
  const { kernels } = arena
  const { operator, type } = node
  if (a.allNull || b.allNull) return constantColumn(region, type, null, rows)
  const validity = bothValid(region, rows, a, b)
  const column = makeColumn(type, rows, 0, validity)
  column.values = region.alloc(rows * BYTES[column.repr])
  const sides = [a.values, strideOf(a), b.values, strideOf(b)] as const
  if (column.repr === 'f64') {
    kernels.arithmeticF64('+-*/%'.indexOf(operator), ...sides, rows, column.values)
    return column
  }
  if (DataType.isDecimal(type)) {
    const failed = kernels.arithmeticDecimal('+-*'.indexOf(operator), ...sides, validity, rows, column.values)
    const row = failed >= 0 ? failed : kernels.limitDecimal(column.values, rows, type.precision, validity, 0)
    if (row >= 0) throw overflow(region, node, a, b, row)
    return column
  }
  if (operator === '%') {
    column.validity = copiedValidity(region, rows, validity)
    kernels.remainderI64(...sides, rows, column.values, column.validity)
    return column
  }
  const kernel =
    operator === '+' ? kernels.addI64 : operator === '-' ? kernels.subtractI64 : kernels.multiplyI64
  const row = kernel(...sides, validity, rows, column.values)
  if (row >= 0) throw overflow(region, node, a, b, row)
  return column
}

function overflow(
  region: Region,
  { text, operator, type }: BoundNode & { op: 'arithmetic' },
  a: Column,
  b: Column,
  row: number,
): SluiceError {
  const values = `${renderValue(region, a, row)} ${operator} ${renderValue(region, b, row)}`
  return new SluiceError('invalid-argument', `${text} leaves ${describeType(type)}: ${values}`, {
    hint: 'Cast one side to float64 or to a wider type.',
  })
}
