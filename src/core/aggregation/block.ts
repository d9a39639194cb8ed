import type { Arena } from '../arena.ts'

/** A block of an arena that grows, keeping what is in it; what is new is 0. */
export class Block {
  readonly #arena: Arena
  address = 0
  bytes = 0

  constructor(arena: Arena) {
    this.#arena = arena
  }

  grow(bytes: number): void {
    if (bytes <= this.bytes) return
    const address = this.#arena.alloc(bytes)
    const { kernels } = this.#arena
    kernels.copy(this.address, address, this.bytes)
    kernels.clear(address + this.bytes, bytes - this.bytes)
    this.free()
    this.address = address
    this.bytes = bytes
  }

  free(): void {
    if (this.bytes > 0) this.#arena.free(this.address)
    this.address = this.bytes = 0
  }
}

const SMALLEST = 16 * 1024
/** Blocks double up to this size. */
const LARGEST = 4 * 2 ** 20

/** Bytes that spans point to, in blocks that never move. */
export class ByteHeap {
  readonly #arena: Arena
  #blocks: number[] = []
  #next = 0
  #end = 0
  bytes = 0

  constructor(arena: Arena) {
    this.#arena = arena
  }

  /** Whether {@link room} would take a new block. */
  isFull(bytes: number): boolean {
    return this.#blocks.length === 0 || this.#next + bytes > this.#end
  }

  /** Where `bytes` bytes are free. */
  room(bytes: number): number {
    if (this.isFull(bytes)) {
      const size = Math.max(bytes, Math.min(this.bytes, LARGEST), SMALLEST)
      this.#next = this.#arena.alloc(size)
      this.#end = this.#next + size
      this.#blocks.push(this.#next)
      this.bytes += size
    }
    return this.#next
  }

  /** Says that the room is taken up to `end`. */
  take(end: number): void {
    this.#next = end
  }

  free(): void {
    for (const block of this.#blocks.splice(0)) this.#arena.free(block)
    this.#next = this.#end = this.bytes = 0
  }
}
