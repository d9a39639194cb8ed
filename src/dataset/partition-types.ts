import {
  DataType,
  DateDay,
  DateUnit,
  type Decimal,
  Field,
  Int64,
  type Timestamp,
  TimeUnit,
  Utf8,
} from 'apache-arrow'
import { SluiceError } from '../core/errors.ts'
import { type PartitionKey, parsePartitionPath } from './hive.ts'

/**
 * A partition key's value in its column's physical form, as it lies in an Arrow buffer: days for dates, counts
 * of the unit for timestamps, the unscaled integer for decimals, `bigint` where the type has 64 bits or more.
 */
export type PartitionValue = string | number | bigint | boolean | null

/** The partition columns of a set of files and every file's values of them. */
export interface Partitioning {
  fields: Field[]
  /** For each key asked about, one value a field. */
  values: PartitionValue[][]
}

/**
 * Reads the partition columns out of all keys of a dataset together. A column's type is the declared one or,
 * if there is none, `int64` or `date32` where every value of it is canonically one, and text otherwise: `001`,
 * `+1`, `1.0` and `true` stay text. Files may have their folders in another order, but all have the same names.
 *
 * @param declared fields whose types are known; those that are no partition columns are ignored
 */
export function discoverPartitions(keys: readonly string[], declared: readonly Field[] = []): Partitioning {
  const paths = keys.map(key => parsePartitionPath(key).keys)
  const names = (paths[0] ?? []).map(([name]) => name)
  const columns = names.map(() => new Array<string | null>(keys.length))
  for (const [row, path] of paths.entries()) {
    const ordered = align(path, names)
    if (ordered === undefined) throw mismatch(keys[0]!, names, keys[row]!, path)
    for (const [index, value] of ordered.entries()) columns[index]![row] = value
  }
  const fields = names.map((name, index) => {
    const known = declared.find(field => field.name === name)
    return known ?? new Field(name, inferType(columns[index]!), columns[index]!.includes(null))
  })
  const parsed = fields.map((field, index) => {
    const seen = new Map<string | null, PartitionValue>()
    return columns[index]!.map((text, row) => {
      if (!seen.has(text)) seen.set(text, parseAt(field, text, keys[row]!))
      return seen.get(text)!
    })
  })
  return { fields, values: keys.map((_, row) => parsed.map(column => column[row]!)) }
}

/** The narrowest of `int64`, `date32` and text that holds all values and gives their text back unchanged. */
export function inferType(values: Iterable<string | null>): DataType {
  let integers = true
  let dates = true
  let any = false
  for (const value of values) {
    if (value === null) continue
    any = true
    integers &&= isInteger(value)
    dates &&= isDate(value)
    if (!integers && !dates) break
  }
  if (!any) return new Utf8()
  return integers ? new Int64() : dates ? new DateDay() : new Utf8()
}

/**
 * The text of a value in a folder's name. Integers, booleans, text, decimals, dates (`2025-01-31`) and
 * timestamps (`2025-01-31 10:00:00`, a fraction where there is one, `Z` where the type has a time zone) have
 * one. Floats, times, bytes and nested values have none that every engine reads back: `schema`.
 */
export function formatPartitionValue(type: DataType, value: PartitionValue, column?: string): string | null {
  if (value === null) return null
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type) || DataType.isInt(type) || DataType.isBool(type)) {
    return String(value)
  }
  if (DataType.isDate(type)) {
    const days = (type as { unit: DateUnit }).unit === DateUnit.DAY
    return formatDate(days ? Number(value) : Math.floor(Number(value) / 86_400_000))
  }
  if (DataType.isTimestamp(type)) return formatTimestamp(type as Timestamp, BigInt(value))
  if (DataType.isDecimal(type)) return formatDecimal(BigInt(value), (type as Decimal).scale)
  throw unfit(type, column)
}

