import type { Field, RecordBatch, Schema } from 'apache-arrow'
import { Arena, type Region } from '../core/arena.ts'
import { batchBytes, makeBatch } from '../core/batch.ts'
import { concatBatches } from '../core/concat.ts'
import { SluiceError } from '../core/errors.ts'
import { type EmitHandler, type LaneHandlers, Transferred } from '../core/lanes.ts'
import type { Mode } from '../core/report.ts'
import { sliceRows } from '../core/slice.ts'
import { type Stage, StageRunner } from '../core/stages.ts'
import {
  type BatchMessage,
  batchFromMessage,
  batchToMessage,
  type FieldMessage,
  fieldFromMessage,
  packBatch,
  schemaFromMessage,
} from '../core/transport.ts'
import type { FileMetadata } from '../parquet/metadata.ts'
import { RowGroupReader } from '../parquet/row-group-reader.ts'
import { type EncodedRowGroup, encodeRowGroup } from '../parquet/row-group-writer.ts'
import type { ResolvedWriteOptions } from '../parquet/write-options.ts'
import { constantColumn } from './constant-column.ts'
import { PartitionBuffers, type RowGroupSize, type TakenRows } from './partition-buffers.ts'
import type { PartitionValue } from './partition-types.ts'
import { decodedBytes } from './scan-size.ts'

/** What a lane does in a run; plain data. */
export interface LaneProgram {
  mode: Mode
  batchRows: number
  /** Bytes of the budget that this lane's memory may take. */
  arenaBytes: number
  /** Columns of the source that are needed, partition keys included. */
  input: FieldMessage[]
  /** Stages behind the reads. */
  head: Stage[]
  sink?: LaneSink
}

/** What a lane needs to know to partition and encode. */
export interface LaneSink {
  /** Stages before the partitioning of batches that come from the main thread. */
  tail: Stage[]
  /** Columns of the files written. */
  fields: FieldMessage[]
  keys: string[]
  size: RowGroupSize
  maxPartitions: number
  write: ResolvedWriteOptions
}

/** A source file, told to a lane before its first unit. */
export interface LaneFile {
  id: number
  name: string
  metadata: FileMetadata
  constants: { name: string; value: PartitionValue }[]
}

/** Work for a lane: one row group, or in mode `fragment` all of a file's. */
export interface LaneUnit {
  file: number
  rowGroups: number[]
  chunks: { rowGroup: number; leaf: number; bytes: Uint8Array }[]
}

export interface LaneBatch {
  batch: BatchMessage
  /** Bytes of the batch. */
  bytes: number
  rowsIn: number
  /** No other batch of the unit follows. */
  last: boolean
}

/** A batch on its way out of the decoder, in a region of its own. */
interface Step {
  batch: RecordBatch
  region: Region
  rowsIn: number
  last: boolean
}

export interface LaneCounts {
  rowsIn: number
  rowsOut: number
  /** Bytes of Arrow data after the stages. */
  bytesOut: number
  highWater: number
}

/** A row group on its way to its partition's file. */
export interface LaneEmit {
  path: string
  group: EncodedRowGroup
}

/** A slice of the arena given to one unit at a time: decoded, filtered and ordered rows each take their share. */
const UNIT_SHARE = 0.5
const COPIES = 3
/** Encoded row groups that the main thread has not written yet. */
const EMIT_WINDOW = 4

/**
 * The CPU work of a run: decode, stages, partition, encode, in one thread with one arena. Holds no lock, does
 * no I/O. The main thread calls it through {@link laneHandlers}.
 */
export class Lane {
  readonly #program: LaneProgram
  readonly #emit: EmitHandler
  readonly #arena: Arena
  readonly #files = new Map<number, LaneFile>()
  readonly #input: Field[]
  readonly #head: StageRunner
  readonly #fields: Field[]
  readonly #buffers: PartitionBuffers | undefined
  #tail: { schema: Schema; runner: StageRunner } | undefined
  #unit: AsyncGenerator<Step> | undefined
  #emitting = new Set<Promise<void>>()
  #emitFailure: { error: unknown } | undefined
  #lent: TakenRows[] = []

