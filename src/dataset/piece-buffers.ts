import type { Budget } from '../core/budget.ts'

const BUFFERS = 3
/** Most bytes of one. */
const PIECE = 4 * 2 ** 20
/** Share of the budget for all. */
const SHARE = 1 / 8

/**
 * Memory for bytes that are copied from file to file. It is set aside from the budget: a row group whose turn it is in
 * its file must not wait for memory of others, which may be waiting for that turn.
 */
export class PieceBuffers {
  /** Length of each. */
  readonly bytes: number
  readonly #free: Uint8Array[] = []
  readonly #waiting: ((buffer: Uint8Array) => void)[] = []
  #made = 0

  constructor(budget: Budget) {
    this.bytes = Math.max(1, Math.min(PIECE, Math.floor((budget.limit * SHARE) / BUFFERS)))
    budget.limit -= BUFFERS * this.bytes
  }

  /** One for a row group whose turn it is. */
  async take(): Promise<Uint8Array> {
    return this.#next() ?? (await new Promise(resolve => this.#waiting.push(resolve)))
  }

  /** One for a row group that comes later: the last one is for those whose turn it is. */
  spare(): Uint8Array | undefined {
    return this.#free.length + BUFFERS - this.#made > 1 ? this.#next() : undefined
  }

  give(buffer: Uint8Array): void {
    const next = this.#waiting.shift()
    if (next !== undefined) next(buffer)
    else this.#free.push(buffer)
  }

  #next(): Uint8Array | undefined {
    const free = this.#free.pop()
    if (free !== undefined || this.#made === BUFFERS) return free
    this.#made++
    return new Uint8Array(this.bytes)
  }
}
