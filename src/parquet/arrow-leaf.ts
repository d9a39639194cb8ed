import {
  Binary,
  Bool,
  type DataType,
  DateDay,
  Decimal,
  FixedSizeBinary,
  Float16,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  Null,
  TimeMicrosecond,
  TimeMillisecond,
  TimeNanosecond,
  TimestampMicrosecond,
  TimestampMillisecond,
  TimestampNanosecond,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Utf8,
} from 'apache-arrow'
import type { LogicalType, SchemaElement } from './metadata.ts'

/** The Arrow type of a leaf's values. An annotation that does not fit the physical type counts for nothing. */
export function leafType(element: SchemaElement): DataType {
  const logical =
    (element.logicalType?.type === 'OTHER' ? undefined : element.logicalType) ?? converted(element)
  if (logical?.type === 'UNKNOWN') return new Null()
  switch (element.type!) {
    case 'BOOLEAN':
      return new Bool()
    case 'INT32':
      if (logical?.type === 'INTEGER') return integer(logical.bitWidth, logical.isSigned) ?? new Int32()
      if (logical?.type === 'DATE') return new DateDay()
      if (logical?.type === 'TIME' && logical.unit === 'MILLIS') return new TimeMillisecond()
      return decimal(logical) ?? new Int32()
    case 'INT64':
      if (logical?.type === 'INTEGER') return logical.isSigned ? new Int64() : new Uint64()
      if (logical?.type === 'TIME' && logical.unit === 'MICROS') return new TimeMicrosecond()
      if (logical?.type === 'TIME' && logical.unit === 'NANOS') return new TimeNanosecond()
      if (logical?.type === 'TIMESTAMP') return timestamp(logical)
      return decimal(logical) ?? new Int64()
    case 'INT96':
      return new TimestampNanosecond()
    case 'FLOAT':
      return new Float32()
    case 'DOUBLE':
      return new Float64()
    case 'BYTE_ARRAY':
      if (logical?.type === 'STRING' || logical?.type === 'JSON' || logical?.type === 'ENUM')
        return new Utf8()
      return decimal(logical) ?? new Binary()
    case 'FIXED_LEN_BYTE_ARRAY':
      if (logical?.type === 'FLOAT16' && element.typeLength === 2) return new Float16()
      return decimal(logical) ?? new FixedSizeBinary(element.typeLength!)
  }
}

function integer(bitWidth: number, isSigned: boolean): DataType | undefined {
  if (bitWidth === 8) return isSigned ? new Int8() : new Uint8()
  if (bitWidth === 16) return isSigned ? new Int16() : new Uint16()
  if (bitWidth === 32) return isSigned ? new Int32() : new Uint32()
  return undefined
}

function timestamp({
  unit,
  isAdjustedToUTC,
}: Extract<LogicalType, { type: 'TIME' | 'TIMESTAMP' }>): DataType {
  const timezone = isAdjustedToUTC ? 'UTC' : null
  if (unit === 'MILLIS') return new TimestampMillisecond(timezone)
  if (unit === 'MICROS') return new TimestampMicrosecond(timezone)
  return new TimestampNanosecond(timezone)
}

/** Up to 38 digits fit in 128 bits, 76 in 256. */
function decimal(logical: LogicalType | undefined): DataType | undefined {
  if (logical?.type !== 'DECIMAL') return undefined
  const { scale, precision } = logical
  if (precision < 1 || precision > 76 || scale < 0 || scale > precision) return undefined
  return new Decimal(scale, precision, precision <= 38 ? 128 : 256)
}

/** The logical type that an older annotation stands for. Times of those days were in UTC. */
function converted({ convertedType, scale = 0, precision = 0 }: SchemaElement): LogicalType | undefined {
  switch (convertedType) {
    case 'UTF8':
      return { type: 'STRING' }
    case 'ENUM':
    case 'DATE':
    case 'JSON':
    case 'BSON':
      return { type: convertedType }
    case 'DECIMAL':
      return { type: 'DECIMAL', scale, precision }
    case 'TIME_MILLIS':
    case 'TIME_MICROS':
    case 'TIMESTAMP_MILLIS':
    case 'TIMESTAMP_MICROS': {
      const type = convertedType.startsWith('TIMESTAMP') ? 'TIMESTAMP' : 'TIME'
      return { type, isAdjustedToUTC: true, unit: convertedType.endsWith('MILLIS') ? 'MILLIS' : 'MICROS' }
    }
    case 'INT_8':
    case 'INT_16':
    case 'INT_32':
    case 'INT_64':
    case 'UINT_8':
    case 'UINT_16':
    case 'UINT_32':
    case 'UINT_64': {
      const bitWidth = Number(convertedType.split('_')[1]) as 8 | 16 | 32 | 64
      return { type: 'INTEGER', bitWidth, isSigned: convertedType.startsWith('INT') }
    }
    default:
      return undefined
  }
}
