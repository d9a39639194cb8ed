import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { call, end, inPlace, input, output } from './call.ts'
import { compressible, damaged, forAll } from './values.ts'

/** LZ4's block format by its description; undefined for what is malformed or of another length. */
function decompress(bytes: Uint8Array, size: number): number[] | undefined {
  let at = 0
  const out: number[] = []
  const extended = (length: number) => {
    for (let byte = length === 15 ? 255 : 0; byte === 255; length += byte) {
      if (at === bytes.length) return undefined
      byte = bytes[at++]!
    }
    return length
  }
  while (at < bytes.length) {
    const token = bytes[at++]!
    const literal = extended(token >> 4)
    if (literal === undefined || literal > bytes.length - at || literal > size - out.length) return undefined
    out.push(...bytes.subarray(at, at + literal))
    at += literal
    if (at === bytes.length) return out.length === size ? out : undefined // the last sequence has no match
    if (bytes.length - at < 2) return undefined
    const offset = bytes[at]! + 256 * bytes[at + 1]!
    at += 2
    const more = extended(token & 15)
    if (more === undefined || offset === 0 || offset > out.length || more + 4 > size - out.length)
      return undefined
    for (let i = 0; i < more + 4; i++) out.push(out[out.length - offset]!)
  }
  return undefined
}

/** What the kernel makes of [source, end), or undefined where it refuses it. */
function kernelDecompress(bytes: Uint8Array, size: number): Uint8Array | undefined {
  const [source, target] = [input(bytes), output(size)]
  const result = call('lz4Decompress', source, end(source), target, end(target))
  assert.ok(result === 0 || result === -1)
  return result === 0 ? target.bytes : undefined
}

function compress(bytes: Uint8Array): Uint8Array {
  const source = input(bytes)
  const target = output(16 + bytes.length + Math.floor(bytes.length / 255))
  const written = call('lz4Compress', source, end(source), target, inPlace(new Uint8Array(16 * 1024)))
  return target.bytes.slice(0, written)
}

test('lz4Compress writes what decompresses to the input, by the twin and by lz4Decompress', () => {
  forAll(
    compressible,
    bytes => {
      const packed = compress(bytes)
      assert.deepEqual(Uint8Array.from(decompress(packed, bytes.length)!), bytes)
      assert.deepEqual(kernelDecompress(packed, bytes.length), bytes)
    },
    60,
  )
})

test('lz4Decompress reads any bytes as the format has them, or refuses them', () => {
  const tokens = fc.array(fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x0f, 0xf0, 0x1f, 0xff)), {
    maxLength: 80,
  })
  const written = fc.record({ size: fc.nat(300), bytes: tokens.map(list => Uint8Array.from(list)) })
  const spoiled = compressible.chain(bytes =>
    fc.record({
      size: fc.oneof(fc.constant(bytes.length), fc.constant(bytes.length), fc.nat(300)),
      bytes: damaged(fc.constant(compress(bytes))),
    }),
  )
  const check = ({ size, bytes }: { size: number; bytes: Uint8Array }) => {
    const expected = decompress(bytes, size)
    assert.deepEqual(kernelDecompress(bytes, size), expected && Uint8Array.from(expected))
  }
  forAll(written, check, 1500)
  forAll(spoiled, check, 100)
})

test('lengths beyond 32 bits are not taken for what is left of them', () => {
  // 15 + 255 * n is 2^32 + 14, which would be 14 and fit.
  const repeats = (2 ** 32 - 1) / 255
  const bytes = new Uint8Array(1 + repeats + 1 + 14).fill(255, 0, 1 + repeats)
  assert.equal(15 + 255 * repeats, 2 ** 32 + 14)
  assert.equal(kernelDecompress(bytes, 14), undefined)
})
