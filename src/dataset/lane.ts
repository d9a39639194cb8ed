import type { Field, RecordBatch, Schema } from 'apache-arrow'
import { Arena, type Region } from '../core/arena.ts'
import { batchBytes } from '../core/batch.ts'
import { type EmitHandler, type LaneHandlers, Transferred } from '../core/lanes.ts'
import { sliceRows } from '../core/slice.ts'
import { StageRunner } from '../core/stages.ts'
import {
  type BatchMessage,
  batchFromMessage,
  batchToMessage,
  fieldFromMessage,
  packBatch,
} from '../core/transport.ts'
import type { ByteOutput } from '../parquet/byte-output.ts'
import type { StoredChunk } from '../parquet/merge-chunks.ts'
import { mergeRowGroups } from '../parquet/merge-row-groups.ts'
import { type BatchRows, type EncodedRowGroup, encodeRowGroup } from '../parquet/row-group-writer.ts'
import type { LaneBatch, LaneCounts, LaneEmit, LaneFile, LaneProgram, LaneUnit } from './lane-messages.ts'
import { PartitionBuffers, type TakenRows } from './partition-buffers.ts'
import { type Step, UnitDecoder } from './unit-decoder.ts'
import { UnitGroups } from './unit-groups.ts'

/** A batch from the main thread is copied in, and ordered by partition. */
const COPIES = 2
/** Row groups that are joined take what they are long, and twice that if there is a moment when it grows. */
const JOINING = 3
/** Share of the arena that encoding and decoding may use for what they need on the way. */
const RESERVE = 0.15
/** Encoded row groups that the main thread has not written yet. */
const EMIT_WINDOW = 4
/** Share of the arena that they may take. */
const EMIT_SHARE = 0.1

/**
 * The CPU work of a run: decode, stages, partition, encode, in one thread with one arena. Holds no lock, does
 * no I/O. The main thread calls it through {@link laneHandlers}.
 */
export class Lane {
  readonly #program: LaneProgram
  readonly #emit: EmitHandler
  readonly #arena: Arena
  readonly #decoder: UnitDecoder
  readonly #groups: UnitGroups | undefined
  readonly #fields: Field[]
  readonly #buffers: PartitionBuffers | undefined
  #tail: { schema: Schema; runner: StageRunner } | undefined
  #unit: AsyncGenerator<Step> | undefined
  #emitting = new Set<Promise<void>>()
  #emittingBytes = 0
  #emitFailure: { error: unknown } | undefined
  #lent: TakenRows[] = []

  constructor(program: LaneProgram, emit: EmitHandler) {
    this.#program = program
    this.#emit = emit
    this.#arena = new Arena(program.arenaBytes, program.mostBytes)
    this.#decoder = new UnitDecoder(program, this.#arena, bytes => this.#makeRoom(bytes))
    const { sink, groups } = program
    this.#groups = groups === undefined ? undefined : new UnitGroups(this.#decoder, groups, this.#arena)
    this.#fields = sink?.fields.map(fieldFromMessage) ?? []
    this.#buffers =
      sink === undefined
        ? undefined
        : new PartitionBuffers(this.#arena, sink.keys, sink.size, sink.maxPartitions)
  }

  addFile(file: LaneFile): void {
    this.#decoder.addFile(file)
  }

  dropFile(id: number): void {
    this.#decoder.dropFile(id)
  }

  /** Begins a unit whose batches {@link next} gives one by one. */
  async open(unit: LaneUnit): Promise<void> {
    await this.close()
    this.#unit = (this.#groups ?? this.#decoder).batches(unit)
  }

  /** The same for the groups that are left when there are no more units. */
  openRest(): void {
    this.#unit = this.#groups!.rest()
  }

  /** The next batch of the open unit, in memory of its own; undefined at the end. */
  async next(): Promise<Transferred | undefined> {
    const step = await this.#unit?.next()
    if (step === undefined || step.done) {
      this.#unit = undefined
      return undefined
    }
    const { batch, region, scratch, rowsIn, last } = step.value
    try {
      const { message, memory } = packBatch<ArrayBufferLike>(batch, bytes =>
        this.#program.sharesBatches ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes),
      )
      const bytes = memory.byteLength
      const pages = this.#decoder.takePages()
      return new Transferred({ batch: message, bytes, rowsIn, last, pages } satisfies LaneBatch, [
        ...(memory instanceof ArrayBuffer ? [memory] : []),
      ])
    } finally {
      region?.free()
      scratch.free()
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
    for await (const { batch, region, scratch, rowsIn: read } of this.#decoder.batches(unit)) {
      rowsIn += read
      rowsOut += batch.numRows
      bytesOut += batchBytes(batch)
      await this.#add(batch, region, scratch, unit.partition)
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
    await this.#makeRoom(COPIES * batchBytes(batch))
    const scratch = this.#arena.region()
    let result: RecordBatch
    try {
      result = this.#tail.runner.run(batch, scratch)
    } catch (error) {
      scratch.free()
      throw error
    }
    // The batch is in memory of the message's own, unless a stage has made it anew.
    await this.#add(result, undefined, scratch)
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
        const slices = taken.rows.map(({ batch, start, end }) => sliceRows(batch, start, end))
        batches.push(...slices.map(batchToMessage))
      }
      return { path, batches }
    })
  }

