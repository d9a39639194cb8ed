import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytesOf, concat, packValues, sandbox, varint } from './sandbox.ts'

const MASK = 2n ** 64n - 1n

function zigzag(value: bigint): bigint {
  return BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
}

function ascending(numbers: readonly bigint[]): bigint[] {
  return numbers.toSorted((a, b) => (a < b ? -1 : 1))
}

interface Shape {
  miniblocks: number
  perMiniblock: number
  /** Bits that every miniblock takes beyond what it needs. */
  spare: number
}

/** DELTA_BINARY_PACKED by the book, with differences that wrap around at 64 bits. */
function encodeDelta(values: readonly bigint[], { miniblocks, perMiniblock, spare }: Shape): Uint8Array {
  const header = [miniblocks * perMiniblock, miniblocks, values.length].flatMap(n => varint(BigInt(n)))
  const parts: (Uint8Array | number[])[] = [header, varint(zigzag(values[0] ?? 0n))]
  const differences = values.slice(1).map((value, i) => BigInt.asIntN(64, value - values[i]!))
  for (let i = 0; i < differences.length; i += miniblocks * perMiniblock) {
    const block = differences.slice(i, i + miniblocks * perMiniblock)
    const least = ascending(block)[0]!
    const widths: number[] = []
    const bodies: Uint8Array[] = []
    for (let m = 0; m < miniblocks; m++) {
      const part = block.slice(m * perMiniblock, (m + 1) * perMiniblock).map(d => (d - least) & MASK)
      if (part.length === 0) {
        widths.push(99) // of a miniblock that is not there: any number will do
        continue
      }
      const needed = ascending(part).at(-1)!.toString(2).length
      const width = Math.min(64, part.every(d => d === 0n) ? spare : needed + spare)
      while (part.length < perMiniblock) part.push(0n)
      widths.push(width)
      bodies.push(packValues(part, width))
    }
    parts.push(varint(zigzag(least)), widths, ...bodies)
  }
  return concat(parts)
}

const shapes = fc.record({
  miniblocks: fc.constantFrom(1, 2, 4),
  perMiniblock: fc.constantFrom(8, 32, 64),
  spare: fc.constantFrom(0, 0, 1, 40),
})

const numbers = (bits: 32 | 64) =>
  fc.oneof(
    fc.array(fc.bigInt({ min: -(2n ** BigInt(bits - 1)), max: 2n ** BigInt(bits - 1) - 1n }), {
      maxLength: 150,
    }),
    fc.array(fc.bigInt({ min: -50n, max: 1000n }), { maxLength: 300 }),
    fc.tuple(fc.nat(300), fc.integer()).map(([n, step]) => {
      return Array.from({ length: n }, (_, i) => BigInt.asIntN(bits, BigInt(i) * BigInt(step)))
    }),
  )

for (const bits of [32, 64] as const) {
  test(`delta-packed integers of ${bits} bits come back, and no more than there are`, () => {
    fc.assert(
      fc.property(numbers(bits), shapes, fc.uint8Array({ maxLength: 40 }), (values, shape, after) => {
        const packed = encodeDelta(values, shape)
        const size = values.length * (bits / 8)
        const decode = (bytes: Uint8Array, count: number, room: number) =>
          sandbox([bytes], [room], (k, [s], [t]) =>
            (bits === 32 ? k.deltaToI32 : k.deltaToI64)(s!.start, s!.end, count, t!.start),
          )
        const { result, outputs } = decode(concat([packed, after]), values.length, size)
        const decoded =
          bits === 32
            ? Array.from(new Int32Array(outputs[0]!.buffer), BigInt)
            : [...new BigInt64Array(outputs[0]!.buffer)]
        assert.deepEqual(decoded, values)
        assert.equal(result, packed.length)
        assert.equal(decode(packed, values.length + 1, size + 8).result, -1)
        if (values.length > 1) assert.equal(decode(packed.subarray(0, 5), values.length, size).result, -1)
      }),
      { numRuns: 300 },
    )
  })
}

