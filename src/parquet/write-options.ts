import { SluiceError } from '../core/errors.ts'
import type { Codec, Encoding, SortingColumn } from './metadata.ts'

/**
 * How pages are compressed; a number after the colon is the codec's level. Plain `'zstd'` takes level 1, level 3 where
 * that saves another 8 % of a page, and leaves pages as they are that do not shrink by 8 %.
 */
export type Compression =
  | 'zstd'
  | `zstd:${number}`
  | 'snappy'
  | 'gzip'
  | `gzip:${number}`
  | 'lz4_raw'
  | 'brotli'
  | `brotli:${number}`
  | 'none'

/** What a column can be told to be encoded with; by default the writer looks at the values. */
export type ColumnEncoding = Exclude<Encoding, 'PLAIN_DICTIONARY' | 'BIT_PACKED'>

/** How Parquet is written. */
export interface ParquetWriteOptions {
  /** @default 'zstd' */
  compression?: Compression
  /**
   * Version of the data pages. 1 is what every reader reads; 2 leaves levels uncompressed, and pages that do not
   * shrink as well.
   * @default 1
   */
  pageVersion?: 1 | 2
  /** Largest page, in bytes before compression; one value alone may exceed it. @default 1048576 */
  pageBytes?: number
  /** Largest page, in rows. Readers skip by pages, so smaller ones prune better. @default 20000 */
  pageRows?: number
  /** Whether, or for which columns, dictionaries are tried; they are kept while they pay. @default true */
  dictionary?: boolean | readonly string[]
  /** Encoding of columns by name, instead of the writer's choice. */
  encodings?: Readonly<Record<string, ColumnEncoding>>
  /** Minimum, maximum and null count of each column chunk. @default true */
  statistics?: boolean
  /** Column and offset index: the same of each page, and where the page lies. @default true */
  pageIndex?: boolean
  /**
   * Bloom filters, by which readers leave row groups out where a column is to equal a value: of all columns, of some,
   * or of some with the share of values that may wrongly be taken to be there. Worth their bytes for columns of many
   * values in no order; booleans have none.
   * @default false; `fpp` 0.01
   */
  bloomFilters?: boolean | readonly string[] | Readonly<Record<string, { fpp?: number }>>
  /** A checksum of every page. @default true */
  crc?: boolean
  /** Text for the footer. */
  keyValueMetadata?: readonly (readonly [string, string])[]
  /** The order that the rows of each row group are in. A statement, not a wish: nothing is sorted. */
  sortedBy?: readonly { column: string; descending?: boolean; nullsFirst?: boolean }[]
}

/** The options with every default in place: plain data, for other threads. */
export interface ResolvedWriteOptions {
  codec: Codec
  /** Undefined where none was named: the codec's usual one, or up to the pages. */
  level: number | undefined
  pageVersion: 1 | 2
  pageBytes: number
  pageRows: number
  dictionary: boolean | string[]
  encodings: Map<string, ColumnEncoding>
  statistics: boolean
  pageIndex: boolean
  /** Share of false positives by column; for all columns where it is a number. */
  bloomFilters: number | Map<string, number>
  crc: boolean
  keyValueMetadata: [string, string][]
  sortedBy: { column: string; descending: boolean; nullsFirst: boolean }[]
}

/** Checks the options and fills in the defaults. */
export function resolveWriteOptions(options: ParquetWriteOptions = {}): ResolvedWriteOptions {
  const { pageVersion = 1, dictionary = true } = options
  if (pageVersion !== 1 && pageVersion !== 2) {
    throw invalid('pageVersion', `${String(pageVersion)} is neither 1 nor 2`)
  }
  const encodings = new Map(Object.entries(options.encodings ?? {}))
  for (const [column, encoding] of encodings) {
    if (!COLUMN_ENCODINGS.has(encoding)) {
      throw invalid('encodings', `'${encoding}' is none of ${[...COLUMN_ENCODINGS].join(', ')}`, column)
    }
  }
  return {
    ...parseCompression(options.compression ?? 'zstd'),
    pageVersion,
    pageBytes: size('pageBytes', options.pageBytes ?? 1 << 20, 1 << 30),
    pageRows: size('pageRows', options.pageRows ?? 20_000, 1 << 30),
    dictionary: typeof dictionary === 'boolean' ? dictionary : [...dictionary],
    encodings,
    statistics: options.statistics ?? true,
    pageIndex: options.pageIndex ?? true,
    bloomFilters: bloomFilters(options.bloomFilters ?? false),
    crc: options.crc ?? true,
    keyValueMetadata: (options.keyValueMetadata ?? []).map(([key, value]) => [key, value]),
    sortedBy: (options.sortedBy ?? []).map(({ column, descending = false, nullsFirst = false }) => ({
      column,
      descending,
      nullsFirst,
    })),
  }
}

