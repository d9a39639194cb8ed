import { parseBytes } from '../core/bytes.ts'
import { SluiceError } from '../core/errors.ts'
import {
  type ParquetWriteOptions,
  type ResolvedWriteOptions,
  resolveWriteOptions,
} from '../parquet/write-options.ts'
import type { RowGroupSize } from './partition-buffers.ts'

/** How Parquet files are written, and in row groups of which size. */
export interface FileOptions extends ParquetWriteOptions {
  /** Most rows of a row group. @default 262144 */
  rowGroupRows?: number
  /** A row group is closed once it has about this many bytes of Arrow data. @default '64MiB' */
  rowGroupBytes?: number | string
  /**
   * Copy row groups whose rows and columns stay as they are, in one partition, as the bytes that they are; and join
   * small ones without decoding what is not in a dictionary. Their encodings, codec and page sizes are then the
   * source's. @default true, unless an option says how columns are encoded or row groups are cut
   */
  passThrough?: boolean
}

export function resolveFileOptions(options: FileOptions): {
  write: ResolvedWriteOptions
  size: RowGroupSize
  passThrough: boolean
} {
  const { rowGroupRows = 262_144, rowGroupBytes = 64 * 2 ** 20, passThrough, ...write } = options
  if (!Number.isInteger(rowGroupRows) || rowGroupRows < 1) {
    throw new SluiceError('invalid-argument', `must be a whole number above 0, not ${rowGroupRows}`, {
      option: 'rowGroupRows',
    })
  }
  return {
    write: resolveWriteOptions(write),
    size: { rows: rowGroupRows, bytes: parseBytes(rowGroupBytes, 'rowGroupBytes') },
    passThrough: passThrough ?? !ENCODING_OPTIONS.some(name => options[name] !== undefined),
  }
}

/** Options that bytes of other files need not comply with. */
const ENCODING_OPTIONS = [
  'compression',
  'pageVersion',
  'pageBytes',
  'pageRows',
  'dictionary',
  'encodings',
  'statistics',
  'pageIndex',
  'crc',
  'bloomFilters',
  'sortedBy',
  'rowGroupRows',
  'rowGroupBytes',
] as const satisfies readonly (keyof FileOptions)[]
