import { abortable } from '../../core/abort.ts'
import { SluiceError } from '../../core/errors.ts'
import type { SignalOption, StagedUpload, StagedWriter } from '../store.ts'
import type { PartBuffer, PartMemory } from './part-memory.ts'

/** Whether an upload is a checkpoint of a {@link PartWriter}, which is not sealed. */
export function isCheckpoint({ token }: StagedUpload): boolean {
  return token['open'] === true
}

/** An upload in parts, of which a service keeps what it has got: what a driver brings for staged writing. */
export interface PartUpload<Part> {
  /** Of the object, in the store. */
  readonly key: string
  /** Names the object in messages, without credentials. */
  readonly place: string
  /** Bytes of a part, by its number from 1 on: all but the last have exactly so many. Never fewer than the one before. */
  partBytes(number: number): number
  /** Sends one part, once; sent again, the later one counts. What is sent may lie in shared memory. */
  send(number: number, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<Part>
  /** The coordinates of the upload with all its parts, as JSON data. */
  token(parts: readonly Part[]): Record<string, unknown>
  /** Joins all its parts, where a service wants that before it is completed; gives its coordinates. Repeatable. */
  seal?(parts: readonly Part[], signal: AbortSignal | undefined): Promise<Record<string, unknown>>
  /** Ends it and removes its parts. Idempotent. */
  abort(): Promise<void>
}

/**
 * Cuts what is written into parts. While one part is on its way the next is filled: two at most are in memory. A
 * part that did not arrive is kept, and sent anew by the call that follows.
 */
export class PartWriter<Part> implements StagedWriter {
  readonly #upload: PartUpload<Part>
  readonly #memory: PartMemory
  /** Those that have arrived. */
  #parts: Part[] = []
  /** The part after those; without `arrived` it has failed. */
  #sending: { buffer: PartBuffer; arrived: Promise<Part> | undefined } | undefined
  #tail: PartBuffer
  /** Of a write that has failed, what need not be sent again when it is repeated. */
  #failed: { bytes: Uint8Array; parts: Part[] } | undefined
  #size = 0
  #sealed: StagedUpload | undefined
  #aborted = false

  /** @param arrived The parts of an upload that is gone on with. */
  constructor(upload: PartUpload<Part>, memory: PartMemory, arrived: readonly Part[] = []) {
    this.#upload = upload
    this.#memory = memory
    this.#tail = memory.buffer()
    this.#parts = [...arrived]
    this.#size = this.#arrivedBytes()
  }

  async write(bytes: Uint8Array, { signal }: SignalOption = {}): Promise<void> {
    signal?.throwIfAborted()
    this.#assertOpen()
    const { length } = bytes
    const next = this.#parts.length + (this.#sending === undefined ? 1 : 2)
    const room = this.#upload.partBytes(next) - this.#tail.length
    if (length < room) await this.#tail.append(bytes, this.#upload.partBytes(next))
    else {
      await this.#settle(signal)
      await this.#sendParts(bytes, room, signal)
    }
    this.#failed = undefined
    this.#size += length
  }

  /** Its token is marked, since it can be gone on with and not be completed. */
  async checkpoint({ signal }: SignalOption = {}): Promise<StagedUpload> {
    signal?.throwIfAborted()
    this.#assertOpen()
    const token = { ...this.#upload.token([...this.#parts]), open: true }
    return { key: this.#upload.key, size: this.#arrivedBytes(), token }
  }

  async seal({ signal }: SignalOption = {}): Promise<StagedUpload> {
    signal?.throwIfAborted()
    if (this.#sealed !== undefined && !this.#aborted) return this.#sealed
    this.#assertOpen()
    await this.#settle(signal)
    const parts = [...this.#parts]
    // An object has one part at least, if only of nothing.
    if (this.#tail.length > 0 || parts.length === 0) {
      await this.#tail.admit(this.#tail.length, signal)
      parts.push(await this.#upload.send(parts.length + 1, this.#tail.bytes, signal))
    }
    const token = (await this.#upload.seal?.(parts, signal)) ?? this.#upload.token(parts)
    this.#assertOpen()
    this.#free()
    this.#sealed = { key: this.#upload.key, size: this.#size, token }
    return this.#sealed
  }

  async abort(): Promise<void> {
    this.#aborted = true
    // A part that is still on its way could outlive the upload.
    await this.#sending?.arrived?.catch(() => undefined)
    this.#free()
    await this.#upload.abort()
  }

  /**
   * Sends the parts that `bytes` fills, the last of them without waiting for it, and keeps the rest. Until all but
   * that one have arrived nothing of the writer's changes: failed, it can be repeated.
   */
  async #sendParts(bytes: Uint8Array, room: number, signal: AbortSignal | undefined): Promise<void> {
    const tail = this.#tail
    const { length } = tail
    const parts = [...this.#parts]
    const arrived = this.#failed?.bytes === bytes ? this.#failed.parts : []
    const rest = this.#memory.buffer()
    await tail.admit(length + room, signal)
    try {
      await tail.append(bytes.subarray(0, room), length + room)
      let part = tail.bytes
      let taken = room
      while (bytes.length - taken >= this.#upload.partBytes(parts.length + 2)) {
        parts.push(arrived.shift() ?? (await this.#upload.send(parts.length + 1, part, signal)))
        part = bytes.subarray(taken, taken + this.#upload.partBytes(parts.length + 1))
        taken += part.length
      }
      await rest.append(bytes.subarray(taken), this.#upload.partBytes(parts.length + 2))
      this.#assertOpen()
      if (taken > room) tail.replace(part)
    } catch (error) {
      rest.release()
      tail.length = length
      this.#failed = { bytes, parts: parts.slice(this.#parts.length) }
      throw error
    }
    this.#parts = parts
    this.#sending = { buffer: tail, arrived: this.#send(tail) }
    this.#tail = rest
  }

  /** Waits for the part that is on its way, or sends it anew if it has failed. */
  async #settle(signal: AbortSignal | undefined): Promise<void> {
    const sending = this.#sending
    if (sending === undefined) return
    sending.arrived ??= this.#send(sending.buffer)
    try {
      this.#parts.push(await abortable(sending.arrived, signal))
      this.#sending = undefined
    } catch (error) {
      signal?.throwIfAborted()
      sending.arrived = undefined
      throw error
    }
  }

  #send(buffer: PartBuffer): Promise<Part> {
    const arrived = this.#upload.send(this.#parts.length + 1, buffer.bytes, undefined)
    // Whoever waits for it is told of a failure; nobody may be waiting yet.
    arrived.then(
      () => buffer.release(),
      () => undefined,
    )
    return arrived
  }

  /** None of them is the last, and so shorter. */
  #arrivedBytes(): number {
    return this.#parts.reduce((sum, _, i) => sum + this.#upload.partBytes(i + 1), 0)
  }

  #free(): void {
    this.#sending?.buffer.release()
    this.#sending = undefined
    this.#tail.release()
  }

  #assertOpen(): void {
    if (!this.#aborted && this.#sealed === undefined) return
    const end = this.#aborted ? 'aborted' : 'sealed'
    throw new SluiceError('invalid-argument', `the upload is ${end} already`, { file: this.#upload.place })
  }
}
