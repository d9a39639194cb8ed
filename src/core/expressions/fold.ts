import { Binary, DataType, DateDay, Decimal, Null, Timestamp, TimeUnit, Utf8 } from 'apache-arrow'
import { SluiceError } from '../errors.ts'
import { type BoundNode, common, constant } from './bound.ts'
import { floatValue, parseDecimal, timestampNanos } from './literal.ts'
import type { CompareOperator, Literal } from './node.ts'
import { floorDivide } from './temporal.ts'
import { describeType } from './typename.ts'
import {
  BOOL,
  FLOAT64,
  INT64,
  isBinary,
  isInstant,
  isNumeric,
  isText,
  rangeOf,
  reprOf,
  unitNanos,
  type Value,
} from './types.ts'

/** A literal among a type's values: itself, or the greatest value below it where it lies between two. */
export type Placed = { at: Value; exact: boolean } | { beyond: 'below' | 'above' }

/** A literal by itself, in the type that it has by nature. */
export function naturalLiteral(literal: Literal): BoundNode & { op: 'literal' } {
  const type = naturalType(literal)
  if (literal.type === 'null') return constant(type, null)
  const placed = placeLiteral(literal, type)
  return constant(type, 'at' in placed ? placed.at : null)
}

function naturalType(literal: Literal): DataType {
  switch (literal.type) {
    case 'null':
      return new Null()
    case 'bool':
      return BOOL
    case 'int':
      return INT64
    case 'float':
      return FLOAT64
    case 'decimal': {
      const digits = literal.value.replace(/\D/g, '').replace(/^0+(?=\d)/, '').length
      const scale = parseDecimal(literal.value)!.scale
      return new Decimal(scale, Math.max(1, digits, scale))
    }
    case 'utf8':
      return new Utf8()
    case 'binary':
      return new Binary()
    case 'date':
      return new DateDay()
    case 'timestamp': {
      const subMicro = timestampNanos(literal.value, 'a timestamp') % 1000n !== 0n
      return new Timestamp(subMicro ? TimeUnit.NANOSECOND : TimeUnit.MICROSECOND, null)
    }
  }
}

/** Whether a literal can stand among values of the type at all. */
export function fits(literal: Literal, type: DataType): boolean {
  switch (literal.type) {
    case 'null':
      return true
    case 'bool':
      return DataType.isBool(type)
    case 'int':
    case 'float':
    case 'decimal':
      return isNumeric(type)
    case 'utf8':
      return isText(type) || isInstant(type) || DataType.isTime(type)
    case 'binary':
      return isBinary(type)
    case 'date':
    case 'timestamp':
      return isInstant(type)
  }
}

/** A literal that {@link fits}, other than null, among the type's values. Malformed text is an error. */
export function placeLiteral(literal: Exclude<Literal, { type: 'null' }>, type: DataType): Placed {
  switch (literal.type) {
    case 'bool':
      return { at: literal.value, exact: true }
    case 'binary':
      return { at: new Uint8Array(Buffer.from(literal.value, 'hex')), exact: true }
    case 'utf8':
      if (isText(type)) return { at: new Uint8Array(Buffer.from(literal.value)), exact: true }
      if (DataType.isTime(type)) return onGrid(timeNanos(literal.value), unitNanos(type), type)
      return onGrid(
        timestampNanos(literal.value, `a value of type ${describeType(type)}`),
        unitNanos(type),
        type,
      )
    case 'date':
    case 'timestamp':
      return onGrid(timestampNanos(literal.value, `a ${literal.type}`), unitNanos(type), type)
    default:
      return placeNumber(literal, type)
  }
}

