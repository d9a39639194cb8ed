import { isSluiceError } from '../core/errors.ts'
import type { BoundExpr } from '../core/expressions/bound.ts'
import { type ColumnBounds, columnsOfEqualities, prune } from '../core/expressions/prune.ts'
import type { Run } from '../core/run.ts'
import { leavesOf } from '../parquet/arrow-schema.ts'
import {
  BLOOM_HEADER,
  type BloomFilter,
  bloomFilterSize,
  lacksValue,
  openBloomFilter,
} from '../parquet/bloom-filter.ts'
import { readColumnIndex, readOffsetIndex } from '../parquet/index-pages.ts'
import {
  type ColumnChunkMetadata,
  chunkRange,
  type FileMetadata,
  type OffsetIndex,
  type RowRange,
} from '../parquet/metadata.ts'
import { fitsChunk, type PageRun, pageRuns } from '../parquet/page-ranges.ts'
import type { ByteRange } from '../storage/store.ts'
import { columnBounds, flatLeaf } from './bounds.ts'
import { type ColumnPages, wantedRows } from './page-plan.ts'
import { type Fragment, fileColumns, type RowGroupPlan } from './units.ts'

/** What is asked of every file of a scan. */
export interface ScanRequest {
  /** Filters on the source's own columns. */
  predicates: readonly BoundExpr[]
  /** Columns that are needed, partition keys included. */
  columns: readonly string[]
}

/** Indexes closer than this are read in one request. */
const INDEX_GAP = 64 * 1024

/** A row group that statistics leave, and the filters of which they do not say that every row passes. */
interface Candidate {
  rowGroup: number
  undecided: readonly BoundExpr[]
}

/**
 * The row groups of a file that may hold wanted rows, by the statistics of its footer and by bloom filters, and
 * which pages of them, by the page index. These are read where a filter looks at a column that has them. What does
 * not fit its chunk, or does not parse, is ignored: all it can do is save work.
 */
export async function planFile(
  fragment: Omit<Fragment, 'rowGroups'>,
  request: ScanRequest,
  run: Run,
): Promise<RowGroupPlan[]> {
  const { metadata, file } = fragment
  const candidates: Candidate[] = []
  for (let rowGroup = 0; rowGroup < metadata.rowGroups.length; rowGroup++) {
    if (metadata.rowGroups[rowGroup]!.numRows === 0) continue
    const bounds = columnBounds(metadata, rowGroup, file.constants)
    const outcomes = request.predicates.map(predicate => prune(predicate, bounds))
    if (outcomes.includes('none')) continue
    candidates.push({ rowGroup, undecided: request.predicates.filter((_, i) => outcomes[i] === 'some') })
  }
  const columns = fileColumns(request.columns, fragment)
  const leaves = leavesOf(metadata, columns)
  const indexes = await readIndexes(fragment, candidates, leaves, run)
  const left = candidates.filter(candidate => !ruledOut(fragment, candidate, indexes))
  run.bloomFilters.pruned += candidates.length - left.length
  return left.flatMap(candidate => planRowGroup(fragment, candidate, leaves, indexes))
}

/** Whether bloom filters know that no row of a row group passes. */
function ruledOut(
  { metadata, file }: Omit<Fragment, 'rowGroups'>,
  { rowGroup, undecided }: Candidate,
  indexes: IndexBytes,
): boolean {
  const bounds = columnBounds(metadata, rowGroup, file.constants)
  const bloomed = (name: string): ColumnBounds | undefined => {
    const known = bounds(name)
    const leaf = ownLeaf(metadata, file, name)
    const filter = leaf === undefined ? undefined : indexes.bloom(rowGroup, leaf)
    if (known === undefined || filter === undefined) return known
    const { element } = metadata.columns[leaf!]!
    return { ...known, lacks: value => lacksValue(filter, element, value) }
  }
  return undecided.some(predicate => prune(predicate, bloomed) === 'none')
}

