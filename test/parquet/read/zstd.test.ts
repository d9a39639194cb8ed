import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import zlib from 'node:zlib'
import fc from 'fast-check'
import { isSluiceError } from '../../../src/core/errors.ts'
import type { PageCodec } from '../../../src/parquet/compression/codec.ts'
import { nativeZstd, publicZstd } from '../../../src/parquet/compression/zstd.ts'
import { isFrameOf } from '../../../src/parquet/compression/zstd-frame.ts'
import { compressBound, openNativeZstd } from '../../../src/parquet/compression/zstd-native.ts'
import { concat } from '../../support/bytes.ts'
import { cases } from '../../support/cases.ts'
import { arena } from './support.ts'

const C = zlib.constants

/** The kept contexts, which every Node that Sluice supports has to offer; the public functions are the oracle. */
const native = openNativeZstd(zlib) ?? assert.fail(`no kept contexts on Node ${process.versions.node}`)
const kept = nativeZstd(native)

/** From nothing to several blocks, with runs, repeats and noise. */
const bytes = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc.tuple(fc.nat(255), fc.nat(150_000)).map(([byte, n]) => new Uint8Array(n).fill(byte)),
      fc
        .tuple(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 500 }))
        .map(([part, n]) => concat(Array.from({ length: n }, () => part))),
      fc
        .tuple(fc.nat(20_000), fc.integer({ min: 1, max: 24 }))
        .map(([n, shift]) =>
          Uint8Array.from({ length: n }, (_, i) => Math.imul(i + n, 0x9e3779b1) >>> shift),
        ),
    ),
    { maxLength: 4 },
  )
  .map(concat)

/** A frame as any writer may make it: with or without its size and a checksum, small windows, in pieces. */
const frame = fc
  .tuple(
    bytes,
    fc.integer({ min: 1, max: 7 }),
    fc.boolean(),
    fc.boolean(),
    fc.option(fc.integer({ min: 10, max: 18 })),
  )
  .map(([input, level, hasChecksum, hasSize, windowLog]) => {
    const packed = zlib.zstdCompressSync(input, {
      params: {
        [C.ZSTD_c_compressionLevel]: level,
        [C.ZSTD_c_checksumFlag]: Number(hasChecksum),
        [C.ZSTD_c_contentSizeFlag]: Number(hasSize),
        ...(windowLog === null ? {} : { [C.ZSTD_c_windowLog]: windowLog }),
      },
    })
    return { input, packed: new Uint8Array(packed), hasSize }
  })

test('kept contexts write what the public functions write, at every level', () => {
  fc.assert(
    fc.property(bytes, fc.constantFrom(1, 2, 3, 5, 9), (input, level) => {
      const expected = zlib.zstdCompressSync(input, {
        params: { [C.ZSTD_c_compressionLevel]: level },
        pledgedSrcSize: input.length,
        chunkSize: compressBound(input.length),
      })
      assertEqualBytes(compress(kept, input, level), expected)
    }),
    { numRuns: cases(300) },
  )
})

test('kept contexts read frames of all kinds, of exactly their size, without the public functions', () => {
  fc.assert(
    fc.property(frame, ({ input, packed }) => {
      const output = new Uint8Array(new SharedArrayBuffer(input.length))
      assert.ok(native.decompress(packed, output))
      assert.ok(Buffer.from(output).equals(input))
      for (const size of [input.length - 1, input.length + 1]) {
        if (size >= 0) assert.equal(answer(kept, packed, size), 'corrupt')
      }
    }),
    { numRuns: cases(200) },
  )
})

test('a whole frame and its size are told from anything else', () => {
  fc.assert(
    fc.property(frame, fc.noBias(fc.nat(1 << 20)), ({ input, packed, hasSize }, at) => {
      const size = input.length
      assert.ok(isFrameOf(packed, size))
      assert.ok(!isFrameOf(packed, 2 ** 31 - 1))
      if (hasSize) assert.ok(!isFrameOf(packed, size + 1) && !isFrameOf(packed, size - 1))
      assert.ok(!isFrameOf(packed.subarray(0, at % packed.length), size))
      assert.ok(!isFrameOf(concat([packed, packed]), size))
      assert.ok(!isFrameOf(concat([packed, [0]]), size))
      assert.ok(!isFrameOf(concat([[0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0], packed]), size))
    }),
  )
})

