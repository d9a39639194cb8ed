import { SluiceError } from '../core/errors.ts'
import type { LogicalType, SchemaElement, TimeUnit } from './metadata.ts'
import {
  CONVERTED_TYPES,
  PHYSICAL_TYPES,
  PLAIN_LOGICAL_TYPES,
  REPETITIONS,
  TIME_UNITS,
} from './thrift-enums.ts'
import { type ThriftReader, ThriftType } from './thrift-reader.ts'

/** Reads the struct `SchemaElement` of parquet.thrift. */
export function readSchemaElement(reader: ThriftReader): SchemaElement {
  const element: SchemaElement = { name: '' }
  let isNamed = false
  reader.struct((id, type) => {
    if (type === ThriftType.I32) {
      if (id === 1) element.type = named(PHYSICAL_TYPES, reader.i32(), 'physical type')
      else if (id === 2) element.typeLength = reader.i32()
      else if (id === 3) element.repetition = named(REPETITIONS, reader.i32(), 'repetition')
      else if (id === 5) element.numChildren = reader.i32()
      else if (id === 6) {
        const converted = CONVERTED_TYPES[reader.i32()]
        if (converted !== undefined) element.convertedType = converted
      } else if (id === 7) element.scale = reader.i32()
      else if (id === 8) element.precision = reader.i32()
      else if (id === 9) element.fieldId = reader.i32()
      else return false
    } else if (id === 4 && type === ThriftType.BINARY) {
      element.name = reader.string()
      isNamed = true
    } else if (id === 10 && type === ThriftType.STRUCT) {
      const logical = logicalType(reader)
      if (logical !== undefined) element.logicalType = logical
    } else return false
  })
  if (!isNamed) throw new SluiceError('corrupt', 'the schema has an element without a name')
  return element
}

function logicalType(reader: ThriftReader): LogicalType | undefined {
  let logical: LogicalType | undefined
  reader.struct((id, type) => {
    if (type !== ThriftType.STRUCT) return false
    const plain = LOGICAL_TYPES_BY_ID.get(id)
    if (plain !== undefined) {
      logical = { type: plain }
      return false
    }
    if (id === 5) logical = decimalType(reader)
    else if (id === 7 || id === 8) logical = timeType(reader, id === 7 ? 'TIME' : 'TIMESTAMP')
    else if (id === 10) logical = integerType(reader)
    else {
      logical = { type: 'OTHER', id }
      return false
    }
  })
  return logical
}

function decimalType(reader: ThriftReader): LogicalType {
  let scale = 0
  let precision = 0
  reader.struct((id, type) => {
    if (type !== ThriftType.I32) return false
    if (id === 1) scale = reader.i32()
    else if (id === 2) precision = reader.i32()
    else return false
  })
  return { type: 'DECIMAL', scale, precision }
}

function timeType(reader: ThriftReader, name: 'TIME' | 'TIMESTAMP'): LogicalType {
  let isAdjustedToUTC = false
  let unit: TimeUnit | undefined
  reader.struct((id, type) => {
    if (id === 1) isAdjustedToUTC = reader.bool(type)
    else if (id === 2 && type === ThriftType.STRUCT) {
      reader.struct(unitId => {
        unit = UNITS_BY_ID.get(unitId)
        return false
      })
    } else return false
  })
  if (unit === undefined) throw new SluiceError('corrupt', `the footer has a ${name} without a unit`)
  return { type: name, isAdjustedToUTC, unit }
}

function integerType(reader: ThriftReader): LogicalType {
  let bitWidth = 0
  let isSigned = true
  reader.struct((id, type) => {
    if (id === 1 && type === ThriftType.BYTE) bitWidth = reader.i8()
    else if (id === 2) isSigned = reader.bool(type)
    else return false
  })
  if (bitWidth !== 8 && bitWidth !== 16 && bitWidth !== 32 && bitWidth !== 64) {
    throw new SluiceError('corrupt', `the footer has an integer of ${bitWidth} bits`)
  }
  return { type: 'INTEGER', bitWidth, isSigned }
}

/** The name of an enum's value; one that this version does not know is an error. */
export function named<T>(
  names: readonly (T | undefined)[],
  value: number,
  what: string,
  code: 'corrupt' | 'unsupported' = 'corrupt',
): T {
  const name = names[value]
  if (name === undefined) throw new SluiceError(code, `the footer has an unknown ${what}: ${value}`)
  return name
}

const LOGICAL_TYPES_BY_ID: ReadonlyMap<number, keyof typeof PLAIN_LOGICAL_TYPES> =
  byNumber(PLAIN_LOGICAL_TYPES)
const UNITS_BY_ID: ReadonlyMap<number, TimeUnit> = byNumber(TIME_UNITS)

function byNumber<T extends string>(ids: Readonly<Record<T, number>>): Map<number, T> {
  return new Map((Object.keys(ids) as T[]).map(name => [ids[name], name]))
}
