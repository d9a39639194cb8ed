import type { Field } from 'apache-arrow'
import { forEachConcurrently } from '../core/concurrency.ts'
import { SluiceError } from '../core/errors.ts'
import type { Run } from '../core/run.ts'
import { ParquetFileWriter } from '../parquet/file-writer.ts'
import type { RowGroupLayout } from '../parquet/row-group-writer.ts'
import type { ResolvedWriteOptions } from '../parquet/write-options.ts'
import type { StagedUpload, StagedWriter } from '../storage/store.ts'
import type { LaneEmit } from './lane-messages.ts'

/** How rows are cut into files. */
export interface FileLimits {
  maxRowsPerFile: number
  targetFileBytes: number
  maxPartitions: number
}

/** A file that is written whole and not yet to be seen. */
export interface WrittenFile {
  partition: string
  key: string
  rows: number
  bytes: number
  staged: StagedUpload
}

/** A row group and where its bytes come from; they are asked for when it is their turn. */
export interface RowGroupPieces extends RowGroupLayout {
  /** Bytes in all pieces. */
  length: number
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>
}

interface OpenFile {
  writer: StagedWriter
  file: ParquetFileWriter
  rows: number
  bytes: number
}

/**
 * The files of one task: row groups come in from the lanes in any order and are appended to the one open file
 * of their partition. Appends to a partition happen one after the other, to different ones at once.
 */
export class TaskOutput {
  readonly #fields: readonly Field[]
  readonly #options: ResolvedWriteOptions
  readonly #limits: FileLimits
  readonly #create: (partition: string) => Promise<StagedWriter>
  readonly #run: Run
  readonly #open = new Map<string, OpenFile>()
  readonly #tails = new Map<string, Promise<void>>()
  readonly #written: WrittenFile[] = []
  /** Of all files, open or closed. */
  readonly #writers: StagedWriter[] = []

  constructor(
    fields: readonly Field[],
    options: ResolvedWriteOptions,
    limits: FileLimits,
    create: (partition: string) => Promise<StagedWriter>,
    run: Run,
  ) {
    this.#fields = fields
    this.#options = options
    this.#limits = limits
    this.#create = create
    this.#run = run
  }

  /** Resolves when the row group's bytes are written. They lie in the lane's memory, until it is answered. */
  append({ path, group }: LaneEmit): Promise<void> {
    const { bytes, ...layout } = group
    return this.add(path, { ...layout, length: bytes.byteLength, pieces: [bytes] })
  }

  /** The same for a row group whose bytes come in pieces. Row groups of a partition lie in the order of the calls. */
  add(path: string, group: RowGroupPieces | Promise<RowGroupPieces>): Promise<void> {
    // It is not looked at where the partition has failed before.
    if (group instanceof Promise) group.catch(() => {})
    if (!this.#tails.has(path) && this.#tails.size >= this.#limits.maxPartitions) {
      return Promise.reject(
        new SluiceError(
          'schema',
          `more than ${this.#limits.maxPartitions} partitions, the next one is '${path}'`,
          {
            option: 'maxPartitions',
            hint: 'Partition by a coarser key, or raise the limit.',
          },
        ),
      )
    }
    const before = this.#tails.get(path) ?? Promise.resolve()
    const done = before.then(async () => this.#append(path, await group))
    this.#tails.set(path, done)
    // Whoever waits for `done` hears of the failure; later appends to the partition fail with it.
    done.catch(() => {})
    return done
  }

  /** Closes all files. */
  async finish(): Promise<WrittenFile[]> {
    await Promise.all(this.#tails.values())
    await forEachConcurrently([...this.#open.keys()], CLOSING, path => this.#close(path))
    return this.#written
  }

  /** Gives up all files, those that are closed as well. */
  async abort(): Promise<void> {
    await Promise.allSettled(this.#tails.values())
    await Promise.allSettled(this.#writers.map(writer => writer.abort()))
    this.#open.clear()
  }

  async #append(path: string, { length, pieces, ...group }: RowGroupPieces): Promise<void> {
    let open = this.#open.get(path)
    const { maxRowsPerFile, targetFileBytes } = this.#limits
    if (
      open !== undefined &&
      (open.rows + group.rows > maxRowsPerFile ||
        (open.bytes + length > targetFileBytes && open.bytes >= targetFileBytes * FULL))
    ) {
      await this.#close(path)
      open = undefined
    }
    if (open === undefined) {
      const file = new ParquetFileWriter(this.#fields, this.#options)
      open = { writer: await this.#create(path), file, rows: 0, bytes: 0 }
      this.#writers.push(open.writer)
      this.#open.set(path, open)
      await this.#write(open, file.header())
    }
    open.file.append(group, length)
    for await (const piece of pieces) await this.#write(open, piece)
    open.rows += group.rows
  }

  async #close(path: string): Promise<void> {
    const open = this.#open.get(path)!
    await this.#write(open, open.file.finish().bytes)
    const staged = await open.writer.seal({ signal: this.#run.signal })
    this.#open.delete(path)
    this.#written.push({ partition: path, key: staged.key, rows: open.rows, bytes: open.bytes, staged })
    this.#run.files++
  }

  async #write(open: OpenFile, bytes: Uint8Array): Promise<void> {
    await open.writer.write(bytes, { signal: this.#run.signal })
    open.bytes += bytes.byteLength
    this.#run.bytesWritten += bytes.byteLength
  }
}

/** A file with this share of the target is not small: it is closed rather than let to grow beyond the target. */
export const FULL: number = 3 / 4
/** Files closed at once. */
const CLOSING = 8
