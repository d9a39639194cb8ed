import { SluiceError } from '../core/errors.ts'
import type { Run } from '../core/run.ts'
import type { StoredChunk } from '../parquet/merge-chunks.ts'
import { chunkRange } from '../parquet/metadata.ts'
import { coalesceRanges } from '../storage/ranges.ts'
import type { ByteRange } from '../storage/store.ts'
import type { PassingRowGroup, PlannedPassage } from './pass-through.ts'
import type { Slab, Slabs } from './slabs.ts'
import type { HeldFile } from './small-files.ts'
import type { FetchedUnit, Fragment, PlannedUnit } from './units.ts'

/** Row groups that are joined undecoded, with their bytes in memory: for each, its columns' chunks. */
export interface FetchedPassage {
  passage: PlannedPassage
  groups: StoredChunk[][]
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
export async function fetchUnit(unit: PlannedUnit, slabs: Slabs, run: Run): Promise<FetchedUnit> {
  const { fragment, rowGroups, partition } = unit
  const ranges = rowGroups.flatMap(({ rowGroup, chunks }) =>
    chunks.flatMap(({ leaf, runs }) =>
      runs.map(({ start, end }) => inFile(fragment, rowGroup, leaf, { start, end })),
    ),
  )
  const slab = await takeSlab(slabs, [{ fragment, ranges }], run)
  try {
    const bytes = await read(fragment, ranges, run, slab)
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

/** Reads row groups that are joined, all into one slab: a part of them alone is of no use. */
export async function fetchPassage(passage: PlannedPassage, slabs: Slabs, run: Run): Promise<FetchedPassage> {
  const requests = passage.groups.map(group => {
    return { group, fragment: group.fragment, ranges: chunkRanges(group) }
  })
  const slab = await takeSlab(slabs, requests, run)
  try {
    const groups: StoredChunk[][] = new Array(requests.length)
    let next = 0
    const worker = async (): Promise<void> => {
      for (let at = next++; at < requests.length; at = next++) {
        const { group, fragment, ranges } = requests[at]!
        // What a failed try has allocated stays taken: others have what lies behind it.
        const into = { allocate: (bytes: number) => slab.allocate(bytes) }
        groups[at] = storedChunks(group, await read(fragment, ranges, run, into))
      }
    }
    await Promise.all(Array.from({ length: Math.min(FILES_AT_ONCE, requests.length) }, worker))
    return { passage, groups, release: () => slab.release() }
  } catch (error) {
    slab.release()
    throw error
  }
}

function chunkRanges({ fragment, rowGroup, leaves }: PassingRowGroup): ByteRange[] {
  const { columns } = fragment.metadata.rowGroups[rowGroup]!
  return leaves.map(leaf => inFile(fragment, rowGroup, leaf, chunkRange(columns[leaf]!)))
}

function storedChunks({ fragment, rowGroup, leaves }: PassingRowGroup, bytes: Uint8Array[]): StoredChunk[] {
  const { columns, rowGroups } = fragment.metadata
  const { numRows: rows, columns: chunks } = rowGroups[rowGroup]!
  return leaves.map((leaf, i) => {
    const optional = columns[leaf]!.element.repetition === 'OPTIONAL'
    const { codec, statistics } = chunks[leaf]!
    return { codec, statistics, rows, optional, bytes: bytes[i]! }
  })
}

/** Memory for what has not been read with the footers. */
function takeSlab(
  slabs: Slabs,
  requests: readonly { fragment: Fragment; ranges: readonly ByteRange[] }[],
  run: Run,
): Promise<Slab> {
  let size = 0
  const held: HeldFile[] = []
  for (const { fragment, ranges } of requests) {
    if (fragment.held?.bytes === undefined) size += sizeOf(ranges)
    else held.push(fragment.held)
  }
  return slabs.take(size, run.signal, held)
}

/** Where bytes go that are read; `reset` is called before each try. */
interface ReadTarget {
  allocate(bytes: number): Uint8Array
  reset?(): void
}

/** Reads ranges of a fragment's file, if they are not there yet, into memory of their own if no other is given. */
export async function read(
  { file, held }: Fragment,
  ranges: readonly ByteRange[],
  run: Run,
  into?: ReadTarget,
): Promise<Uint8Array[]> {
  const own = held?.bytes
  if (own !== undefined) {
    return ranges.map(({ start, end }) =>
      into === undefined ? own.slice(start, end) : own.subarray(start, end),
    )
  }
  const bytes = await run.attempt(() => {
    into?.reset?.()
    return file.store.getRanges(file.object.key, ranges, {
      ifMatch: file.object.etag,
      signal: run.signal,
      coalesceGap: COALESCE_GAP,
      ...(into === undefined ? {} : { allocate: count => into.allocate(count) }),
    })
  })
  run.bytesRead += sizeOf(ranges)
  return bytes
}

/** What is read where near ranges are read in one. */
export function sizeOf(ranges: readonly ByteRange[]): number {
  return coalesceRanges(ranges, { gap: COALESCE_GAP }).reduce((sum, { start, end }) => sum + end - start, 0)
}

/** The range itself, if it lies in its file: what a footer says need not. */
export function inFile(
  { metadata, file, name }: Fragment,
  rowGroup: number,
  leaf: number,
  range: ByteRange,
): ByteRange {
  const { start, end } = range
  const place = { file: name, rowGroup, column: metadata.columns[leaf]!.path.join('.') }
  if (metadata.rowGroups[rowGroup]!.columns[leaf]!.encrypted === true) {
    throw new SluiceError('unsupported', 'the column is encrypted', place)
  }
  if (start >= 0 && end <= file.object.size && start <= end) return range
  throw new SluiceError('corrupt', `lies at bytes ${start} to ${end} of ${file.object.size}`, place)
}