test('any bytes are delta-packed integers or an error', () => {
  const header = fc
    .tuple(fc.constantFrom(8, 32, 128, 200), fc.constantFrom(0, 1, 4), fc.nat(200))
    .map(list => list.flatMap(n => varint(BigInt(n))))
  const anything = fc.tuple(fc.option(header), fc.uint8Array({ maxLength: 200 }))
  fc.assert(
    fc.property(anything, fc.nat(200), ([head, rest], count) => {
      const bytes = concat([head ?? [], rest])
      const { result } = sandbox([bytes], [count * 4, count * 8], (k, [s], [t32, t64]) => [
        k.deltaToI32(s!.start, s!.end, count, t32!.start),
        k.deltaToI64(s!.start, s!.end, count, t64!.start),
      ])
      assert.equal(result[0], result[1])
      assert.ok(result[0]! >= -1 && result[0]! <= bytes.length)
    }),
    { numRuns: 3000 },
  )
})

test('lengthsToOffsets adds up, and refuses negative lengths and too many bytes', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -2, max: 100 })), fc.nat(5000), (lengths, limit) => {
      const total = lengths.reduce((a, b) => a + b, 0)
      const { result, outputs } = sandbox(
        [bytesOf(Int32Array.from(lengths))],
        [(lengths.length + 1) * 4],
        (k, [s], [t]) => {
          k.copy(s!.start, t!.start + 4, lengths.length * 4)
          return k.lengthsToOffsets(t!.start, lengths.length, limit)
        },
      )
      if (lengths.some(length => length < 0) || total > limit) assert.equal(result, -1)
      else {
        let sum = 0
        const offsets = [0, ...lengths.map(length => (sum += length))]
        assert.deepEqual([...new Int32Array(outputs[0]!.buffer)], offsets)
        assert.equal(result, total)
      }
    }),
  )
})

test('values are joined from prefixes and suffixes', () => {
  const words = fc.array(fc.stringMatching(/^[ab]{0,6}$/), { maxLength: 60 })
  fc.assert(
    fc.property(words, list => {
      const prefixes = list.map((word, i) => {
        const before = list[i - 1] ?? ''
        let length = 0
        while (length < Math.min(word.length, before.length) && word[length] === before[length]) length++
        return length
      })
      const suffixes = list.map((word, i) => word.slice(prefixes[i]))
      let end = 0
      const suffixOffsets = Int32Array.from([0, ...suffixes.map(suffix => (end += suffix.length))])
      const inputs = [
        bytesOf(Int32Array.from(prefixes)),
        bytesOf(suffixOffsets),
        Buffer.from(suffixes.join('')),
      ]
      const all = list.join('')
      const { result, outputs } = sandbox(
        inputs,
        [(list.length + 1) * 4, all.length],
        (k, [p, so, s], [offsets, data]) => {
          const total = k.prefixedOffsets(p!.start, so!.start, list.length, offsets!.start)
          k.joinPrefixed(p!.start, so!.start, s!.start, list.length, data!.start)
          return total
        },
      )
      assert.equal(result, all.length)
      assert.equal(Buffer.from(outputs[1]!).toString(), all)
    }),
  )
})

test('prefixes longer than the value before are refused, and offsets beyond 2 GiB', () => {
  const run = (prefixes: number[], suffixes: number[]) =>
    sandbox(
      [bytesOf(Int32Array.from(prefixes)), bytesOf(Int32Array.from(suffixes))],
      [(prefixes.length + 1) * 4],
      (k, [p, s], [t]) => k.prefixedOffsets(p!.start, s!.start, prefixes.length, t!.start),
    ).result
  assert.equal(run([0, 3], [0, 3, 4]), 7)
  assert.equal(run([0, 4], [0, 3, 4]), -1)
  assert.equal(run([1], [0, 3]), -1)
  assert.equal(run([-1], [0, 3]), -1)
  assert.equal(run([0, 2 ** 30, 2 ** 30], [0, 2 ** 30, 2 ** 30, 2 ** 30]), -2)
})