function planRowGroup(
  { metadata, file }: Omit<Fragment, 'rowGroups'>,
  { rowGroup, undecided }: Candidate,
  leaves: readonly number[],
  indexes: IndexBytes,
): RowGroupPlan[] {
  const { numRows, columns } = metadata.rowGroups[rowGroup]!
  const all: RowRange[] = [{ start: 0, end: numRows }]
  const pagesOf = (name: string): ColumnPages | undefined => {
    const leaf = ownLeaf(metadata, file, name)
    return leaf === undefined ? undefined : indexes.pages(rowGroup, leaf)
  }
  const ranges = indexes.some(rowGroup)
    ? wantedRows(metadata, rowGroup, file.constants, undecided, pagesOf)
    : all
  if (ranges.length === 0) return []
  const whole = ranges[0]!.start === 0 && ranges[0]!.end === numRows
  let pagesPruned = 0
  const chunks = leaves.map(leaf => {
    const chunk = columns[leaf]!
    const offsets = whole ? undefined : indexes.offsets(rowGroup, leaf)
    if (offsets === undefined) {
      const run: PageRun = { ...chunkRange(chunk), firstRow: 0, rows: numRows, pages: 0 }
      return { leaf, runs: [run] }
    }
    const runs = pageRuns(offsets, chunk, ranges, numRows)
    pagesPruned += offsets.pages.length - runs.reduce((sum, run) => sum + run.pages, 0)
    return { leaf, runs }
  })
  return [{ rowGroup, ranges, chunks, pagesPruned, certain: undecided.length === 0 }]
}

/** The leaf of a column that is not nested, and not a partition key, whatever the file has of that name. */
function ownLeaf(metadata: FileMetadata, file: Fragment['file'], name: string): number | undefined {
  return fileColumns([name], { file }).length === 0 ? undefined : flatLeaf(metadata, name)
}

/** The bytes of page indexes and bloom filters, parsed as they are needed. */
class IndexBytes {
  readonly #metadata: FileMetadata
  readonly #bytes = new Map<string, Uint8Array>()
  readonly #groups = new Set<number>()

  constructor(metadata: FileMetadata) {
    this.#metadata = metadata
  }

  set({ kind, rowGroup, leaf }: Location, bytes: Uint8Array): void {
    this.#bytes.set(`${kind} ${rowGroup} ${leaf}`, bytes)
    if (kind === 'column') this.#groups.add(rowGroup)
  }

  bloom(rowGroup: number, leaf: number): BloomFilter | undefined {
    return this.#parse(`bloom ${rowGroup} ${leaf}`, openBloomFilter)
  }

  /** Whether there are page indexes of a row group. */
  some(rowGroup: number): boolean {
    return this.#groups.has(rowGroup)
  }

  offsets(rowGroup: number, leaf: number): OffsetIndex | undefined {
    const { columns, numRows } = this.#metadata.rowGroups[rowGroup]!
    const index = this.#parse(`offset ${rowGroup} ${leaf}`, readOffsetIndex)
    return index !== undefined && fitsChunk(index, columns[leaf]!, numRows) ? index : undefined
  }

  /** Both halves, if they agree. */
  pages(rowGroup: number, leaf: number): ColumnPages | undefined {
    const column = this.#parse(`column ${rowGroup} ${leaf}`, readColumnIndex)
    const offset = this.offsets(rowGroup, leaf)
    if (column === undefined || offset === undefined) return undefined
    return column.nullPages.length === offset.pages.length ? { leaf, column, offset } : undefined
  }

  #parse<T>(key: string, read: (bytes: Uint8Array) => T): T | undefined {
    const bytes = this.#bytes.get(key)
    try {
      return bytes && read(bytes)
    } catch (error) {
      if (isSluiceError(error)) return undefined
      throw error
    }
  }
}

