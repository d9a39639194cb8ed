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
}

export function resolveFileOptions(options: FileOptions): {
  write: ResolvedWriteOptions
  size: RowGroupSize
} {
  const { rowGroupRows = 262_144, rowGroupBytes = 64 * 2 ** 20, ...write } = options
  if (!Number.isInteger(rowGroupRows) || rowGroupRows < 1) {
    throw new SluiceError('invalid-argument', `must be a whole number above 0, not ${rowGroupRows}`, {
      option: 'rowGroupRows',
    })
  }
  return {
    write: resolveWriteOptions(write),
    size: { rows: rowGroupRows, bytes: parseBytes(rowGroupBytes, 'rowGroupBytes') },
  }
}
