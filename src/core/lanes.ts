import { type MessagePort, Worker } from 'node:worker_threads'
import { isSluiceError, reviveError, type SerializedError, SluiceError, serializeError } from './errors.ts'

/**
 * Calls between the main thread and a lane. A lane handles one call at a time, in order of arrival; while it
 * does, it may send `emit`s, each of which the main thread answers, so that a lane cannot run ahead of what
 * the main thread has written. Nobody holds a lock.
 */
type ToLane =
  | { kind: 'call'; id: number; method: string; args: unknown[] }
  | { kind: 'emitted'; id: number; error?: SerializedError | undefined }
type FromLane =
  | { kind: 'result'; id: number; value: unknown }
  | { kind: 'error'; id: number; error: SerializedError }
  | { kind: 'emit'; id: number; value: unknown }

/** What a lane can do: methods by name, given plain data, giving plain data or {@link Transferred}. */
export interface LaneHandlers {
  [method: string]: (...args: never[]) => unknown
}

/** A value whose memory moves to the receiver instead of being copied. */
export class Transferred {
  readonly value: unknown
  readonly transfer: ArrayBuffer[]

  constructor(value: unknown, transfer: ArrayBuffer[]) {
    this.value = value
    this.transfer = transfer
  }
}

/** The main thread's end of a lane. */
export interface LaneClient {
  /** What it died of: out of memory, a trap, a thread that ended. It answers every further call with it. */
  readonly failure: SluiceError | undefined
  call<T>(method: string, ...args: unknown[]): Promise<T>
  close(): Promise<void>
}

/** Receives what a lane emits; the lane waits once a few emits are unanswered. */
export type EmitHandler = (value: unknown) => Promise<void>

/** A lane in a worker thread of its own. `module` calls {@link serveLane}. */
export class WorkerLane implements LaneClient {
  #worker: Worker
  #calls = new Map<number, { resolve: (value: never) => void; reject: (error: unknown) => void }>()
  #next = 0
  #failure: SluiceError | undefined
  #closed = false