/** Whether a column of this type can be a partition key. */
export function isPartitionType(type: DataType): boolean {
  return (
    DataType.isUtf8(type) ||
    DataType.isLargeUtf8(type) ||
    DataType.isInt(type) ||
    DataType.isBool(type) ||
    DataType.isDate(type) ||
    DataType.isTimestamp(type) ||
    DataType.isDecimal(type)
  )
}

/** Fails with `schema` for a key that {@link formatPartitionValue} has no text for. */
export function checkPartitionType(type: DataType, column: string): void {
  if (!isPartitionType(type)) throw unfit(type, column)
}

/** The value that a folder's text stands for: the inverse of {@link formatPartitionValue}. */
export function parsePartitionValue(type: DataType, text: string | null, column?: string): PartitionValue {
  if (text === null) return null
  if (!isPartitionType(type)) throw unfit(type, column)
  const value = parse(type, text)
  if (value !== undefined) return value
  throw new SluiceError('schema', `'${text}' in a folder's name is not a value of type ${type}`, {
    ...(column === undefined ? {} : { column }),
    hint: 'Declare another type for this partition column.',
  })
}

function parse(type: DataType, text: string): PartitionValue | undefined {
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type)) return text
  if (DataType.isBool(type)) return /^true$/i.test(text) ? true : /^false$/i.test(text) ? false : undefined
  if (DataType.isInt(type)) {
    const { bitWidth, isSigned } = type as { bitWidth: number; isSigned: boolean }
    if (!/^[+-]?\d+$/.test(text)) return undefined
    const value = BigInt(text.replace('+', ''))
    const kept = isSigned ? BigInt.asIntN(bitWidth, value) : BigInt.asUintN(bitWidth, value)
    if (kept !== value) return undefined
    return bitWidth === 64 ? value : Number(value)
  }
  if (DataType.isDate(type)) {
    const days = parseDate(text)
    if (days === undefined || (type as { unit: DateUnit }).unit === DateUnit.DAY) return days
    return BigInt(days) * 86_400_000n
  }
  if (DataType.isTimestamp(type)) return parseTimestamp(type as Timestamp, text)
  return parseDecimal(type as Decimal, text)
}

function parseAt(field: Field, text: string | null, key: string): PartitionValue {
  try {
    return parsePartitionValue(field.type, text, field.name)
  } catch (error) {
    throw error instanceof SluiceError ? error.within({ file: key }) : error
  }
}

function unfit(type: DataType, column: string | undefined): SluiceError {
  return new SluiceError('schema', `a column of type ${type} cannot be a partition key`, {
    ...(column === undefined ? {} : { column }),
    hint: 'Derive a text, integer, date or timestamp column from it and partition by that.',
  })
}

/** The path's values in the order of `names`; undefined if the names are not the same set. */
function align(path: PartitionKey[], names: string[]): (string | null)[] | undefined {
  if (path.length !== names.length) return undefined
  const ordered: (string | null)[] = []
  for (const [index, name] of names.entries()) {
    const key = path[index]![0] === name ? path[index] : path.find(([other]) => other === name)
    if (key === undefined) return undefined
    ordered.push(key[1])
  }
  return ordered
}

function mismatch(first: string, names: string[], key: string, path: PartitionKey[]): SluiceError {
  const say = (list: string[]) =>
    list.length === 0 ? 'no partition folders' : `the partition columns ${list.join(', ')}`
  return new SluiceError(
    'schema',
    `has ${say(path.map(([name]) => name))}, but '${first}' has ${say(names)}`,
    { file: key, hint: 'Read the folders separately, or bring the files under one layout.' },
  )
}

function isInteger(text: string): boolean {
  if (!/^(?:0|-?[1-9]\d{0,18})$/.test(text)) return false
  const value = BigInt(text)
  return BigInt.asIntN(64, value) === value
}

function isDate(text: string): boolean {
  return /^\d{4}-/.test(text) && text >= '0001' && parseDate(text) !== undefined
}

