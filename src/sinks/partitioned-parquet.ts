import { parseBytes } from '../core/bytes.ts'
import { SluiceError } from '../core/errors.ts'
import type { Sink } from '../core/sink.ts'
import { explainWrite } from '../dataset/explain-write.ts'
import { type FileOptions, resolveFileOptions } from '../dataset/sink-options.ts'
import { type DatasetSinkOptions, writeDataset } from '../dataset/write-dataset.ts'
import type { Store } from '../storage/store.ts'

export interface PartitionedParquetOptions extends FileOptions {
  /**
   * What becomes of data that is there. `error`: fail. `append`: keep it. `overwrite`: replace all of it.
   * `overwrite-partitions`: replace the partitions that the job writes to. Nothing is removed before the new
   * files are committed. @default 'error'
   */
  existing?: 'error' | 'append' | 'overwrite' | 'overwrite-partitions'
  /** Name of a file in its folder; has to contain `tag`, end in `.parquet`, and differ for every file. */
  fileName?: (parts: { task: number; partition: string; sequence: number; tag: string }) => string
  /** Source bytes that make a task, the unit that a resumed job does not repeat. @default '4GiB' */
  taskBytes?: number | string
  /** Leave an empty `_SUCCESS` beside the data. @default true */
  successFile?: boolean
  /** Leave the schema in `_common_metadata`. @default false */
  commonMetadata?: boolean
  /** Where the state of jobs is kept. @default `_sluice/<path of the dataset>/` at the root of the opened store */
  state?: Store
}

/**
 * A Hive-partitioned dataset of Parquet files as the end of a pipeline: `key=value/` folders by the keys of the
 * last `repartition({ by })`, which leave the files. Writing is a job: until it commits, nobody sees a file of
 * it; if it fails or is aborted, the dataset stays as it was.
 *
 * Rows of a partition come in no particular order. Fails with `already-exists` (option `existing`), `conflict`
 * if another job has changed what this one replaces, `schema`, and whatever the store fails with.
 */
export function partitionedParquet(store: Store, options: PartitionedParquetOptions = {}): Sink {
  const { existing = 'error', taskBytes = 4 * 2 ** 30, successFile = true, commonMetadata = false } = options
  if (!['error', 'append', 'overwrite', 'overwrite-partitions'].includes(existing)) {
    throw new SluiceError(
      'invalid-argument',
      `must be 'error', 'append', 'overwrite' or 'overwrite-partitions', not '${existing}'`,
      {
        option: 'existing',
      },
    )
  }
  const resolved: DatasetSinkOptions = {
    ...resolveFileOptions(options),
    existing,
    taskBytes: parseBytes(taskBytes, 'taskBytes'),
    fileName: options.fileName,
    successFile,
    commonMetadata,
    state: options.state,
  }
  return {
    name: 'partitionedParquet',
    write: (plan, run) => writeDataset(store, plan, resolved, run),
    explain: (plan, run) => explainWrite(plan, resolved, run),
  }
}
