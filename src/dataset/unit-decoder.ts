import type { Field, RecordBatch } from 'apache-arrow'
import type { Arena, Region } from '../core/arena.ts'
import { makeBatch } from '../core/batch.ts'
import { concatBatches } from '../core/concat.ts'
import { SluiceError } from '../core/errors.ts'
import { sliceRows } from '../core/slice.ts'
import { StageRunner } from '../core/stages.ts'
import { fieldFromMessage, schemaFromMessage } from '../core/transport.ts'
import { RowGroupReader } from '../parquet/row-group-reader.ts'
import { constantColumn } from './constant-column.ts'
import type { LaneFile, LaneProgram, LaneUnit } from './lane-messages.ts'
import { decodedBytes } from './scan-size.ts'

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

/** Part of the arena that one batch on its way may take. */
const BATCH_SHARE = 0.5
/** Rows are there up to three times at once: decoded, filtered, ordered by partition. */
const COPIES = 3
/** Slices are not cut smaller than this, or the work on each would outweigh the rows. */
const MIN_ROWS = 1024

/** A lane's first half: bytes of row groups become batches, in slices that fit in the arena. */
export class UnitDecoder {
  readonly #program: LaneProgram
  readonly #arena: Arena
  readonly #makeRoom: (bytes: number) => Promise<void>
  readonly #files = new Map<number, LaneFile>()
  readonly #input: Field[]
  readonly #head: StageRunner

  /** @param makeRoom called before `bytes` of the arena are needed */
  constructor(program: LaneProgram, arena: Arena, makeRoom: (bytes: number) => Promise<void>) {
    this.#program = program
    this.#arena = arena
    this.#makeRoom = makeRoom
    this.#input = program.input.map(fieldFromMessage)
    this.#head = new StageRunner(program.head, schemaFromMessage(program.input))
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
    if (this.#program.mode === 'fragment') {
      yield await this.#wholeFile(file, unit)
      return
    }
    for (const rowGroup of unit.rowGroups) {
      const reader = await this.#reader(file, rowGroup, unit)
      try {
        yield* this.#slices(reader, file, rowGroup, rowGroup === unit.rowGroups.at(-1))
      } finally {
        reader.close()
      }
    }
  }

  /** A row group at once if it fits, else a slice at a time; in mode `batch` slices of at most `batchRows`. */
  async *#slices(
    reader: RowGroupReader,
    file: LaneFile,
    rowGroup: number,
    lastGroup: boolean,
  ): AsyncGenerator<Step> {
    const { mode, batchRows, arenaBytes } = this.#program
    const { rows, pageBytes } = reader
    const decoded = Math.max(rows, this.#decodedBytes(file, rowGroup))
    const perRow = decoded / rows
    const room = arenaBytes * BATCH_SHARE
    const wanted = mode === 'batch' ? Math.min(batchRows, rows) : rows
    // Between slices the pages in which they end are kept. Where those are the whole row group, it takes less to
    // decode it once and to cut the rest of the work into slices.
    const sliced = wanted < rows || COPIES * decoded > room
    const atOnce = sliced && pageBytes >= decoded
    const kept = atOnce ? decoded : sliced ? pageBytes : 0
    const copies = atOnce ? COPIES - 1 : COPIES
    const fitting = Math.max(MIN_ROWS, Math.floor((room - kept) / (copies * perRow)))
    const step = Math.min(wanted, fitting)
    const whole = this.#arena.region()
    try {
      let all: RecordBatch | undefined
      for (let at = 0; at < rows; at += step) {
        const rowsIn = Math.min(step, rows - at)
        await this.#makeRoom(rowsIn * copies * perRow + (all === undefined ? kept : 0))
        if (atOnce) all ??= this.#read(reader, file, rows, whole)
        yield this.#stage(rowsIn, lastGroup && at + rowsIn === rows, all !== undefined, region =>
          all === undefined ? this.#read(reader, file, rowsIn, region) : sliceRows(all, at, at + rowsIn),
        )
      }
    } finally {
      whole.free()
    }
  }

  async #wholeFile(file: LaneFile, unit: LaneUnit): Promise<Step> {
    const sizes = unit.rowGroups.map(rowGroup => this.#decodedBytes(file, rowGroup))
    await this.#makeRoom(COPIES * sizes.reduce((sum, size) => sum + size, 0))
    const readers: RowGroupReader[] = []
    try {
      for (const rowGroup of unit.rowGroups) readers.push(await this.#reader(file, rowGroup, unit))
      const rowsIn = readers.reduce((sum, reader) => sum + reader.rows, 0)
      return this.#stage(rowsIn, true, false, region => {
        const parts = readers.map(reader => this.#read(reader, file, reader.rows, region))
        return concatBatches(parts, region)
      })
    } finally {
      for (const reader of readers) reader.close()
    }
  }

  /** @param borrowed what `make` gives lies in memory that is used again */
  #stage(rowsIn: number, last: boolean, borrowed: boolean, make: (region: Region) => RecordBatch): Step {
    const scratch = this.#arena.region()
    const taken = this.#arena.region()
    try {
      const read = make(scratch)
      const batch = this.#head.run(read, scratch, taken)
      if (batch.numRows < read.numRows) return { batch, region: taken, scratch, rowsIn, last }
      return { batch, region: borrowed ? undefined : scratch, scratch, rowsIn, last }
    } catch (error) {
      scratch.free()
      taken.free()
      throw error
    }
  }

  #read(reader: RowGroupReader, file: LaneFile, rows: number, region: Region): RecordBatch {
    const batch = reader.read(rows, region)
    const columns = this.#input.map(field => {
      const constant = file.constants.find(({ name }) => name === field.name)
      if (constant !== undefined) return constantColumn(field.type, constant.value, rows, region)
      const index = reader.fields.findIndex(({ name }) => name === field.name)
      return batch.data.children[index]!
    })
    return makeBatch(this.#input, columns, rows)
  }

  #reader(file: LaneFile, rowGroup: number, unit: LaneUnit): Promise<RowGroupReader> {
    const chunks = new Map<number, Uint8Array>()
    for (const chunk of unit.chunks) if (chunk.rowGroup === rowGroup) chunks.set(chunk.leaf, chunk.bytes)
    return RowGroupReader.open({
      file: file.name,
      metadata: file.metadata,
      rowGroup,
      columns: this.#fileColumns(file),
      bytes: leaf => chunks.get(leaf)!,
      arena: this.#arena,
    })
  }

  #fileColumns(file: LaneFile): string[] {
    return this.#input
      .map(({ name }) => name)
      .filter(name => !file.constants.some(constant => constant.name === name))
  }

  #decodedBytes(file: LaneFile, rowGroup: number): number {
    return decodedBytes(file.metadata, rowGroup, this.#fileColumns(file))
  }
}
