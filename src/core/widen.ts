import { Data, DataType, Field, Int16, Int32, Int64, List, Map_, Schema, Struct } from 'apache-arrow'
import type { Region } from './arena.ts'
import { makeBatch, valueType } from './batch.ts'
import { bind } from './expressions/bind.ts'
import { evaluate } from './expressions/evaluate.ts'
import { Expr } from './expressions/expr.ts'
import { describeType } from './expressions/typename.ts'

/**
 * Whether a type has all values of another one, and more: integers of more bits (signed ones also those of unsigned
 * ones), float64 those of float32, decimals of more digits at the same scale, nested types those of types that differ
 * in having no nulls within.
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
  return isNested(from) && String(from) === String(to) && !sameValues(from, to) && admitsNulls(from, to)
}

/** Whether two types have the same values, nulls within nested ones included. */
export function sameValues(a: DataType, b: DataType): boolean {
  return String(a) === String(b) && (!isNested(a) || (admitsNulls(a, b) && admitsNulls(b, a)))
}

/** The narrowest type that has all values of two; undefined if none has. */
export function wider(a: DataType, b: DataType): DataType | undefined {
  if (sameValues(a, b)) return a
  if (String(a) !== String(b)) {
    return [a, b, new Int16(), new Int32(), new Int64()].find(type =>
      [a, b].every(own => own === type || widens(own, type)),
    )
  }
  const children = a.children.map(({ name, type, nullable, metadata }, i) => {
    const other: Field = b.children[i]!
    return new Field(name, wider(type, other.type)!, nullable || other.nullable, metadata)
  })
  if (DataType.isStruct(a)) return new Struct(children)
  return DataType.isMap(a) ? new Map_(children[0]! as Field<never>, a.keysSorted) : new List(children[0]!)
}

/** A column as a type that {@link widens} its own, in `region`; any other column as it is. Dictionaries are kept. */
export function widen(column: Data, type: DataType, region: Region): Data {
  const own = valueType(column.type)
  if (!widens(own, type)) return column
  if (isNested(type)) return relabelled(column, type)
  const field = new Field('value', own, true)
  const cast = new Expr({ op: 'cast', arg: { op: 'column', name: field.name }, to: describeType(type) })
  return evaluate(bind(cast, new Schema([field])), makeBatch([field], [column], column.length), region)
}

/** A nested column as a type that says otherwise where nulls may be within; where they are it is the same. */
export function relabelled(column: Data, type: DataType): Data {
  if (!isNested(type)) return column
  const { offset, length, nullCount, buffers } = column
  const children = column.children.map((child, i) => relabelled(child, type.children[i]!.type))
  return new Data(type, offset, length, nullCount, buffers, children)
}

function isNested(type: DataType): boolean {
  return DataType.isList(type) || DataType.isStruct(type) || DataType.isMap(type)
}

function admitsNulls(from: DataType, to: DataType): boolean {
  return (from.children ?? []).every((child: Field, i) => {
    const other: Field = to.children[i]!
    return (other.nullable || !child.nullable) && admitsNulls(child.type, other.type)
  })
}