/** The order of the rows by column ordinal, as a footer has it. */
export function sortingColumns(
  sortedBy: ResolvedWriteOptions['sortedBy'],
  names: readonly string[],
): SortingColumn[] {
  return sortedBy.map(({ column, descending, nullsFirst }) => {
    const columnIndex = names.indexOf(column)
    if (columnIndex < 0) throw invalid('sortedBy', 'there is no such column', column)
    return { columnIndex, descending, nullsFirst }
  })
}

/** The share of false positives that a column's bloom filter may have; undefined if it is to have none. */
export function bloomFilterShare({ bloomFilters }: ResolvedWriteOptions, column: string): number | undefined {
  return typeof bloomFilters === 'number' ? bloomFilters || undefined : bloomFilters.get(column)
}

/** Options that name columns name columns that there are. */
export function checkColumns(options: ResolvedWriteOptions, names: readonly string[]): void {
  const { dictionary, encodings, bloomFilters } = options
  for (const column of typeof bloomFilters === 'number' ? [] : bloomFilters.keys()) {
    if (!names.includes(column)) throw invalid('bloomFilters', 'there is no such column', column)
  }
  for (const column of encodings.keys()) {
    if (!names.includes(column)) throw invalid('encodings', 'there is no such column', column)
  }
  for (const column of typeof dictionary === 'boolean' ? [] : dictionary) {
    if (!names.includes(column)) throw invalid('dictionary', 'there is no such column', column)
  }
}

const COLUMN_ENCODINGS: ReadonlySet<string> = new Set<ColumnEncoding>([
  'PLAIN',
  'RLE',
  'RLE_DICTIONARY',
  'DELTA_BINARY_PACKED',
  'DELTA_LENGTH_BYTE_ARRAY',
  'DELTA_BYTE_ARRAY',
  'BYTE_STREAM_SPLIT',
])

/** Codecs by the option's name, with the levels that they take. */
const CODECS: ReadonlyMap<string, { codec: Codec; levels?: [least: number, most: number] }> = new Map([
  ['zstd', { codec: 'ZSTD', levels: [1, 22] }],
  ['gzip', { codec: 'GZIP', levels: [0, 9] }],
  ['brotli', { codec: 'BROTLI', levels: [0, 11] }],
  ['snappy', { codec: 'SNAPPY' }],
  ['lz4_raw', { codec: 'LZ4_RAW' }],
  ['none', { codec: 'UNCOMPRESSED' }],
])

function parseCompression(text: string): { codec: Codec; level: number | undefined } {
  const [name = '', level, ...rest] = text.split(':')
  const known = CODECS.get(name)
  if (known === undefined || rest.length > 0) {
    throw invalid('compression', `'${text}' is none of ${[...CODECS.keys()].join(', ')}`)
  }
  if (level === undefined) return { codec: known.codec, level }
  if (known.levels === undefined)
    throw invalid('compression', `${name} has no levels, but '${text}' names one`)
  const [least, most] = known.levels
  const number = /^\d+$/.test(level) ? Number(level) : Number.NaN
  if (!(number >= least && number <= most)) {
    throw invalid('compression', `'${text}' has a level that is not between ${least} and ${most}`)
  }
  return { codec: known.codec, level: number }
}

const FPP = 0.01

function bloomFilters(
  option: NonNullable<ParquetWriteOptions['bloomFilters']>,
): number | Map<string, number> {
  if (typeof option === 'boolean') return option ? FPP : 0
  if (Array.isArray(option)) return new Map(option.map((column: string) => [column, FPP]))
  return new Map(
    Object.entries(option as Readonly<Record<string, { fpp?: number }>>).map(([column, { fpp = FPP }]) => {
      if (fpp > 0 && fpp < 1) return [column, fpp]
      throw invalid('bloomFilters', `fpp ${fpp} is not between 0 and 1`, column)
    }),
  )
}

function size(option: string, value: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= 1 && value <= most) return value
  throw invalid(option, `${value} is not an integer between 1 and ${most}`)
}

function invalid(option: string, reason: string, column?: string): SluiceError {
  return new SluiceError('invalid-argument', reason, column === undefined ? { option } : { option, column })
}
