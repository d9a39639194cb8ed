import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bitsOf, concat, packBits, packValues, sandbox, varint } from './sandbox.ts'

const bits = fc.array(fc.nat(1), { maxLength: 400 })

test('copyBits moves bits and leaves their neighbours', () => {
  fc.assert(
    fc.property(bits, fc.nat(20), fc.nat(20), fc.nat(20), fc.nat(1), (source, from, to, after, before) => {
      const count = Math.max(0, source.length - from)
      const target = new Array<number>(to + count + after).fill(before)
      const { outputs } = sandbox([packBits(source)], [(target.length + 7) >> 3], (k, [s], [t]) => {
        k.fillBits(t!.start, 0, target.length, before ? 1 : 0)
        k.copyBits(s!.start, Math.min(from, source.length), t!.start, to, count)
      })
      target.splice(to, count, ...source.slice(from))
      assert.deepEqual(bitsOf(outputs[0]!, 0, target.length), target)
    }),
  )
})

test('fillBits sets and clears bits and leaves their neighbours', () => {
  fc.assert(
    fc.property(bits, fc.nat(50), fc.nat(300), fc.nat(1), (before, to, count, value) => {
      const size = before.length + to + count
      const target = [...before, ...new Array<number>(size - before.length).fill(0)]
      const { outputs } = sandbox([packBits(target)], [(size + 7) >> 3], (k, [s], [t]) => {
        k.copy(s!.start, t!.start, t!.end - t!.start)
        k.fillBits(t!.start, to, count, value ? 1 : 0)
      })
      target.fill(value, to, to + count)
      assert.deepEqual(bitsOf(outputs[0]!, 0, size), target)
    }),
  )
})

test('popcount counts', () => {
  fc.assert(
    fc.property(bits, source => {
      const { result } = sandbox([packBits(source)], [], (k, [s]) => k.popcount(s!.start, source.length))
      assert.equal(result, source.filter(bit => bit === 1).length)
    }),
  )
})

test('unpack reads values of every width', () => {
  const cases = fc
    .tuple(fc.integer({ min: 1, max: 32 }), fc.array(fc.noBias(fc.nat(2 ** 32 - 1)), { maxLength: 200 }))
    .map(([width, values]) => ({ width, values: values.map(value => value % 2 ** width) }))
  fc.assert(
    fc.property(cases, ({ width, values }) => {
      const packed = packValues(values.map(BigInt), width)
      const { result, outputs } = sandbox([packed], [values.length * 4], (k, [s], [t]) =>
        k.unpack(s!.start, s!.end, width, values.length, t!.start),
      )
      assert.deepEqual([...new Uint32Array(outputs[0]!.buffer)], values)
      assert.equal(result >>> 0, Math.max(0, ...values))
    }),
    { numRuns: 500 },
  )
})

/** A run of the hybrid: one value many times, or eight values or a multiple of it packed. */
const runs = fc.array(
  fc.oneof(
    fc.record({ value: fc.noBias(fc.nat(2 ** 32 - 1)), times: fc.integer({ min: 0, max: 60 }) }),
    fc.record({
      packed: fc
        .integer({ min: 0, max: 9 })
        .chain(groups =>
          fc.array(fc.noBias(fc.nat(2 ** 32 - 1)), { minLength: groups * 8, maxLength: groups * 8 }),
        ),
    }),
  ),
  { maxLength: 8 },
)

type Run = { value: number; times: number } | { packed: number[] }

function encodeHybrid(list: readonly Run[], width: number): { bytes: Uint8Array; values: number[] } {
  const parts: (Uint8Array | number[])[] = []
  const values: number[] = []
  for (const run of list) {
    if ('packed' in run) {
      const packed = run.packed.map(value => value % 2 ** width)
      parts.push(varint(BigInt(((packed.length / 8) << 1) | 1)), packValues(packed.map(BigInt), width))
      values.push(...packed)
    } else {
      const value = run.value % 2 ** width
      const bytes = Array.from({ length: (width + 7) >> 3 }, (_, i) => Math.floor(value / 256 ** i) & 255)
      parts.push(varint(BigInt(run.times << 1)), bytes)
      values.push(...new Array<number>(run.times).fill(value))
    }
  }
  return { bytes: concat(parts), values }
}

