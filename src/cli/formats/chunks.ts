import type { RecordBatch } from 'apache-arrow'

/** Characters of text that are written at once. */
const CHUNK = 64 * 1024

/** The lines of the batches, in pieces worth writing, however many rows a batch has. */
export async function* textChunks(
  batches: AsyncIterable<RecordBatch>,
  linesOf: (batch: RecordBatch) => (row: number) => string,
): AsyncGenerator<string, void, undefined> {
  for await (const batch of batches) {
    const line = linesOf(batch)
    let text = ''
    for (let row = 0; row < batch.numRows; row++) {
      text += line(row)
      if (text.length < CHUNK) continue
      yield text
      text = ''
    }
    if (text !== '') yield text
  }
}