test('damaged frames get the answer of the public functions, and the next frame its own', () => {
  const good = zlib.zstdCompressSync(Buffer.from('the frame behind it, '.repeat(5000)))
  const edit = fc.tuple(fc.noBias(fc.nat(1 << 30)), fc.nat(255))
  const damage = fc.oneof(
    // The headers, most of all.
    fc.record({ edits: fc.array(fc.tuple(fc.nat(12), fc.nat(255)), { minLength: 1, maxLength: 3 }) }),
    fc.record({ edits: fc.array(edit, { minLength: 1, maxLength: 5 }) }),
    fc.record({ cut: fc.noBias(fc.nat(1 << 30)) }),
    fc.record({ tail: fc.uint8Array({ minLength: 1, maxLength: 20 }) }),
    fc.constant({ tail: new Uint8Array(good) }),
  )
  fc.assert(
    fc.property(frame, damage, fc.integer({ min: -2, max: 2 }), ({ input, packed }, harm, by) => {
      let damaged: Uint8Array = packed.slice()
      if ('edits' in harm) for (const [at, byte] of harm.edits) damaged[at % damaged.length] = byte
      else if ('cut' in harm) damaged = damaged.subarray(0, harm.cut % damaged.length)
      else damaged = concat([damaged, harm.tail])
      const size = Math.max(0, input.length + by)
      const [own, expected] = [answer(kept, damaged, size), answer(publicZstd, damaged, size)]
      if (own === 'corrupt') assert.equal(expected, 'corrupt')
      // Which asks for the window that a frame names, also where all of its output is at hand.
      else assertEqualBytes(own, expected === 'corrupt' ? input : expected)
      const output = new Uint8Array(105_000)
      assert.ok(native.decompress(good, output))
      assert.ok(Buffer.from(output).equals(zlib.zstdDecompressSync(good)))
    }),
    { numRuns: cases(500) },
  )
})

test('no byte beside the output is touched', () => {
  fc.assert(
    fc.property(
      frame,
      fc.array(fc.tuple(fc.nat(300), fc.nat(255)), { maxLength: 3 }),
      fc.nat(300),
      (f, edits, cut) => {
        const packed = f.packed.slice()
        for (const [at, byte] of edits) packed[at % packed.length] = byte
        const size = Math.max(0, f.input.length - cut)
        const all = new Uint8Array(new SharedArrayBuffer(size + 128)).fill(0xa5)
        if (isFrameOf(packed, size)) native.decompress(packed, all.subarray(64, 64 + size))
        const room = compressBound(f.input.length)
        const packedOut = new Uint8Array(new SharedArrayBuffer(room + 128)).fill(0xa5)
        assert.ok(native.compress(f.input, packedOut.subarray(64, 64 + room), 1) > 0)
        for (const [out, length] of [
          [all, size],
          [packedOut, room],
        ] as const) {
          const fences = concat([out.subarray(0, 64), out.subarray(64 + length)])
          assert.ok(fences.every(byte => byte === 0xa5))
        }
      },
    ),
    { numRuns: cases(300) },
  )
})

