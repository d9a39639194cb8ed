import { once } from 'node:events'
import type { Writable } from 'node:stream'

/** Aborts a run whose output nobody reads any longer, which is no failure: `sluice cat … | head`. */
export const OUTPUT_CLOSED: unique symbol = Symbol('output closed')

/** Standard output, written with back-pressure. */
export class Output {
  readonly isTerminal: boolean
  readonly #stream: Writable
  readonly #signal: AbortSignal

  constructor(stream: Writable & { isTTY?: boolean }, signal: AbortSignal) {
    this.isTerminal = stream.isTTY === true
    this.#stream = stream
    this.#signal = signal
  }

  /** Resolves when there is room for more; rejects when the run is aborted. */
  async write(chunk: string | Uint8Array): Promise<void> {
    this.#signal.throwIfAborted()
    if (!this.#stream.write(chunk)) await once(this.#stream, 'drain', { signal: this.#signal })
  }

  async writeAll(chunks: AsyncIterable<string | Uint8Array>): Promise<void> {
    for await (const chunk of chunks) await this.write(chunk)
  }
}
