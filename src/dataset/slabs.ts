import type { Budget, Lease } from '../core/budget.ts'
import type { HeldFile } from './small-files.ts'

/**
 * Shared memory for bytes on their way from a store to a lane. Slabs are used again, because the runtime
 * frees shared memory late; every slab in use is counted in the budget.
 */
export class Slabs {
  readonly #budget: Budget
  #free: SharedArrayBuffer[] = []

  constructor(budget: Budget) {
    this.#budget = budget
  }

  /** Waits until `bytes` are free in the budget, and what some files take that are given back with the slab. */
  async take(bytes: number, signal: AbortSignal, held: readonly HeldFile[] = []): Promise<Slab> {
    const size = Math.ceil(bytes / UNIT) * UNIT
    const beside = held.reduce((sum, file) => sum + (file.bytes?.length ?? 0), 0)
    const lease = await this.#budget.acquire(size + beside, signal)
    for (const file of held) file.admitted()
    const index = this.#free.findIndex(buffer => buffer.byteLength >= size && buffer.byteLength <= 2 * size)
    const buffer = index < 0 ? new SharedArrayBuffer(size) : this.#free.splice(index, 1)[0]!
    return new Slab(buffer, lease, () => {
      for (const file of held) file.release()
      if (size === 0) return
      this.#free.push(buffer)
      if (this.#free.length > KEPT) this.#free.shift()
    })
  }
}

const UNIT = 1 << 16
const KEPT = 4

/** One unit's bytes. */
export class Slab {
  readonly #buffer: SharedArrayBuffer
  readonly #lease: Lease
  readonly #giveBack: () => void
  #used = 0
  #released = false

  constructor(buffer: SharedArrayBuffer, lease: Lease, giveBack: () => void) {
    this.#buffer = buffer
    this.#lease = lease
    this.#giveBack = giveBack
  }

  /** The next `bytes`; a store that joins ranges in another way than the caller expects gets memory of its own. */
  allocate(bytes: number): Uint8Array {
    if (this.#used + bytes > this.#buffer.byteLength) return new Uint8Array(new SharedArrayBuffer(bytes))
    const view = new Uint8Array(this.#buffer, this.#used, bytes)
    this.#used += bytes
    return view
  }

  /** Forgets what was allocated, for another try. */
  reset(): void {
    this.#used = 0
  }

  release(): void {
    if (this.#released) return
    this.#released = true
    this.#lease.release()
    this.#giveBack()
  }
}
