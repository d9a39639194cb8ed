import { mapOrdered } from '../core/ordered.ts'
import type { Run } from '../core/run.ts'
import { type CopiedChunk, copyRowGroup } from '../parquet/copy-row-group.ts'
import type { parquetSchema } from '../parquet/parquet-schema.ts'
import type { ByteRange } from '../storage/store.ts'
import { inFile, read, sizeOf } from './fetch.ts'
import type { TaskOutput } from './output.ts'
import type { PassingRowGroup, PlannedPassage } from './pass-through.ts'
import type { Slabs } from './slabs.ts'
import type { PlannedUnit } from './units.ts'

/** About how much of a row group is read at once. */
const PIECE = 4 * 2 ** 20
/** Pieces in memory at once: one that is written and one that is read. */
const PIECES = 2

/** Row groups copied at once: while one is written the next one's page indexes are read. */
const COPYING = 2

/** Where copies go. */
export interface CopyTarget {
  output: TaskOutput
  schema: ReturnType<typeof parquetSchema>
  slabs: Slabs
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

/** Copies one row group into the output, a piece at a time, as far as the budget lets it. */
export async function copyPassage(
  { path, groups, rows, storedBytes }: PlannedPassage,
  { output, schema, slabs }: CopyTarget,
  run: Run,
): Promise<void> {
  const group = groups[0]!
  const planned = copiedChunks(group, run).then(chunks => {
    const { ranges, ...copy } = copyRowGroup(schema, chunks, rows)
    return { ...copy, pieces: pieces(group, ranges, slabs, run) }
  })
  await output.add(path, planned)
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

/** The bytes of ranges of a file, one after another, read ahead of need. */
async function* pieces(
  { fragment, rowGroup, leaves }: PassingRowGroup,
  ranges: readonly ByteRange[],
  slabs: Slabs,
  run: Run,
): AsyncGenerator<Uint8Array> {
  const known = ranges.map((range, i) => inFile(fragment, rowGroup, leaves[i] ?? leaves[0]!, range))
  const reads = mapOrdered(
    cut(known),
    PIECES,
    async piece => {
      const slab = await slabs.take(sizeOf(piece), run.signal)
      try {
        return { slab, bytes: await read(fragment, piece, run, slab) }
      } catch (error) {
        slab.release()
        throw error
      }
    },
    ({ slab }) => slab.release(),
  )
  for await (const { slab, bytes } of reads) {
    try {
      yield* bytes
    } finally {
      slab.release()
    }
  }
}

/** Ranges that follow on one another joined, and all of them cut into lists of about a piece. */
function cut(ranges: readonly ByteRange[]): ByteRange[][] {
  const lists: ByteRange[][] = []
  let list: ByteRange[] = []
  let room = PIECE
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
      room = PIECE
    }
  }
  if (list.length > 0) lists.push(list)
  return lists
}
