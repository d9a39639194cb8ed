import type { Budget } from '../core/budget.ts'

/** Files up to this size are read whole with their footers: a request costs more than the bytes it spares. */
export const SMALL_FILE: number = 512 * 1024
/** Share of the budget for files between their footer and the fetching of their row groups, and the most of it. */
const SHARE = 1 / 8
const MOST = 32 * 2 ** 20
/** Memory is used again for files that take as many of these. */
const UNIT = 1 << 16
/** Bytes of memory that wait for being used again. */
const KEPT = 16 * 2 ** 20

/** The bytes of a file, for the one unit of work that there is in it. */
export interface HeldFile {
  /** Undefined once they have been given back. */
  readonly bytes: Uint8Array | undefined
  /** To be called when the budget has been asked for them: others may use the room set aside. */
  admitted(): void
  release(): void
}

/**
 * Shared memory for small files that are read whole before it is known what they hold. What it takes is set aside
 * from the budget, so that no unit waits for room that is held by those behind it.
 */
export class SmallFiles {
  #room: number
  readonly #free = new Map<number, SharedArrayBuffer[]>()
  #kept = 0

  static readonly #known = new WeakMap<Budget, SmallFiles>()

  /** Those of a run, whose budget it is. */
  static of(budget: Budget): SmallFiles {
    let files = SmallFiles.#known.get(budget)
    if (files === undefined) {
      files = new SmallFiles(budget)
      SmallFiles.#known.set(budget, files)
    }
    return files
  }

  private constructor(budget: Budget) {
    this.#room = Math.min(MOST, Math.floor(budget.limit * SHARE))
    budget.limit -= this.#room
  }

  /** Memory for a file of `size` bytes, if it is small and there is room. */
  take(size: number): HeldFile | undefined {
    const units = Math.ceil(size / UNIT)
    if (size > SMALL_FILE || units * UNIT > this.#room) return undefined
    this.#room -= units * UNIT
    const buffer = this.#free.get(units)?.pop()
    if (buffer !== undefined) this.#kept -= buffer.byteLength
    return this.#held(buffer ?? new SharedArrayBuffer(units * UNIT), size)
  }

  #held(buffer: SharedArrayBuffer, size: number): HeldFile {
    let bytes: Uint8Array | undefined = new Uint8Array(buffer, 0, size)
    let setAside = buffer.byteLength
    const admitted = (): void => {
      this.#room += setAside
      setAside = 0
    }
    return {
      get bytes() {
        return bytes
      },
      admitted,
      release: () => {
        admitted()
        if (bytes !== undefined) this.#keep(buffer)
        bytes = undefined
      },
    }
  }

  #keep(buffer: SharedArrayBuffer): void {
    if (this.#kept + buffer.byteLength > KEPT) return
    this.#kept += buffer.byteLength
    const units = buffer.byteLength / UNIT
    const free = this.#free.get(units)
    if (free === undefined) this.#free.set(units, [buffer])
    else free.push(buffer)
  }
}
