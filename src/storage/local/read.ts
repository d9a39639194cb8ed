import { SluiceError } from '../../core/errors.ts'
import type { ByteRange } from '../store.ts'
import { fileError } from './errors.ts'
import type { LocalFile } from './file.ts'
import { etagOf } from './files.ts'

/** A file open for reading and the version of it that is being read. */
export interface OpenFile {
  file: LocalFile
  path: string
  etag: string
}

const CHUNK = 256 * 1024
/** Most bytes of one system call: an abort waits for no more than that. */
const MAX_READ = 16 * 1024 * 1024

/**
 * The bytes of a range, read as they are asked for. Owns the file: what fits into one chunk is read at once
 * and the file closed, so that only the reader of a large object holds it open.
 */
export async function readBody(
  open: OpenFile,
  range: ByteRange,
  signal: AbortSignal | undefined,
): Promise<AsyncIterable<Uint8Array>> {
  if (range.end - range.start > CHUNK) return chunks(open, range, signal)
  const bytes = new Uint8Array(range.end - range.start)
  await readFull(open, bytes, range.start, signal)
  await verify(open)
  await open.file.close()
  return single(bytes, signal)
}

/** Fills `into` from `position` on; `precondition` if the file has become shorter than that. */
export async function readFull(
  { file, path }: OpenFile,
  into: Uint8Array,
  position: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  let done = 0
  while (done < into.length) {
    signal?.throwIfAborted()
    const length = Math.min(into.length - done, MAX_READ)
    const bytesRead = await file.read(into.subarray(done, done + length), position + done)
    if (bytesRead === 0) {
      throw new SluiceError('precondition', `the file was cut short, to ${position + done} bytes`, {
        file: path,
      })
    }
    done += bytesRead
  }
  signal?.throwIfAborted()
}

async function* single(
  bytes: Uint8Array,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  signal?.throwIfAborted()
  if (bytes.length > 0) yield bytes
}

/** No generator: one that is closed before its first `next()` would not run the block that closes the file. */
function chunks(
  open: OpenFile,
  { start, end }: ByteRange,
  signal: AbortSignal | undefined,
): AsyncIterableIterator<Uint8Array, void, undefined> {
  let position = start
  let ended = false
  const finish = async () => {
    ended = true
    await open.file.close()
    return { done: true, value: undefined } as const
  }
  const body: AsyncIterableIterator<Uint8Array, void, undefined> = {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      if (ended || position === end) return finish()
      try {
        const value = new Uint8Array(Math.min(CHUNK, end - position))
        await readFull(open, value, position, signal)
        position += value.length
        if (position === end && !ended) await verify(open)
        return { done: false, value }
      } catch (error) {
        await finish()
        throw fileError(error, open.path, signal)
      }
    },
    return: finish,
  }
  return body
}

/** That the file is still what it was when it was opened, or what was read may be of two versions. */
export async function verify({ file, path, etag }: OpenFile): Promise<void> {
  if (etagOf(await file.stat()) === etag) return
  throw new SluiceError('precondition', 'the file was changed while it was read', { file: path })
}
