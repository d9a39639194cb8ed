import type { Codec, ConvertedType, Encoding, PhysicalType, Repetition, TimeUnit } from './metadata.ts'

/** The enums of `parquet.thrift`: the number on the wire is the index in the list; gaps are `undefined`. */

export const PHYSICAL_TYPES: readonly PhysicalType[] = [
  'BOOLEAN',
  'INT32',
  'INT64',
  'INT96',
  'FLOAT',
  'DOUBLE',
  'BYTE_ARRAY',
  'FIXED_LEN_BYTE_ARRAY',
]

export const REPETITIONS: readonly Repetition[] = ['REQUIRED', 'OPTIONAL', 'REPEATED']

export const CODECS: readonly Codec[] = [
  'UNCOMPRESSED',
  'SNAPPY',
  'GZIP',
  'LZO',
  'BROTLI',
  'LZ4',
  'ZSTD',
  'LZ4_RAW',
]

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

export const CONVERTED_TYPES: readonly ConvertedType[] = [
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

export const PAGE_TYPES = ['DATA_PAGE', 'INDEX_PAGE', 'DICTIONARY_PAGE', 'DATA_PAGE_V2'] as const
export type PageType = (typeof PAGE_TYPES)[number]

export const BOUNDARY_ORDERS = ['UNORDERED', 'ASCENDING', 'DESCENDING'] as const

/** Field ids of the members of the union `LogicalType` that are empty structs. */
export const PLAIN_LOGICAL_TYPES = {
  STRING: 1,
  MAP: 2,
  LIST: 3,
  ENUM: 4,
  DATE: 6,
  UNKNOWN: 11,
  JSON: 12,
  BSON: 13,
  UUID: 14,
  FLOAT16: 15,
} as const

/** Field ids of the members of the union `TimeUnit`. */
export const TIME_UNITS: Record<TimeUnit, number> = { MILLIS: 1, MICROS: 2, NANOS: 3 }
