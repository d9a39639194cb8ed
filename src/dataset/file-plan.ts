import type { Schema } from 'apache-arrow'
import { isSluiceError } from '../core/errors.ts'
import type { BoundExpr } from '../core/expressions/bound.ts'
import { prune } from '../core/expressions/prune.ts'
import type { Run } from '../core/run.ts'
import { leavesOf } from '../parquet/arrow-schema.ts'
import { readColumnIndex, readOffsetIndex } from '../parquet/index-pages.ts'
import { chunkRange, type FileMetadata, type OffsetIndex, type RowRange } from '../parquet/metadata.ts'
import { fitsChunk, type PageRun, pageRuns } from '../parquet/page-ranges.ts'
import type { ByteRange, Store } from '../storage/store.ts'
import { columnBounds, flatLeaf } from './bounds.ts'
import { type ColumnPages, wantedRows } from './page-plan.ts'
import { type Fragment, fileColumns, type RowGroupPlan } from './units.ts'

/** What is asked of every file of a scan. */
export interface ScanRequest {
  schema: Schema
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
 * The row groups of a file that may hold wanted rows, by the statistics of its footer, and which pages of them, by
 * its page index. The index is read where a filter looks at a column that has one. An index that does not fit its
 * chunk, or does not parse, is ignored: all it can do is save work.
 */
export async function planFile(
  store: Store,
  fragment: Omit<Fragment, 'rowGroups'>,
  request: ScanRequest,
  run: Run,
): Promise<RowGroupPlan[]> {
  const { metadata, file } = fragment
  const candidates: Candidate[] = []
  for (let rowGroup = 0; rowGroup < metadata.rowGroups.length; rowGroup++) {
    if (metadata.rowGroups[rowGroup]!.numRows === 0) continue
    const bounds = columnBounds(metadata, rowGroup, request.schema, file.constants)
    const outcomes = request.predicates.map(predicate => prune(predicate, bounds))
    if (outcomes.includes('none')) continue
    candidates.push({ rowGroup, undecided: request.predicates.filter((_, i) => outcomes[i] === 'some') })
  }
  const columns = fileColumns(request.columns, fragment)
  const leaves = leavesOf(metadata, columns)
  const indexes = await readIndexes(store, fragment, candidates, leaves, run)
  return candidates.flatMap(candidate => planRowGroup(fragment, candidate, request, leaves, indexes))
}

function planRowGroup(
  { metadata, file }: Omit<Fragment, 'rowGroups'>,
  { rowGroup, undecided }: Candidate,
  { schema }: ScanRequest,
  leaves: readonly number[],
  indexes: IndexBytes,
): RowGroupPlan[] {
  const { numRows, columns } = metadata.rowGroups[rowGroup]!
  const all: RowRange[] = [{ start: 0, end: numRows }]
  const pagesOf = (name: string): ColumnPages | undefined => {
    const leaf = flatLeaf(metadata, name)
    return leaf === undefined ? undefined : indexes.pages(rowGroup, leaf)
  }
  const ranges = indexes.some(rowGroup)
    ? wantedRows(metadata, rowGroup, schema, file.constants, undecided, pagesOf)
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
  return [{ rowGroup, ranges, chunks, pagesPruned }]
}

/** The bytes of page indexes, parsed as they are needed. */
class IndexBytes {
  readonly #metadata: FileMetadata
  readonly #bytes = new Map<string, Uint8Array>()
  readonly #groups = new Set<number>()

  constructor(metadata: FileMetadata) {
    this.#metadata = metadata
  }

  set(kind: 'column' | 'offset', rowGroup: number, leaf: number, bytes: Uint8Array): void {
    this.#bytes.set(`${kind} ${rowGroup} ${leaf}`, bytes)
    this.#groups.add(rowGroup)
  }

  /** Whether there are any of a row group. */
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
      if (isSluiceError(error) && error.code === 'corrupt') return undefined
      throw error
    }
  }
}

/** Reads, at once, what the filters' columns have of a page index, and where the pages of the others lie. */
async function readIndexes(
  store: Store,
  { metadata, file }: Omit<Fragment, 'rowGroups'>,
  candidates: readonly Candidate[],
  leaves: readonly number[],
  run: Run,
): Promise<IndexBytes> {
  const indexes = new IndexBytes(metadata)
  const wanted: { kind: 'column' | 'offset'; rowGroup: number; leaf: number; range: ByteRange }[] = []
  for (const { rowGroup, undecided } of candidates) {
    const { columns } = metadata.rowGroups[rowGroup]!
    const locate = (kind: 'column' | 'offset', leaf: number) => {
      const chunk = columns[leaf]!
      const start = kind === 'column' ? chunk.columnIndexOffset : chunk.offsetIndexOffset
      const length = kind === 'column' ? chunk.columnIndexLength : chunk.offsetIndexLength
      if (start === undefined || length === undefined || start < 0 || length <= 0) return []
      if (start + length > file.object.size) return []
      return [{ kind, rowGroup, leaf, range: { start, end: start + length } }]
    }
    const names = new Set(undecided.flatMap(predicate => predicate.columns))
    const tested = fileColumns([...names], { file }).flatMap(name => flatLeaf(metadata, name) ?? [])
    const own = tested.flatMap(leaf => locate('column', leaf))
    if (own.length === 0) continue
    wanted.push(...own)
    for (const leaf of leaves) if (metadata.columns[leaf]!.flat) wanted.push(...locate('offset', leaf))
  }
  if (wanted.length === 0) return indexes
  const ranges = wanted.map(({ range }) => range)
  const bytes = await run.attempt(() =>
    store.getRanges(file.object.key, ranges, {
      ifMatch: file.object.etag,
      signal: run.signal,
      coalesceGap: INDEX_GAP,
    }),
  )
  wanted.forEach(({ kind, rowGroup, leaf, range }, i) => {
    run.bytesRead += range.end - range.start
    indexes.set(kind, rowGroup, leaf, bytes[i]!)
  })
  return indexes
}
