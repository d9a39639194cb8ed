import { DataType } from 'apache-arrow'
import { SluiceError } from '../errors.ts'
import { type BoundNode, common, constant } from './bound.ts'
import { describeType } from './typename.ts'
import { INT64, isBinary, isInstant, isNumeric, isText, sameType, unitNanos } from './types.ts'

/**
 * `arg` as another type. `bare` takes the number behind a date for an integer and back, which no cast of a
 * user's does.
 */
export function castTo(
  arg: BoundNode,
  type: DataType,
  orNull: boolean,
  text: string,
  bare = false,
): BoundNode {
  const from = arg.type
  if (sameType(from, type)) return arg
  if (DataType.isNull(from)) return constant(type, null)
  const nullable = orNull ? true : arg.nullable
  const base = { arg, orNull, text, ...common(type, [arg], nullable) }
  const scaled = (multiply: bigint, divide: bigint): BoundNode => {
    const shared = multiply % divide === 0n ? divide : divide % multiply === 0n ? multiply : 1n
    return { op: 'convert', multiply: multiply / shared, divide: divide / shared, ...base }
  }
  if (
    bare &&
    (DataType.isDate(from) || DataType.isDate(type)) &&
    (DataType.isInt(from) || DataType.isInt(type))
  ) {
    return scaled(1n, 1n)
  }
  const number = (kind: DataType) => isNumeric(kind) || DataType.isBool(kind)
  if (number(from) && number(type)) return scaled(10n ** BigInt(scaleOf(type)), 10n ** BigInt(scaleOf(from)))
  if (isInstant(from) && isInstant(type)) return scaled(unitNanos(from), unitNanos(type))
  if (isText(from) && (isText(type) || isBinary(type)))
    return { op: 'convert', multiply: 1n, divide: 1n, ...base }
  // Text is read and written as int64; narrower integers go by way of that.
  const narrow = (kind: DataType) => DataType.isInt(kind) && kind.bitWidth < 64
  if ((isText(from) && narrow(type)) || (isText(type) && narrow(from))) {
    return castTo(castTo(arg, INT64, orNull, text), type, orNull, text)
  }
  if (isText(from) && (number(type) || isInstant(type))) return { op: 'parse', ...base }
  if (isText(type) && (number(from) || isInstant(from))) return { op: 'render', ...base }
  throw new SluiceError(
    'schema',
    `${text} of type ${describeType(from)} cannot be cast to ${describeType(type)}`,
  )
}

function scaleOf(type: DataType): number {
  return DataType.isDecimal(type) ? type.scale : 0
}
