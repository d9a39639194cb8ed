import { SluiceError } from '../core/errors.ts'
import type {
  ColumnChunkMetadata,
  FileMetadata,
  PhysicalType,
  RowGroupMetadata,
  SortingColumn,
  Statistics,
} from './metadata.ts'
import { named, readSchemaElement } from './schema-element.ts'
import { columnDescriptors } from './schema-tree.ts'
import { CODECS, ENCODINGS, PHYSICAL_TYPES } from './thrift-enums.ts'
import { type ThriftReader, ThriftType } from './thrift-reader.ts'

/** Reads the struct `FileMetaData` of parquet.thrift, without looking at whether its numbers make sense. */
export function readFileMetadata(reader: ThriftReader): FileMetadata {
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
      metadata.schema = reader.list(ThriftType.STRUCT, () => readSchemaElement(reader))
    } else if (id === 3 && type === ThriftType.I64) metadata.numRows = reader.i64()
    else if (id === 4 && type === ThriftType.LIST) {
      metadata.rowGroups = reader.list(ThriftType.STRUCT, () => rowGroup(reader))
    } else if (id === 5 && type === ThriftType.LIST) metadata.keyValueMetadata = keyValues(reader)
    else if (id === 6 && type === ThriftType.BINARY) metadata.createdBy = reader.string()
    else if (id === 7 && type === ThriftType.LIST) {
      metadata.hasColumnOrders = true
      return false
    } else return false
  })
  metadata.columns = columnDescriptors(metadata.schema)
  return metadata
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
    })
    return pair
  })
}

const SIGNED_ORDER: ReadonlySet<PhysicalType> = new Set(['BOOLEAN', 'INT32', 'INT64', 'FLOAT', 'DOUBLE'])
