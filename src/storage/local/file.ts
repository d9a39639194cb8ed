import {
  type BigIntStats,
  close,
  closeSync,
  constants,
  fstat,
  fstatSync,
  fsync,
  futimesSync,
  open,
  openSync,
  read,
  readSync,
  write,
  writeSync,
} from 'node:fs'
import { SluiceError } from '../../core/errors.ts'
import type { LocalCalls } from './calls.ts'

/** Most bytes that are read or written directly; more of them are worth another thread's time. */
const MAX_READ = 1 << 18
const MAX_WRITTEN = 1 << 16

/**
 * A file that is open. One that is collected as garbage without having been closed is closed then: a body that
 * nobody read, an upload that nobody ended.
 */
export class LocalFile {
  readonly #calls: LocalCalls
  readonly #descriptor: number
  /** Calls in the thread pool: the descriptor is not to become another file's under them. */
  readonly #running = new Set<Promise<unknown>>()
  #closed: Promise<void> | undefined

  private constructor(calls: LocalCalls, descriptor: number) {
    this.#calls = calls
    this.#descriptor = descriptor
    abandoned.register(this, descriptor, this)
  }

  static async open(calls: LocalCalls, path: string, flags: number): Promise<LocalFile> {
    const background = () => pooled<number>(done => open(path, flags, done))
    const direct = () => openSync(path, flags)
    const descriptor = await (flags & constants.O_CREAT ? background() : calls.run(direct, background))
    return new LocalFile(calls, descriptor)
  }

  stat(): Promise<BigIntStats> {
    return this.#run(
      descriptor => fstatSync(descriptor, BIGINT),
      (descriptor, done) => fstat(descriptor, BIGINT, done),
    )
  }

  /** Reads what it can, up to the length of `into`; gives the number of bytes. */
  read(into: Uint8Array, position: number): Promise<number> {
    return this.#run(
      descriptor => readSync(descriptor, into, 0, into.length, position),
      (descriptor, done) => read(descriptor, into, 0, into.length, position, done),
      into.length <= MAX_READ,
    )
  }

  /** Writes what it can; gives the number of bytes. */
  write(bytes: Uint8Array, position: number): Promise<number> {
    return this.#run(
      descriptor => writeSync(descriptor, bytes, 0, bytes.length, position),
      (descriptor, done) => write(descriptor, bytes, 0, bytes.length, position, done),
      bytes.length <= MAX_WRITTEN,
    )
  }

  /** Sets the times, in seconds: never longer than a moment, since the file is open. */
  touch(seconds: number): void {
    futimesSync(this.#open(), seconds, seconds)
  }

  /** Brings the content to the disk. */
  sync(): Promise<void> {
    return this.#hold(pooled<void>(done => fsync(this.#open(), done)))
  }

  /** Closes it as soon as nothing is under way. Idempotent. */
  close(): Promise<void> {
    return (this.#closed ??= this.#close())
  }

  async #close(): Promise<void> {
    abandoned.unregister(this)
    while (this.#running.size > 0) await Promise.allSettled(this.#running)
    await this.#calls.run(
      () => closeSync(this.#descriptor),
      () => pooled<void>(done => close(this.#descriptor, done)),
    )
  }

  async #run<T>(
    direct: (descriptor: number) => T,
    inPool: (descriptor: number, done: Done<T>) => void,
    mayBeDirect = true,
  ): Promise<T> {
    const descriptor = this.#open()
    const background = () => this.#hold(pooled<T>(done => inPool(descriptor, done)))
    return mayBeDirect ? this.#calls.run(() => direct(descriptor), background) : background()
  }

  #open(): number {
    if (this.#closed === undefined) return this.#descriptor
    throw new SluiceError('io', 'the file has been closed')
  }

  #hold<T>(call: Promise<T>): Promise<T> {
    const held: Promise<T> = call.finally(() => this.#running.delete(held))
    this.#running.add(held)
    return held
  }
}

type Done<T> = (error: NodeJS.ErrnoException | null, value: T) => void

function pooled<T>(start: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => (error === null || error === undefined ? resolve(value) : reject(error)))
  })
}

const abandoned = new FinalizationRegistry((descriptor: number) => close(descriptor, () => {}))

const BIGINT = { bigint: true } as const
