import { type Data, DataType, Field, Int16, Int32, Int64, Schema } from 'apache-arrow'
import type { Region } from './arena.ts'
import { makeBatch, valueType } from './batch.ts'
import { bind } from './expressions/bind.ts'
import { evaluate } from './expressions/evaluate.ts'
import { Expr } from './expressions/expr.ts'
import { describeType } from './expressions/typename.ts'

/**
 * Whether a type has all values of another one, and more: integers of more bits (signed ones also those of unsigned
 * ones), float64 those of float32, decimals of more digits at the same scale.
 */
export function widens(from: DataType, to: DataType): boolean {
  if (DataType.isInt(from) && DataType.isInt(to)) {
    return from.bitWidth < to.bitWidth && (from.isSigned === to.isSigned || to.isSigned)
  }
  if (DataType.isFloat(from) && DataType.isFloat(to)) {
    return String(from) === 'Float32' && String(to) === 'Float64'
  }
  if (DataType.isDecimal(from) && DataType.isDecimal(to)) {
    return from.scale === to.scale && from.precision < to.precision && to.bitWidth === 128
  }
  return false
}

/** The narrowest type that has all values of two different ones; undefined if none has. */
export function wider(a: DataType, b: DataType): DataType | undefined {
  return [a, b, new Int16(), new Int32(), new Int64()].find(type =>
    [a, b].every(own => own === type || widens(own, type)),
  )
}

/** A column as a type that {@link widens} its own, in `region`; any other column as it is. Dictionaries are kept. */
export function widen(column: Data, type: DataType, region: Region): Data {
  const own = valueType(column.type)
  if (!widens(own, type)) return column
  const field = new Field('value', own, true)
  const cast = new Expr({ op: 'cast', arg: { op: 'column', name: field.name }, to: describeType(type) })
  return evaluate(bind(cast, new Schema([field])), makeBatch([field], [column], column.length), region)
}
