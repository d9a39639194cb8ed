import { DataType, DateUnit, type Field, Precision, TimeUnit } from 'apache-arrow'
import { SluiceError } from '../core/errors.ts'
import type { Kernels } from '../core/kernels/kernels.ts'
import { DECIMAL_BYTES_KEY, INT96_KEY, LOGICAL_TYPE_KEY } from './field-metadata.ts'
import type {
  ConvertedType,
  LogicalType,
  TimeUnit as ParquetTimeUnit,
  PhysicalType,
  SchemaElement,
} from './metadata.ts'

/** How values compare, and what their statistics look like. */
export type ValueOrder =
  | 'boolean'
  | 'i32'
  | 'u32'
  | 'i64'
  | 'u64'
  | 'f16'
  | 'f32'
  | 'f64'
  /** Unsigned bytes. */
  | 'bytes'
  /** UTF-8, which sorts as its bytes do. */
  | 'text'
  /** Big-endian two's complement. */
  | 'signed-bytes'
  /** The format defines no order. */
  | 'none'

/**
 * Makes physical values of `count` Arrow values; returns `count`, or the index of the first value that the
 * column's type cannot hold.
 */
export type Conversion = (kernels: Kernels, values: number, count: number, out: number) => number

/** How an Arrow type is stored in Parquet: the leaf's type, and the way from Arrow's values to physical ones. */
export interface LeafType {
  /** Type, length and annotations; name and repetition are the field's. */
  element: Omit<SchemaElement, 'name'>
  /**
   * `fixed`: values of a fixed width, side by side; `bytes`: offsets into data, spans in the arena; `boolean`:
   * bits, bytes of 0 and 1 in the arena; `null`: nothing.
   */
  layout: 'fixed' | 'bytes' | 'boolean' | 'null'
  /** Bytes of an Arrow value. */
  arrowWidth: number
  /** Bytes of a physical value in the arena; 8 for spans. */
  width: number
  /** Bytes per offset of `bytes`. */
  offsetWidth: 4 | 8
  convert?: Conversion
  order: ValueOrder
}

/** Whether the format knows bloom filters of such a column: all but those of booleans and of nothing but nulls. */
export function hasBloomFilter({ layout }: LeafType): boolean {
  return layout === 'fixed' || layout === 'bytes'
}

/** The leaf of a field of values (not of a dictionary); `unsupported` for what has no place in flat Parquet. */
export function leafType(field: Field): LeafType {
  let leaf = leaves.get(field)
  if (leaf === undefined) leaves.set(field, (leaf = annotated(field, plainLeaf(field))))
  return leaf
}

/** Every column chunk asks. */
const leaves = new WeakMap<Field, LeafType>()

function plainLeaf(field: Field): LeafType {
  const type: DataType = field.type
  if (DataType.isNull(type)) {
    return { ...fixed('INT32', 4, 'i32', { type: 'UNKNOWN' }), layout: 'null' }
  }
  if (DataType.isBool(type)) return { ...fixed('BOOLEAN', 1, 'boolean'), layout: 'boolean' }
  if (DataType.isInt(type)) return integer(type.bitWidth, type.isSigned)
  if (DataType.isFloat(type)) {
    if (type.precision === Precision.DOUBLE) return fixed('DOUBLE', 8, 'f64')
    if (type.precision === Precision.SINGLE) return fixed('FLOAT', 4, 'f32')
    return fixed('FIXED_LEN_BYTE_ARRAY', 2, 'f16', { type: 'FLOAT16' })
  }
  if (DataType.isUtf8(type)) return bytes('text', 4, { type: 'STRING' })
  if (DataType.isLargeUtf8(type)) return bytes('text', 8, { type: 'STRING' })
  if (DataType.isBinary(type)) return bytes('bytes', 4)
  if (DataType.isLargeBinary(type)) return bytes('bytes', 8)
  if (DataType.isFixedSizeBinary(type) && type.byteWidth > 0) {
    return fixed('FIXED_LEN_BYTE_ARRAY', type.byteWidth, 'bytes')
  }
  if (DataType.isDecimal(type)) {
    const bytes = Number(field.metadata.get(DECIMAL_BYTES_KEY) ?? 0)
    return decimal(type.precision, type.scale, type.bitWidth / 8, bytes)
  }
  if (DataType.isDate(type)) {
    const days = fixed('INT32', 4, 'i32', { type: 'DATE' })
    if (type.unit === DateUnit.DAY) return days
    return { ...days, arrowWidth: 8, convert: (k, values, count, out) => k.daysOfMillis(values, count, out) }
  }
  if (DataType.isTime(type)) return time(type.unit)
  if (DataType.isTimestamp(type)) {
    if (type.unit === TimeUnit.NANOSECOND && field.metadata.has(INT96_KEY)) return INT96
    return timestamp(type.unit, typeof type.timezone === 'string')
  }
  throw new SluiceError('unsupported', `values of type ${type} cannot be written`, {
    column: field.name,
    hint: 'Cast the column, or leave it out.',
  })
}

/** Annotated with a logical type; the older converted type goes with it where the format has one. */
function fixed(type: PhysicalType, width: number, order: ValueOrder, logicalType?: LogicalType): LeafType {
  const element: LeafType['element'] = { type }
  if (type === 'FIXED_LEN_BYTE_ARRAY') element.typeLength = width
  if (logicalType !== undefined) {
    element.logicalType = logicalType
    const convertedType = convertedTypeOf(logicalType)
    if (convertedType !== undefined) element.convertedType = convertedType
    if (logicalType.type === 'DECIMAL') {
      element.scale = logicalType.scale
      element.precision = logicalType.precision
    }
  }
  return { element, layout: 'fixed', arrowWidth: width, width, offsetWidth: 4, order }
}

