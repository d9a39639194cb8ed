import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bitsOf, bytesOf, concat, packBits, packValues, sandbox, varint } from './sandbox.ts'

/** Ascending positions out of `size`. */
function positionsIn(size: number): fc.Arbitrary<number[]> {
  return fc.subarray(Array.from({ length: size }, (_, i) => i))
}

const words = (numbers: readonly number[]) => bytesOf(Int32Array.from(numbers))

test('densePositions counts the valid rows before each', () => {
  const cases = fc
    .array(fc.nat(1), { minLength: 1, maxLength: 400 })
    .chain(bits => fc.record({ bits: fc.constant(bits), rows: positionsIn(bits.length) }))
  fc.assert(
    fc.property(cases, ({ bits, rows }) => {
      const valid = rows.filter(row => bits[row] === 1)
      const { result, outputs } = sandbox(
        [packBits(bits), words(rows)],
        [4 * rows.length, (rows.length + 7) >> 3],
        (k, [validity, positions], [dense, out]) => {
          k.fillBits(out!.start, 0, rows.length, 0)
          if (rows.length % 8 !== 0) k.fillBits(out!.start, 8 * (rows.length >> 3), 8, 0)
          return k.densePositions(validity!.start, positions!.start, rows.length, dense!.start, out!.start)
        },
      )
      assert.equal(result, valid.length)
      const expected = valid.map(row => bits.slice(0, row).filter(bit => bit === 1).length)
      assert.deepEqual([...new Int32Array(outputs[0]!.buffer, 0, valid.length)], expected)
      assert.deepEqual(
        bitsOf(outputs[1]!, 0, rows.length),
        rows.map(row => bits[row]!),
      )
    }),
  )
})

/** Runs of the hybrid, repeated or bit-packed in groups of eight, and their values. */
const hybrid = fc
  .integer({ min: 1, max: 32 })
  .chain(width =>
    fc.record({
      width: fc.constant(width),
      runs: fc.array(
        fc.oneof(
          fc.record({ value: fc.noBias(fc.nat(2 ** 32 - 1)), count: fc.integer({ min: 0, max: 300 }) }),
          fc.array(fc.noBias(fc.nat(2 ** 32 - 1)), { maxLength: 80 }).map(values => {
            return { values: values.slice(0, values.length & ~7) }
          }),
        ),
        { minLength: 1, maxLength: 6 },
      ),
    }),
  )
  .map(({ width, runs }) => {
    const values: number[] = []
    const bytes: Uint8Array[] = []
    for (const run of runs) {
      if ('values' in run) {
        const own = run.values.map(value => value % 2 ** width)
        values.push(...own)
        bytes.push(concat([varint(BigInt((own.length >> 3) * 2 + 1)), packValues(own.map(BigInt), width)]))
      } else {
        const value = run.value % 2 ** width
        values.push(...Array.from({ length: run.count }, () => value))
        const word = bytesOf(Uint32Array.of(value)).subarray(0, (width + 7) >> 3)
        bytes.push(concat([varint(BigInt(run.count * 2)), word]))
      }
    }
    return { width, values, bytes: concat(bytes) }
  })

test('rleChosen picks values out of runs', () => {
  const cases = hybrid.chain(runs =>
    fc.record({ ...fcConstant(runs), rows: positionsIn(runs.values.length) }),
  )
  fc.assert(
    fc.property(cases, ({ runs: { width, values, bytes }, rows }) => {
      const { result, outputs } = sandbox([bytes, words(rows)], [4 * rows.length], (k, [s, p], [t]) =>
        k.rleChosen(s!.start, s!.end, width, p!.start, rows.length, t!.start),
      )
      const expected = rows.map(row => values[row]!)
      assert.deepEqual([...new Uint32Array(outputs[0]!.buffer)], expected)
      assert.equal(result >>> 0, Math.max(0, ...expected))
    }),
    { numRuns: 300 },
  )
})

test('rleChosen refuses runs that end too early, and stays within any bytes', () => {
  const cases = hybrid.chain(runs => fc.record({ ...fcConstant(runs), cut: fc.nat(runs.bytes.length) }))
  fc.assert(
    fc.property(cases, ({ runs: { width, values, bytes }, cut }) => {
      const beyond = [values.length]
      const { result } = sandbox([bytes, words(beyond)], [4], (k, [s, p], [t]) =>
        k.rleChosen(s!.start, s!.end, width, p!.start, 1, t!.start),
      )
      assert.equal(result, -1)
      const rows = [0, values.length >> 1, values.length]
      sandbox([bytes.subarray(0, cut), words(rows)], [12], (k, [s, p], [t]) => {
        k.clear(t!.start, 12)
        return k.rleChosen(s!.start, s!.end, width, p!.start, 3, t!.start)
      })
    }),
  )
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 60 }),
      fc.integer({ min: -1, max: 40 }),
      positionsIn(200),
      (bytes, width, rows) => {
        sandbox([bytes, words(rows)], [4 * rows.length], (k, [s, p], [t]) => {
          k.clear(t!.start, 4 * rows.length)
          return k.rleChosen(s!.start, s!.end, width, p!.start, rows.length, t!.start)
        })
      },
    ),
    { numRuns: 500 },
  )
})

test('chosenPlain copies byte arrays behind their lengths', () => {
  const cases = fc
    .record({
      values: fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 60 }),
      gap: fc.constantFrom(0, 4),
    })
    .chain(source => fc.record({ source: fc.constant(source), rows: positionsIn(source.values.length) }))
  fc.assert(
    fc.property(cases, ({ source: { values, gap }, rows }) => {
      const data = concat(values.flatMap(value => [new Uint8Array(gap), value]))
      const offsets = [0]
      for (const value of values) offsets.push(offsets.at(-1)! + value.length)
      const plain = concat(rows.flatMap(row => [words([values[row]!.length]), values[row]!]))
      const { result, outputs } = sandbox(
        [data, words(offsets), words(rows)],
        [plain.length],
        (k, [d, o, p], [t]) => {
          k.chosenPlain(d!.start, gap, o!.start, p!.start, rows.length, t!.start)
          return k.chosenPlainSize(o!.start, p!.start, rows.length)
        },
      )
      assert.equal(result, plain.length)
      assert.deepEqual(outputs[0], plain)
    }),
  )
})

function fcConstant<T>(runs: T): { runs: fc.Arbitrary<T> } {
  return { runs: fc.constant(runs) }
}
