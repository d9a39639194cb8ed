import type zlib from 'node:zlib'

type Zlib = typeof zlib

/** Zstandard without a buffer or a context for each call. Whoever gets no answer asks the public functions. */
export interface NativeZstd {
  /**
   * Fills `output` with what `input` decompresses to; false if that is not exactly as long, or not valid. `input`
   * has to be one whole frame, as `isFrameOf` says: anything else would be taken for the beginning of the next.
   */
  decompress(input: Uint8Array, output: Uint8Array): boolean
  /** Compresses into `output`, of {@link compressBound} bytes, and returns the length; -1 if that failed. */
  compress(input: Uint8Array, output: Uint8Array, level: number): number
}

/**
 * Opens the native contexts below the streams of `zlib`, one for each direction and level, which stay until the
 * thread ends. They are no part of Node's public interface: undefined unless all that is relied on is found to
 * hold. See docs/decisions/0010-kept-zstd-contexts.md.
 */
export function openNativeZstd(zlib: Zlib): NativeZstd | undefined {
  try {
    return callsAsExpected(zlib) && answersRight(zlib, keptContexts(zlib)) ? keptContexts(zlib) : undefined
  } catch {
    return undefined
  }
}

/** The largest size that zstd compresses `size` bytes to (ZSTD_COMPRESSBOUND). */
export function compressBound(size: number): number {
  return size + (size >>> 8) + (size < 131_072 ? (131_072 - size) >>> 11 : 0)
}

/** One context; after a failure it is of no use. */
interface Context {
  /** Reads all of `input` and returns the bytes written to `output`, or -1. */
  run(flush: number, input: Uint8Array, output: Uint8Array): number
  close(): void
}

function keptContexts(zlib: Zlib): NativeZstd {
  const { ZSTD_c_compressionLevel, ZSTD_e_continue, ZSTD_e_end } = zlib.constants
  const encoders = new Map<number, Context>()
  let decoder: Context | undefined
  return {
    decompress(input, output) {
      decoder ??= openContext(zlib.createZstdDecompress(SMALL))
      if (decoder.run(ZSTD_e_continue, input, output) === output.length) return true
      decoder.close()
      decoder = undefined
      return false
    },
    compress(input, output, level) {
      let encoder = encoders.get(level)
      if (encoder === undefined) {
        // A finished frame keeps the parameters; the handle's own reset() would lose them.
        encoder = openContext(
          zlib.createZstdCompress({ ...SMALL, params: { [ZSTD_c_compressionLevel]: level } }),
        )
        encoders.set(level, encoder)
      }
      const size = encoder.run(ZSTD_e_end, input, output)
      // With that much room a frame is written at once; one that fills it may not be complete.
      if (size > 0 && size < output.length) return size
      encoder.close()
      encoders.delete(level)
      return -1
    },
  }
}

/** The stream's own buffer is of no use here; this is the smallest one that it takes. */
const SMALL = { chunkSize: 64 }

/** What the streams of node:zlib have below their public methods. */
interface Internals {
  _handle: Handle
  /** After a write: bytes of output not filled, bytes of input not read. */
  _writeState: Uint32Array
}

interface Handle {
  writeSync: (...args: WriteArguments) => void
  onerror: (message: string, errno: number, code: string) => void
}

type WriteArguments = [
  flush: number,
  input: Uint8Array,
  inputOffset: number,
  inputLength: number,
  output: Uint8Array,
  outputOffset: number,
  outputLength: number,
]

function openContext(stream: zlib.ZstdCompress | zlib.ZstdDecompress): Context {
  const { _handle: handle, _writeState: state } = internals(stream)
  let isFailed = false
  handle.onerror = () => {
    isFailed = true
  }
  return {
    run(flush, input, output) {
      handle.writeSync(flush, input, 0, input.length, output, 0, output.length)
      return isFailed || state[1] !== 0 ? -1 : output.length - state[0]!
    },
    close() {
      stream.destroy()
    },
  }
}