test('rleToI32 reads runs of every width, and refuses to read more than they hold', () => {
  fc.assert(
    fc.property(runs, fc.integer({ min: 1, max: 32 }), fc.nat(20), (list, width, fewer) => {
      const { bytes, values } = encodeHybrid(list, width)
      const wanted = Math.max(0, values.length - fewer)
      const decode = (count: number) =>
        sandbox([bytes], [count * 4], (k, [s], [t]) => k.rleToI32(s!.start, s!.end, width, count, t!.start))
      const { result, outputs } = decode(wanted)
      assert.deepEqual([...new Uint32Array(outputs[0]!.buffer)], values.slice(0, wanted))
      assert.equal(result >>> 0, Math.max(0, ...values.slice(0, wanted)))
      assert.equal(decode(values.length + 1).result, -1)
    }),
    { numRuns: 500 },
  )
})

test('rleToBits reads levels, and refuses to read more than the runs hold', () => {
  fc.assert(
    fc.property(runs, fc.nat(20), fc.nat(20), (list, fewer, to) => {
      const { bytes, values } = encodeHybrid(list, 1)
      const decode = (count: number) =>
        sandbox([bytes], [(to + count + 7) >> 3], (k, [s], [t]) => {
          k.clear(t!.start, t!.end - t!.start)
          return k.rleToBits(s!.start, s!.end, count, t!.start, to)
        })
      const wanted = values.slice(0, Math.max(0, values.length - fewer))
      const { result, outputs } = decode(wanted.length)
      assert.deepEqual(bitsOf(outputs[0]!, to, wanted.length), wanted)
      assert.deepEqual(bitsOf(outputs[0]!, 0, to), new Array<number>(to).fill(0))
      assert.equal(result, wanted.filter(bit => bit === 1).length)
      assert.equal(decode(values.length + 1).result, -1)
    }),
    { numRuns: 500 },
  )
})

test('any bytes are runs or an error', () => {
  const anything = fc.uint8Array({ maxLength: 60 })
  fc.assert(
    fc.property(anything, fc.integer({ min: -1, max: 40 }), fc.nat(300), (bytes, width, count) => {
      const { result } = sandbox([bytes], [count * 4, (count + 7) >> 3], (k, [s], [t, levels]) => {
        k.clear(levels!.start, levels!.end - levels!.start)
        return [
          k.rleToI32(s!.start, s!.end, width, count, t!.start),
          k.rleToBits(s!.start, s!.end, count, levels!.start, 0),
        ]
      })
      assert.ok(result[1]! >= -1 && result[1]! <= count)
      if (width < 0 || width > 32) assert.equal(result[0], -1)
    }),
    { numRuns: 2000 },
  )
})

test('packedToBits reads the deprecated levels, most significant bit first', () => {
  fc.assert(
    fc.property(bits, fc.nat(9), (levels, to) => {
      const bytes = packBits(levels).map(byte =>
        Number.parseInt(byte.toString(2).padStart(8, '0').split('').reverse().join(''), 2),
      )
      const decode = (count: number) =>
        sandbox([bytes], [(to + count + 7) >> 3], (k, [s], [t]) => {
          k.clear(t!.start, t!.end - t!.start)
          return k.packedToBits(s!.start, s!.end, count, t!.start, to)
        })
      const { result, outputs } = decode(levels.length)
      assert.deepEqual(bitsOf(outputs[0]!, to, levels.length), levels)
      assert.equal(result, levels.filter(bit => bit === 1).length)
      assert.equal(decode(bytes.length * 8 + 1).result, -1)
    }),
  )
})
