import {
  Binary,
  Bool,
  DataType,
  DateDay,
  DateUnit,
  Decimal,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  Timestamp,
  TimeUnit,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Utf8,
} from 'apache-arrow'
import { SluiceError } from '../errors.ts'

/** A type's name in expressions, the name SQL prints, and other spellings that are read. */
const NAMES: readonly { name: string; sql: string; also?: string[]; make: () => DataType }[] = [
  { name: 'bool', sql: 'BOOLEAN', make: () => new Bool() },
  { name: 'int8', sql: 'TINYINT', make: () => new Int8() },
  { name: 'int16', sql: 'SMALLINT', make: () => new Int16() },
  { name: 'int32', sql: 'INTEGER', also: ['int'], make: () => new Int32() },
  { name: 'int64', sql: 'BIGINT', also: ['long'], make: () => new Int64() },
  { name: 'uint8', sql: 'UTINYINT', make: () => new Uint8() },
  { name: 'uint16', sql: 'USMALLINT', make: () => new Uint16() },
  { name: 'uint32', sql: 'UINTEGER', make: () => new Uint32() },
  { name: 'uint64', sql: 'UBIGINT', make: () => new Uint64() },
  { name: 'float32', sql: 'FLOAT', also: ['real'], make: () => new Float32() },
  { name: 'float64', sql: 'DOUBLE', make: () => new Float64() },
  { name: 'utf8', sql: 'VARCHAR', also: ['string', 'text'], make: () => new Utf8() },
  { name: 'binary', sql: 'BLOB', also: ['bytea'], make: () => new Binary() },
  { name: 'date', sql: 'DATE', make: () => new DateDay() },
  { name: 'timestamp[s]', sql: 'TIMESTAMP_S', make: () => new Timestamp(TimeUnit.SECOND, null) },
  { name: 'timestamp[ms]', sql: 'TIMESTAMP_MS', make: () => new Timestamp(TimeUnit.MILLISECOND, null) },
  {
    name: 'timestamp[us]',
    sql: 'TIMESTAMP',
    also: ['datetime'],
    make: () => new Timestamp(TimeUnit.MICROSECOND, null),
  },
  { name: 'timestamp[ns]', sql: 'TIMESTAMP_NS', make: () => new Timestamp(TimeUnit.NANOSECOND, null) },
  { name: 'timestamp[us, UTC]', sql: 'TIMESTAMPTZ', make: () => new Timestamp(TimeUnit.MICROSECOND, 'UTC') },
]

/** The canonical name of a type that `cast` knows, from that name or SQL's; an error for any other. */
export function canonicalTypeName(text: string): string {
  const wanted = text.trim().toLowerCase().replace(/\s+/g, ' ')
  const decimal = /^(?:decimal|numeric) ?\( ?(\d+) ?(?:, ?(\d+) ?)?\)$/.exec(wanted)
  if (decimal !== null) {
    const precision = Number(decimal[1])
    const scale = Number(decimal[2] ?? 0)
    if (precision >= 1 && precision <= 38 && scale <= precision) return `decimal(${precision}, ${scale})`
    throw new SluiceError(
      'invalid-argument',
      `decimal(${precision}, ${scale}) needs 1 to 38 digits and no larger scale`,
    )
  }
  const found = NAMES.find(
    ({ name, sql, also }) =>
      name.toLowerCase() === wanted || sql.toLowerCase() === wanted || also?.includes(wanted),
  )
  if (found !== undefined) return found.name
  throw new SluiceError('invalid-argument', `unknown type '${text}'`, {
    hint: `Use one of ${NAMES.map(({ name }) => name).join(', ')}, decimal(p, s).`,
  })
}

/** The SQL spelling of a canonical name. */
export function sqlTypeName(name: string): string {
  return NAMES.find(entry => entry.name === name)?.sql ?? name.toUpperCase()
}

/** The Arrow type of a canonical name. */
export function typeNamed(name: string): DataType {
  const decimal = /^decimal\((\d+), (\d+)\)$/.exec(name)
  if (decimal !== null) return new Decimal(Number(decimal[2]), Number(decimal[1]))
  return NAMES.find(entry => entry.name === name)!.make()
}

/** Whether `cast` knows a type by the name that {@link describeType} gives it. */
export function isCastable(type: DataType): boolean {
  const name = describeType(type)
  return /^decimal\(\d+, \d+\)$/.test(name) || NAMES.some(entry => entry.name === name)
}

/** How messages call an Arrow type. */
export function describeType(type: DataType): string {
  if (DataType.isDictionary(type)) return describeType(type.dictionary)
  if (DataType.isDecimal(type)) return `decimal(${type.precision}, ${type.scale})`
  if (DataType.isTimestamp(type))
    return `timestamp[${unitName(type.unit)}${type.timezone ? `, ${type.timezone}` : ''}]`
  if (DataType.isTime(type)) return `time[${unitName(type.unit)}]`
  if (DataType.isDate(type)) return type.unit === DateUnit.DAY ? 'date' : 'date[ms]'
  return String(type).toLowerCase()
}

function unitName(unit: TimeUnit): string {
  return ['s', 'ms', 'us', 'ns'][unit]!
}
