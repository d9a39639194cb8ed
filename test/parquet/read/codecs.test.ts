import assert from 'node:assert/strict'
import { test } from 'node:test'
import { zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { snappyUncompress } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { isSluiceError } from '../../../src/core/errors.ts'
import { pageCodec } from '../../../src/parquet/compression/codecs.ts'
import type { Codec } from '../../../src/parquet/metadata.ts'
import { compressible as bytes } from '../../core/kernels/values.ts'
import { cases } from '../../support/cases.ts'
import { noPython, python } from '../../support/python.ts'
import { arena } from './support.ts'

const CODECS: Codec[] = ['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'BROTLI', 'ZSTD', 'LZ4_RAW']

function compress(codec: Codec, input: Uint8Array): Uint8Array {
  const region = arena.region()
  try {
    return pageCodec(codec).compress(input, region).slice()
  } finally {
    region.free()
  }
}

function decompress(codec: Codec, input: Uint8Array, size: number): Uint8Array {
  const region = arena.region()
  try {
    return arena.u8(pageCodec(codec).decompress(input, size, region), size).slice()
  } finally {
    region.free()
  }
}

for (const codec of CODECS) {
  test(`${codec} gives back what it compressed, and refuses other sizes`, () => {
    fc.assert(
      fc.property(bytes, input => {
        const packed = compress(codec, input)
        assert.deepEqual(decompress(codec, packed, input.length), input)
        for (const size of [input.length + 1, input.length - 1, 2 ** 31 - 1]) {
          if (size >= 0) assertCorrupt(() => decompress(codec, packed, size))
        }
        // Node 22's zstd does not mind the missing end of a frame, where that leaves all the bytes wanted: none.
        if (packed.length > 1 && input.length > 0) {
          assertCorrupt(() => decompress(codec, packed.subarray(0, -1), input.length))
        }
      }),
    )
  })

  test(`${codec} turns any bytes into an error or an output of the size asked for`, () => {
    fc.assert(
      fc.property(bytes, fc.array(fc.tuple(fc.noBias(fc.nat(1 << 30)), fc.nat(255))), (input, edits) => {
        const packed = compress(codec, input)
        for (const [at, byte] of edits) if (packed.length > 0) packed[at % packed.length] = byte
        try {
          assert.equal(decompress(codec, packed, input.length).length, input.length)
        } catch (error) {
          assert.ok(isSluiceError(error) && error.code === 'corrupt', String(error))
        }
      }),
    )
  })
}

test('other decoders read our snappy and LZ4', () => {
  fc.assert(
    fc.property(bytes, input => {
      const output = new Uint8Array(input.length)
      if (input.length > 0) snappyUncompress(compress('SNAPPY', input), output)
      assert.deepEqual(output, input)
      if (input.length === 0) return
      assert.deepEqual(compressors.LZ4_RAW!(compress('LZ4_RAW', input), input.length), input)
    }),
  )
})

test('PyArrow reads what we compress, and we what PyArrow compresses', { skip: noPython }, async () => {
  const inputs = fc.sample(bytes, { numRuns: cases(40), seed: 5 }).map(input => Buffer.from(input))
  const names: [Codec, string][] = [
    ['SNAPPY', 'snappy'],
    ['LZ4_RAW', 'lz4_raw'],
    ['ZSTD', 'zstd'],
    ['GZIP', 'gzip'],
    ['BROTLI', 'brotli'],
  ]
  for (const [codec, name] of names) {
    const packed = inputs.map(input => Buffer.from(compress(codec, input)).toString('base64'))
    const theirs = await python<{ same: boolean; packed: string }[]>(
      `
      import pyarrow as pa, base64
      result = []
      for packed, plain in zip(input['packed'], input['plain']):
          plain = base64.b64decode(plain)
          same = pa.decompress(base64.b64decode(packed), len(plain), input['codec'], asbytes=True) == plain
          result.append({'same': same, 'packed': pa.compress(plain, input['codec'], asbytes=True)})
      `,
      { packed, plain: inputs.map(input => input.toString('base64')), codec: name },
    )
    for (const [index, { same, packed }] of theirs.entries()) {
      const input = inputs[index]!
      assert.ok(same, `${name} of ${input.length} bytes`)
      const ours = decompress(codec, Buffer.from(packed, 'base64'), input.length)
      assert.deepEqual(ours, Uint8Array.from(input))
    }
  }
})

test('compression finds what repeats', () => {
  const input = new TextEncoder().encode('carrier=AA origin=JFK destination=LAX '.repeat(3000))
  for (const codec of ['SNAPPY', 'LZ4_RAW'] as const) {
    assert.ok(compress(codec, input).length < input.length / 15, codec)
  }
})

test('two zstd frames in a row are both or an error, and not the first of them', () => {
  const frames = [3, 5].map(value => new Uint8Array(1000).fill(value))
  const input = Buffer.concat(frames.map(frame => zstdCompressSync(frame)))
  // Node reads the first one only before 26.
  if (Number(process.versions.node.split('.')[0]) < 26) assertCorrupt(() => decompress('ZSTD', input, 2000))
  else assert.deepEqual(decompress('ZSTD', input, 2000), new Uint8Array(Buffer.concat(frames)))
})

test('codecs that are not there are named', () => {
  assert.throws(
    () => pageCodec('LZO'),
    error => isSluiceError(error) && error.code === 'unsupported' && /LZO/.test(error.message),
  )
})

function assertCorrupt(run: () => unknown): void {
  assert.throws(run, error => isSluiceError(error) && error.code === 'corrupt')
}
