import { SluiceError } from '../core/errors.ts'
import type { Run } from '../core/run.ts'
import type { CopiedChunk } from '../parquet/copy-row-group.ts'
import { type ColumnChunkMetadata, chunkRange } from '../parquet/metadata.ts'
import { coalesceRanges } from '../storage/ranges.ts'
import type { ByteRange, Store } from '../storage/store.ts'
import type { PassingRowGroup, PlannedPassage } from './pass-through.ts'
import type { Slab, Slabs } from './slabs.ts'
import type { FetchedUnit, Fragment, PlannedUnit } from './units.ts'

/** Row groups that go into the output undecoded, with their bytes in memory: for each, its columns' chunks. */
export interface FetchedPassage {
  passage: PlannedPassage
  groups: CopiedChunk[][]
  /** Gives the bytes back. */
  release(): void
}

/** What planned work becomes once its bytes have been read. */
export type Fetched<P> = P extends PlannedPassage ? FetchedPassage : FetchedUnit

/** Column chunks closer than this are read in one request, so that it counts in the budget. */
const COALESCE_GAP = 64 * 1024
/** Files read at once. */
const FILES_AT_ONCE = 4

/** Reads what a unit needs, once the budget has room for it. */
export async function fetchUnit(
  store: Store,
  unit: PlannedUnit,
  slabs: Slabs,
  run: Run,
): Promise<FetchedUnit> {
  const { fragment, rowGroups, partition } = unit
  const ranges = rowGroups.flatMap(({ rowGroup, chunks }) =>
    chunks.flatMap(({ leaf, runs }) =>
      runs.map(({ start, end }) => inFile(fragment, rowGroup, leaf, { start, end })),
    ),
  )
  const slab = await slabs.take(sizeOf(ranges), run.signal)
  try {
    const bytes = await read(store, fragment, ranges, slab, run, () => slab.reset())
    let next = 0
    const chunks = rowGroups.flatMap(({ rowGroup, chunks }) =>
      chunks.map(({ leaf, runs }) => ({
        rowGroup,
        leaf,
        parts: runs.map(({ firstRow, rows }) => ({ bytes: bytes[next++]!, firstRow, rows })),
      })),
    )
    const wanted = rowGroups.map(({ rowGroup, ranges }) => ({ rowGroup, ranges }))
    return {
      fragment,
      unit: { file: fragment.file.id, rowGroups: wanted, chunks, partition },
      release: () => slab.release(),
    }
  } catch (error) {
    slab.release()
    throw error
  }
}

/** Reads row groups that pass through, all into one slab: a part of them alone is of no use. */
export async function fetchPassage(
  store: Store,
  passage: PlannedPassage,
  slabs: Slabs,
  run: Run,
): Promise<FetchedPassage> {
  const requests = passage.groups.map(group => ({ group, chunks: chunkRequests(group, passage.verbatim) }))
  const rangesOf = ({ chunks }: (typeof requests)[number]): ByteRange[] =>
    chunks.flatMap(({ ranges }) => ranges.flatMap(({ range }) => range))
  const size = requests.reduce((sum, request) => sum + sizeOf(rangesOf(request)), 0)
  const slab = await slabs.take(size, run.signal)
  try {
    const groups: CopiedChunk[][] = new Array(requests.length)
    let next = 0
    const worker = async (): Promise<void> => {
      for (let at = next++; at < requests.length; at = next++) {
        const request = requests[at]!
        // What a failed try has allocated stays taken: others have what lies behind it.
        const bytes = await read(store, request.group.fragment, rangesOf(request), slab, run, () => {})
        groups[at] = copiedChunks(request, bytes)
      }
    }
    await Promise.all(Array.from({ length: Math.min(FILES_AT_ONCE, requests.length) }, worker))
    return { passage, groups, release: () => slab.release() }
  } catch (error) {
    slab.release()
    throw error
  }
}

type Part = 'bytes' | 'columnIndex' | 'offsetIndex' | 'bloomFilter'

interface ChunkRequest {
  metadata: ColumnChunkMetadata
  optional: boolean
  ranges: { part: Part; range: ByteRange }[]
}

/** What is read of each column of a row group: its chunk and, where that stays as it is, what is said of it. */
function chunkRequests({ fragment, rowGroup, leaves }: PassingRowGroup, verbatim: boolean): ChunkRequest[] {
  const { metadata, file } = fragment
  const group = metadata.rowGroups[rowGroup]!
  return leaves.map(leaf => {
    const chunk = group.columns[leaf]!
    const ranges: ChunkRequest['ranges'] = [
      { part: 'bytes', range: inFile(fragment, rowGroup, leaf, chunkRange(chunk)) },
    ]
    const add = (part: Part, start: number | undefined, length: number | undefined) => {
      if (start === undefined || length === undefined || start < 0 || length <= 0) return
      if (start + length <= file.object.size) ranges.push({ part, range: { start, end: start + length } })
    }
    if (verbatim) {
      add('columnIndex', chunk.columnIndexOffset, chunk.columnIndexLength)
      add('offsetIndex', chunk.offsetIndexOffset, chunk.offsetIndexLength)
      add('bloomFilter', chunk.bloomFilterOffset, chunk.bloomFilterLength)
    }
    const optional = metadata.columns[leaf]!.element.repetition === 'OPTIONAL'
    return { metadata: chunk, optional, ranges }
  })
}

function copiedChunks(
  { group, chunks }: { group: PassingRowGroup; chunks: ChunkRequest[] },
  bytes: readonly Uint8Array[],
): CopiedChunk[] {
  const rows = group.fragment.metadata.rowGroups[group.rowGroup]!.numRows
  let next = 0
  return chunks.map(({ metadata, optional, ranges }) => {
    const parts: Partial<Record<Part, Uint8Array>> = {}
    for (const { part } of ranges) parts[part] = bytes[next++]!
    const { columnIndex, offsetIndex, bloomFilter } = parts
    return { metadata, rows, optional, bytes: parts.bytes!, columnIndex, offsetIndex, bloomFilter }
  })
}

async function read(
  store: Store,
  { file }: Fragment,
  ranges: readonly ByteRange[],
  slab: Slab,
  run: Run,
  again: () => void,
): Promise<Uint8Array[]> {
  const bytes = await run.attempt(() => {
    again()
    return store.getRanges(file.object.key, ranges, {
      ifMatch: file.object.etag,
      signal: run.signal,
      coalesceGap: COALESCE_GAP,
      allocate: count => slab.allocate(count),
    })
  })
  run.bytesRead += sizeOf(ranges)
  return bytes
}

/** What is read where near ranges are read in one. */
function sizeOf(ranges: readonly ByteRange[]): number {
  return coalesceRanges(ranges, { gap: COALESCE_GAP }).reduce((sum, { start, end }) => sum + end - start, 0)
}

function inFile(
  { metadata, file, name }: Fragment,
  rowGroup: number,
  leaf: number,
  range: ByteRange,
): ByteRange {
  const { start, end } = range
  if (start >= 0 && end <= file.object.size && start <= end) return range
  throw new SluiceError('corrupt', `lies at bytes ${start} to ${end} of ${file.object.size}`, {
    file: name,
    rowGroup,
    column: metadata.columns[leaf]!.path.join('.'),
  })
}