  takeBack(): void {
    for (const taken of this.#lent.splice(0)) taken.release()
  }

  /** Encodes all waiting rows of a partition together with rows of other lanes. */
  async finish(path: string, others: BatchMessage[]): Promise<void> {
    const taken: TakenRows[] = []
    for (let own = this.#buffers!.take(path, true); own; own = this.#buffers!.take(path, true))
      taken.push(own)
    const rows = taken.flatMap(own => own.rows)
    let bytes = taken.reduce((sum, own) => sum + own.bytes, 0)
    for (const message of others) {
      const batch = batchFromMessage(message)
      rows.push({ batch, start: 0, end: batch.numRows })
      bytes += batchBytes(batch)
    }
    const count = rows.reduce((sum, { start, end }) => sum + end - start, 0)
    try {
      for (const group of cut(rows, this.#program.sink!.size.rows)) {
        const share = group.reduce((sum, { start, end }) => sum + end - start, 0) / count
        await this.#encode(path, group, bytes * share)
      }
    } finally {
      for (const own of taken) own.release()
    }
  }

  /** Resolves when the main thread has written everything emitted. */
  async settle(): Promise<LaneCounts> {
    await Promise.all(this.#emitting)
    this.#checkEmits()
    return this.#counts(0, 0, 0)
  }

  async #add(
    batch: RecordBatch,
    region: Region | undefined,
    scratch: Region,
    partition?: string,
  ): Promise<void> {
    const buffers = this.#buffers!
    for (const path of buffers.add(batch, region, scratch, partition)) await this.#encodeAll(path, false)
    for (const path of buffers.quiet()) await this.#encodeAll(path, true)
    buffers.compact()
  }

  /** Writes the partitions that have waited longest until `bytes` more fit. */
  async #makeRoom(bytes: number): Promise<void> {
    if (this.#buffers === undefined) return
    const most = this.#program.arenaBytes * (1 - RESERVE)
    while (this.#arena.used + bytes > most) {
      if (this.#arena.used - this.#emittingBytes + bytes <= most) {
        await Promise.race(this.#emitting)
        continue
      }
      const paths = this.#buffers.oldest()
      if (paths.length === 0) return
      for (const path of paths) await this.#encodeAll(path, true)
    }
  }

  /** Encodes the row groups that a partition has enough rows for; if `rest`, the last of them has what is left. */
  async #encodeAll(path: string, rest: boolean): Promise<void> {
    const buffers = this.#buffers!
    for (let taken = buffers.take(path, rest); taken; taken = buffers.take(path, rest)) {
      let sent: Promise<void>
      try {
        sent = this.#encode(path, taken.rows, taken.bytes)
      } finally {
        taken.release()
      }
      await sent
    }
  }

  /**
   * Joins row groups that are given as their chunks, of which none has to be decoded for its values. False, with
   * nothing done, if they do not go together.
   */
  async join(path: string, groups: StoredChunk[][]): Promise<boolean> {
    const bytes = groups.reduce(
      (sum, chunks) => chunks.reduce((all, { bytes }) => all + bytes.length, sum),
      0,
    )
    await this.#makeRoom(JOINING * bytes)
    const joined = mergeRowGroups(this.#arena, this.#fields, groups, this.#program.sink!.write)
    if (joined === undefined) return false
    await this.#send(path, joined)
    return true
  }

  /** Encodes rows before it returns; resolves when the lane may go on. */
  #encode(path: string, rows: readonly BatchRows[], bytes: number): Promise<void> {
    const { write } = this.#program.sink!
    return this.#send(path, encodeRowGroup(this.#arena, this.#fields, rows, bytes, write))
  }

  /** Sends a row group to be written, and frees its bytes once it is. */
  #send(path: string, { group, output }: { group: EncodedRowGroup; output: ByteOutput }): Promise<void> {
    const size = group.bytes.length
    const sent = this.#emit({ path, group } satisfies LaneEmit)
      .catch(error => {
        this.#emitFailure ??= { error }
      })
      .then(() => {
        this.#emitting.delete(sent)
        this.#emittingBytes -= size
        output.free()
      })
    this.#emitting.add(sent)
    this.#emittingBytes += size
    return this.#untilWritten()
  }

  /** Waits while the main thread has too much to write. */
  async #untilWritten(): Promise<void> {
    const most = this.#program.arenaBytes * EMIT_SHARE
    while (this.#emitting.size >= EMIT_WINDOW || (this.#emitting.size > 0 && this.#emittingBytes > most)) {
      await Promise.race(this.#emitting)
    }
    this.#checkEmits()
  }

  #checkEmits(): void {
    if (this.#emitFailure !== undefined) throw this.#emitFailure.error
  }

  #counts(rowsIn: number, rowsOut: number, bytesOut: number): LaneCounts {
    return { rowsIn, rowsOut, bytesOut, pages: this.#decoder.takePages(), highWater: this.#arena.highWater }
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
    openRest: () => own().openRest(),
    next: () => own().next(),
    close: () => own().close(),
    rewrite: (unit: LaneUnit) => own().rewrite(unit),
    join: (path: string, groups: StoredChunk[][]) => own().join(path, groups),
    ingest: (batch: BatchMessage) => own().ingest(batch),
    leftovers: () => own().leftovers(),
    lend: (paths: string[]) => own().lend(paths),
    takeBack: () => own().takeBack(),
    finish: (path: string, others: BatchMessage[]) => own().finish(path, others),
    settle: () => own().settle(),
  }
}

/** Rows in groups of at most `most`. */
function* cut(rows: readonly BatchRows[], most: number): Generator<BatchRows[]> {
  let group: BatchRows[] = []
  let room = most
  for (const { batch, start, end } of rows) {
    for (let at = start; at < end; ) {
      const next = Math.min(end, at + room)
      group.push({ batch, start: at, end: next })
      room -= next - at
      at = next
      if (room > 0) continue
      yield group
      group = []
      room = most
    }
  }
  if (group.length > 0) yield group
}
