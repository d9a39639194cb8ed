import { mapOrdered } from '../core/ordered.ts'
import type { Run } from '../core/run.ts'
import { type CopiedChunk, copyRowGroup } from '../parquet/copy-row-group.ts'
import type { parquetSchema } from '../parquet/parquet-schema.ts'
import type { ByteRange } from '../storage/store.ts'
import { inFile, read } from './fetch.ts'
import type { TaskOutput } from './output.ts'
import type { PassingRowGroup, PlannedPassage } from './pass-through.ts'
import type { PieceBuffers } from './piece-buffers.ts'
import type { PlannedUnit } from './units.ts'

/** Row groups copied at once: while one is written the next one is read. */
const COPYING = 2
/** Pieces of one row group in memory at once: one that is written and one that is read. */
const PIECES = 2

/** Where copies go. */
export interface CopyTarget {
  output: TaskOutput
  schema: ReturnType<typeof parquetSchema>
  buffers: PieceBuffers
}

/** The work that is left for lanes; row groups whose bytes are good as they are get copied while it is asked for. */
export async function* copyVerbatim(
  planned: AsyncIterable<PlannedUnit | PlannedPassage>,
  target: CopyTarget,
  run: Run,
): AsyncGenerator<PlannedUnit | PlannedPassage> {
  const rest = mapOrdered(planned, COPYING, async work => {
    if (!('path' in work) || !work.verbatim) return work
    await copyPassage(work, target, run)
    return undefined
  })
  for await (const work of rest) if (work !== undefined) yield work
}

/** Copies one row group into the output, a piece at a time; the first one is read ahead of its turn. */
export async function copyPassage(
  { path, groups, rows, storedBytes }: PlannedPassage,
  { output, schema, buffers }: CopyTarget,
  run: Run,
): Promise<void> {
  const group = groups[0]!
  const planned = copiedChunks(group, run).then(chunks => {
    const { ranges, ...copy } = copyRowGroup(schema, chunks, rows)
    const reading = new PieceReader(group, ranges, buffers, run)
    reading.begin()
    return { ...copy, pieces: reading }
  })
  try {
    await output.add(path, planned)
  } finally {
    const { pieces } = await planned.catch(() => ({ pieces: undefined }))
    await pieces?.end()
  }
  group.fragment.held?.release()
  run.rowGroups.copied++
  run.rowsIn += rows
  run.rowsOut += rows
  await run.paced(rows, storedBytes)
}

/** The chunks, with what their file has about them elsewhere: none of it where that cannot be. */
async function copiedChunks(
  { fragment, rowGroup, leaves }: PassingRowGroup,
  run: Run,
): Promise<CopiedChunk[]> {
  const { metadata, file } = fragment
  const { columns } = metadata.rowGroups[rowGroup]!
  const within = (start = -1, length = 0): ByteRange | undefined =>
    start >= 0 && length > 0 && start + length <= file.object.size
      ? { start, end: start + length }
      : undefined
  const ranges: ByteRange[] = []
  const request = (range: ByteRange | undefined) => (range === undefined ? -1 : ranges.push(range) - 1)
  const requests = leaves.map(leaf => {
    const chunk = columns[leaf]!
    return {
      metadata: chunk,
      columnIndex: request(within(chunk.columnIndexOffset, chunk.columnIndexLength)),
      offsetIndex: request(within(chunk.offsetIndexOffset, chunk.offsetIndexLength)),
      bloomFilter: within(chunk.bloomFilterOffset, chunk.bloomFilterLength),
    }
  })
  const bytes = ranges.length === 0 ? [] : await read(fragment, ranges, run)
  return requests.map(({ columnIndex, offsetIndex, ...chunk }) => ({
    ...chunk,
    columnIndex: bytes[columnIndex],
    offsetIndex: bytes[offsetIndex],
  }))
}

interface Piece {
  buffer: Uint8Array
  bytes: Uint8Array[]
}

/** The bytes of ranges of a row group's file, one after another, read ahead of need. */
class PieceReader implements AsyncIterable<Uint8Array> {
  readonly #fragment: PassingRowGroup['fragment']
  readonly #buffers: PieceBuffers
  readonly #run: Run
  readonly #pieces: ByteRange[][]
  #first: Promise<Piece> | undefined

  constructor(
    { fragment, rowGroup, leaves }: PassingRowGroup,
    ranges: readonly ByteRange[],
    buffers: PieceBuffers,
    run: Run,
  ) {
    this.#fragment = fragment
    this.#buffers = buffers
    this.#run = run
    this.#pieces = cut(
      ranges.map((range, i) => inFile(fragment, rowGroup, leaves[i] ?? leaves[0]!, range)),
      buffers.bytes,
    )
  }

  /** Reads the first piece, if there is memory to spare. */
  begin(): void {
    const [piece] = this.#pieces
    const buffer = piece && this.#buffers.spare()
    if (buffer === undefined) return
    this.#first = this.#read(piece!, buffer)
    this.#first.catch(() => {})
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const first = this.#first
    if (first !== undefined) {
      const { buffer, bytes } = await first
      this.#first = undefined
      try {
        yield* bytes
      } finally {
        this.#buffers.give(buffer)
      }
    }
    const reads = mapOrdered(
      this.#pieces.slice(first === undefined ? 0 : 1),
      PIECES,
      async piece => this.#read(piece, await this.#buffers.take()),
      ({ buffer }) => this.#buffers.give(buffer),
    )
    for await (const { buffer, bytes } of reads) {
      try {
        yield* bytes
      } finally {
        this.#buffers.give(buffer)
      }
    }
  }

  /** Gives back what was read ahead and never asked for. */
  async end(): Promise<void> {
    const piece = await this.#first?.catch(() => undefined)
    if (piece !== undefined) this.#buffers.give(piece.buffer)
    this.#first = undefined
  }

  async #read(ranges: ByteRange[], buffer: Uint8Array): Promise<Piece> {
    let used = 0
    const into = {
      // What lies between near ranges may be more than there is room for.
      allocate: (bytes: number): Uint8Array => {
        if (used + bytes > buffer.length) return new Uint8Array(bytes)
        used += bytes
        return buffer.subarray(used - bytes, used)
      },
      reset: (): void => {
        used = 0
      },
    }
    try {
      return { buffer, bytes: await read(this.#fragment, ranges, this.#run, into) }
    } catch (error) {
      this.#buffers.give(buffer)
      throw error
    }
  }
}

/** Ranges that follow on one another joined, and all of them cut into lists of at most `most` bytes. */
function cut(ranges: readonly ByteRange[], most: number): ByteRange[][] {
  const lists: ByteRange[][] = []
  let list: ByteRange[] = []
  let room = most
  for (const { start, end } of ranges) {
    for (let at = start; at < end; ) {
      const next = Math.min(end, at + room)
      const last = list.at(-1)
      if (last?.end === at) last.end = next
      else list.push({ start: at, end: next })
      room -= next - at
      at = next
      if (room > 0) continue
      lists.push(list)
      list = []
      room = most
    }
  }
  if (list.length > 0) lists.push(list)
  return lists
}
