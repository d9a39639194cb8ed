import { Field, type RecordBatch, Schema } from 'apache-arrow'
import type { Arena, Region } from '../core/arena.ts'
import { concatBatches } from '../core/concat.ts'
import { SluiceError } from '../core/errors.ts'
import { sliceRows } from '../core/slice.ts'
import { StageRunner } from '../core/stages.ts'
import { takeBatch } from '../core/take.ts'
import { schemaFromMessage } from '../core/transport.ts'
import type { PageCounts } from '../parquet/column-reader.ts'
import type { ChunkPart } from '../parquet/pages.ts'
import { FilteredReader, type FilteredRows, type ReadPlan, readPlan } from './filtered-reader.ts'
import type { LaneFile, LaneProgram, LaneUnit } from './lane-messages.ts'
import { decodedBytes } from './scan-size.ts'
import { rowsIn } from './units.ts'

/** A batch on its way out of the decoder. Both regions are the receiver's to free. */
export interface Step {
  batch: RecordBatch
  /**
   * Where the columns lie, unless that is elsewhere, in memory that is gone when the next batch is asked for:
   * then undefined.
   */
  region: Region | undefined
  /** What was needed on the way; dictionaries may lie there. */
  scratch: Region
  rowsIn: number
  last: boolean
}

/** What a lane does with the files of one part of a scan. */
interface LanePart {
  plan: ReadPlan
  /** The stages behind the filters that the reader sees to. */
  rest: StageRunner
}

/** Part of the arena that one batch on its way may take. */
const BATCH_SHARE = 0.5
/** Rows are there up to three times at once: decoded, filtered, ordered by partition. */
const COPIES = 3
/** What bytes of a file may become, all copies counted, beyond the budget: a small file that claims much has few. */
const CREDIBLE = 64
/** Slices are not cut smaller than this, or the work on each would outweigh the rows. */
const MIN_ROWS = 1024

/** A lane's first half: bytes of row groups become batches, in slices that fit in the arena. */
export class UnitDecoder {
  readonly #program: LaneProgram
  readonly #arena: Arena
  readonly #makeRoom: (bytes: number) => Promise<void>
  readonly #files = new Map<number, LaneFile>()
  readonly #parts: LanePart[]
  readonly #pages: PageCounts = { total: 0, opened: 0 }

