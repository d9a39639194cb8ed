import { located, SluiceError } from '../core/errors.ts'
import type {
  Codec,
  ColumnChunkMetadata,
  ConvertedType,
  Encoding,
  FileMetadata,
  LogicalType,
  PhysicalType,
  Repetition,
  RowGroupMetadata,
  SchemaElement,
  SortingColumn,
  Statistics,
  TimeUnit,
} from './metadata.ts'
import { columnDescriptors } from './schema-tree.ts'
import { ThriftReader, ThriftType } from './thrift-reader.ts'

/** Bytes from the end of a file to fetch first: most footers are smaller. */
export const FOOTER_TAIL: number = 64 * 1024

const MAGIC = 0x31524150 // 'PAR1', little-endian
const ENCRYPTED_MAGIC = 0x45524150 // 'PARE'
/** Length of the footer and magic. */
const TRAILER = 8

/**
 * Reads a file's footer from its last bytes. If they are too few, `need` says how many to fetch from the end
 * before calling again. A file that is not Parquet, or whose footer is damaged, is `corrupt`; an encrypted one
 * is `unsupported`.
 */
export function readFooter(
  tail: Uint8Array,
  fileSize: number,
  file: string,
): { metadata: FileMetadata } | { need: number } {
  if (fileSize < TRAILER + 4) {
    throw new SluiceError('corrupt', `not a Parquet file: it has ${fileSize} bytes`, { file })
  }
  if (tail.length < TRAILER) return { need: Math.min(FOOTER_TAIL, fileSize) }
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength)
  const magic = view.getUint32(tail.length - 4, true)
  if (magic === ENCRYPTED_MAGIC) {
    throw new SluiceError('unsupported', 'the file is encrypted, which Sluice cannot read', { file })
  }
  if (magic !== MAGIC) {
    throw new SluiceError('corrupt', "not a Parquet file: it does not end in 'PAR1'", { file })
  }
  const length = view.getUint32(tail.length - TRAILER, true)
  if (length + TRAILER + 4 > fileSize) {
    throw new SluiceError('corrupt', `the footer claims ${length} bytes of a file of ${fileSize}`, { file })
  }
  if (length + TRAILER > tail.length) return { need: length + TRAILER }
  const end = tail.length - TRAILER
  try {
    const metadata = fileMetadata(new ThriftReader(tail, end - length, end))
    check(metadata, fileSize)
    return { metadata }
  } catch (error) {
    throw located(error, 'corrupt', { file })
  }
}

function fileMetadata(reader: ThriftReader): FileMetadata {
  const metadata: FileMetadata = {
    version: 0,
    schema: [],
    columns: [],
    numRows: -1,
    rowGroups: [],
    keyValueMetadata: [],
    hasColumnOrders: false,
  }
  reader.struct((id, type) => {
    if (id === 1 && type === ThriftType.I32) metadata.version = reader.i32()
    else if (id === 2 && type === ThriftType.LIST) {
      metadata.schema = reader.list(ThriftType.STRUCT, () => schemaElement(reader))
    } else if (id === 3 && type === ThriftType.I64) metadata.numRows = reader.i64()
    else if (id === 4 && type === ThriftType.LIST) {
      metadata.rowGroups = reader.list(ThriftType.STRUCT, () => rowGroup(reader))
    } else if (id === 5 && type === ThriftType.LIST) metadata.keyValueMetadata = keyValues(reader)
    else if (id === 6 && type === ThriftType.BINARY) metadata.createdBy = reader.string()
    else if (id === 7 && type === ThriftType.LIST) {
      metadata.hasColumnOrders = true
      return false
    } else return false
    return
  })
  metadata.columns = columnDescriptors(metadata.schema)
  return metadata
}

/** What every later step relies on: chunks that match the leaves, and sizes within the file. */
function check(metadata: FileMetadata, fileSize: number): void {
  if (metadata.numRows < 0) throw new SluiceError('corrupt', 'the footer has no number of rows')
  let rows = 0
  metadata.rowGroups.forEach((group, rowGroup) => {
    if (group.columns.length !== metadata.columns.length) {
      const reason = `${group.columns.length} column chunks for ${metadata.columns.length} columns`
      throw new SluiceError('corrupt', reason, { rowGroup })
    }
    if (group.numRows < 0) throw new SluiceError('corrupt', `it claims ${group.numRows} rows`, { rowGroup })
    rows += group.numRows
    group.columns.forEach((chunk, index) => {
      const { path, element } = metadata.columns[index]!
      const context = { rowGroup, column: path.join('.') }
      if (chunk.encrypted === true) return
      if (chunk.type !== element.type) {
        throw new SluiceError(
          'corrupt',
          `the chunk is ${chunk.type}, the schema says ${element.type}`,
          context,
        )
      }
      const first = Math.min(chunk.dataPageOffset, chunk.dictionaryPageOffset || chunk.dataPageOffset)
      const size = chunk.totalCompressedSize
      if (first < 0 || size < 0 || first + size > fileSize || chunk.numValues < 0) {
        const reason = `the chunk claims ${size} bytes at ${first} of a file of ${fileSize}`
        throw new SluiceError('corrupt', reason, context)
      }
    })
  })
  // Some writers leave the file's own count at 0; the row groups are what is read.
  metadata.numRows = rows
}

