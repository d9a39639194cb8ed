import {
  type Data,
  DataType,
  type Date_,
  DateUnit,
  type Decimal,
  type Field,
  makeVector,
  type Struct,
  type Time,
  type Timestamp,
  TimeUnit,
} from 'apache-arrow'
import { dictionaryData } from '../core/batch.ts'
import { SluiceError } from '../core/errors.ts'
import { formatDate, formatTimestamp } from '../core/expressions/temporal.ts'
import { decimalText, shortestFloat } from '../core/expressions/value-text.ts'

/** The text of a column's value in a row of the batch. */
export type Cell<T = string> = (row: number) => T

/** Values as text without quotes, `null` for null; nested values as JSON. */
export function plainCells(field: Field, data: Data): Cell<string | null> {
  const scalar = scalarCells(field, data)
  return orNull(data, scalar?.text ?? nestedCells(field, data), null)
}

/**
 * Values as JSON. Integers and decimals are numbers with all their digits, whatever their size; NaN, the
 * infinities, dates and times are strings, bytes strings of base64; a map is an array of `{"key", "value"}`.
 */
export function jsonCells(field: Field, data: Data): Cell {
  const scalar = scalarCells(field, data)
  if (scalar === undefined) return orNull(data, nestedCells(field, data), 'null')
  const { text, bare } = scalar
  return orNull(data, row => (bare(row) ? text(row) : JSON.stringify(text(row))), 'null')
}

/** Parquet annotations that no Arrow type says; the reader leaves them in the field's metadata. */
const LOGICAL_TYPE_KEY = 'PARQUET:logicalType'

interface Scalar {
  text: Cell
  /** Whether the text is JSON as it is; all else is to be quoted. */
  bare: Cell<boolean>
}

const ALWAYS = () => true
const NEVER = () => false

/** Text of the values that are not null; `undefined` for nested types. */
function scalarCells(field: Field, data: Data): Scalar | undefined {
  const { type, values } = data
  if (DataType.isDictionary(type)) return dictionaryCells(field, data)
  if (DataType.isNull(type)) return { text: () => 'null', bare: ALWAYS }
  if (DataType.isBool(type)) {
    const bits = values as Uint8Array
    const bit = (index: number) => (bits[index >> 3]! >> (index & 7)) & 1
    return { text: row => (bit(data.offset + row) ? 'true' : 'false'), bare: ALWAYS }
  }
  if (DataType.isInt(type)) return { text: row => String(values[row]), bare: ALWAYS }
  if (DataType.isFloat(type)) return floatCells(data)
  if (DataType.isDecimal(type)) {
    const { scale } = type as Decimal
    return {
      text: row => decimalText(decimalDigits(values as Uint32Array, data.stride, row), scale),
      bare: ALWAYS,
    }
  }
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type))
    return { text: bytesCells(data, 'utf8'), bare: NEVER }
  if (DataType.isBinary(type) || DataType.isLargeBinary(type)) {
    return { text: bytesCells(data, 'base64'), bare: NEVER }
  }
  if (DataType.isFixedSizeBinary(type)) {
    return { text: fixedCells(data, field.metadata.get(LOGICAL_TYPE_KEY)), bare: NEVER }
  }
  if (DataType.isDate(type)) {
    const days = (type as Date_).unit === DateUnit.DAY
    const text: Cell = days
      ? row => formatDate(values[row])
      : row => formatTimestamp(BigInt(values[row]) * 1_000_000n).replace(' ', 'T')
    return { text, bare: NEVER }
  }
  if (DataType.isTime(type)) {
    const nanos = nanosPer((type as Time).unit)
    return {
      text: row => formatTimestamp(BigInt(values[row]) * nanos).slice('1970-01-01 '.length),
      bare: NEVER,
    }
  }
  if (DataType.isTimestamp(type)) {
    const { unit, timezone } = type as Timestamp
    const nanos = nanosPer(unit)
    const zone = timezone ? 'Z' : ''
    return { text: row => formatTimestamp(BigInt(values[row]) * nanos).replace(' ', 'T') + zone, bare: NEVER }
  }
  return undefined
}

