import { SluiceError } from './errors.ts'
import { instantiateKernels, type Kernels } from './kernels/kernels.ts'

const PAGE = 65_536
/** Below this lie the kernels' static data. */
const HEAP_START = 1 << 20
const ALIGNMENT = 64
const MAX_PAGES = 65_536
const CHUNK = 1 << 20

/**
 * One lane's memory: a shared WebAssembly memory, the kernels that work on it, and an allocator for a few
 * large blocks (first fit by address, free neighbours joined). Addresses are byte offsets into the memory.
 *
 * The whole `bytes` are reserved as address space at the start and committed by the operating system on first
 * touch, so that no growth happens in ordinary work. When one row group needs more than that the memory grows, up to
 * `most` bytes (and 4 GiB); views made before stay valid, because the memory is shared.
 */
export class Arena {
  readonly memory: WebAssembly.Memory
  readonly kernels: Kernels
  /** The bytes that the budget gives this arena; allocation beyond succeeds and shows in `highWater`. */
  readonly limit: number
  /** What is asked for beyond these bytes is refused: a file that claims that much is not believed. */
  most: number
  /** Largest number of bytes ever allocated at once. */
  highWater = 0
  /** Bytes allocated now. */
  used = 0
  #free: { start: number; end: number }[]
  #blocks = new Map<number, number>()
  #buffers = new WeakSet<object>()
  #buffer: ArrayBufferLike

  constructor(bytes: number, most: number = MAX_PAGES * PAGE) {
    const pages = Math.min(MAX_PAGES, Math.ceil((bytes + HEAP_START) / PAGE))
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: MAX_PAGES, shared: true })
    this.kernels = instantiateKernels(this.memory)
    this.limit = bytes
    this.most = Math.min(Math.max(bytes, most), MAX_PAGES * PAGE - HEAP_START)
    this.#buffer = this.memory.buffer
    this.#buffers.add(this.#buffer)
    this.#free = [{ start: HEAP_START, end: pages * PAGE }]
  }

  /** The memory as it is now: another object after an allocation that made it grow, so take it after that. */
  get buffer(): ArrayBufferLike {
    return this.#buffer
  }

  /** Allocates a block; its contents are whatever was there before. */
  alloc(bytes: number): number {
    const size = Math.max(ALIGNMENT, roundUp(bytes, ALIGNMENT))
    let index = this.#free.findIndex(({ start, end }) => end - start >= size)
    if (index < 0) {
      this.#grow(size)
      index = this.#free.findIndex(({ start, end }) => end - start >= size)
    }
    const hole = this.#free[index]!
    const start = hole.start
    hole.start += size
    if (hole.start === hole.end) this.#free.splice(index, 1)
    this.#blocks.set(start, size)
    this.used += size
    if (this.used > this.highWater) this.highWater = this.used
    return start
  }

  /** Lets it grow to so many bytes, if it may not already. */
  allow(bytes: number): void {
    this.most = Math.min(Math.max(this.most, bytes), MAX_PAGES * PAGE - HEAP_START)
  }

  /** Throws where so many bytes cannot be had even if nothing else was there. */
  assertHolds(bytes: number): void {
    if (bytes <= this.most) return
    throw new SluiceError('budget', `${bytes} bytes do not fit in a lane's memory of ${this.most}`, {
      hint: "Raise option 'memory' if the file is to be trusted, or use mode 'batch', which holds a slice of a row group at a time.",
    })
  }

  /** Gives a block back. */
  free(address: number): void {
    const size = this.#blocks.get(address)
    if (size === undefined) throw new RangeError(`no block at ${address}`)
    this.#blocks.delete(address)
    this.#release(address, size)
  }

  /** Gives back what a block has beyond its first `bytes` bytes. */
  shrink(address: number, bytes: number): void {
    const size = this.#blocks.get(address)
    if (size === undefined) throw new RangeError(`no block at ${address}`)
    const kept = Math.max(ALIGNMENT, roundUp(bytes, ALIGNMENT))
    if (kept >= size) return
    this.#blocks.set(address, kept)
    this.#release(address + kept, size - kept)
  }

  /** A group of allocations that are given back together; small ones share blocks of `chunk` bytes. */
  region(chunk: number = CHUNK): Region {
    return new Region(this, chunk)
  }

  /** A region for about `bytes` bytes: its blocks are no larger than that needs. */
  regionFor(bytes: number): Region {
    return new Region(this, Math.min(CHUNK, Math.ceil(bytes / 16 / 1024) * 1024))
  }

  /** Address of a view of this arena's memory, or -1 for a view of anything else. */
  addressOf(view: ArrayBufferView): number {
    return this.#buffers.has(view.buffer) ? view.byteOffset : -1
  }

  u8(address: number, length: number): Uint8Array {
    return new Uint8Array(this.#buffer, address, length)
  }

  i32(address: number, length: number): Int32Array {
    return new Int32Array(this.#buffer, address, length)
  }

  #release(address: number, size: number): void {
    this.used -= size
    const end = address + size
    let low = 0
    let high = this.#free.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#free[middle]!.start < address) low = middle + 1
      else high = middle
    }
    const before = this.#free[low - 1]
    const after = this.#free[low]
    if (before?.end === address && after?.start === end) {
      before.end = after.end
      this.#free.splice(low, 1)
    } else if (before?.end === address) before.end = end
    else if (after?.start === end) after.start = address
    else this.#free.splice(low, 0, { start: address, end })
  }

  #grow(bytes: number): void {
    const last = this.#free.at(-1)
    const size = this.#buffer.byteLength
    const tail = last?.end === size ? last.end - last.start : 0
    const pages = Math.ceil((bytes - tail) / PAGE)
    this.assertHolds(size - HEAP_START + pages * PAGE)
    this.memory.grow(pages)
    this.#buffer = this.memory.buffer
    this.#buffers.add(this.#buffer)
    const end = size + pages * PAGE
    if (last?.end === size) last.end = end
    else this.#free.push({ start: size, end })
  }
}

/**
 * Allocations that live and die together: what one row group needs while it is decoded, or what one slice of a
 * partition holds. Small requests share blocks, large ones get their own.
 */
export class Region {
  readonly arena: Arena
  readonly #chunk: number
  /** Bytes taken from the arena. */
  bytes = 0
  #blocks: number[] = []
  #next = 0
  #end = 0

  constructor(arena: Arena, chunk: number = CHUNK) {
    this.arena = arena
    this.#chunk = chunk
  }

  /** Allocates `bytes`, aligned to 16, uninitialised; valid until {@link Region.free}. */
  alloc(bytes: number): number {
    const size = roundUp(Math.max(bytes, 1), 16)
    if (size > this.#chunk / 4) return this.#block(size)
    if (this.#next + size > this.#end) {
      this.#next = this.#block(this.#chunk)
      this.#end = this.#next + this.#chunk
    }
    const address = this.#next
    this.#next += size
    return address
  }

  /** Allocates and clears. */
  zeroed(bytes: number): number {
    const address = this.alloc(bytes)
    this.arena.kernels.clear(address, bytes)
    return address
  }

  /** Gives everything back; the region is empty and may be used again. */
  free(): void {
    for (const block of this.#blocks) this.arena.free(block)
    this.#blocks = []
    this.#next = this.#end = this.bytes = 0
  }

  #block(bytes: number): number {
    const address = this.arena.alloc(bytes)
    this.#blocks.push(address)
    this.bytes += bytes
    return address
  }
}

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit
}
