import type { RecordBatch, Schema } from 'apache-arrow'
import type { PipelinePlan, Run, RunReport, Sink } from '../index.ts'
import { arrow } from './formats/arrow.ts'
import { csv } from './formats/csv.ts'
import { jsonl } from './formats/jsonl.ts'
import { none } from './formats/none.ts'
import { table } from './formats/table.ts'

/** Batches as pieces of output; `schema` is of the batches to come, for what stands before the first. */
type Format = (batches: AsyncIterable<RecordBatch>, schema: Schema) => AsyncIterable<string | Uint8Array>

export type FormatName = 'table' | 'jsonl' | 'csv' | 'arrow' | 'none'

const FORMATS: Readonly<Record<FormatName, Format>> = { table, jsonl, csv, arrow, none }

/** Hands the rows on as pieces of output, one by one as they come. */
export class FormatSink implements Sink {
  readonly name: string
  readonly #format: (
    batches: AsyncIterable<RecordBatch>,
    schema: Schema,
  ) => AsyncIterable<string | Uint8Array>
  readonly #schema: Schema
  readonly #save: (chunks: AsyncIterable<string | Uint8Array>) => Promise<unknown>

  constructor(
    name: FormatName,
    schema: Schema,
    save: (chunks: AsyncIterable<string | Uint8Array>) => Promise<unknown>,
  ) {
    this.name = name
    this.#format = FORMATS[name]
    this.#schema = schema
    this.#save = save
  }

  async write(plan: PipelinePlan, run: Run): Promise<RunReport> {
    run.phase = 'run'
    await this.#save(this.#format(counted(plan.batches(run), run), this.#schema))
    return run.report()
  }
}

async function* counted(batches: AsyncIterable<RecordBatch>, run: Run): AsyncGenerator<RecordBatch> {
  for await (const batch of batches) {
    run.rowsOut += batch.numRows
    yield batch
  }
}
