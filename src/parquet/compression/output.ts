import type { Region } from '../../core/arena.ts'
import { isSluiceError, SluiceError } from '../../core/errors.ts'

/** A page must have the length that its header says. */
export function checkLength(actual: number, declared: number): void {
  if (actual !== declared) {
    throw new SluiceError('corrupt', `a page of ${declared} bytes decompresses to ${actual}`)
  }
}

/**
 * The address of `bytes` in the arena; they are copied there if they lie elsewhere, to the same place within a
 * word: V8 copies from and to shared memory by words only then, which is four times as fast.
 */
export function intoArena(bytes: Uint8Array, region: Region): number {
  const present = region.arena.addressOf(bytes)
  if (present >= 0) return present
  const address = region.alloc(bytes.length + 7) + (bytes.byteOffset & 7)
  region.arena.u8(address, bytes.length).set(bytes)
  return address
}

/** The error of a page that its codec cannot read. */
export function malformed(codec: string, cause?: unknown): SluiceError {
  if (isSluiceError(cause)) return cause
  return new SluiceError('corrupt', `a page is not valid ${codec}`, { cause })
}

/**
 * How zlib shall cut its output: in one piece if the input can plausibly be that long, else in smaller ones,
 * so that a header alone cannot make it allocate gigabytes; and not at all what the arena could not take. One byte
 * more than needed spares it a second round with a second buffer.
 */
export function chunkSize(input: number, size: number, { arena }: Region): number {
  arena.assertHolds(size)
  return Math.max(64, Math.min(size + 1, 64 * 1024 + input * 64))
}