function parseDate(text: string): number | undefined {
  const parts = /^([+-]?\d{4,6})-(\d\d)-(\d\d)$/.exec(text)
  if (parts === null) return undefined
  const [year, month, day] = [Number(parts[1]), Number(parts[2]), Number(parts[3])]
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day
    ? date.getTime() / 86_400_000
    : undefined
}

function formatDate(days: number): string {
  const date = new Date(days * 86_400_000)
  const year = date.getUTCFullYear()
  if (Number.isNaN(year)) {
    throw new SluiceError('unsupported', `the date ${days} days after 1970-01-01 has no calendar form`)
  }
  const digits = `${year < 0 ? '-' : ''}${String(Math.abs(year)).padStart(4, '0')}`
  return `${digits}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`
}

/** Units of a timestamp in a second, and how many digits their fraction has. */
function resolution(type: Timestamp): { perSecond: bigint; digits: number } {
  const digits = {
    [TimeUnit.SECOND]: 0,
    [TimeUnit.MILLISECOND]: 3,
    [TimeUnit.MICROSECOND]: 6,
    [TimeUnit.NANOSECOND]: 9,
  }[type.unit]
  return { perSecond: 10n ** BigInt(digits), digits }
}

function formatTimestamp(type: Timestamp, value: bigint): string {
  const { perSecond, digits } = resolution(type)
  const fraction = ((value % perSecond) + perSecond) % perSecond
  const seconds = Number((value - fraction) / perSecond)
  const days = Math.floor(seconds / 86_400)
  const inDay = seconds - days * 86_400
  const time = `${two(Math.floor(inDay / 3600))}:${two(Math.floor(inDay / 60) % 60)}:${two(inDay % 60)}`
  const rest = fraction === 0n ? '' : `.${String(fraction).padStart(digits, '0')}`
  return `${formatDate(days)} ${time}${rest}${type.timezone ? 'Z' : ''}`
}

function parseTimestamp(type: Timestamp, text: string): bigint | undefined {
  const parts = /^([^T ]+)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d(?::?\d\d)?)?)?$/.exec(
    text,
  )
  const days = parts === null ? undefined : parseDate(parts[1]!)
  if (parts === null || days === undefined) return undefined
  const [hour, minute, second] = [Number(parts[2] ?? 0), Number(parts[3] ?? 0), Number(parts[4] ?? 0)]
  if (hour > 23 || minute > 59 || second > 59) return undefined
  const { perSecond, digits } = resolution(type)
  const fraction = (parts[5] ?? '').padEnd(digits, '0')
  if (/[1-9]/.test(fraction.slice(digits))) return undefined
  const seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offsetSeconds(parts[6])
  return BigInt(seconds) * perSecond + BigInt(fraction.slice(0, digits) || 0)
}

function offsetSeconds(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z') return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3).replace(':', '') || 0)
  return (zone.startsWith('-') ? -60 : 60) * minutes
}

function formatDecimal(value: bigint, scale: number): string {
  if (scale <= 0) return String(value * 10n ** BigInt(-scale))
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0')
  return `${value < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

function parseDecimal(type: Decimal, text: string): bigint | undefined {
  const parts = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(text)
  if (parts === null || `${parts[2]}${parts[3] ?? ''}` === '') return undefined
  const scale = Math.max(type.scale, 0)
  const fraction = (parts[3] ?? '').replace(/0+$/, '')
  if (fraction.length > scale) return undefined
  const unscaled = BigInt(`${parts[2]}${fraction.padEnd(scale, '0')}` || '0')
  const value = type.scale < 0 ? unscaled / 10n ** BigInt(-type.scale) : unscaled
  if (type.scale < 0 && value * 10n ** BigInt(-type.scale) !== unscaled) return undefined
  if (value >= 10n ** BigInt(type.precision)) return undefined
  return parts[1] === '-' ? -value : value
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