test('without room for its output nothing is written, and the next page is', () => {
  const input = Uint8Array.from({ length: 10_000 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 20)
  assert.equal(native.compress(input, new Uint8Array(50), 3), -1)
  const output = new Uint8Array(compressBound(input.length))
  const size = native.compress(input, output, 3)
  assert.deepEqual(new Uint8Array(zlib.zstdDecompressSync(output.subarray(0, size))), input)
})

test('a worker thread has contexts of its own', async () => {
  const worker = new Worker(new URL('./zstd-worker.ts', import.meta.url))
  const [message] = await new Promise<unknown[]>((resolve, reject) => {
    worker.once('message', (...messages) => resolve(messages))
    worker.once('error', reject)
  })
  assert.equal(message, true)
  await worker.terminate()
})

/** What a future Node could do to the handles, one way each. */
const CHANGES: Record<string, (internals: Internals, kind: 'compress' | 'decompress') => object | undefined> =
  {
    'no handle': () => ({ _handle: undefined }),
    'no results': () => ({ _writeState: undefined }),
    'a handle without writeSync': () => ({ _handle: { onerror() {} } }),
    'another call of it': ({ stream, handle, state }) => ({
      _processChunk(chunk: Uint8Array, flush: number) {
        const room = new Uint8Array(64)
        handle.writeSync(...([flush, chunk, 0, chunk.length, room] as unknown as WriteArguments))
        return [stream, state]
      },
    }),
    'nothing that calls it': () => ({ _processChunk: undefined }),
    'results in another order': ({ handle, state }) => {
      const { writeSync } = handle
      handle.writeSync = (...args) => {
        writeSync.apply(handle, args)
        state.reverse()
      }
      return undefined
    },
    'the second frame of a context is lost': ({ handle }) => {
      const { writeSync } = handle
      let calls = 0
      handle.writeSync = (...args) => {
        if (++calls === 1) writeSync.apply(handle, args)
      }
      return undefined
    },
    'a byte beyond the output': ({ handle }) => {
      const { writeSync } = handle
      handle.writeSync = (...args) => {
        writeSync.apply(handle, args)
        const out = args[4]
        if (out.buffer.byteLength > out.byteOffset + out.length) {
          new Uint8Array(out.buffer)[out.byteOffset + out.length] = 1
        }
      }
      return undefined
    },
    'errors that nobody hears of': ({ handle }, kind) => {
      if (kind === 'decompress') Object.defineProperty(handle, 'onerror', { get: () => () => {}, set() {} })
      return undefined
    },
  }

for (const [name, change] of Object.entries(CHANGES)) {
  test(`native contexts are not used where Node has changed: ${name}`, () => {
    const changed = <S extends object>(stream: S, kind: 'compress' | 'decompress'): S => {
      const { _handle: handle, _writeState: state } = stream as unknown as {
        _handle: Internals['handle']
        _writeState: Uint32Array
      }
      return Object.assign(stream, change({ stream, handle, state }, kind))
    }
    const opened = openNativeZstd({
      ...zlib,
      createZstdCompress: options => changed(zlib.createZstdCompress(options), 'compress'),
      createZstdDecompress: options => changed(zlib.createZstdDecompress(options), 'decompress'),
    })
    assert.equal(opened, undefined)
  })
}

test('native contexts are not used where they forget their level, nor where there are none', () => {
  const forgetful = { ...zlib, createZstdCompress: () => zlib.createZstdCompress() }
  assert.equal(openNativeZstd(forgetful), undefined)
  const { createZstdCompress: _, ...old } = zlib
  assert.equal(openNativeZstd(old as typeof zlib), undefined)
})

type WriteArguments = [number, Uint8Array, number, number, Uint8Array, number, number]

interface Internals {
  stream: object
  handle: { writeSync: (...args: WriteArguments) => void }
  state: Uint32Array
}

/** Without the difference in the message, which takes gigabytes for long ones. */
function assertEqualBytes(actual: Uint8Array, expected: Uint8Array): void {
  assert.ok(
    Buffer.compare(actual, expected) === 0,
    `${actual.length} bytes, expected ${expected.length} others`,
  )
}

function compress(codec: PageCodec, input: Uint8Array, level: number): Uint8Array {
  const region = arena.region()
  try {
    return new Uint8Array(codec.compress(input, region, level))
  } finally {
    region.free()
  }
}

function answer(codec: PageCodec, input: Uint8Array, size: number): Uint8Array | 'corrupt' {
  const region = arena.region()
  try {
    return arena.u8(codec.decompress(input, size, region), size).slice()
  } catch (error) {
    if (isSluiceError(error) && error.code === 'corrupt') return 'corrupt'
    throw error
  } finally {
    region.free()
  }
}
