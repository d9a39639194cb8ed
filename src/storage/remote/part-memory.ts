import { Budget, type Lease } from '../../core/budget.ts'
import { parseBytes } from '../../core/bytes.ts'
import { assertCount } from '../../core/count.ts'
import { SpillFile } from '../local/spill-file.ts'

/** An option of every store that uploads in parts. */
export interface UploadOptions {
  /**
   * Bytes of parts that uploads may hold in memory, all together; a number or `'256MiB'`. What parts have beyond that
   * before they are sent goes into temporary files. @default 256 MiB
   */
  uploadMemory?: number | string | undefined
}

/** The memory that a store has for its parts. */
export function partMemoryOf({ uploadMemory }: UploadOptions): PartMemory {
  if (uploadMemory === undefined) return new PartMemory()
  const bytes = parseBytes(uploadMemory, 'uploadMemory')
  assertCount('uploadMemory', bytes)
  return new PartMemory(bytes)
}

const DEFAULT_LIMIT = 256 * 1024 * 1024
/** Of the limit, what is kept of the memory of parts that have arrived, for those to come: to get it afresh is dear. */
const KEPT = 1 / 8

/**
 * The memory of all parts of a store's uploads. Half of it is for parts that are being filled; where there is none left,
 * their bytes go into a temporary file. The other half is for parts on their way, which wait for it: those that have it
 * arrive and give it back, whatever becomes of the others, so that any number of uploads gets through.
 */
export class PartMemory {
  /** Most bytes that were ever held at once. */
  highWater = 0
  /** Bytes that have gone into temporary files so far. */
  spilledBytes = 0
  readonly filling: Budget
  readonly sending: Budget
  readonly #kept: Uint8Array<ArrayBuffer>[] = []
  readonly #mostKept: number
  #keptBytes = 0

  constructor(limit: number = DEFAULT_LIMIT) {
    this.#mostKept = limit * KEPT
    this.filling = new Budget((limit - this.#mostKept) / 2)
    this.sending = new Budget((limit - this.#mostKept) / 2)
  }

  buffer(): PartBuffer {
    return new PartBuffer(this)
  }

  /** Memory that has been paid for. */
  allocate(bytes: number): Uint8Array<ArrayBuffer> {
    const index = this.#kept.findIndex(({ length }) => length === bytes)
    const [memory = new Uint8Array(bytes)] = index < 0 ? [] : this.#kept.splice(index, 1)
    if (index >= 0) this.#keptBytes -= bytes
    this.highWater = Math.max(this.highWater, this.filling.used + this.sending.used + this.#keptBytes)
    return memory
  }

  /** Takes memory back; of what is kept the oldest goes first, as nobody may want its length any longer. */
  keep(memory: Uint8Array<ArrayBuffer>): void {
    if (memory.length > this.#mostKept) return
    this.#kept.push(memory)
    this.#keptBytes += memory.length
    while (this.#keptBytes > this.#mostKept) this.#keptBytes -= this.#kept.shift()!.length
  }
}

/** The bytes of a part, which come in pieces: in memory that grows with them, or in a file. */
export class PartBuffer {
  length = 0
  readonly #memory: PartMemory
  #bytes = new Uint8Array(0)
  #lease: Lease | undefined
  #file: SpillFile | undefined
  #admitted = false
  #released = false

  constructor(memory: PartMemory) {
    this.#memory = memory
  }

  /** What is in memory: all, once it is to be sent. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length)
  }

  /** Keeps a copy; of the `most` bytes that a part has. If it fails nothing was appended. */
  async append(bytes: Uint8Array, most: number): Promise<void> {
    const needed = this.length + bytes.length
    if (this.#file === undefined && needed > this.#bytes.length && !this.#grow(needed, most)) {
      const file = await SpillFile.create()
      await file.write(this.bytes, 0)
      this.#memory.spilledBytes += this.length
      this.#replace(new Uint8Array(0), undefined)
      this.#file = file
    }
    if (this.#file === undefined) this.#bytes.set(bytes, this.length)
    else {
      await this.#file.write(bytes, this.length)
      this.#memory.spilledBytes += bytes.length
    }
    this.length = needed
  }

  /** Gets memory for `size` bytes of a part that is to be sent, and reads back into it what is in a file. */
  async admit(size: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#admitted) return
    const lease = await this.#memory.sending.acquire(Math.max(size, this.#bytes.length), signal)
    try {
      const bytes = this.#bytes.length < size ? this.#memory.allocate(size) : this.#bytes
      if (this.#file !== undefined) await this.#file.read(bytes.subarray(0, this.length))
      else if (bytes !== this.#bytes) bytes.set(this.bytes)
      this.#replace(bytes, lease)
    } catch (error) {
      lease.release()
      throw error
    }
    this.#admitted = true
    await this.#file?.close()
    this.#file = undefined
    // The upload may have been given up in the meantime.
    if (this.#released) this.release()
  }

  /** Keeps a copy of these bytes instead, of a part that is to be sent. */
  replace(bytes: Uint8Array): void {
    if (bytes.length > this.#bytes.length) {
      // Of an upload of terabytes, whose parts grow by a little.
      this.#replace(new Uint8Array(bytes.length), this.#memory.sending.force(bytes.length))
    }
    this.#bytes.set(bytes)
    this.length = bytes.length
  }

  /** Gives the memory back. Idempotent. */
  release(): void {
    this.#released = true
    if (this.#admitted) this.#memory.keep(this.#bytes)
    this.#admitted = false
    this.length = 0
    this.#replace(new Uint8Array(0), undefined)
    this.#file?.close().catch(() => undefined)
    this.#file = undefined
  }

  #grow(needed: number, most: number): boolean {
    const size = Math.min(Math.max(needed, 2 * this.#bytes.length), most)
    const lease = this.#memory.filling.tryAcquire(size)
    if (lease === undefined) return false
    const bytes = this.#memory.allocate(size)
    bytes.set(this.bytes)
    this.#replace(bytes, lease)
    return true
  }

  #replace(bytes: Uint8Array<ArrayBuffer>, lease: Lease | undefined): void {
    if (this.#lease !== lease) {
      this.#lease?.release()
      abandoned.unregister(this)
    }
    this.#bytes = bytes
    this.#lease = lease
    if (lease !== undefined) abandoned.register(this, lease, this)
  }
}

/** Gives back what uploads held that nobody has ended. */
const abandoned = new FinalizationRegistry((lease: Lease) => lease.release())