/** `arg operator literal`, exactly, without converting `arg`. */
export function compareWithLiteral(arg: BoundNode, operator: CompareOperator, literal: Literal): BoundNode {
  if (literal.type === 'null') return constant(BOOL, null)
  const placed = placeLiteral(literal, arg.type)
  if ('at' in placed && placed.exact) return compared(arg, operator, placed.at)
  if (operator === '=' || operator === '<>') return settled(operator === '<>', arg)
  const less = operator === '<' || operator === '<='
  if ('beyond' in placed) return settled(less === (placed.beyond === 'above'), arg)
  return compared(arg, less ? '<=' : '>', placed.at)
}

/** The literal as a value of just this type, or undefined if it is not exactly one. */
export function exactLiteral(literal: Literal, type: DataType): (BoundNode & { op: 'literal' }) | undefined {
  if (literal.type === 'null') return constant(type, null)
  if (!fits(literal, type)) return undefined
  const placed = placeLiteral(literal, type)
  return 'at' in placed && placed.exact ? constant(type, placed.at) : undefined
}

export function settled(value: boolean, arg: BoundNode): BoundNode {
  return { op: 'settled', value, arg, ...common(BOOL, [arg]) }
}

function compared(left: BoundNode, operator: CompareOperator, value: Value): BoundNode {
  return { op: 'compare', operator, left, right: constant(left.type, value), ...common(BOOL, [left]) }
}

function placeNumber(
  literal: Extract<Literal, { type: 'int' | 'float' | 'decimal' }>,
  type: DataType,
): Placed {
  if (DataType.isFloat(type)) {
    const nearest = literal.type === 'float' ? floatValue(literal) : Number(literal.value)
    const repr = reprOf(type)
    const at = repr === 'f64' ? nearest : Math.fround(nearest)
    // A fraction is taken as the nearest float, as the column's own values were; an integer is meant exactly.
    if (literal.type !== 'int' || BigInt(at) === BigInt(literal.value)) return { at, exact: true }
    return { at: BigInt(at) < BigInt(literal.value) ? at : nextBelow(at, repr), exact: false }
  }
  if (literal.type === 'float') {
    const value = floatValue(literal)
    if (!Number.isFinite(value)) return { beyond: value === -Infinity ? 'below' : 'above' }
    if (DataType.isInt(type)) {
      const floor = Math.floor(value)
      return inRange(BigInt(floor), floor === value, type)
    }
  }
  const { unscaled, scale } = parseDecimal(String(literal.value))!
  return onGrid(
    unscaled * 10n ** BigInt(DataType.isDecimal(type) ? type.scale : 0),
    10n ** BigInt(scale),
    type,
  )
}

function onGrid(numerator: bigint, denominator: bigint, type: DataType): Placed {
  return inRange(floorDivide(numerator, denominator), numerator % denominator === 0n, type)
}

function inRange(at: bigint, exact: boolean, type: DataType): Placed {
  const [min, max] = rangeOf(reprOf(type))
  return at < min ? { beyond: 'below' } : at > max ? { beyond: 'above' } : { at, exact }
}

/** The float just below a finite one, in its own width. */
function nextBelow(value: number, repr: string): number {
  if (repr === 'f64') {
    const bits = new BigInt64Array(new Float64Array([value]).buffer)
    bits[0]! += value > 0 ? -1n : 1n
    return new Float64Array(bits.buffer)[0]!
  }
  const bits = new Int32Array(new Float32Array([value]).buffer)
  bits[0]! += value > 0 ? -1 : 1
  return new Float32Array(bits.buffer)[0]!
}

function timeNanos(text: string): bigint {
  const parts = /^\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?\s*$/.exec(text)
  const [hour, minute, second] = [1, 2, 3].map(index => Number(parts?.[index] ?? 0)) as [
    number,
    number,
    number,
  ]
  if (parts === null || hour > 23 || minute > 59 || second > 59) {
    throw new SluiceError('invalid-argument', `'${text}' is not a time`, {
      hint: 'Write it as HH:MM[:SS[.fraction]].',
    })
  }
  return BigInt(hour * 3600 + minute * 60 + second) * 1_000_000_000n + BigInt((parts[4] ?? '').padEnd(9, '0'))
}