  /** @param makeRoom called before `bytes` of the arena are needed */
  constructor(program: LaneProgram, arena: Arena, makeRoom: (bytes: number) => Promise<void>) {
    this.#program = program
    this.#arena = arena
    this.#makeRoom = makeRoom
    this.#parts = program.parts.map(({ head, input }) => {
      const plan = readPlan(head, schemaFromMessage(input))
      return { plan, rest: new StageRunner(plan.rest, new Schema(plan.output)) }
    })
  }

  /** The columns of the batches. */
  get output(): Schema {
    const outputs = this.#parts.map(({ rest }) => rest.output.fields)
    const fields = outputs[0]!.map(({ name, type }, i) => {
      return new Field(
        name,
        type,
        outputs.some(fields => fields[i]!.nullable),
      )
    })
    return new Schema(fields)
  }

  /** Pages seen and opened since the last call. */
  takePages(): PageCounts {
    const { total, opened } = this.#pages
    Object.assign(this.#pages, { total: 0, opened: 0 })
    return { total, opened }
  }

  addFile(file: LaneFile): void {
    this.#files.set(file.id, file)
  }

  dropFile(id: number): void {
    this.#files.delete(id)
  }

  /** The unit's batches after the program's stages, each in a region that the caller frees. */
  async *batches(unit: LaneUnit): AsyncGenerator<Step> {
    const file = this.#files.get(unit.file)
    if (file === undefined)
      throw new SluiceError('invalid-argument', `file ${unit.file} is not known to the lane`)
    this.#arena.allow(this.#program.mostBytes + CREDIBLE * storedBytes(unit))
    if (this.#program.mode === 'fragment') {
      yield await this.#wholeFile(file, unit)
      return
    }
    for (const { rowGroup, ranges } of unit.rowGroups) {
      const reader = this.#reader(file, rowGroup, unit)
      const lastGroup = rowGroup === unit.rowGroups.at(-1)!.rowGroup
      try {
        let at = 0
        for (const [index, { start, end }] of ranges.entries()) {
          reader.skip(start - at)
          yield* this.#slices(reader, file, rowGroup, end - start, lastGroup && index === ranges.length - 1)
          at = end
        }
      } finally {
        reader.close()
      }
    }
  }

  /** The next rows at once if they fit, else a slice at a time; in mode `batch` slices of at most `batchRows`. */
  async *#slices(
    reader: FilteredReader,
    file: LaneFile,
    rowGroup: number,
    rows: number,
    lastRange: boolean,
  ): AsyncGenerator<Step> {
    const { mode, batchRows, arenaBytes } = this.#program
    const { pageBytes } = reader
    const perRow = Math.max(1, this.#decodedBytes(file, rowGroup) / reader.rows)
    const decoded = rows * perRow
    const room = arenaBytes * BATCH_SHARE
    const wanted = mode === 'batch' ? Math.min(batchRows, rows) : rows
    // Between slices the pages in which they end are kept. Where those are all the rows, it takes less to decode
    // them once and to cut the rest of the work into slices.
    const sliced = wanted < rows || COPIES * decoded > room
    const atOnce = sliced && pageBytes >= decoded
    const kept = atOnce ? decoded : sliced ? pageBytes : 0
    const copies = atOnce ? COPIES - 1 : COPIES
    const fitting = Math.max(MIN_ROWS, Math.floor((room - kept) / (copies * perRow)))
    const step = Math.min(wanted, fitting)
    const whole = this.#arena.region()
    try {
      let all: FilteredRows | undefined
      for (let at = 0, rowsIn = 0; at < rows; at += rowsIn) {
        rowsIn = Math.min(step, rows - at)
        await this.#makeRoom(rowsIn * copies * perRow + (all === undefined ? kept : 0))
        if (atOnce) all ??= reader.read(rows, whole, whole)
        // Few rows have been left: they make one slice.
        if (all !== undefined && all.batch.numRows < rows) rowsIn = rows
        const last = lastRange && at + rowsIn === rows
        yield this.#stage(file, rowsIn, rowsIn * perRow, last, (scratch, taken) => {
          if (all !== undefined) return chosenRows(sliceOf(all, at, at + rowsIn, scratch), taken)
          return chosenRows(reader.read(rowsIn, scratch, taken), taken)
        })
      }
    } finally {
      whole.free()
    }
  }

  async #wholeFile(file: LaneFile, unit: LaneUnit): Promise<Step> {
    const sizes = unit.rowGroups.map(({ rowGroup }) => this.#decodedBytes(file, rowGroup))
    const bytes = sizes.reduce((sum, size) => sum + size, 0)
    await this.#makeRoom(COPIES * bytes)
    const readers: FilteredReader[] = []
    try {
      for (const { rowGroup } of unit.rowGroups) readers.push(this.#reader(file, rowGroup, unit))
      const total = unit.rowGroups.reduce((sum, { ranges }) => sum + rowsIn(ranges), 0)
      return this.#stage(file, total, bytes, true, scratch => {
        const parts = unit.rowGroups.flatMap(({ ranges }, i) => {
          const reader = readers[i]!
          return ranges.map(({ start, end }, j) => {
            reader.skip(start - (ranges[j - 1]?.end ?? 0))
            return chosenRows(reader.read(end - start, scratch, scratch), scratch).batch
          })
        })
        return { batch: concatBatches(parts, scratch), region: scratch }
      })
    } finally {
      for (const reader of readers) reader.close()
    }
  }

  /** @param bytes about what the rows take */
  #stage(
    file: LaneFile,
    rowsIn: number,
    bytes: number,
    last: boolean,
    make: (scratch: Region, taken: Region) => Rows,
  ): Step {
    const scratch = this.#arena.region()
    const taken = this.#arena.regionFor(bytes)
    try {
      const { batch: read, region } = make(scratch, taken)
      const batch = this.#partOf(file).rest.run(read, region === taken ? taken : scratch, taken)
      return { batch, region: batch.numRows < read.numRows ? taken : region, scratch, rowsIn, last }
    } catch (error) {
      scratch.free()
      taken.free()
      throw error
    }
  }

  #reader(file: LaneFile, rowGroup: number, unit: LaneUnit): FilteredReader {
    const chunks = new Map<number, ChunkPart[]>()
    for (const chunk of unit.chunks) if (chunk.rowGroup === rowGroup) chunks.set(chunk.leaf, chunk.parts)
    return FilteredReader.open({
      file,
      rowGroup,
      plan: this.#partOf(file).plan,
      parts: leaf => chunks.get(leaf)!,
      arena: this.#arena,
      counts: this.#pages,
    })
  }

  #partOf({ part }: LaneFile): LanePart {
    return this.#parts[part]!
  }

  #fileColumns(file: LaneFile): string[] {
    return this.#partOf(file)
      .plan.schema.fields.map(({ name }) => name)
      .filter(name => !file.constants.some(constant => constant.name === name))
  }

  #decodedBytes(file: LaneFile, rowGroup: number): number {
    return decodedBytes(file.metadata, rowGroup, this.#fileColumns(file), this.#partOf(file).plan.schema)
  }
}

function storedBytes({ chunks }: LaneUnit): number {
  return chunks.reduce((sum, { parts }) => parts.reduce((all, { bytes }) => all + bytes.length, sum), 0)
}

/** A batch and where its columns lie; undefined for memory that is used again. */
interface Rows {
  batch: RecordBatch
  region: Region | undefined
}

/** Rows `start` to `end` of those read, which stay where they are; indices of chosen ones are counted anew. */
function sliceOf({ batch, chosen }: FilteredRows, start: number, end: number, scratch: Region): FilteredRows {
  const slice = sliceRows(batch, start, Math.min(end, batch.numRows))
  if (chosen === undefined) return { batch: slice, chosen, region: undefined }
  const { arena } = scratch
  const all = arena.i32(chosen.indices, chosen.count)
  const from = lowerBound(all, start)
  const count = lowerBound(all, end) - from
  const indices = scratch.alloc(4 * count)
  arena.kernels.shiftOffsets(chosen.indices + 4 * from, count, -start, indices)
  return { batch: slice, chosen: { count, indices }, region: undefined }
}

function chosenRows({ batch, chosen, region }: FilteredRows, taken: Region): Rows {
  if (chosen === undefined || chosen.count === batch.numRows) return { batch, region }
  return { batch: takeBatch(batch, chosen, taken), region: taken }
}

/** How many of ascending numbers are below `limit`. */
function lowerBound(ascending: Int32Array, limit: number): number {
  let low = 0
  let high = ascending.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ascending[middle]! < limit) low = middle + 1
    else high = middle
  }
  return low
}
