import {
  type ColumnChunkMetadata,
  chunkRange,
  type FileMetadata,
  type LogicalType,
  type RowGroupMetadata,
  type SchemaElement,
  type Statistics,
} from './metadata.ts'
import {
  CODECS,
  CONVERTED_TYPES,
  ENCODINGS,
  PAGE_TYPES,
  PHYSICAL_TYPES,
  PLAIN_LOGICAL_TYPES,
  REPETITIONS,
  TIME_UNITS,
} from './thrift-enums.ts'
import { ThriftWriter } from './thrift-writer.ts'

/** The first and the last four bytes of every file. */
export const MAGIC: Uint8Array = new TextEncoder().encode('PAR1')

/**
 * What ends a Parquet file: the metadata in Thrift, its length and the magic bytes. `columns` of the metadata is
 * not written, being a view of `schema`.
 */
export function writeFooter(metadata: FileMetadata): Uint8Array {
  const thrift = writeMetadata(metadata)
  const footer = new Uint8Array(thrift.length + 8)
  footer.set(thrift)
  new DataView(footer.buffer).setUint32(thrift.length, thrift.length, true)
  footer.set(MAGIC, thrift.length + 4)
  return footer
}

/** `FileMetaData` alone. */
function writeMetadata(metadata: FileMetadata): Uint8Array {
  const w = new ThriftWriter(4096)
  w.i32(1, metadata.version)
  w.list(2, 'struct', metadata.schema, element => w.elementStruct(() => writeElement(w, element)))
  w.i64(3, metadata.numRows)
  w.list(4, 'struct', metadata.rowGroups, (group, ordinal) =>
    w.elementStruct(() => writeRowGroup(w, group, ordinal)),
  )
  if (metadata.keyValueMetadata.length > 0) writeKeyValues(w, 5, metadata.keyValueMetadata)
  w.string(6, metadata.createdBy)
  // TypeDefinedOrder for every leaf: the only order there is.
  if (metadata.hasColumnOrders) {
    w.list(7, 'struct', metadata.columns, () => w.elementStruct(() => w.struct(1, () => {})))
  }
  return w.finish()
}

function writeElement(w: ThriftWriter, element: SchemaElement): void {
  if (element.type !== undefined) w.i32(1, PHYSICAL_TYPES.indexOf(element.type))
  w.i32(2, element.typeLength)
  if (element.repetition !== undefined) w.i32(3, REPETITIONS.indexOf(element.repetition))
  w.string(4, element.name)
  w.i32(5, element.numChildren)
  if (element.convertedType !== undefined) w.i32(6, CONVERTED_TYPES.indexOf(element.convertedType))
  w.i32(7, element.scale)
  w.i32(8, element.precision)
  w.i32(9, element.fieldId)
  const { logicalType } = element
  if (logicalType !== undefined) w.struct(10, () => writeLogicalType(w, logicalType))
}

function writeLogicalType(w: ThriftWriter, logical: LogicalType): void {
  if (logical.type === 'DECIMAL') {
    w.struct(5, () => {
      w.i32(1, logical.scale)
      w.i32(2, logical.precision)
    })
  } else if (logical.type === 'TIME' || logical.type === 'TIMESTAMP') {
    w.struct(logical.type === 'TIME' ? 7 : 8, () => {
      w.bool(1, logical.isAdjustedToUTC)
      w.struct(2, () => w.struct(TIME_UNITS[logical.unit], () => {}))
    })
  } else if (logical.type === 'INTEGER') {
    w.struct(10, () => {
      w.i8(1, logical.bitWidth)
      w.bool(2, logical.isSigned)
    })
  } else {
    w.struct(logical.type === 'OTHER' ? logical.id : PLAIN_LOGICAL_TYPES[logical.type], () => {})
  }
}

function writeRowGroup(w: ThriftWriter, group: RowGroupMetadata, ordinal: number): void {
  w.list(1, 'struct', group.columns, chunk => w.elementStruct(() => writeChunk(w, chunk)))
  w.i64(2, group.totalByteSize)
  w.i64(3, group.numRows)
  w.list(4, 'struct', group.sortingColumns, sorting =>
    w.elementStruct(() => {
      w.i32(1, sorting.columnIndex)
      w.bool(2, sorting.descending)
      w.bool(3, sorting.nullsFirst)
    }),
  )
  const first = group.columns[0]
  if (first !== undefined) w.i64(5, chunkRange(first).start)
  w.i64(6, group.totalCompressedSize)
  // The ordinal is 16 bits wide and optional.
  if (ordinal < 32_768) w.i16(7, ordinal)
}

function writeChunk(w: ThriftWriter, chunk: ColumnChunkMetadata): void {
  w.string(1, chunk.filePath)
  // file_offset is deprecated: 0 says that the metadata is here and nowhere else.
  w.i64(2, 0)
  w.struct(3, () => {
    w.i32(1, PHYSICAL_TYPES.indexOf(chunk.type))
    w.list(2, 'i32', chunk.encodings, encoding => w.elementInteger(ENCODINGS.indexOf(encoding)))
    w.list(3, 'binary', chunk.path, part => w.elementString(part))
    w.i32(4, CODECS.indexOf(chunk.codec))
    w.i64(5, chunk.numValues)
    w.i64(6, chunk.totalUncompressedSize)
    w.i64(7, chunk.totalCompressedSize)
    if (chunk.keyValueMetadata !== undefined) writeKeyValues(w, 8, chunk.keyValueMetadata)
    w.i64(9, chunk.dataPageOffset)
    w.i64(11, chunk.dictionaryPageOffset)
    const { statistics } = chunk
    if (statistics !== undefined) w.struct(12, () => writeStatistics(w, statistics))
    w.list(13, 'struct', chunk.encodingStats, stats =>
      w.elementStruct(() => {
        w.i32(1, PAGE_TYPES.indexOf(stats.pageType))
        w.i32(2, ENCODINGS.indexOf(stats.encoding))
        w.i32(3, stats.count)
      }),
    )
    w.i64(14, chunk.bloomFilterOffset)
    w.i32(15, chunk.bloomFilterLength)
  })
  w.i64(4, chunk.offsetIndexOffset)
  w.i32(5, chunk.offsetIndexLength)
  w.i64(6, chunk.columnIndexOffset)
  w.i32(7, chunk.columnIndexLength)
}

/** The bounds go to `min_value` and `max_value` (5, 6); 1 and 2 are deprecated for having had no order. */
export function writeStatistics(w: ThriftWriter, statistics: Statistics): void {
  w.i64(3, statistics.nullCount)
  w.i64(4, statistics.distinctCount)
  w.binary(5, statistics.max)
  w.binary(6, statistics.min)
  w.bool(7, statistics.isMaxExact)
  w.bool(8, statistics.isMinExact)
}

function writeKeyValues(w: ThriftWriter, id: number, pairs: readonly [string, string][]): void {
  w.list(id, 'struct', pairs, ([key, value]) =>
    w.elementStruct(() => {
      w.string(1, key)
      w.string(2, value)
    }),
  )
}