function schemaElement(reader: ThriftReader): SchemaElement {
  const element: SchemaElement = { name: '' }
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
    } else if (id === 4 && type === ThriftType.BINARY) element.name = reader.string()
    else if (id === 10 && type === ThriftType.STRUCT) {
      const logical = logicalType(reader)
      if (logical !== undefined) element.logicalType = logical
    } else return false
    return
  })
  return element
}

function logicalType(reader: ThriftReader): LogicalType | undefined {
  let logical: LogicalType | undefined
  reader.struct((id, type) => {
    if (type !== ThriftType.STRUCT) return false
    const plain = PLAIN_LOGICAL_TYPES[id]
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
    return
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
    return
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
        unit = TIME_UNITS[unitId]
        return false
      })
    } else return false
    return
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
    return
  })
  if (bitWidth !== 8 && bitWidth !== 16 && bitWidth !== 32 && bitWidth !== 64) {
    throw new SluiceError('corrupt', `the footer has an integer of ${bitWidth} bits`)
  }
  return { type: 'INTEGER', bitWidth, isSigned }
}

function rowGroup(reader: ThriftReader): RowGroupMetadata {
  const group: RowGroupMetadata = { columns: [], totalByteSize: 0, numRows: -1 }
  reader.struct((id, type) => {
    if (id === 1 && type === ThriftType.LIST) {
      group.columns = reader.list(ThriftType.STRUCT, () => columnChunk(reader))
    } else if (id === 2 && type === ThriftType.I64) group.totalByteSize = reader.i64()
    else if (id === 3 && type === ThriftType.I64) group.numRows = reader.i64()
    else if (id === 4 && type === ThriftType.LIST) {
      group.sortingColumns = reader.list(ThriftType.STRUCT, () => sortingColumn(reader))
    } else if (id === 6 && type === ThriftType.I64) group.totalCompressedSize = reader.i64()
    else return false
    return
  })
  return group
}

function sortingColumn(reader: ThriftReader): SortingColumn {
  const column: SortingColumn = { columnIndex: 0, descending: false, nullsFirst: false }
  reader.struct((id, type) => {
    if (id === 1 && type === ThriftType.I32) column.columnIndex = reader.i32()
    else if (id === 2) column.descending = reader.bool(type)
    else if (id === 3) column.nullsFirst = reader.bool(type)
    else return false
    return
  })
  return column
}

function columnChunk(reader: ThriftReader): ColumnChunkMetadata {
  const chunk: ColumnChunkMetadata = {
    type: 'INT32',
    encodings: [],
    path: [],
    codec: 'UNCOMPRESSED',
    numValues: -1,
    totalUncompressedSize: 0,
    totalCompressedSize: -1,
    dataPageOffset: -1,
  }
  let hasMetadata = false
  reader.struct((id, type) => {
    if (id === 1 && type === ThriftType.BINARY) chunk.filePath = reader.string()
    else if (id === 3 && type === ThriftType.STRUCT) {
      chunkMetadata(reader, chunk)
      hasMetadata = true
    } else if (id === 4 && type === ThriftType.I64) chunk.offsetIndexOffset = reader.i64()
    else if (id === 5 && type === ThriftType.I32) chunk.offsetIndexLength = reader.i32()
    else if (id === 6 && type === ThriftType.I64) chunk.columnIndexOffset = reader.i64()
    else if (id === 7 && type === ThriftType.I32) chunk.columnIndexLength = reader.i32()
    else if (id === 8 || id === 9) {
      chunk.encrypted = true
      return false
    } else return false
    return
  })
  if (!hasMetadata && chunk.encrypted !== true) {
    throw new SluiceError('corrupt', 'the footer has a column chunk without metadata')
  }
  return chunk
}

function chunkMetadata(reader: ThriftReader, chunk: ColumnChunkMetadata): void {
  reader.struct((id, type) => {
    if (type === ThriftType.I64) {
      if (id === 5) chunk.numValues = reader.i64()
      else if (id === 6) chunk.totalUncompressedSize = reader.i64()
      else if (id === 7) chunk.totalCompressedSize = reader.i64()
      else if (id === 9) chunk.dataPageOffset = reader.i64()
      else if (id === 11) chunk.dictionaryPageOffset = reader.i64()
      else if (id === 14) chunk.bloomFilterOffset = reader.i64()
      else return false
    } else if (type === ThriftType.I32) {
      if (id === 1) chunk.type = named(PHYSICAL_TYPES, reader.i32(), 'physical type')
      else if (id === 4) chunk.codec = named(CODECS, reader.i32(), 'codec', 'unsupported')
      else if (id === 15) chunk.bloomFilterLength = reader.i32()
      else return false
    } else if (type === ThriftType.LIST) {
      if (id === 2) {
        // Only for information: pages say their own encoding.
        chunk.encodings = reader
          .list(ThriftType.I32, () => ENCODINGS[reader.i32()])
          .filter(encoding => encoding !== undefined)
      } else if (id === 3) chunk.path = reader.list(ThriftType.BINARY, () => reader.string())
      else if (id === 8) chunk.keyValueMetadata = keyValues(reader)
      else return false
    } else if (id === 12 && type === ThriftType.STRUCT) chunk.statistics = statistics(reader, chunk.type)
    else return false
    return
  })
}