/** A piece of a file that is neither footer nor column chunk. */
interface Location {
  kind: 'column' | 'offset' | 'bloom'
  rowGroup: number
  leaf: number
  range: ByteRange
}

/**
 * Reads, at once, what the filters' columns have of a page index, where the pages of the others lie, and the bloom
 * filters of columns that are compared with single values. Of a filter whose length the footer does not say (older
 * writers left it out) the header is read first.
 */
async function readIndexes(
  { metadata, file }: Omit<Fragment, 'rowGroups'>,
  candidates: readonly Candidate[],
  leaves: readonly number[],
  run: Run,
): Promise<IndexBytes> {
  const indexes = new IndexBytes(metadata)
  const read = async (locations: readonly Location[]): Promise<Uint8Array[]> => {
    if (locations.length === 0) return []
    const ranges = locations.map(({ range }) => range)
    for (const { start, end } of ranges) run.bytesRead += end - start
    const options = { ifMatch: file.object.etag, signal: run.signal, coalesceGap: INDEX_GAP }
    return run.attempt(() => file.store.getRanges(file.object.key, ranges, options))
  }
  const wanted: Location[] = []
  for (const { rowGroup, undecided } of candidates) {
    const { columns } = metadata.rowGroups[rowGroup]!
    const locate = (kind: Location['kind'], leaf: number): Location[] => {
      const range = rangeOf(kind, columns[leaf]!, file.object.size)
      return range === undefined ? [] : [{ kind, rowGroup, leaf, range }]
    }
    const leavesOfColumns = (names: readonly string[]) =>
      [...new Set(names)].flatMap(name => ownLeaf(metadata, file, name) ?? [])
    const tested = leavesOfColumns(undecided.flatMap(predicate => predicate.columns))
    const own = tested.flatMap(leaf => locate('column', leaf))
    wanted.push(...own)
    if (own.length > 0) {
      for (const leaf of leaves) if (metadata.columns[leaf]!.flat) wanted.push(...locate('offset', leaf))
    }
    const equalities = leavesOfColumns(undecided.flatMap(({ root }) => columnsOfEqualities(root)))
    wanted.push(...equalities.flatMap(leaf => locate('bloom', leaf)))
  }
  const bytes = await read(wanted)
  const longer: Location[] = []
  wanted.forEach((location, i) => {
    const { kind, rowGroup, leaf, range } = location
    const sized = metadata.rowGroups[rowGroup]!.columns[leaf]!.bloomFilterLength !== undefined
    const size = kind === 'bloom' && !sized ? bloomFilterSize(bytes[i]!) : undefined
    if (size === undefined || size <= bytes[i]!.length) indexes.set(location, bytes[i]!)
    else if (range.start + size <= file.object.size) {
      longer.push({ ...location, range: { start: range.start, end: range.start + size } })
    }
  })
  const rest = await read(longer)
  longer.forEach((location, i) => void indexes.set(location, rest[i]!))
  run.bloomFilters.read += wanted.filter(({ kind }) => kind === 'bloom').length
  return indexes
}

/** Where the footer says that an index lies; undefined if there is none, or it cannot lie there. */
function rangeOf(kind: Location['kind'], chunk: ColumnChunkMetadata, size: number): ByteRange | undefined {
  const [start, length] =
    kind === 'column'
      ? [chunk.columnIndexOffset, chunk.columnIndexLength]
      : kind === 'offset'
        ? [chunk.offsetIndexOffset, chunk.offsetIndexLength]
        : [chunk.bloomFilterOffset, chunk.bloomFilterLength ?? BLOOM_HEADER]
  if (start === undefined || length === undefined || start < 0 || length <= 0) return undefined
  // A header may be shorter than what is read for it.
  const end =
    kind === 'bloom' && chunk.bloomFilterLength === undefined
      ? Math.min(start + length, size)
      : start + length
  return end <= size && start < end ? { start, end } : undefined
}