/** A dictionary's texts are made once each. */
function dictionaryCells(field: Field, data: Data): Scalar | undefined {
  const codes = data.values as ArrayLike<number>
  const inner = scalarCells(field, dictionaryData(data))
  if (inner === undefined) return undefined
  const texts: (string | undefined)[] = []
  return {
    text: row => (texts[codes[row]!] ??= inner.text(codes[row]!)),
    bare: row => inner.bare(codes[row]!),
  }
}

function floatCells(data: Data): Scalar {
  const vector = data.values instanceof Uint16Array ? makeVector(data) : undefined
  const single = data.values instanceof Float32Array
  const at = (row: number): number => (vector === undefined ? data.values[row] : vector.get(row))
  return {
    text: row => shortestFloat(at(row), single),
    bare: row => Number.isFinite(at(row)),
  }
}

/** Two's complement of 128 or 256 bits, as `stride` little-endian words. */
function decimalDigits(words: Uint32Array, stride: number, row: number): bigint {
  let value = 0n
  for (let word = stride - 1; word >= 0; word--) value = (value << 32n) | BigInt(words[row * stride + word]!)
  return BigInt.asIntN(stride * 32, value)
}

function bytesCells(data: Data, encoding: 'utf8' | 'base64'): Cell {
  const { buffer, byteOffset, byteLength } = data.values as Uint8Array
  const bytes = Buffer.from(buffer, byteOffset, byteLength)
  const offsets = data.valueOffsets as ArrayLike<number | bigint>
  return row => bytes.toString(encoding, Number(offsets[row]), Number(offsets[row + 1]))
}

function fixedCells(data: Data, annotation: string | undefined): Cell {
  const { buffer, byteOffset, byteLength } = data.values as Uint8Array
  const bytes = Buffer.from(buffer, byteOffset, byteLength)
  const width = data.stride
  if (annotation === 'UUID' && width === 16) {
    return row =>
      bytes.toString('hex', row * 16, row * 16 + 16).replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  }
  if (annotation === 'INTERVAL' && width === 12) {
    const number = (at: number) => bytes.readUInt32LE(at)
    return row => `P${number(row * 12)}M${number(row * 12 + 4)}DT${number(row * 12 + 8) / 1000}S`
  }
  return row => bytes.toString('base64', row * width, row * width + width)
}

/** JSON of nested values that are not null. */
function nestedCells(field: Field, data: Data): Cell {
  const { type, children } = data
  if (DataType.isStruct(type)) {
    const members = (type as Struct).children.map((child, i) => {
      const cell = jsonCells(child, children[i]!)
      const name = JSON.stringify(child.name)
      return (row: number) => `${name}:${cell(row)}`
    })
    return row => `{${members.map(member => member(row)).join(',')}}`
  }
  if (
    DataType.isList(type) ||
    DataType.isLargeList(type) ||
    DataType.isMap(type) ||
    DataType.isFixedSizeList(type)
  ) {
    const item = jsonCells(type.children[0]!, children[0]!)
    const offsets = data.valueOffsets as ArrayLike<number | bigint> | undefined
    const bound = (row: number) => (offsets === undefined ? row * data.stride : Number(offsets[row]))
    return row => {
      const items: string[] = []
      for (let i = bound(row); i < bound(row + 1); i++) items.push(item(i))
      return `[${items.join(',')}]`
    }
  }
  throw new SluiceError('unsupported', `values of type ${type} cannot be written as text`, {
    column: field.name,
  })
}

function orNull<T>(data: Data, cell: Cell, missing: T): Cell<string | T> {
  if (DataType.isNull(data.type)) return () => missing
  if (data.nullCount === 0) return cell
  return row => (data.getValid(row) ? cell(row) : missing)
}

function nanosPer(unit: TimeUnit): bigint {
  return 1000n ** BigInt(TimeUnit.NANOSECOND - unit)
}
