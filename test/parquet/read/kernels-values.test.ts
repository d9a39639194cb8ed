import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bitsOf, bytesOf, concat, packBits, sandbox } from './sandbox.ts'

/** Rows, null or with a value. */
const rowsOf = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<(T | null)[]> =>
  fc.array(fc.option(value, { freq: 3 }), { maxLength: 200 })

const validity = (rows: readonly unknown[]) => packBits(rows.map(row => row !== null))
const denseOf = <T>(rows: readonly (T | null)[]) => rows.filter(row => row !== null) as T[]

for (const width of [1, 2, 4, 8, 5, 16]) {
  test(`spreadValues moves values of ${width} bytes to their rows and clears the others`, () => {
    const value = fc.uint8Array({ minLength: width, maxLength: width })
    fc.assert(
      fc.property(rowsOf(value), rows => {
        const dense = denseOf(rows)
        const { outputs } = sandbox(
          [validity(rows), concat(dense)],
          [rows.length * width],
          (k, [v, d], [t]) => {
            k.copy(d!.start, t!.start, dense.length * width)
            k.spreadValues(t!.start, width, v!.start, rows.length, dense.length)
          },
        )
        assert.deepEqual(outputs[0], concat(rows.map(row => row ?? new Uint8Array(width))))
      }),
    )
  })

  test(`gatherValues looks up values of ${width} bytes`, () => {
    const value = fc.uint8Array({ minLength: width, maxLength: width })
    const lookup = fc.array(value, { minLength: 1, maxLength: 30 }).chain(dictionary =>
      fc.record({
        dictionary: fc.constant(dictionary),
        codes: fc.array(fc.nat(dictionary.length - 1)),
      }),
    )
    fc.assert(
      fc.property(lookup, ({ dictionary, codes }) => {
        const inputs = [bytesOf(Uint32Array.from(codes)), concat(dictionary)]
        const { outputs } = sandbox(inputs, [codes.length * width], (k, [c, d], [t]) =>
          k.gatherValues(c!.start, codes.length, d!.start, width, t!.start),
        )
        assert.deepEqual(outputs[0], concat(codes.map(code => dictionary[code]!)))
      }),
    )
  })
}

test('spreadBits moves bits to their rows', () => {
  fc.assert(
    fc.property(rowsOf(fc.nat(1)), fc.nat(9), (rows, to) => {
      const dense = denseOf(rows)
      const { outputs } = sandbox(
        [packBits(dense), validity(rows)],
        [(to + rows.length + 7) >> 3],
        (k, [s, v], [t]) => k.spreadBits(s!.start, v!.start, rows.length, t!.start, to),
      )
      assert.deepEqual(
        bitsOf(outputs[0]!, to, rows.length),
        rows.map(row => row ?? 0),
      )
    }),
  )
})

const offsetsOf = (values: readonly Uint8Array[], start = 0) => {
  let end = start
  return Int32Array.from([start, ...values.map(value => (end += value.length))])
}

const value = fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ minLength: 14, maxLength: 40 }))

test('spreadOffsets and shiftOffsets give rows their offsets', () => {
  fc.assert(
    fc.property(rowsOf(value), fc.nat(100), fc.nat(50), (rows, base, skip) => {
      const from = Math.min(skip, rows.length)
      const rest = rows.slice(from)
      const offsets = offsetsOf(denseOf(rows))
      const first = denseOf(rows.slice(0, from)).length
      const { outputs } = sandbox(
        [bytesOf(offsets), validity(rows)],
        [(rest.length + 1) * 4, offsets.length * 4],
        (k, [o, v], [t, shifted]) => {
          k.spreadOffsets(o!.start + first * 4, v!.start, from, rest.length, t!.start, base)
          k.shiftOffsets(o!.start, offsets.length, base, shifted!.start)
        },
      )
      const expected = offsetsOf(
        rest.map(row => row ?? new Uint8Array()),
        base,
      )
      assert.deepEqual(new Int32Array(outputs[0]!.buffer), expected)
      assert.deepEqual(
        new Int32Array(outputs[1]!.buffer),
        offsets.map(offset => offset + base),
      )
    }),
  )
})

/** PLAIN byte arrays. */
function plain(values: readonly Uint8Array[]): Uint8Array {
  return concat(values.flatMap(value => [bytesOf(Uint32Array.of(value.length)), value]))
}

