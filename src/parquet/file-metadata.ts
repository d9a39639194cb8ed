import { located, SluiceError } from '../core/errors.ts'
import type {
  ColumnChunkMetadata,
  ColumnDescriptor,
  Encoding,
  FileMetadata,
  PhysicalType,
  RowGroupMetadata,
  SchemaElement,
  SortingColumn,
  Statistics,
} from './metadata.ts'
import { named, readSchemaElement } from './schema-element.ts'
import { columnDescriptors } from './schema-tree.ts'
import { CODECS, ENCODINGS, PHYSICAL_TYPES } from './thrift-enums.ts'
import { type ThriftReader, ThriftType } from './thrift-reader.ts'

/** The schema of the file that was read last: that of most files is, byte by byte, the same. */
export interface SchemaMemo {
  known?: { bytes: Uint8Array; schema: SchemaElement[]; columns: ColumnDescriptor[] }
}

/**
 * Reads the struct `FileMetaData` of parquet.thrift, without looking at whether its numbers make sense. Files read
 * with the same memo share one `schema` and `columns` where theirs are the same.
 */
export function readFileMetadata(reader: ThriftReader, memo: SchemaMemo = {}): FileMetadata {
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
    else if (id === 2 && type === ThriftType.LIST) readSchema(reader, metadata, memo)
    else if (id === 3 && type === ThriftType.I64) metadata.numRows = reader.i64()
    else if (id === 4 && type === ThriftType.LIST) {
      let ordinal = 0
      metadata.rowGroups = reader.list(ThriftType.STRUCT, () => rowGroup(reader, metadata.columns, ordinal++))
    } else if (id === 5 && type === ThriftType.LIST) metadata.keyValueMetadata = keyValues(reader)
    else if (id === 6 && type === ThriftType.BINARY) metadata.createdBy = reader.string()
    else if (id === 7 && type === ThriftType.LIST) {
      metadata.hasColumnOrders = true
      return false
    } else return false
  })
  if (metadata.schema.length === 0) throw new SluiceError('corrupt', 'the footer has no schema')
  return metadata
}

function readSchema(reader: ThriftReader, metadata: FileMetadata, memo: SchemaMemo): void {
  const start = reader.position
  const bytes = reader.raw(ThriftType.LIST)
  if (memo.known === undefined || Buffer.compare(memo.known.bytes, bytes) !== 0) {
    reader.position = start
    const schema = reader.list(ThriftType.STRUCT, () => readSchemaElement(reader))
    memo.known = { bytes: bytes.slice(), schema, columns: columnDescriptors(schema) }
  }
  metadata.schema = memo.known.schema
  metadata.columns = memo.known.columns
}

function rowGroup(
  reader: ThriftReader,
  leaves: readonly ColumnDescriptor[],
  ordinal: number,
): RowGroupMetadata {
  const group: RowGroupMetadata = { columns: [], totalByteSize: 0, numRows: -1 }
  let leaf = 0
  reader.struct((id, type) => {
    if (id === 1 && type === ThriftType.LIST) {
      group.columns = reader.list(ThriftType.STRUCT, () => {
        try {
          return columnChunk(reader)
        } catch (error) {
          const column = leaves[leaf]?.path.join('.')
          throw located(error, 'corrupt', { rowGroup: ordinal, ...(column === undefined ? {} : { column }) })
        } finally {
          leaf++
        }
      })
    } else if (id === 2 && type === ThriftType.I64) group.totalByteSize = reader.i64()
    else if (id === 3 && type === ThriftType.I64) group.numRows = reader.i64()
    else if (id === 4 && type === ThriftType.LIST) {
      group.sortingColumns = reader.list(ThriftType.STRUCT, () => sortingColumn(reader))
    } else if (id === 6 && type === ThriftType.I64) group.totalCompressedSize = reader.i64()
    else return false
  })
  if (group.numRows < 0)
    throw new SluiceError('corrupt', `it claims ${group.numRows} rows`, { rowGroup: ordinal })
  return group
}

