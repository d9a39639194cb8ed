import fc from 'fast-check'
import { concat, packValues, varint } from '../../support/bytes.ts'
import { ascending, integers, rowsOf } from './values.ts'

// DELTA_BINARY_PACKED (Encodings.md, "Delta Encoding") in plain TypeScript.

const unsigned = (value: bigint) => BigInt.asUintN(64, value)
const zigzag = (value: bigint) => unsigned((value << 1n) ^ (value >> 63n))

export interface Shape {
  miniblocks: number
  perMiniblock: number
  /** Bits that every miniblock takes beyond what it needs. */
  spare: number
}

/** DELTA_BINARY_PACKED by the book, with differences that wrap around at 64 bits. */
export function encodeDelta(
  values: readonly bigint[],
  { miniblocks, perMiniblock, spare }: Shape,
): Uint8Array {
  const header = [miniblocks * perMiniblock, miniblocks, values.length].flatMap(n => varint(BigInt(n)))
  const parts: (Uint8Array | number[])[] = [header, varint(zigzag(values[0] ?? 0n))]
  const differences = values.slice(1).map((value, i) => BigInt.asIntN(64, value - values[i]!))
  for (let i = 0; i < differences.length; i += miniblocks * perMiniblock) {
    const block = differences.slice(i, i + miniblocks * perMiniblock)
    const least = ascending(block)[0]!
    const widths: number[] = []
    const bodies: Uint8Array[] = []
    for (let m = 0; m < miniblocks; m++) {
      const part = block.slice(m * perMiniblock, (m + 1) * perMiniblock).map(d => unsigned(d - least))
      if (part.length === 0) {
        widths.push(99) // of a miniblock that is not there: any number will do
        continue
      }
      const most = ascending(part).at(-1)!
      const width = Math.min(64, (most === 0n ? 0 : most.toString(2).length) + spare)
      while (part.length < perMiniblock) part.push(0n)
      widths.push(width)
      bodies.push(packValues(part, width))
    }
    parts.push(varint(zigzag(least)), widths, ...bodies)
  }
  return concat(parts)
}

/** Reads it by the book; undefined if it is malformed, ends too early or holds another number of values. */
export function decodeDelta(
  bytes: Uint8Array,
  bits: number,
  count: number,
): { values: bigint[]; used: number } | undefined {
  let at = 0
  let isCut = false
  const number = () => {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++]
      if (byte === undefined) break
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return unsigned(value)
    }
    isCut = true
    return 0n
  }
  const signed = () => {
    const value = number()
    return (value >> 1n) ^ -(value & 1n)
  }
  const [blockSize, miniblocks, total] = [number(), number(), number()]
  let value = signed()
  if (isCut || total !== BigInt(count) || miniblocks === 0n || blockSize >= 2n ** 31n) return undefined
  // A block is a multiple of 128 values in the specification; here, miniblocks are of whole groups of eight.
  if (blockSize % miniblocks !== 0n || (blockSize / miniblocks) % 8n !== 0n || miniblocks > blockSize)
    return undefined
  const perMiniblock = Number(blockSize / miniblocks)
  const values = count === 0 ? [] : [BigInt.asIntN(bits, value)]
  while (values.length < count) {
    const least = signed()
    const widths = bytes.subarray(at, at + Number(miniblocks))
    at += widths.length
    if (isCut || BigInt(widths.length) < miniblocks) return undefined
    for (const width of widths) {
      const here = Math.min(perMiniblock, count - values.length)
      if (here === 0) break
      // The padding of the last miniblock may be left out.
      const body = bytes.subarray(at, at + (perMiniblock * width) / 8)
      if (width > 64 || body.length < Math.ceil((here * width) / 8)) return undefined
      at += body.length
      let packed = body.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
      for (let i = 0; i < here; i++, packed >>= BigInt(width)) {
        value += least + BigInt.asUintN(width, packed)
        values.push(BigInt.asIntN(bits, value))
      }
    }
  }
  return { values, used: at }
}

export const shapes: fc.Arbitrary<Shape> = fc.record({
  miniblocks: fc.constantFrom(1, 2, 4),
  perMiniblock: fc.constantFrom(8, 32, 64),
  spare: fc.constantFrom(0, 0, 1, 40),
})

/** Integers, near one another or not. */
export const deltaColumns = (bits: number): fc.Arbitrary<bigint[]> =>
  fc.oneof(
    rowsOf(integers(bits)),
    fc.array(fc.bigInt({ min: -50n, max: 1000n }), { maxLength: 400, size: 'max' }),
    fc.tuple(fc.nat(300), fc.integer()).map(([n, step]) => {
      return Array.from({ length: n }, (_, i) => BigInt.asIntN(bits, BigInt(i) * BigInt(step)))
    }),
  )
