import type { PipelinePlan } from '../core/planner.ts'
import type { Run } from '../core/run.ts'
import { ParquetFileWriter } from '../parquet/file-writer.ts'
import type { StagedWriter } from '../storage/store.ts'
import { type Drain, fileFields } from './drain.ts'
import type { WrittenFile } from './output.ts'

/** A Parquet file of the plan's columns and no rows. */
export function emptyFile(plan: PipelinePlan, drain: Drain): Uint8Array {
  const file = new ParquetFileWriter(fileFields(plan.schema, drain.keys), drain.write)
  return Buffer.concat([file.header(), file.finish().bytes])
}

/** The same, written and not yet to be seen. */
export async function stageEmpty(
  writer: StagedWriter,
  plan: PipelinePlan,
  drain: Drain,
  run: Run,
): Promise<WrittenFile> {
  try {
    const bytes = emptyFile(plan, drain)
    await writer.write(bytes, { signal: run.signal })
    const staged = await writer.seal({ signal: run.signal })
    run.files++
    run.bytesWritten += bytes.byteLength
    return { partition: '', key: staged.key, rows: 0, bytes: bytes.byteLength, staged }
  } catch (error) {
    await writer.abort()
    throw error
  }
}