function bytes(order: ValueOrder, offsetWidth: 4 | 8, logicalType?: LogicalType): LeafType {
  return { ...fixed('BYTE_ARRAY', 8, order, logicalType), layout: 'bytes', offsetWidth }
}

function integer(bitWidth: 8 | 16 | 32 | 64, isSigned: boolean): LeafType {
  const logicalType: LogicalType = { type: 'INTEGER', bitWidth, isSigned }
  if (bitWidth === 64) {
    return isSigned ? fixed('INT64', 8, 'i64') : fixed('INT64', 8, 'u64', logicalType)
  }
  if (bitWidth === 32) {
    return isSigned ? fixed('INT32', 4, 'i32') : fixed('INT32', 4, 'u32', logicalType)
  }
  return {
    ...fixed('INT32', 4, 'i32', logicalType),
    arrowWidth: bitWidth / 8,
    convert: (k, values, count, out) => {
      k.widen(values, bitWidth / 8, isSigned, count, out)
      return count
    },
  }
}

/** In so many bytes as the field asks for, if they hold the precision; else in the narrowest type that does. */
function decimal(precision: number, scale: number, arrowWidth: number, asked: number): LeafType {
  const logicalType: LogicalType = { type: 'DECIMAL', precision, scale }
  const needed = Math.ceil((precision * Math.log2(10) + 1) / 8)
  const fits = Number.isInteger(asked) && asked >= needed && asked <= arrowWidth
  const reverse = fits || precision > 18
  const leaf = reverse
    ? fixed('FIXED_LEN_BYTE_ARRAY', fits ? asked : needed, 'signed-bytes', logicalType)
    : precision <= 9
      ? fixed('INT32', 4, 'i32', logicalType)
      : fixed('INT64', 8, 'i64', logicalType)
  return {
    ...leaf,
    arrowWidth,
    convert: (k, values, count, out) => k.cutDecimal(values, arrowWidth, count, leaf.width, reverse, out),
  }
}

/** Parquet has no seconds: they become milliseconds. Arrow's times of day belong to no time zone. */
function time(unit: TimeUnit): LeafType {
  const logicalType: LogicalType = { type: 'TIME', isAdjustedToUTC: false, unit: parquetUnit(unit) }
  if (unit === TimeUnit.MICROSECOND || unit === TimeUnit.NANOSECOND) {
    return fixed('INT64', 8, 'i64', logicalType)
  }
  const leaf = fixed('INT32', 4, 'i32', logicalType)
  if (unit === TimeUnit.MILLISECOND) return leaf
  return { ...leaf, convert: (k, values, count, out) => k.scale32(values, count, 1000, out) }
}

function timestamp(unit: TimeUnit, isAdjustedToUTC: boolean): LeafType {
  const leaf = fixed('INT64', 8, 'i64', { type: 'TIMESTAMP', isAdjustedToUTC, unit: parquetUnit(unit) })
  if (unit !== TimeUnit.SECOND) return leaf
  return { ...leaf, convert: (k, values, count, out) => k.scale64(values, count, 1000, out) }
}

/** The format defines no order for it. */
const INT96: LeafType = {
  ...fixed('INT96', 12, 'none'),
  arrowWidth: 8,
  convert: (k, values, count, out) => {
    k.nanosecondsToInt96(values, count, out)
    return count
  },
}

function parquetUnit(unit: TimeUnit): ParquetTimeUnit {
  return unit === TimeUnit.NANOSECOND ? 'NANOS' : unit === TimeUnit.MICROSECOND ? 'MICROS' : 'MILLIS'
}

/** By "Compatibility" in LogicalTypes.md: local times and nanoseconds had no converted type. */
function convertedTypeOf(logical: LogicalType): ConvertedType | undefined {
  switch (logical.type) {
    case 'STRING':
      return 'UTF8'
    case 'ENUM':
    case 'JSON':
    case 'BSON':
    case 'DATE':
    case 'DECIMAL':
      return logical.type
    case 'INTEGER':
      return `${logical.isSigned ? 'INT' : 'UINT'}_${logical.bitWidth}`
    case 'TIME':
    case 'TIMESTAMP':
      if (!logical.isAdjustedToUTC || logical.unit === 'NANOS') return undefined
      return `${logical.type}_${logical.unit}`
    default:
      return undefined
  }
}

/** With what the field's metadata says beyond Arrow's types; anything that does not fit the type is left aside. */
function annotated(field: Field, leaf: LeafType): LeafType {
  const name = field.metadata.get(LOGICAL_TYPE_KEY)
  const { layout, element } = leaf
  if (layout === 'bytes') {
    if (name === 'ENUM' || name === 'JSON') return bytes('text', leaf.offsetWidth, { type: name })
    if (name === 'BSON') return bytes('bytes', leaf.offsetWidth, { type: name })
  } else if (element.type === 'FIXED_LEN_BYTE_ARRAY' && element.logicalType === undefined) {
    if (name === 'UUID' && element.typeLength === 16) {
      return fixed('FIXED_LEN_BYTE_ARRAY', 16, 'bytes', { type: name })
    }
    if (name === 'INTERVAL' && element.typeLength === 12) {
      return { ...leaf, element: { ...element, convertedType: name }, order: 'none' }
    }
  }
  return leaf
}