  constructor(module: URL, emit: EmitHandler) {
    this.#worker = new Worker(module, { name: 'sluice-lane', ...flagsFor(module) })
    this.#worker.unref()
    this.#worker.on('message', (message: FromLane) => {
      if (message.kind === 'emit') {
        emit(message.value).then(
          () => this.#post({ kind: 'emitted', id: message.id }),
          error => this.#post({ kind: 'emitted', id: message.id, error: serializeError(error) }),
        )
        return
      }
      if (message.kind === 'error' && message.error.code === 'lane') this.#fail(reviveError(message.error))
      const call = this.#calls.get(message.id)
      this.#settle(message.id)
      if (message.kind === 'result') call?.resolve(message.value as never)
      else call?.reject(reviveError(message.error))
    })
    this.#worker.on('error', error => this.#fail(error))
    this.#worker.on('messageerror', error => this.#fail(error))
    this.#worker.on('exit', code => this.#fail(new Error(`its thread ended with code ${code}`)))
  }

  get failure(): SluiceError | undefined {
    return this.#failure
  }

  call<T>(method: string, ...args: unknown[]): Promise<T> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    const id = this.#next++
    return new Promise<T>((resolve, reject) => {
      this.#calls.set(id, { resolve, reject })
      // Only a lane that owes an answer keeps the process alive.
      this.#worker.ref()
      try {
        const transfer = args.flatMap(arg => (arg instanceof Transferred ? arg.transfer : []))
        const plain = args.map(arg => (arg instanceof Transferred ? arg.value : arg))
        this.#post({ kind: 'call', id, method, args: plain }, transfer)
      } catch (error) {
        this.#settle(id)
        reject(error)
      }
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#worker.terminate()
  }

  #settle(id: number): void {
    this.#calls.delete(id)
    if (this.#calls.size === 0) this.#worker.unref()
  }

  #post(message: ToLane, transfer: ArrayBuffer[] = []): void {
    if (!this.#closed) this.#worker.postMessage(message, transfer)
  }

  #fail(cause: Error): void {
    if (this.#failure !== undefined) return
    if (this.#closed) this.#failure = new SluiceError('callback', 'the lane has been closed')
    else this.#failure = isSluiceError(cause) ? cause : laneFailure(cause)
    for (const { reject } of this.#calls.values()) reject(this.#failure)
    this.#calls.clear()
    void this.#worker.terminate()
  }
}

/** A lane on the main thread, for runs too small to be worth a worker. */
export class InlineLane implements LaneClient {
  #handlers: LaneHandlers
  #last: Promise<unknown> = Promise.resolve()
  #failure: SluiceError | undefined

  constructor(create: (emit: EmitHandler) => LaneHandlers, emit: EmitHandler) {
    this.#handlers = create(value => emit(value instanceof Transferred ? value.value : value))
  }

  get failure(): SluiceError | undefined {
    return this.#failure
  }

  call<T>(method: string, ...args: unknown[]): Promise<T> {
    const result = this.#last.then(async () => {
      if (this.#failure !== undefined) throw this.#failure
      const plain = args.map(arg => (arg instanceof Transferred ? arg.value : arg))
      try {
        const value = await this.#handlers[method]!(...(plain as never[]))
        return (value instanceof Transferred ? value.value : value) as T
      } catch (error) {
        if (isTrap(error)) this.#failure = laneFailure(error)
        throw this.#failure ?? error
      }
    })
    this.#last = result.catch(() => {})
    return result
  }

  async close(): Promise<void> {}
}

/** Answers the calls that come through `port`, one at a time. For the worker's module. */
export function serveLane(port: MessagePort, create: (emit: EmitHandler) => LaneHandlers): void {
  const emits = new Map<number, { resolve: () => void; reject: (error: unknown) => void }>()
  let nextEmit = 0
  let last: Promise<unknown> = Promise.resolve()
  const send = (message: FromLane, value: unknown) =>
    port.postMessage(message, value instanceof Transferred ? value.transfer : [])
  const emit: EmitHandler = value =>
    new Promise((resolve, reject) => {
      const id = nextEmit++
      emits.set(id, { resolve, reject })
      send({ kind: 'emit', id, value: value instanceof Transferred ? value.value : value }, value)
    })
  const handlers = create(emit)
  port.on('message', (message: ToLane) => {
    if (message.kind === 'emitted') {
      const waiting = emits.get(message.id)
      emits.delete(message.id)
      if (message.error === undefined) waiting?.resolve()
      else waiting?.reject(reviveError(message.error))
      return
    }
    const { id, method, args } = message
    last = last.then(async () => {
      try {
        const value = await handlers[method]!(...(args as never[]))
        send({ kind: 'result', id, value: value instanceof Transferred ? value.value : value }, value)
      } catch (error) {
        port.postMessage({
          kind: 'error',
          id,
          error: serializeError(isTrap(error) ? laneFailure(error) : error),
        })
      }
    })
  })
}

/** What a lane died of, as its callers hear of it. */
function laneFailure(cause: Error): SluiceError {
  return new SluiceError('lane', `a lane died: ${cause.message}`, {
    cause,
    hint: 'The next run starts new ones. If it was for lack of memory, give the process more or use fewer lanes.',
  })
}

/** A kernel that ended halfway: nobody knows what it has left in the lane's memory. */
function isTrap(error: unknown): error is Error {
  return error instanceof WebAssembly.RuntimeError
}

/**
 * A compiled module needs none of the process's flags, and loaders would only delay its start. Left out, a worker
 * takes the process's own, as source code needs them; given, Node refuses those that are not a worker's to set.
 */
function flagsFor(module: URL): { execArgv?: string[] } {
  return module.pathname.endsWith('.js') ? { execArgv: [] } : {}
}
