import type { Field, RecordBatch } from 'apache-arrow'
import type { Arena, Region } from '../core/arena.ts'
import { makeBatch } from '../core/batch.ts'
import { concatBatches } from '../core/concat.ts'
import { SluiceError } from '../core/errors.ts'
import { StageRunner } from '../core/stages.ts'
import { fieldFromMessage, schemaFromMessage } from '../core/transport.ts'
import { RowGroupReader } from '../parquet/row-group-reader.ts'
import { constantColumn } from './constant-column.ts'
import type { LaneFile, LaneProgram, LaneUnit } from './lane-messages.ts'
import { decodedBytes } from './scan-size.ts'

/** A batch on its way out of the decoder, in a region of its own. */
export interface Step {
  batch: RecordBatch
  region: Region
  rowsIn: number
  last: boolean
}

/** Part of the arena that one batch on its way may take. */
const BATCH_SHARE = 0.5
/** Rows are there up to three times at once: decoded, filtered, ordered by partition. */
const COPIES = 3

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
        const perRow = COPIES * Math.max(1, this.#decodedBytes(file, rowGroup) / reader.rows)
        const step = this.#sliceRows(reader.rows, perRow)
        for (let at = 0; at < reader.rows; ) {
          const rowsIn = Math.min(step, reader.rows - at)
          await this.#makeRoom(rowsIn * perRow)
          at += rowsIn
          const last = at === reader.rows && rowGroup === unit.rowGroups.at(-1)
          yield this.#stage(rowsIn, last, region => this.#read(reader, file, rowsIn, region))
        }
      } finally {
        reader.close()
      }
    }
  }

  async #wholeFile(file: LaneFile, unit: LaneUnit): Promise<Step> {
    const sizes = unit.rowGroups.map(rowGroup => this.#decodedBytes(file, rowGroup))
    await this.#makeRoom(COPIES * sizes.reduce((sum, size) => sum + size, 0))
    const readers: RowGroupReader[] = []
    try {
      for (const rowGroup of unit.rowGroups) readers.push(await this.#reader(file, rowGroup, unit))
      const rowsIn = readers.reduce((sum, reader) => sum + reader.rows, 0)
      return this.#stage(rowsIn, true, region => {
        const parts = readers.map(reader => this.#read(reader, file, reader.rows, region))
        return concatBatches(parts, region)
      })
    } finally {
      for (const reader of readers) reader.close()
    }
  }

  #stage(rowsIn: number, last: boolean, make: (region: Region) => RecordBatch): Step {
    const region = this.#arena.region()
    try {
      return { batch: this.#head.run(make(region), region), region, rowsIn, last }
    } catch (error) {
      region.free()
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

  /** As many rows at a time as fit; in mode `batch` not more than asked for. */
  #sliceRows(rows: number, bytesPerRow: number): number {
    const { mode, batchRows, arenaBytes } = this.#program
    const fitting = Math.max(1, Math.floor((arenaBytes * BATCH_SHARE) / bytesPerRow))
    return Math.min(mode === 'batch' ? batchRows : rows, fitting)
  }
}
