import {
  Binary,
  Bool,
  DataType,
  DateUnit,
  Decimal,
  Float32,
  Float64,
  Int64,
  Timestamp,
  TimeUnit,
  Utf8,
} from 'apache-arrow'
import { valueType } from '../batch.ts'

/** How a type's values lie in memory, and so which kernels work on them. */
export type Repr =
  | 'bool'
  | 'i8'
  | 'i16'
  | 'i32'
  | 'i64'
  | 'u8'
  | 'u16'
  | 'u32'
  | 'u64'
  | 'f16'
  | 'f32'
  | 'f64'
  | 'i128'
  /** Offsets and bytes: text and binary. */
  | 'bytes'
  | 'null'
  /** Nothing but its nulls can be looked at: lists, structs and the like. */
  | 'opaque'

/**
 * A value of a column, exact: integers, dates, times and timestamps as a bigint in the column's unit, decimals
 * as the unscaled bigint, floats as a number, booleans, text and binary as bytes.
 */
export type Value = bigint | number | boolean | Uint8Array

export const BYTES: Readonly<Record<Repr, number>> = {
  bool: 0,
  i8: 1,
  i16: 2,
  i32: 4,
  i64: 8,
  u8: 1,
  u16: 2,
  u32: 4,
  u64: 8,
  f16: 2,
  f32: 4,
  f64: 8,
  i128: 16,
  bytes: 0,
  null: 0,
  opaque: 0,
}

export function reprOf(encoded: DataType): Repr {
  const type = valueType(encoded)
  if (DataType.isBool(type)) return 'bool'
  if (DataType.isInt(type)) return `${type.isSigned ? 'i' : 'u'}${type.bitWidth as 8 | 16 | 32 | 64}`
  if (DataType.isFloat(type)) return (['f16', 'f32', 'f64'] as const)[type.precision as 0 | 1 | 2]
  if (DataType.isDecimal(type)) return type.bitWidth === 128 ? 'i128' : 'opaque'
  if (DataType.isDate(type)) return type.unit === DateUnit.DAY ? 'i32' : 'i64'
  if (DataType.isTime(type)) return type.bitWidth === 32 ? 'i32' : 'i64'
  if (DataType.isTimestamp(type)) return 'i64'
  if (isText(type) || isBinary(type)) return 'bytes'
  return DataType.isNull(type) ? 'null' : 'opaque'
}

export function isText(type: DataType): boolean {
  return DataType.isUtf8(type) || DataType.isLargeUtf8(type)
}

export function isBinary(type: DataType): boolean {
  return DataType.isBinary(type) || DataType.isLargeBinary(type) || DataType.isFixedSizeBinary(type)
}

export function isNumeric(type: DataType): boolean {
  return DataType.isInt(type) || DataType.isFloat(type) || DataType.isDecimal(type)
}

/** Dates and timestamps. */
export function isInstant(type: DataType): boolean {
  return DataType.isDate(type) || DataType.isTimestamp(type)
}

/** Nanoseconds in one unit of a date, time or timestamp. */
export function unitNanos(type: DataType): bigint {
  if (DataType.isDate(type)) return type.unit === DateUnit.DAY ? 86_400_000_000_000n : 1_000_000n
  const unit: TimeUnit = DataType.isTimestamp(type) || DataType.isTime(type) ? type.unit : TimeUnit.NANOSECOND
  return [1_000_000_000n, 1_000_000n, 1000n, 1n][unit]!
}

/** Least and greatest value of a representation of integers. */
export function rangeOf(repr: Repr): [min: bigint, max: bigint] {
  const bits = BigInt(BYTES[repr] * 8)
  return repr.startsWith('u') ? [0n, 2n ** bits - 1n] : [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n]
}

/** The one type that values of both can be given without loss, if there is one. Int and float make float64. */
export function commonType(a: DataType, b: DataType): DataType | undefined {
  if (DataType.isNull(a)) return b
  if (DataType.isNull(b) || sameType(a, b)) return a
  if (isNumeric(a) && isNumeric(b)) {
    if (DataType.isFloat(a) || DataType.isFloat(b)) return new Float64()
    if (DataType.isInt(a) && DataType.isInt(b)) return new Int64()
    const [left, right] = [asDecimal(a), asDecimal(b)]
    const scale = Math.max(left.scale, right.scale)
    const whole = Math.max(left.precision - left.scale, right.precision - right.scale)
    return new Decimal(scale, Math.min(38, whole + scale))
  }
  if (isInstant(a) && isInstant(b)) {
    const unit = Math.max(
      ...[a, b].map(type =>
        DataType.isTimestamp(type)
          ? type.unit
          : DataType.isDate(type) && type.unit === DateUnit.DAY
            ? TimeUnit.SECOND
            : TimeUnit.MILLISECOND,
      ),
    )
    const zoned = [a, b].find(type => DataType.isTimestamp(type) && type.timezone)
    return new Timestamp(unit, zoned === undefined ? null : (zoned as Timestamp).timezone)
  }
  return isText(a) && isText(b) ? a : undefined
}

/** An integer's or decimal's type as a decimal that holds all of its values. */
export function asDecimal(type: DataType): Decimal {
  if (DataType.isDecimal(type)) return type
  const digits: Partial<Record<Repr, number>> = {
    i8: 3,
    u8: 3,
    i16: 5,
    u16: 5,
    i32: 10,
    u32: 10,
    i64: 19,
    u64: 20,
  }
  return new Decimal(0, digits[reprOf(type)] ?? 38)
}

/** Equal for the purposes of computing: the same values in the same form. */
export function sameType(a: DataType, b: DataType): boolean {
  return a === b || (a.typeId === b.typeId && String(a) === String(b) && reprOf(a) === reprOf(b))
}

export const BOOL: Bool = new Bool()
export const INT64: Int64 = new Int64()
export const FLOAT64: Float64 = new Float64()
export const FLOAT32: Float32 = new Float32()
export const UTF8: Utf8 = new Utf8()
export const BINARY: Binary = new Binary()