function internals(stream: object): Internals {
  if (!('_handle' in stream && '_writeState' in stream)) throw new TypeError('no handle')
  const { _handle, _writeState } = stream
  if (!(isHandle(_handle) && _writeState instanceof Uint32Array)) throw new TypeError('another handle')
  return { _handle, _writeState }
}

function isHandle(value: unknown): value is Handle {
  return typeof value === 'object' && value !== null && 'writeSync' in value && 'onerror' in value
}

/**
 * Whether Node itself calls its handles with what {@link openContext} calls them with. A native function ends the
 * process on arguments that it does not expect, so this has to be known before the first call.
 */
function callsAsExpected(zlib: Zlib): boolean {
  const { ZSTD_e_continue, ZSTD_e_end } = zlib.constants
  return (
    isCalledFor(zlib.createZstdDecompress(SMALL), ZSTD_e_continue, SAMPLE) &&
    isCalledFor(zlib.createZstdCompress(SMALL), ZSTD_e_end, SAMPLE)
  )
}

function isCalledFor(
  stream: zlib.ZstdCompress | zlib.ZstdDecompress,
  flush: number,
  input: Uint8Array,
): boolean {
  const { _handle: handle } = internals(stream)
  let call: unknown[] = []
  handle.writeSync = (...args) => {
    call = args
    throw new Error('seen enough')
  }
  try {
    if ('_processChunk' in stream && typeof stream._processChunk === 'function')
      stream._processChunk(input, flush)
  } catch {
  } finally {
    stream.destroy()
  }
  const output = call[4]
  if (!(output instanceof Uint8Array)) return false
  const expected = [flush, input, 0, input.length, output, 0, output.length]
  return call.length === expected.length && call.every((value, index) => value === expected[index])
}

/** Whether the contexts do what the public functions do, time after time, and survive what is not valid. */
function answersRight(zlib: Zlib, native: NativeZstd): boolean {
  const { ZSTD_c_checksumFlag, ZSTD_c_compressionLevel } = zlib.constants
  const { length } = SAMPLE
  const pack = (params: Record<number, number>): Buffer =>
    zlib.zstdCompressSync(SAMPLE, { params, pledgedSrcSize: length })
  const levelsAreKept = [1, 9, 1, 9].every(level => {
    const { output, isIntact } = fenced(compressBound(length))
    const size = native.compress(SAMPLE, output, level)
    return pack({ [ZSTD_c_compressionLevel]: level }).equals(output.subarray(0, size)) && isIntact()
  })
  const packed = pack({})
  const damaged = pack({ [ZSTD_c_checksumFlag]: 1 })
  damaged[damaged.length - 1]! ^= 1
  return (
    levelsAreKept &&
    unpacks(native, packed, length) &&
    !unpacks(native, packed, length - 1) &&
    unpacks(native, packed, length) &&
    !unpacks(native, packed, length + 1) &&
    unpacks(native, packed, length) &&
    !unpacks(native, packed.subarray(0, -1), length) &&
    !unpacks(native, damaged, length) &&
    unpacks(native, packed, length)
  )
}

function unpacks(native: NativeZstd, packed: Buffer, size: number): boolean {
  const { output, isIntact } = fenced(size)
  const isDone = native.decompress(packed, output)
  if (!isIntact() || (isDone && SAMPLE.compare(output) !== 0)) throw new TypeError('wrong bytes')
  return isDone
}

/** Repeats of all kinds, so that levels differ. */
const SAMPLE = Buffer.from(Uint8Array.from({ length: 5000 }, (_, i) => (i * i) >> 9))

/** Shared memory to write to, between bytes that nobody may write to. */
function fenced(size: number): { output: Uint8Array; isIntact: () => boolean } {
  const all = new Uint8Array(new SharedArrayBuffer(size + 16)).fill(0xa5)
  const isIntact = (): boolean =>
    [...all.subarray(0, 8), ...all.subarray(8 + size)].every(byte => byte === 0xa5)
  return { output: all.subarray(8, 8 + size), isIntact }
}
