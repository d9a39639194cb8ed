import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concat, varint } from '../../support/bytes.ts'
import { call, end, input, output } from './call.ts'
import { compressible, damaged, forAll } from './values.ts'

/** Snappy's raw format by its description; undefined for what is malformed or not of the length it says. */
function decompress(bytes: Uint8Array, size: number): number[] | undefined {
  let at = 0
  const number = (length: number) => {
    if (length > bytes.length - at) return undefined
    at += length
    return bytes.subarray(at - length, at).reduceRight((sum, byte) => sum * 256 + byte, 0)
  }
  let declared = 0n
  for (let shift = 0n; ; shift += 7n) {
    const byte = number(1)
    if (byte === undefined || shift > 28n) return undefined
    declared |= BigInt(byte & 127) << shift
    if (byte < 128) break
  }
  if (declared !== BigInt(size)) return undefined
  const out: number[] = []
  while (at < bytes.length) {
    const tag = bytes[at++]!
    if ((tag & 3) === 0) {
      const less = tag >> 2 < 60 ? tag >> 2 : number((tag >> 2) - 59)
      if (less === undefined || less >= bytes.length - at || less >= size - out.length) return undefined
      out.push(...bytes.subarray(at, at + less + 1))
      at += less + 1
    } else {
      const near = (tag & 3) === 1
      const length = near ? 4 + ((tag >> 2) & 7) : (tag >> 2) + 1
      const far = number([1, 2, 4][(tag & 3) - 1]!)
      if (far === undefined) return undefined
      const offset = near ? (tag >> 5) * 256 + far : far
      if (offset === 0 || offset > out.length || length > size - out.length) return undefined
      for (let i = 0; i < length; i++) out.push(out[out.length - offset]!)
    }
  }
  return out.length === size ? out : undefined
}

/** What the kernel makes of [source, end), or undefined where it refuses it. */
function kernelDecompress(bytes: Uint8Array, size: number): Uint8Array | undefined {
  const [source, target] = [input(bytes), output(size)]
  const result = call('snappyDecompress', source, end(source), target, end(target))
  assert.ok(result === 0 || result === -1)
  return result === 0 ? target.bytes : undefined
}

function compress(bytes: Uint8Array): Uint8Array {
  const source = input(bytes)
  const target = output(32 + bytes.length + Math.floor(bytes.length / 6))
  const written = call('snappyCompress', source, end(source), target, output(32 * 1024))
  return target.bytes.slice(0, written)
}

test('snappyCompress writes what decompresses to the input, by the twin and by snappyDecompress', () => {
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

test('snappyDecompress reads any bytes as the format has them, or refuses them', () => {
  const tags = fc.array(fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 2, 3, 0xf0, 0xf4, 0xfc)), {
    maxLength: 80,
  })
  const written = fc
    .tuple(fc.nat(300), tags)
    .map(([size, tags]) => ({ size, bytes: concat([varint(BigInt(size)), tags]) }))
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
