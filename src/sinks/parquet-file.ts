import { SluiceError } from '../core/errors.ts'
import type { Sink } from '../core/sink.ts'
import { explainWrite } from '../dataset/explain-write.ts'
import { type FileOptions, resolveFileOptions } from '../dataset/sink-options.ts'
import { writeFile } from '../dataset/write-file.ts'
import type { Store } from '../storage/store.ts'

export interface ParquetFileOptions extends FileOptions {
  /** What becomes of a file that is there. @default 'error' */
  existing?: 'error' | 'overwrite'
}

/**
 * One Parquet file as the end of a pipeline. It appears when it is whole; if the run fails, what was there
 * stays. Rows come in no particular order where there is more than one lane.
 */
export function parquetFile(store: Store, key: string, options: ParquetFileOptions = {}): Sink {
  const { existing = 'error' } = options
  if (existing !== 'error' && existing !== 'overwrite') {
    throw new SluiceError('invalid-argument', `must be 'error' or 'overwrite', not '${existing}'`, {
      option: 'existing',
    })
  }
  const resolved = { ...resolveFileOptions(options), existing }
  return {
    name: 'parquetFile',
    write: (plan, run) => writeFile(store, key, plan, resolved, run),
    explain: (plan, run) => explainWrite(plan, resolved, run),
  }
}