function sortingColumn(reader: ThriftReader): SortingColumn {
  const column: SortingColumn = { columnIndex: 0, descending: false, nullsFirst: false }
  reader.struct((id, type) => {
    if (id === 1 && type === ThriftType.I32) column.columnIndex = reader.i32()
    else if (id === 2) column.descending = reader.bool(type)
    else if (id === 3) column.nullsFirst = reader.bool(type)
    else return false
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
  for (let field = reader.field(0); field !== 0; field = reader.field(field)) {
    const id = field >> 4
    const type = field & 15
    if (id === 1 && type === ThriftType.BINARY) chunk.filePath = reader.string()
    else if (id === 3 && type === ThriftType.STRUCT) {
      chunkMetadata(reader, chunk)
      hasMetadata = true
    } else if (id === 4 && type === ThriftType.I64) chunk.offsetIndexOffset = reader.i64()
    else if (id === 5 && type === ThriftType.I32) chunk.offsetIndexLength = reader.i32()
    else if (id === 6 && type === ThriftType.I64) chunk.columnIndexOffset = reader.i64()
    else if (id === 7 && type === ThriftType.I32) chunk.columnIndexLength = reader.i32()
    else {
      if (id === 8 || id === 9) chunk.encrypted = true
      reader.skip(type)
    }
  }
  if (!hasMetadata && chunk.encrypted !== true) {
    throw new SluiceError('corrupt', 'the footer has a column chunk without metadata')
  }
  return chunk
}

/** Without `path_in_schema` (field 3): a chunk is its row group's n-th, as its leaf is the schema's n-th. */
function chunkMetadata(reader: ThriftReader, chunk: ColumnChunkMetadata): void {
  for (let field = reader.field(0); field !== 0; field = reader.field(field)) {
    const id = field >> 4
    const type = field & 15
    if (type === ThriftType.I64) {
      if (id === 5) chunk.numValues = reader.i64()
      else if (id === 6) chunk.totalUncompressedSize = reader.i64()
      else if (id === 7) chunk.totalCompressedSize = reader.i64()
      else if (id === 9) chunk.dataPageOffset = reader.i64()
      else if (id === 11) chunk.dictionaryPageOffset = reader.i64()
      else if (id === 14) chunk.bloomFilterOffset = reader.i64()
      else reader.skip(type)
    } else if (type === ThriftType.I32) {
      if (id === 1) chunk.type = named(PHYSICAL_TYPES, reader.i32(), 'physical type')
      else if (id === 4) chunk.codec = named(CODECS, reader.i32(), 'codec', 'unsupported')
      else if (id === 15) chunk.bloomFilterLength = reader.i32()
      else reader.skip(type)
    } else if (type === ThriftType.LIST && id === 2) chunk.encodings = encodings(reader)
    else if (type === ThriftType.LIST && id === 8) chunk.keyValueMetadata = keyValues(reader)
    else if (type === ThriftType.STRUCT && id === 12) chunk.statistics = statistics(reader, chunk.type)
    else reader.skip(type)
  }
}

/** Only for information: pages say their own encoding. */
function encodings(reader: ThriftReader): Encoding[] {
  const known: Encoding[] = []
  reader.list(ThriftType.I32, () => {
    const encoding = ENCODINGS[reader.i32()]
    if (encoding !== undefined) known.push(encoding)
  })
  return known
}

/**
 * `min` and `max` (fields 1 and 2) were written before orders were defined: they hold where the order is the
 * signed one of the physical type, whichever writer it was.
 */
function statistics(reader: ThriftReader, type: PhysicalType): Statistics {
  const result: Statistics = {}
  let deprecatedMin = -1
  let deprecatedMax = -1
  for (let field = reader.field(0); field !== 0; field = reader.field(field)) {
    const id = field >> 4
    const wire = field & 15
    if (wire === ThriftType.BINARY) {
      if (id === 1) deprecatedMax = reader.position
      else if (id === 2) deprecatedMin = reader.position
      if (id === 5) result.max = reader.binary()
      else if (id === 6) result.min = reader.binary()
      else reader.skip(wire)
    } else if (wire === ThriftType.I64) {
      if (id === 3) result.nullCount = reader.i64()
      else if (id === 4) result.distinctCount = reader.i64()
      else reader.skip(wire)
    } else if (id === 7) result.isMaxExact = reader.bool(wire)
    else if (id === 8) result.isMinExact = reader.bool(wire)
    else reader.skip(wire)
  }
  if (result.min === undefined && result.max === undefined && SIGNED_ORDER.has(type)) {
    if (deprecatedMin >= 0) result.min = reader.binaryAt(deprecatedMin)
    if (deprecatedMax >= 0) result.max = reader.binaryAt(deprecatedMax)
  }
  return result
}

function keyValues(reader: ThriftReader): [string, string][] {
  return reader.list(ThriftType.STRUCT, () => {
    const pair: [string, string] = ['', '']
    let hasKey = false
    reader.struct((id, type) => {
      if (type !== ThriftType.BINARY || (id !== 1 && id !== 2)) return false
      pair[id - 1] = reader.string()
      hasKey ||= id === 1
    })
    if (!hasKey) throw new SluiceError('corrupt', 'the footer has metadata without a key')
    return pair
  })
}

const SIGNED_ORDER: ReadonlySet<PhysicalType> = new Set(['BOOLEAN', 'INT32', 'INT64', 'FLOAT', 'DOUBLE'])
