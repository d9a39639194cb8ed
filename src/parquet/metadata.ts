/**
 * The footer of a Parquet file as data. Names and numbers follow `parquet.thrift` of apache/parquet-format;
 * 64-bit counts and offsets are JavaScript numbers (the reader refuses what exceeds 2^53).
 */

export type PhysicalType =
  | 'BOOLEAN'
  | 'INT32'
  | 'INT64'
  | 'INT96'
  | 'FLOAT'
  | 'DOUBLE'
  | 'BYTE_ARRAY'
  | 'FIXED_LEN_BYTE_ARRAY'

export type Repetition = 'REQUIRED' | 'OPTIONAL' | 'REPEATED'

export type Codec = 'UNCOMPRESSED' | 'SNAPPY' | 'GZIP' | 'LZO' | 'BROTLI' | 'LZ4' | 'ZSTD' | 'LZ4_RAW'

export type Encoding =
  | 'PLAIN'
  | 'PLAIN_DICTIONARY'
  | 'RLE'
  | 'BIT_PACKED'
  | 'DELTA_BINARY_PACKED'
  | 'DELTA_LENGTH_BYTE_ARRAY'
  | 'DELTA_BYTE_ARRAY'
  | 'RLE_DICTIONARY'
  | 'BYTE_STREAM_SPLIT'

export type TimeUnit = 'MILLIS' | 'MICROS' | 'NANOS'

export type LogicalType =
  | { type: 'STRING' | 'MAP' | 'LIST' | 'ENUM' | 'DATE' | 'UNKNOWN' | 'JSON' | 'BSON' | 'UUID' | 'FLOAT16' }
  | { type: 'DECIMAL'; scale: number; precision: number }
  | { type: 'TIME' | 'TIMESTAMP'; isAdjustedToUTC: boolean; unit: TimeUnit }
  | { type: 'INTEGER'; bitWidth: 8 | 16 | 32 | 64; isSigned: boolean }
  /** A logical type that this version does not know, by its field id. */
  | { type: 'OTHER'; id: number }

export type ConvertedType =
  | 'UTF8'
  | 'MAP'
  | 'MAP_KEY_VALUE'
  | 'LIST'
  | 'ENUM'
  | 'DECIMAL'
  | 'DATE'
  | 'TIME_MILLIS'
  | 'TIME_MICROS'
  | 'TIMESTAMP_MILLIS'
  | 'TIMESTAMP_MICROS'
  | 'UINT_8'
  | 'UINT_16'
  | 'UINT_32'
  | 'UINT_64'
  | 'INT_8'
  | 'INT_16'
  | 'INT_32'
  | 'INT_64'
  | 'JSON'
  | 'BSON'
  | 'INTERVAL'

/** One node of the schema, in depth-first order; the first is the root. */
export interface SchemaElement {
  name: string
  /** Absent on groups. */
  type?: PhysicalType
  /** Bytes of a FIXED_LEN_BYTE_ARRAY. */
  typeLength?: number
  /** Absent on the root. */
  repetition?: Repetition
  /** Number of children; absent on leaves. */
  numChildren?: number
  convertedType?: ConvertedType
  logicalType?: LogicalType
  scale?: number
  precision?: number
  fieldId?: number
}

/** A leaf of the schema. `flat` leaves are top-level and not repeated: Sluice's own codec reads them. */
export interface ColumnDescriptor {
  /** Ordinal among the leaves: the index of its chunk in every row group. */
  index: number
  path: string[]
  element: SchemaElement
  maxDefinitionLevel: number
  maxRepetitionLevel: number
  flat: boolean
}

/** Raw bytes as in the file: PLAIN encoded, without a length prefix for byte arrays. */
export interface Statistics {
  /** Lower bound in the column's sort order (`min_value`, else the deprecated `min` where it can be trusted). */
  min?: Uint8Array
  /** Upper bound. A BYTE_ARRAY bound may be truncated and rounded up. */
  max?: Uint8Array
  /** The bound is a value of the chunk. Absent: not known. */
  isMinExact?: boolean
  isMaxExact?: boolean
  nullCount?: number
  distinctCount?: number
}

export interface ColumnChunkMetadata {
  type: PhysicalType
  encodings: Encoding[]
  path: string[]
  codec: Codec
  /** Values including nulls. */
  numValues: number
  totalUncompressedSize: number
  totalCompressedSize: number
  dataPageOffset: number
  dictionaryPageOffset?: number
  statistics?: Statistics
  bloomFilterOffset?: number
  bloomFilterLength?: number
  offsetIndexOffset?: number
  offsetIndexLength?: number
  columnIndexOffset?: number
  columnIndexLength?: number
  /** The chunk lies in another file; not supported. */
  filePath?: string
  /** The chunk is encrypted; not supported. */
  encrypted?: boolean
  keyValueMetadata?: [string, string][]
  /** How many pages of each kind and encoding; lets a reader know whether every data page is in codes. */
  encodingStats?: PageEncodingStats[]
}

export interface PageEncodingStats {
  pageType: 'DATA_PAGE' | 'INDEX_PAGE' | 'DICTIONARY_PAGE' | 'DATA_PAGE_V2'
  encoding: Encoding
  count: number
}

export interface SortingColumn {
  columnIndex: number
  descending: boolean
  nullsFirst: boolean
}

export interface RowGroupMetadata {
  columns: ColumnChunkMetadata[]
  totalByteSize: number
  numRows: number
  totalCompressedSize?: number
  sortingColumns?: SortingColumn[]
}

export interface FileMetadata {
  version: number
  schema: SchemaElement[]
  /** The leaves of `schema`, in order. */
  columns: ColumnDescriptor[]
  numRows: number
  rowGroups: RowGroupMetadata[]
  keyValueMetadata: [string, string][]
  createdBy?: string
  /** True where `column_orders` is present, so that min and max of unsigned and byte-array columns count. */
  hasColumnOrders: boolean
}

export interface PageLocation {
  offset: number
  /** Bytes of the page with its header. */
  compressedPageSize: number
  /** First row of the page, counted in its row group. */
  firstRowIndex: number
}

export interface OffsetIndex {
  pages: PageLocation[]
  unencodedByteArrayBytes?: number[]
}

export interface ColumnIndex {
  nullPages: boolean[]
  /** Raw bytes; empty for null pages. */
  min: Uint8Array[]
  max: Uint8Array[]
  boundaryOrder: 'UNORDERED' | 'ASCENDING' | 'DESCENDING'
  nullCounts?: number[]
}

/** Where a column chunk's bytes begin and end in its file. */
export function chunkRange(chunk: ColumnChunkMetadata): { start: number; end: number } {
  const dictionary = chunk.dictionaryPageOffset
  const start =
    dictionary !== undefined && dictionary > 0 && dictionary < chunk.dataPageOffset
      ? dictionary
      : chunk.dataPageOffset
  return { start, end: start + chunk.totalCompressedSize }
}

/** Rows `start` to `end`, counted in their row group. */
export interface RowRange {
  start: number
  end: number
}
