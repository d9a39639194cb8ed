import { AsyncByteQueue, type RecordBatch, RecordBatchStreamWriter, type Schema } from 'apache-arrow'
import { Arena } from '../../core/arena.ts'
import { makeBatch } from '../../core/batch.ts'
import { materialise } from '../../core/take.ts'

const ARENA_BYTES = 64 * 2 ** 20

/**
 * An Arrow IPC stream. Which columns are dictionary-encoded may change from batch to batch, which a stream's
 * schema cannot say: they are written as plain values.
 */
export async function* arrow(
  batches: AsyncIterable<RecordBatch>,
  schema: Schema,
): AsyncGenerator<Uint8Array, void, undefined> {
  const queue = new ChunkList()
  const writer = new RecordBatchStreamWriter()
  writer.reset(queue, schema)
  yield* queue.take()
  const arena = new Arena(ARENA_BYTES)
  const region = arena.region()
  for await (const batch of batches) {
    const columns = batch.data.children.map(column => materialise(column, region))
    writer.write(makeBatch(schema.fields, columns, batch.numRows))
    // What lies in the arena is overwritten by the next batch, perhaps before the output has taken it.
    for (const chunk of queue.take()) yield arena.addressOf(chunk) < 0 ? chunk : chunk.slice()
    region.free()
  }
  writer.finish()
  yield* queue.take()
}

/** Keeps what the writer writes until it is taken. The writer's own queue can only be emptied by waiting for it. */
class ChunkList extends AsyncByteQueue {
  #chunks: Uint8Array[] = []

  override write(chunk: Uint8Array): void {
    if (chunk.byteLength > 0) this.#chunks.push(chunk)
  }

  take(): Uint8Array[] {
    const chunks = this.#chunks
    this.#chunks = []
    return chunks
  }
}
