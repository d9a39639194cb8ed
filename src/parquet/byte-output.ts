import type { Arena } from '../core/arena.ts'

/** Bytes that are put one after the other in the arena, until they are freed. */
export class ByteOutput {
  length = 0
  readonly #arena: Arena
  #address: number
  #capacity: number

  constructor(arena: Arena, capacity: number) {
    this.#arena = arena
    this.#address = arena.alloc(capacity)
    this.#capacity = capacity
  }

  /** Appends a copy of some bytes. */
  append(bytes: Uint8Array): void {
    const address = this.#reserve(bytes.length)
    const { kernels } = this.#arena
    const source = this.#arena.addressOf(bytes)
    if (source < 0) this.#arena.u8(address, bytes.length).set(bytes)
    else kernels.copy(source, address, bytes.length)
    this.length += bytes.length
  }

  /** All bytes; what was reserved for more is given back. */
  finish(): Uint8Array {
    this.#arena.shrink(this.#address, this.length)
    this.#capacity = this.length
    return this.#arena.u8(this.#address, this.length)
  }

  free(): void {
    this.#arena.free(this.#address)
  }

  /** The address for `bytes` more. */
  #reserve(bytes: number): number {
    const needed = this.length + bytes
    if (needed > this.#capacity) {
      const capacity = Math.max(needed, 2 * this.#capacity)
      const address = this.#arena.alloc(capacity)
      this.#arena.kernels.copy(this.#address, address, this.length)
      this.#arena.free(this.#address)
      this.#address = address
      this.#capacity = capacity
    }
    return this.#address + this.length
  }
}