test('PLAIN byte arrays become offsets and data', () => {
  fc.assert(
    fc.property(fc.array(value), fc.uint8Array({ maxLength: 20 }), (values, after) => {
      const data = concat(values)
      const { result, outputs } = sandbox(
        [concat([plain(values), after])],
        [(values.length + 1) * 4, data.length],
        (k, [s], [offsets, target]) => {
          const total = k.plainOffsets(s!.start, s!.end, values.length, offsets!.start)
          const from = s!.start + 4
          k.copyBytes(from, s!.end, 4, offsets!.start, values.length, target!.start, target!.end)
          return total
        },
      )
      assert.equal(result, data.length)
      assert.deepEqual(new Int32Array(outputs[0]!.buffer), offsetsOf(values))
      assert.deepEqual(outputs[1], data)
    }),
  )
})

test('PLAIN byte arrays that cross the end are refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 1, max: 12 }), (bytes, count) => {
      let position = 0
      for (let i = 0; i < count && position <= bytes.length; i++) {
        const length = bytes.length - position < 4 ? 0 : Buffer.from(bytes).readUInt32LE(position)
        position += 4 + length
      }
      const { result } = sandbox([bytes], [(count + 1) * 4], (k, [s], [t]) =>
        k.plainOffsets(s!.start, s!.end, count, t!.start),
      )
      assert.equal(result, position <= bytes.length ? position - 4 * count : -1)
    }),
    { numRuns: 1000 },
  )
})

test('byte arrays are looked up in a dictionary', () => {
  const lookup = fc
    .array(value, { minLength: 1, maxLength: 20 })
    .chain(dictionary =>
      fc.record({ dictionary: fc.constant(dictionary), codes: fc.array(fc.nat(dictionary.length - 1)) }),
    )
  fc.assert(
    fc.property(lookup, ({ dictionary, codes }) => {
      const values = codes.map(code => dictionary[code]!)
      const data = concat(values)
      const { result, outputs } = sandbox(
        [bytesOf(Uint32Array.from(codes)), bytesOf(offsetsOf(dictionary)), concat(dictionary)],
        [(codes.length + 1) * 4, data.length],
        (k, [c, o, d], [offsets, t]) => {
          const total = k.gatherOffsets(c!.start, codes.length, o!.start, offsets!.start)
          k.gatherBytes(c!.start, codes.length, o!.start, d!.start, d!.end, t!.start, t!.end)
          return total
        },
      )
      assert.equal(result, data.length)
      assert.deepEqual(new Int32Array(outputs[0]!.buffer), offsetsOf(values))
      assert.deepEqual(outputs[1], data)
    }),
  )
  const big = sandbox(
    [bytesOf(Uint32Array.of(0, 0)), bytesOf(Int32Array.of(0, 2 ** 30))],
    [12],
    (k, [c, o], [t]) => k.gatherOffsets(c!.start, 2, o!.start, t!.start),
  )
  assert.equal(big.result, -1)
})

test('invalidUtf8 agrees with the decoder of the platform', () => {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const isText = (bytes: Uint8Array) => {
    try {
      decoder.decode(bytes)
      return true
    } catch {
      return false
    }
  }
  const text = fc.string({ unit: 'binary', maxLength: 30 }).map(text => new TextEncoder().encode(text))
  const nearly = fc
    .tuple(
      text,
      fc.nat(),
      fc.constantFrom(0x7f, 0x80, 0xbf, 0xc0, 0xc1, 0xc2, 0xe0, 0xed, 0xf0, 0xf4, 0xf5, 0xff),
    )
    .map(([bytes, at, byte]) => (bytes.length === 0 ? bytes : bytes.with(at % bytes.length, byte)))
  const cut = fc.tuple(text, fc.nat(30)).map(([bytes, at]) => bytes.slice(0, at))
  const values = fc.oneof(fc.array(text), fc.array(fc.oneof(text, text, text, nearly, cut), { maxLength: 5 }))
  fc.assert(
    fc.property(values, list => {
      const { result } = sandbox([concat(list), bytesOf(offsetsOf(list))], [], (k, [d, o]) =>
        k.invalidUtf8(d!.start, o!.start, list.length),
      )
      assert.equal(result === -1, list.every(isText))
    }),
    { numRuns: 2000 },
  )
})

const integers = (bits: number) =>
  fc.array(fc.bigInt({ min: -(2n ** BigInt(bits - 1)), max: 2n ** BigInt(bits - 1) - 1n }))

