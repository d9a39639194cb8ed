import type { DataType, Schema } from 'apache-arrow'
import { SluiceError } from '../core/errors.ts'
import type { Columns } from '../core/operator.ts'
import { Pipeline } from '../core/pipeline.ts'
import { type ExecutionOptions, resolveExecution } from '../core/run.ts'
import { ParquetScan } from '../dataset/scan.ts'
import { ScanPart } from '../dataset/scan-part.ts'
import type { Store } from '../storage/store.ts'

/** Column types by name. */
export type Types = Readonly<Record<string, DataType>>

/** The JavaScript types of the columns' values. */
export type ColumnsOf<S> = S extends Types ? { [K in keyof S]: S[K]['TValue'] | null } : Columns

export interface SourceOptions<S extends Types | Schema = Types> extends ExecutionOptions {
  /**
   * Which files: a key or a glob (`*`, `**`, `?`, `[..]`, `{a,b}`) relative to the store, or a list of them.
   * @default every `.parquet` file whose path has no part that begins with `_` or `.`
   */
  files?: string | readonly string[]
  /**
   * Types of columns, partition keys among them; columns not named are taken as they are. A partition key's type
   * is otherwise read from the folders' names: int64, date, or text. A column of the files may be narrower than
   * declared: integers of fewer bits (unsigned ones also in signed ones), float32 for float64, decimals of fewer digits
   * at the same scale, nested columns without nulls within. Another type is an error.
   * For the compiler the columns are those named here; with an Arrow `Schema` it takes any name.
   * @default the types of the first file
   */
  schema?: S
  /**
   * What becomes of a column that a file lacks: `error`, or `null` in all of its rows. With `null`, `schema` may also
   * declare columns that the first file lacks.
   * @default 'error'
   */
  missingColumns?: 'error' | 'null'
  /**
   * What becomes of a column that a file has and the source has not: `ignore` it, or `error`.
   * @default 'ignore'
   */
  extraColumns?: 'ignore' | 'error'
}

/**
 * A dataset of Parquet files, Hive-partitioned or not, as the start of a pipeline. Nothing is read before the
 * pipeline runs. Partition keys are columns; they come after those of the files. All files have the columns of
 * the first one, in any order, as the same types or narrower ones: see `schema`, `missingColumns` and `extraColumns`.
 * Names of columns are case-sensitive.
 *
 * Batches come in the order of the files' keys and of the rows in them. They are read ahead as far as the
 * memory budget lets it, and not further than a few row groups.
 *
 * Fails with `not-found` if there is no file, `schema` if files do not fit together, `corrupt` for a damaged
 * file (naming it, the row group and the column), and whatever the store fails with.
 *
 * @param store where the files are: `openStore(url)`, or a `child()` of it
 */
export function source<S extends Types | Schema = never>(
  store: Store,
  options: SourceOptions<S> = {},
): Pipeline<[S] extends [never] ? Columns : ColumnsOf<S>> {
  if (typeof store?.getRanges !== 'function') {
    throw new SluiceError('invalid-argument', 'must be a store', {
      option: 'store',
      hint: "Open one with: await openStore('path or URL').",
    })
  }
  const { files, schema, missingColumns, extraColumns } = options
  checkChoice('missingColumns', missingColumns, ['error', 'null'])
  checkChoice('extraColumns', extraColumns, ['ignore', 'error'])
  const scanned = { files, schema, missingColumns, extraColumns }
  return new Pipeline(new ParquetScan([new ScanPart(store, scanned)], resolveExecution(options)))
}

function checkChoice(option: string, value: string | undefined, choices: readonly string[]): void {
  if (value === undefined || choices.includes(value)) return
  const shown = choices.map(choice => `'${choice}'`).join(' or ')
  throw new SluiceError('invalid-argument', `must be ${shown}, not ${JSON.stringify(value)}`, { option })
}
