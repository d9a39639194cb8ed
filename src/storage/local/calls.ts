import {
  type BigIntStats,
  type Dirent,
  lstatSync,
  promises,
  readdirSync,
  realpathSync,
  rmdirSync,
  statSync,
} from 'node:fs'

/** Milliseconds that direct calls may take before others have to go through the pool. */
const ALLOWANCE = 5
/** What a call through the pool pays back of them. */
const REPAYMENT = 0.1
/** Most that is owed: one call that hung is forgiven after some hundred others. */
const MOST = 50

/**
 * The questions that a local store asks the system. One that is answered from memory takes a few microseconds, and
 * five to ten times that through the runtime's thread pool; so they are asked directly. The time that they take is
 * kept account of, and once it exceeds the allowance calls go through the pool until it is paid back: on a disk
 * or a network that lets one wait nearly all of them do, and the event loop always gets its turn. What changes the
 * disk takes longer, and goes through the pool in any case.
 */
export class LocalCalls {
  /** Milliseconds. */
  #owed = 0

  async run<T>(direct: () => T, pooled: () => Promise<T>): Promise<T> {
    if (this.#owed > ALLOWANCE) {
      this.#owed -= REPAYMENT
      return pooled()
    }
    const start = performance.now()
    try {
      return direct()
    } finally {
      this.#owed = Math.min(MOST, this.#owed + performance.now() - start)
    }
  }

  stat(path: string): Promise<BigIntStats> {
    return this.run(
      () => statSync(path, BIGINT),
      () => promises.stat(path, BIGINT),
    )
  }

  lstat(path: string): Promise<BigIntStats> {
    return this.run(
      () => lstatSync(path, BIGINT),
      () => promises.lstat(path, BIGINT),
    )
  }

  realpath(path: string): Promise<string> {
    return this.run(
      () => realpathSync.native(path),
      () => promises.realpath(path),
    )
  }

  readdir(path: string): Promise<Dirent[]> {
    return this.run(
      () => readdirSync(path, TYPES),
      () => promises.readdir(path, TYPES),
    )
  }

  /** Mostly of a folder that turns out not to be empty. */
  rmdir(path: string): Promise<void> {
    return this.run(
      () => rmdirSync(path),
      () => promises.rmdir(path),
    )
  }
}

const BIGINT = { bigint: true } as const
const TYPES = { withFileTypes: true } as const
