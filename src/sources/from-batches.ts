import { type RecordBatch, Schema } from 'apache-arrow'
import { batchBytes, logicalSchema } from '../core/batch.ts'
import { SluiceError } from '../core/errors.ts'
import type { Columns } from '../core/operator.ts'
import { Pipeline } from '../core/pipeline.ts'
import { type ExecutionOptions, type ResolvedExecution, type Run, resolveExecution } from '../core/run.ts'
import type { Source, SourceExplanation } from '../core/source.ts'
import { type Stage, StageRunner } from '../core/stages.ts'
import { copyBatch } from '../core/transport.ts'

/**
 * Arrow record batches of one's own as the start of a pipeline: an array, or an async iterable that is pulled
 * as the pipeline needs it and returned when that ends early.
 *
 * @param schema of all batches
 */
export function fromBatches<T extends Columns = Columns>(
  schema: Schema,
  batches: Iterable<RecordBatch> | AsyncIterable<RecordBatch>,
  options: ExecutionOptions = {},
): Pipeline<T> {
  if (!(schema instanceof Schema)) {
    throw new SluiceError('invalid-argument', `must be an Arrow schema, not ${String(schema)}`, {
      option: 'schema',
    })
  }
  if (typeof batches !== 'object' || !(Symbol.asyncIterator in batches || Symbol.iterator in batches)) {
    throw new SluiceError('invalid-argument', `must be iterable, not ${String(batches)}`, {
      option: 'batches',
    })
  }
  return new Pipeline(new BatchSource(schema, batches, resolveExecution(options)))
}

class BatchSource implements Source {
  readonly name = 'batches'
  readonly governed = false
  readonly execution: ResolvedExecution
  readonly #schema: Schema
  readonly #batches: Iterable<RecordBatch> | AsyncIterable<RecordBatch>
  #begun = false

  constructor(
    schema: Schema,
    batches: Iterable<RecordBatch> | AsyncIterable<RecordBatch>,
    execution: ResolvedExecution,
  ) {
    this.#schema = logicalSchema(schema)
    this.#batches = batches
    this.execution = execution
  }

  async schema(): Promise<Schema> {
    return this.#schema
  }

  describe(): unknown {
    return { source: this.name }
  }

  async *read(stages: readonly Stage[], run: Run): AsyncGenerator<RecordBatch, void, void> {
    const runner = new StageRunner(stages, this.#schema)
    const expected = String(this.#schema)
    for await (const batch of this.#anew()) {
      const found = String(logicalSchema(batch.schema))
      if (found !== expected) {
        throw new SluiceError('schema', `a batch has the schema ${found}, not ${expected}`, {
          option: 'batches',
        })
      }
      run.rowsIn += batch.numRows
      run.bytesRead += batchBytes(batch)
      if (stages.length === 0) {
        yield batch
        continue
      }
      const region = run.arena.region()
      let result: RecordBatch
      try {
        result = copyBatch(runner.run(batch, region))
      } finally {
        region.free()
      }
      if (result.numRows > 0) yield result
    }
  }

  /** The batches from the start. An iterable that is its own iterator has one start only. */
  #anew(): AsyncIterable<RecordBatch> {
    const batches = this.#batches
    const iterator = (
      Symbol.asyncIterator in batches ? batches[Symbol.asyncIterator]() : batches[Symbol.iterator]()
    ) as AsyncIterator<RecordBatch>
    if (this.#begun && iterator === (batches as unknown)) {
      throw new SluiceError('invalid-argument', 'were read before, and can be read once', {
        option: 'batches',
        hint: 'To run the pipeline again, or to retry, give an array or an iterable that starts anew.',
      })
    }
    this.#begun = true
    return { [Symbol.asyncIterator]: () => iterator }
  }

  async explain(): Promise<SourceExplanation> {
    return {
      source: 'record batches',
      mode: 'streaming',
      because: 'batches are taken as they come',
      fragments: { total: 0, pruned: 0 },
      rowGroups: { total: 0, pruned: 0 },
      pages: { pruned: 0 },
      bloomFilters: { read: 0, pruned: 0 },
      rows: undefined,
      bytes: undefined,
      columns: this.#schema.fields.map(field => field.name),
      lanes: 0,
    }
  }
}
