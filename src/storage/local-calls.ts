import {
  type BigIntStats,
  type Dirent,
  linkSync,
  lstatSync,
  mkdirSync,
  promises,
  readdirSync,
  realpathSync,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
} from 'node:fs'

/** Milliseconds that direct calls may take before others have to go through the pool. */
const ALLOWANCE = 5
/** What a call through the pool pays back of them. */
const REPAYMENT = 0.1
/** Most that is owed: one call that hung is forgiven after some hundred others. */
const MOST = 50

/**
 * The system calls of a local store. A call that the system answers from its memory takes a few microseconds, and
 * five to ten times that through the runtime's thread pool; so calls are made directly. Time that they take is
 * kept account of, and once it exceeds the allowance calls go through the pool until it is paid back: on a disk
 * or a network that lets one wait nearly all of them do, and the event loop always gets its turn.
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

  /** With the folders above it; gives the first one that was made. */
  mkdir(path: string): Promise<string | undefined> {
    return this.run(
      () => mkdirSync(path, RECURSIVE),
      () => promises.mkdir(path, RECURSIVE),
    )
  }

  rmdir(path: string): Promise<void> {
    return this.run(
      () => rmdirSync(path),
      () => promises.rmdir(path),
    )
  }

  unlink(path: string): Promise<void> {
    return this.run(
      () => unlinkSync(path),
      () => promises.unlink(path),
    )
  }

  rename(from: string, to: string): Promise<void> {
    return this.run(
      () => renameSync(from, to),
      () => promises.rename(from, to),
    )
  }

  link(from: string, to: string): Promise<void> {
    return this.run(
      () => linkSync(from, to),
      () => promises.link(from, to),
    )
  }
}

const BIGINT = { bigint: true } as const
const TYPES = { withFileTypes: true } as const
const RECURSIVE = { recursive: true } as const