/**
 * `min` and `max` (fields 1 and 2) were written before orders were defined: they hold where the order is the
 * signed one of the physical type, whichever writer it was.
 */
function statistics(reader: ThriftReader, type: PhysicalType): Statistics {
  const result: Statistics = {}
  const deprecated: { min?: Uint8Array; max?: Uint8Array } = {}
  reader.struct((id, wire) => {
    if (wire === ThriftType.BINARY) {
      if (id === 1) deprecated.max = reader.binary()
      else if (id === 2) deprecated.min = reader.binary()
      else if (id === 5) result.max = reader.binary()
      else if (id === 6) result.min = reader.binary()
      else return false
    } else if (wire === ThriftType.I64) {
      if (id === 3) result.nullCount = reader.i64()
      else if (id === 4) result.distinctCount = reader.i64()
      else return false
    } else if (id === 7) result.isMaxExact = reader.bool(wire)
    else if (id === 8) result.isMinExact = reader.bool(wire)
    else return false
    return
  })
  if (result.min === undefined && result.max === undefined && SIGNED_ORDER.has(type)) {
    Object.assign(result, deprecated)
  }
  return result
}

function keyValues(reader: ThriftReader): [string, string][] {
  return reader.list(ThriftType.STRUCT, () => {
    const pair: [string, string] = ['', '']
    reader.struct((id, type) => {
      if (type !== ThriftType.BINARY || (id !== 1 && id !== 2)) return false
      pair[id - 1] = reader.string()
      return
    })
    return pair
  })
}

function named<T>(
  names: readonly (T | undefined)[],
  value: number,
  what: string,
  code: 'corrupt' | 'unsupported' = 'corrupt',
): T {
  const name = names[value]
  if (name === undefined) throw new SluiceError(code, `the footer has an unknown ${what}: ${value}`)
  return name
}

const SIGNED_ORDER: ReadonlySet<PhysicalType> = new Set(['BOOLEAN', 'INT32', 'INT64', 'FLOAT', 'DOUBLE'])

const PHYSICAL_TYPES: readonly PhysicalType[] = [
  'BOOLEAN',
  'INT32',
  'INT64',
  'INT96',
  'FLOAT',
  'DOUBLE',
  'BYTE_ARRAY',
  'FIXED_LEN_BYTE_ARRAY',
]

const REPETITIONS: readonly Repetition[] = ['REQUIRED', 'OPTIONAL', 'REPEATED']

const CODECS: readonly Codec[] = ['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'LZO', 'BROTLI', 'LZ4', 'ZSTD', 'LZ4_RAW']

/** By number; 1 was never used. */
export const ENCODINGS: readonly (Encoding | undefined)[] = [
  'PLAIN',
  undefined,
  'PLAIN_DICTIONARY',
  'RLE',
  'BIT_PACKED',
  'DELTA_BINARY_PACKED',
  'DELTA_LENGTH_BYTE_ARRAY',
  'DELTA_BYTE_ARRAY',
  'RLE_DICTIONARY',
  'BYTE_STREAM_SPLIT',
]

const CONVERTED_TYPES: readonly ConvertedType[] = [
  'UTF8',
  'MAP',
  'MAP_KEY_VALUE',
  'LIST',
  'ENUM',
  'DECIMAL',
  'DATE',
  'TIME_MILLIS',
  'TIME_MICROS',
  'TIMESTAMP_MILLIS',
  'TIMESTAMP_MICROS',
  'UINT_8',
  'UINT_16',
  'UINT_32',
  'UINT_64',
  'INT_8',
  'INT_16',
  'INT_32',
  'INT_64',
  'JSON',
  'BSON',
  'INTERVAL',
]

const TIME_UNITS: readonly (TimeUnit | undefined)[] = [undefined, 'MILLIS', 'MICROS', 'NANOS']

/** Members of the LogicalType union that have no parameters, by field id. */
const PLAIN_LOGICAL_TYPES: readonly (
  | 'STRING'
  | 'MAP'
  | 'LIST'
  | 'ENUM'
  | 'DATE'
  | 'UNKNOWN'
  | 'JSON'
  | 'BSON'
  | 'UUID'
  | 'FLOAT16'
  | undefined
)[] = [
  undefined,
  'STRING',
  'MAP',
  'LIST',
  'ENUM',
  undefined,
  'DATE',
  undefined,
  undefined,
  undefined,
  undefined,
  'UNKNOWN',
  'JSON',
  'BSON',
  'UUID',
  'FLOAT16',
]
