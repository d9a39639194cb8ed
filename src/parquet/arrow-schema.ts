import {
  Binary,
  Bool,
  type DataType,
  DateDay,
  Decimal,
  Field,
  FixedSizeBinary,
  Float16,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  List,
  Map_,
  Null,
  Schema,
  Struct,
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
import { located, SluiceError } from '../core/errors.ts'
import type { FileMetadata, LogicalType, SchemaElement } from './metadata.ts'
import { type SchemaNode, schemaTree } from './schema-tree.ts'

/** Key of a field's metadata: the Parquet annotation that its Arrow type does not say, such as `UUID`. */
export const LOGICAL_TYPE_KEY = 'PARQUET:logicalType'

/**
 * The Arrow schema of a file: its top-level columns with the types of their values (an encoding such as
 * `Dictionary` is none). Annotations without an Arrow type are kept in the field's metadata. The file's own
 * key-value metadata becomes the schema's, without Arrow's serialised schema.
 */
export function arrowSchema(metadata: FileMetadata, file?: string): Schema {
  try {
    const fields = schemaTree(metadata.schema).children.map(toField)
    return new Schema(fields, new Map(metadata.keyValueMetadata.filter(([key]) => key !== 'ARROW:schema')))
  } catch (error) {
    throw located(error, 'corrupt', file === undefined ? {} : { file })
  }
}

/** Ordinals of the leaves below the top-level columns of these names, in the order of the names. */
export function leavesOf(metadata: FileMetadata, names: readonly string[]): number[] {
  const roots = schemaTree(metadata.schema).children
  return names.flatMap(name => {
    const { firstLeaf, endLeaf } = topLevel(roots, name)
    return Array.from({ length: endLeaf - firstLeaf }, (_, index) => firstLeaf + index)
  })
}

/** The top-level column of that name; the first, if there are several. */
export function topLevel(roots: readonly SchemaNode[], name: string): SchemaNode {
  const node = roots.find(({ element }) => element.name === name)
  if (node === undefined) throw new SluiceError('schema', 'the file has no such column', { column: name })
  return node
}

/** The field of a column or of a nested node, repetition included. */
export function toField(node: SchemaNode): Field {
  const { element } = node
  if (element.repetition !== 'REPEATED') return valueField(node)
  // A repeated field outside of an annotated list is a list of required values.
  return new Field(element.name, new List(requiredField(node)), false)
}

function valueField(node: SchemaNode): Field {
  const { element } = node
  const type = element.type === undefined ? groupType(node) : leafType(element)
  return new Field(element.name, type, element.repetition !== 'REQUIRED', annotation(element))
}

function requiredField(node: SchemaNode): Field {
  const { name, type, metadata } = valueField(node)
  return new Field(name, type, false, metadata)
}

function annotation(element: SchemaElement): Map<string, string> {
  const kept = KEPT.has(element.logicalType?.type ?? '')
    ? element.logicalType?.type
    : KEPT.has(element.convertedType ?? '')
      ? element.convertedType
      : undefined
  return new Map(kept === undefined ? [] : [[LOGICAL_TYPE_KEY, kept]])
}

/** Annotations that no Arrow type says. */
const KEPT: ReadonlySet<string> = new Set(['JSON', 'BSON', 'ENUM', 'UUID', 'INTERVAL'])

function groupType(node: SchemaNode): DataType {
  const { element, children } = node
  const annotated = element.logicalType?.type ?? element.convertedType
  const only = children.length === 1 ? children[0]! : undefined
  if (only?.element.repetition === 'REPEATED') {
    if (annotated === 'LIST') return new List(listElement(element, only))
    if ((annotated === 'MAP' || annotated === 'MAP_KEY_VALUE') && only.children.length === 2) {
      const [key, value] = only.children.map(toField)
      const required = new Field(key!.name, key!.type, false, key!.metadata)
      const entries = new Struct<{ key: DataType; value: DataType }>([required, value!])
      return new Map_(new Field(only.element.name, entries, false), false)
    }
    if (annotated === 'MAP' && only.children.length === 1) return new List(requiredField(only.children[0]!))
  }
  return new Struct(children.map(toField))
}

/** LogicalTypes.md, "Lists", backward-compatibility rules. */
function listElement(list: SchemaElement, repeated: SchemaNode): Field {
  const { element, children } = repeated
  const isElement = children.length !== 1 || element.name === 'array' || element.name === `${list.name}_tuple`
  if (isElement) return requiredField(repeated)
  return toField(children[0]!)
}

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