/** Two's complement, little-endian. */
function littleEndian(value: bigint, width: number): Uint8Array {
  const unsigned = BigInt.asUintN(width * 8, value)
  return Uint8Array.from({ length: width }, (_, i) => Number((unsigned >> BigInt(8 * i)) & 255n))
}

test('integers are narrowed to their low bytes and widened with their sign', () => {
  fc.assert(
    fc.property(integers(32), integers(64), (i32, i64) => {
      const n = i32.length
      const m = i64.length
      const { outputs } = sandbox(
        [concat(i32.map(v => littleEndian(v, 4))), concat(i64.map(v => littleEndian(v, 8)))],
        [n, n * 2, n * 16, n * 32, m * 16, m * 32],
        (k, [s, l], t) => {
          k.narrowTo8(s!.start, n, t[0]!.start)
          k.narrowTo16(s!.start, n, t[1]!.start)
          k.widen32(s!.start, n, 16, t[2]!.start)
          k.widen32(s!.start, n, 32, t[3]!.start)
          k.widen64(l!.start, m, 16, t[4]!.start)
          k.widen64(l!.start, m, 32, t[5]!.start)
        },
      )
      for (const [index, width] of [1, 2, 16, 32].entries()) {
        assert.deepEqual(outputs[index], concat(i32.map(v => littleEndian(v, width))))
      }
      for (const [index, width] of [16, 32].entries()) {
        assert.deepEqual(outputs[4 + index], concat(i64.map(v => littleEndian(v, width))))
      }
    }),
  )
})

for (const width of [16, 32]) {
  test(`big-endian decimals of any length fit in ${width} bytes or are refused`, () => {
    const length = fc.integer({ min: 1, max: width + 3 })
    const cases = length.chain(length =>
      fc.record({ length: fc.constant(length), values: fc.oneof(integers(length * 8), integers(width * 8)) }),
    )
    fc.assert(
      fc.property(cases, ({ length, values }) => {
        const own = values.map(v => BigInt.asIntN(length * 8, v))
        const bytes = own.map(v => littleEndian(v, length).reverse())
        const fits = own.every(v => BigInt.asIntN(width * 8, v) === v)
        const { result, outputs } = sandbox(
          [concat(bytes), plain(bytes), bytesOf(offsetsOf(bytes))],
          [own.length * width, own.length * width],
          (k, [fixed, prefixed, offsets], [a, b]) => [
            k.fixedDecimals(fixed!.start, own.length, length, width, a!.start),
            k.variableDecimals(prefixed!.start + 4, 4, offsets!.start, own.length, width, b!.start),
          ],
        )
        assert.deepEqual(result, fits ? [0, 0] : [-1, -1])
        if (!fits) return
        const expected = concat(own.map(v => littleEndian(v, width)))
        assert.deepEqual(outputs, [expected, expected])
      }),
    )
  })
}

test('INT96 is nanoseconds of the day and a Julian day', () => {
  const time = fc.tuple(
    fc.bigInt({ min: 0n, max: 86_400_000_000_000n }),
    fc.integer({ min: 2_400_000, max: 2_500_000 }),
  )
  fc.assert(
    fc.property(fc.array(time), times => {
      const bytes = concat(
        times.map(([nanos, day]) => concat([littleEndian(nanos, 8), littleEndian(BigInt(day), 4)])),
      )
      const { outputs } = sandbox([bytes], [times.length * 8], (k, [s], [t]) =>
        k.int96ToNanoseconds(s!.start, times.length, t!.start),
      )
      assert.deepEqual(
        [...new BigInt64Array(outputs[0]!.buffer)],
        times.map(([nanos, day]) => BigInt(day - 2_440_588) * 86_400_000_000_000n + nanos),
      )
    }),
  )
})

for (const width of [2, 4, 8, 5, 16]) {
  test(`joinStreams joins ${width} streams`, () => {
    const values = fc.array(fc.uint8Array({ minLength: width, maxLength: width }), { maxLength: 100 })
    fc.assert(
      fc.property(values, list => {
        const streams = Array.from({ length: width }, (_, byte) => list.map(value => value[byte]!))
        const { outputs } = sandbox([concat(streams)], [list.length * width], (k, [s], [t]) =>
          k.joinStreams(s!.start, list.length, width, t!.start),
        )
        assert.deepEqual(outputs[0], concat(list))
      }),
    )
  })
}