  constructor(program: LaneProgram, emit: EmitHandler) {
    this.#program = program
    this.#emit = emit
    this.#arena = new Arena(program.arenaBytes)
    this.#input = program.input.map(fieldFromMessage)
    this.#head = new StageRunner(program.head, schemaFromMessage(program.input))
    const { sink } = program
    this.#fields = sink?.fields.map(fieldFromMessage) ?? []
    this.#buffers =
      sink === undefined
        ? undefined
        : new PartitionBuffers(this.#arena, sink.keys, sink.size, sink.maxPartitions)
  }

  addFile(file: LaneFile): void {
    this.#files.set(file.id, file)
  }

  dropFile(id: number): void {
    this.#files.delete(id)
  }

  /** Begins a unit whose batches {@link next} gives one by one. */
  async open(unit: LaneUnit): Promise<void> {
    await this.close()
    this.#unit = this.#batches(unit)
  }

  /** The next batch of the open unit, in memory of its own; undefined at the end. */
  async next(): Promise<Transferred | undefined> {
    const step = await this.#unit?.next()
    if (step === undefined || step.done) {
      this.#unit = undefined
      return undefined
    }
    const { batch, region, rowsIn, last } = step.value
    try {
      const { message, memory } = packBatch(batch)
      const bytes = memory.byteLength
      return new Transferred({ batch: message, bytes, rowsIn, last } satisfies LaneBatch, [memory])
    } finally {
      region.free()
    }
  }

  /** Gives up the open unit. */
  async close(): Promise<void> {
    await this.#unit?.return(undefined)
    this.#unit = undefined
  }

  /** Runs a whole unit into the partition buffers, emitting row groups that become full. */
  async rewrite(unit: LaneUnit): Promise<LaneCounts> {
    let rowsIn = 0
    let rowsOut = 0
    let bytesOut = 0
    for await (const { batch, region, rowsIn: read } of this.#batches(unit)) {
      rowsIn += read
      rowsOut += batch.numRows
      bytesOut += batchBytes(batch)
      await this.#add(batch, region)
    }
    return this.#counts(rowsIn, rowsOut, bytesOut)
  }

  /** The same for a batch from the main thread, through the sink's own stages. */
  async ingest(message: BatchMessage): Promise<LaneCounts> {
    const batch = batchFromMessage(message)
    if (this.#tail === undefined) {
      const { schema } = batch
      this.#tail = { schema, runner: new StageRunner(this.#program.sink!.tail, schema) }
    }
    await this.#makeRoom(COPIES * message.columns.reduce((sum, column) => sum + bytesOf(column), 0))
    const region = this.#arena.region()
    let result: RecordBatch
    try {
      result = this.#tail.runner.run(batch, region)
    } catch (error) {
      region.free()
      throw error
    }
    await this.#add(result, region)
    return this.#counts(batch.numRows, result.numRows, 0)
  }

  /** Partitions whose rows wait for more. */
  leftovers(): { path: string; rows: number }[] {
    return this.#buffers!.partitions()
  }

  /** The waiting rows of some partitions, to be encoded by another lane; valid until {@link takeBack}. */
  lend(paths: string[]): { path: string; batches: BatchMessage[] }[] {
    return paths.map(path => {
      const batches: BatchMessage[] = []
      for (let taken = this.#buffers!.take(path, true); taken; taken = this.#buffers!.take(path, true)) {
        this.#lent.push(taken)
        batches.push(...taken.batches.map(batchToMessage))
      }
      return { path, batches }
    })
  }

  takeBack(): void {
    for (const taken of this.#lent.splice(0)) taken.release()
  }

  /** Encodes all waiting rows of a partition together with rows of other lanes. */
  async finish(path: string, others: BatchMessage[]): Promise<void> {
    let waiting = others.map(batchFromMessage)
    const { size } = this.#program.sink!
    for (let taken = this.#buffers!.take(path, true); taken; taken = this.#buffers!.take(path, true)) {
      const batches = [...taken.batches]
      let rows = taken.rows
      while (waiting.length > 0 && rows < size.rows) {
        const [first, ...rest] = waiting
        const count = Math.min(first!.numRows, size.rows - rows)
        batches.push(sliceRows(first!, 0, count))
        waiting = count === first!.numRows ? rest : [sliceRows(first!, count, first!.numRows), ...rest]
        rows += count
      }
      await this.#encode(path, batches)
      taken.release()
    }
    if (waiting.length > 0) await this.#encode(path, waiting)
  }

  /** Resolves when the main thread has written everything emitted. */
  async settle(): Promise<LaneCounts> {
    await Promise.all(this.#emitting)
    this.#checkEmits()
    return this.#counts(0, 0, 0)
  }

  async #add(batch: RecordBatch, region: Region): Promise<void> {
    for (const path of this.#buffers!.add(batch, region)) {
      for (let taken = this.#buffers!.take(path, false); taken; taken = this.#buffers!.take(path, false)) {
        await this.#encodeTaken(taken)
      }
    }
  }

  /** Writes the partitions that have waited longest until `bytes` more fit. */
  async #makeRoom(bytes: number): Promise<void> {
    if (this.#buffers === undefined) return
    while (this.#arena.used + bytes > this.#program.arenaBytes) {
      const paths = this.#buffers.oldest()
      if (paths.length === 0) return
      for (const path of paths) {
        for (let taken = this.#buffers.take(path, true); taken; taken = this.#buffers.take(path, true)) {
          await this.#encodeTaken(taken)
        }
      }
    }
  }

  async #encodeTaken(taken: TakenRows): Promise<void> {
    try {
      await this.#encode(taken.path, taken.batches)
    } finally {
      taken.release()
    }
  }

  async #encode(path: string, batches: RecordBatch[]): Promise<void> {
    const group = encodeRowGroup(this.#arena, this.#fields, batches, this.#program.sink!.write)
    const value = new Transferred({ path, group } satisfies LaneEmit, [group.bytes.buffer as ArrayBuffer])
    const sent = this.#emit(value).then(
      () => void this.#emitting.delete(sent),
      error => {
        this.#emitting.delete(sent)
        this.#emitFailure ??= { error }
      },
    )
    this.#emitting.add(sent)
    while (this.#emitting.size >= EMIT_WINDOW) await Promise.race(this.#emitting)
    this.#checkEmits()
  }

  #checkEmits(): void {
    if (this.#emitFailure !== undefined) throw this.#emitFailure.error
  }

  async *#batches(unit: LaneUnit): AsyncGenerator<Step> {
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
        const step = this.#sliceRows(file, rowGroup)
        for (let at = 0; at < reader.rows; ) {
          const rowsIn = Math.min(step, reader.rows - at)
          await this.#makeRoom((rowsIn / step) * this.#program.arenaBytes * UNIT_SHARE)
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

  #sliceRows(file: LaneFile, rowGroup: number): number {
    const rows = Math.max(file.metadata.rowGroups[rowGroup]!.numRows, 1)
    const perRow = Math.max(this.#decodedBytes(file, rowGroup) / rows, 1)
    const fitting = Math.max(1, Math.floor((this.#program.arenaBytes * UNIT_SHARE) / (COPIES * perRow)))
    const wanted = this.#program.mode === 'batch' ? this.#program.batchRows : rows
    return Math.min(wanted, fitting)
  }

  #counts(rowsIn: number, rowsOut: number, bytesOut: number): LaneCounts {
    return { rowsIn, rowsOut, bytesOut, highWater: this.#arena.highWater }
  }
}

/** A lane's methods as the calls of {@link LaneClient}; `configure` comes first. */
export function laneHandlers(emit: EmitHandler): LaneHandlers {
  let lane: Lane | undefined
  const own = (): Lane => lane!
  return {
    configure: (program: LaneProgram) => {
      lane = new Lane(program, emit)
    },
    addFile: (file: LaneFile) => own().addFile(file),
    dropFile: (id: number) => own().dropFile(id),
    open: (unit: LaneUnit) => own().open(unit),
    next: () => own().next(),
    close: () => own().close(),
    rewrite: (unit: LaneUnit) => own().rewrite(unit),
    ingest: (batch: BatchMessage) => own().ingest(batch),
    leftovers: () => own().leftovers(),
    lend: (paths: string[]) => own().lend(paths),
    takeBack: () => own().takeBack(),
    finish: (path: string, others: BatchMessage[]) => own().finish(path, others),
    settle: () => own().settle(),
  }
}

function bytesOf(column: BatchMessage['columns'][number]): number {
  const own = column.buffers.reduce((sum, view) => sum + (view?.byteLength ?? 0), 0)
  const below = column.children.reduce((sum, child) => sum + bytesOf(child), 0)
  return own + below + (column.dictionary === undefined ? 0 : bytesOf(column.dictionary))
}
