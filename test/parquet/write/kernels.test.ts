import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Arena, type Region } from '../../../src/core/arena.ts'

// Arrays as long as their `maxLength` allows: blocks and groups have to fill up.
fc.configureGlobal({ baseSize: 'xlarge' })

const arena = new Arena(16 << 20)
const { kernels } = arena
const GUARD = 64

/** Runs with a region that is given back. */
function scratch<T>(use: (region: Region) => T): T {
  const region = arena.region()
  try {
    return use(region)
  } finally {
    region.free()
  }
}

function put(region: Region, view: ArrayBufferView): number {
  const address = region.alloc(view.byteLength)
  arena.u8(address, view.byteLength).set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength))
  return address
}

/** What a kernel wrote into `bytes` bytes; nothing beyond them may change. */
function output(region: Region, bytes: number, write: (out: number) => number): Uint8Array {
  const start = region.alloc(bytes + 2 * GUARD)
  arena.u8(start, bytes + 2 * GUARD).fill(0xa5)
  const written = write(start + GUARD)
  assert.ok(written <= bytes, `${written} bytes in ${bytes}`)
  const untouched = new Uint8Array(GUARD).fill(0xa5)
  assert.deepEqual(arena.u8(start, GUARD).slice(), untouched)
  assert.deepEqual(arena.u8(start + GUARD + bytes, GUARD).slice(), untouched)
  return arena.u8(start + GUARD, written).slice()
}

/** Reads bits, least significant first, as Parquet packs them. */
class Bits {
  readonly bytes: Uint8Array
  position = 0
  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
  byte(): number {
    const byte = this.bytes[this.position++]
    assert.notEqual(byte, undefined, 'the input ends early')
    return byte!
  }
  varint(): bigint {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.byte()
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  zigzag(): bigint {
    const value = this.varint()
    return (value >> 1n) ^ -(value & 1n)
  }
  packed(count: number, width: number): bigint[] {
    const bytes = this.bytes.subarray(this.position, this.position + (count * width) / 8)
    this.position += (count * width) / 8
    assert.ok(this.position <= this.bytes.length, 'the input ends early')
    const all = bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
    const mask = (1n << BigInt(width)) - 1n
    return Array.from({ length: count }, (_, i) => (all >> BigInt(i * width)) & mask)
  }
}

/** The hybrid, decoded by its grammar. */
function decodeHybrid(bytes: Uint8Array, width: number, count: number): number[] {
  const input = new Bits(bytes)
  const values: number[] = []
  while (input.position < bytes.length) {
    const header = Number(input.varint())
    if (header & 1) values.push(...input.packed((header >> 1) * 8, width).map(Number))
    else {
      let value = 0
      for (let i = 0; i < Math.ceil(width / 8); i++) value += input.byte() * 256 ** i
      for (let i = 0; i < header >> 1; i++) values.push(value)
    }
  }
  assert.ok(values.length - count < 8, 'padding of less than a group')
  assert.ok(values.slice(count).every(value => value === 0))
  return values.slice(0, count)
}

function decodeDelta(bytes: Uint8Array, bits: 32 | 64): bigint[] {
  const input = new Bits(bytes)
  const block = Number(input.varint())
  const minis = Number(input.varint())
  const count = Number(input.varint())
  let value = input.zigzag()
  const values = count === 0 ? [] : [value]
  while (values.length < count) {
    const least = input.zigzag()
    const widths = Array.from({ length: minis }, () => input.byte())
    for (const width of widths) {
      if (values.length >= count) break
      for (const delta of input.packed(block / minis, width)) {
        if (values.length === count) break
        value = BigInt.asIntN(bits, value + least + delta)
        values.push(value)
      }
    }
  }
  assert.equal(input.position, bytes.length, 'nothing after the last miniblock')
  return values
}

/** Values in runs and alone, of at most `width` bits. */
function codesOf(width: number): fc.Arbitrary<number[]> {
  const value = fc.integer({ min: 0, max: 2 ** width - 1 })
  const run = fc
    .tuple(value, fc.integer({ min: 1, max: 70 }))
    .map(([code, length]) => new Array<number>(length).fill(code))
  const alone = fc.array(value, { maxLength: 40 })
  return fc.array(fc.oneof(run, alone), { maxLength: 8 }).map(parts => parts.flat())
}

test('codes become RLE/bit-packed hybrid', () => {
  const input = fc.integer({ min: 0, max: 32 }).chain(width => fc.tuple(fc.constant(width), codesOf(width)))
  fc.assert(
    fc.property(input, ([width, codes]) =>
      scratch(region => {
        const values = put(region, Uint32Array.from(codes))
        const bound = Math.ceil(codes.length / 8) * (width + 1) + 16
        const bytes = output(region, bound, out => kernels.encodeHybrid(values, codes.length, width, out))
        assert.deepEqual(decodeHybrid(bytes, width, codes.length), codes)
      }),
    ),
  )
})

const bitmap = fc
  .array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 90 })), { maxLength: 12 })
  .map(runs => runs.flatMap(([bit, length]) => new Array<number>(length).fill(bit ? 1 : 0)))
  .chain(bits => fc.tuple(fc.constant(bits), fc.nat(bits.length)))

function bytesOfBits(bits: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(bits.length / 8))
  bits.forEach((bit, i) => {
    bytes[i >> 3]! |= bit << (i & 7)
  })
  return bytes
}

test('bits become RLE/bit-packed hybrid, counts, bytes', () => {
  fc.assert(
    fc.property(bitmap, ([bits, from]) =>
      scratch(region => {
        const address = put(region, bytesOfBits(bits))
        const rest = bits.slice(from)
        const bound = Math.ceil(rest.length / 8) * 2 + 16
        const bytes = output(region, bound, out => kernels.encodeHybridBits(address, from, rest.length, out))
        assert.deepEqual(decodeHybrid(bytes, 1, rest.length), rest)
        assert.equal(
          kernels.countBits(address, from, rest.length),
          rest.reduce((sum, bit) => sum + bit, 0),
        )
        const unpacked = output(region, rest.length, out => {
          kernels.unpackBits(address, from, rest.length, out)
          return rest.length
        })
        assert.deepEqual([...unpacked], rest)
        const packed = output(region, Math.ceil(rest.length / 8), out => {
          kernels.packBits(put(region, unpacked), rest.length, out)
          return Math.ceil(rest.length / 8)
        })
        assert.deepEqual(packed, bytesOfBits(rest))
      }),
    ),
  )
})

for (const bits of [32, 64] as const) {
  const int = fc.bigInt({ min: -(2n ** BigInt(bits - 1)), max: 2n ** BigInt(bits - 1) - 1n })
  const near = fc
    .tuple(int, fc.array(fc.bigInt({ min: -9n, max: 500n }), { maxLength: 300 }))
    .map(([first, deltas]) => {
      let value = first
      return deltas.map(delta => (value = BigInt.asIntN(bits, value + delta)))
    })
  test(`${bits}-bit integers become DELTA_BINARY_PACKED`, () => {
    fc.assert(
      fc.property(fc.oneof(fc.array(int, { maxLength: 300 }), near), values =>
        scratch(region => {
          const address = put(
            region,
            bits === 32 ? Int32Array.from(values, Number) : BigInt64Array.from(values),
          )
          const encode = bits === 32 ? kernels.encodeDelta32 : kernels.encodeDelta64
          const bound = 32 + Math.ceil(values.length / 128) * (14 + 16 * bits)
          const bytes = output(region, bound, out => encode(address, values.length, out))
          assert.deepEqual(decodeDelta(bytes, bits), values)
        }),
      ),
    )
  })
}

const strings = fc.array(
  fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.uint8Array({ minLength: 60, maxLength: 90 }),
    fc.constantFrom(...['', 'a', 'ab', 'abc', 'abcd', 'abcdefgh', 'abcdefghi'].map(s => Buffer.from(s))),
  ),
  { maxLength: 60 },
)

/** Spans of byte strings by way of offsets. */
function putSpans(region: Region, values: readonly Uint8Array[]): number {
  const offsets = new Int32Array(values.length + 1)
  values.forEach((value, i) => {
    offsets[i + 1] = offsets[i]! + value.length
  })
  const data = put(region, Buffer.concat(values))
  const spans = region.alloc(8 * values.length)
  const bytes = offsets.at(-1)!
  assert.equal(
    kernels.spansOfOffsets(put(region, offsets), data, bytes, 0, 0, values.length, spans),
    values.length,
  )
  return spans
}

function readSpans(spans: number, count: number): Uint8Array[] {
  const pairs = arena.i32(spans, 2 * count)
  return Array.from({ length: count }, (_, i) => arena.u8(pairs[2 * i]!, pairs[2 * i + 1]!).slice())
}

const plain = (values: readonly Uint8Array[]) => values.map(value => [...value])

test('byte strings: lengths, copies, PLAIN, shared prefixes', () => {
  fc.assert(
    fc.property(strings, values =>
      scratch(region => {
        const spans = putSpans(region, values)
        const total = values.reduce((sum, value) => sum + value.length, 0)
        assert.deepEqual(plain(readSpans(spans, values.length)), plain(values))
        assert.equal(kernels.spanBytes(spans, values.length), total)
        const lengths = output(region, 4 * values.length, out => {
          kernels.spanLengths(spans, values.length, out)
          return 4 * values.length
        })
        assert.deepEqual(
          [...new Int32Array(lengths.buffer)],
          values.map(value => value.length),
        )
        const joined = output(region, total, out => kernels.copySpans(spans, values.length, out))
        assert.deepEqual(Buffer.from(joined), Buffer.concat(values))
        const prefixed = values.flatMap(value => {
          const length = Buffer.alloc(4)
          length.writeUInt32LE(value.length)
          return [length, value]
        })
        const encoded = output(region, total + 4 * values.length, out =>
          kernels.encodePlainSpans(spans, values.length, out),
        )
        assert.deepEqual(Buffer.from(encoded), Buffer.concat(prefixed))

        const prefixes = region.alloc(4 * values.length)
        const suffixes = region.alloc(8 * values.length)
        kernels.splitPrefixes(spans, values.length, prefixes, suffixes)
        let previous = Buffer.alloc(0)
        const shared = arena.i32(prefixes, values.length)
        const rebuilt = readSpans(suffixes, values.length).map((suffix, i) => {
          const before = previous
          previous = Buffer.concat([before.subarray(0, shared[i]), suffix])
          // No longer prefix would do.
          const next = before[shared[i]!]
          assert.ok(next === undefined || suffix.length === 0 || next !== suffix[0])
          return previous
        })
        assert.deepEqual(plain(rebuilt), plain(values))
      }),
    ),
  )
})

test('offsets that descend or leave the data give no spans', () => {
  scratch(region => {
    const out = region.alloc(64)
    const spans = (offsets: number[], bytes: number, bits: number) =>
      kernels.spansOfOffsets(
        put(region, Int32Array.from(offsets)),
        4096,
        bytes,
        bits,
        0,
        offsets.length - 1,
        out,
      )
    assert.equal(spans([0, 3, 9], 9, 0), 2)
    assert.equal(spans([0, 3, 9], 8, 0), -1)
    assert.equal(spans([0, 3, 2], 9, 0), -1)
    assert.equal(spans([5, 8, 14], 9, 0), 2)
    // The second value is null and still may not lie.
    assert.equal(spans([0, 3, 2, 4], 9, put(region, Uint8Array.of(0b101))), -1)
    const large = put(region, BigInt64Array.of(0n, 2n ** 40n))
    assert.equal(kernels.spansOfLargeOffsets(large, 4096, 9, 0, 0, 1, out), -1)
  })
})

const least64 = new Float64Array(new BigInt64Array([-1n, 1n, 0n, -(2n ** 63n)]).buffer)

for (const [name, width] of [
  ['buildDictionary32', 4],
  ['buildDictionary64', 8],
] as const) {
  test(`${name} numbers values as they appear`, () => {
    const value = fc.oneof(
      fc.bigInt({ min: 0n, max: 20n }),
      fc.bigInt({ min: 0n, max: 2n ** BigInt(8 * width) - 1n }),
    )
    fc.assert(
      fc.property(fc.array(value, { maxLength: 200 }), fc.nat(200), (values, cut) =>
        scratch(region => {
          const address = put(
            region,
            width === 4 ? Uint32Array.from(values, Number) : BigUint64Array.from(values),
          )
          const table = region.zeroed(4 * 512)
          const dictionary = region.alloc(width * 200)
          const codes = region.alloc(4 * 200)
          const first = Math.min(cut, values.length)
          const before = kernels[name](address, first, table, 9, 0, 200, dictionary, codes)
          const distinct = kernels[name](
            address + first * width,
            values.length - first,
            table,
            9,
            before,
            200,
            dictionary,
            codes + 4 * first,
          )
          const expected = [...new Set(values)]
          assert.equal(distinct, expected.length)
          const found = arena.u8(dictionary, width * distinct).slice().buffer
          assert.deepEqual(
            width === 4 ? [...new Uint32Array(found)].map(BigInt) : [...new BigUint64Array(found)],
            expected,
          )
          assert.deepEqual(
            [...arena.i32(codes, values.length)],
            values.map(item => expected.indexOf(item)),
          )
          if (distinct > 0) {
            arena.u8(table, 4 * 512).fill(0)
            assert.equal(
              kernels[name](address, values.length, table, 9, 0, distinct - 1, dictionary, codes),
              -1,
            )
          }
        }),
      ),
    )
  })
}

test('buildDictionarySpans numbers byte strings as they appear', () => {
  fc.assert(
    fc.property(strings, values =>
      scratch(region => {
        const spans = putSpans(region, values)
        const table = region.zeroed(8 * 128)
        const dictionary = region.alloc(8 * 64)
        const codes = region.alloc(4 * 64)
        const distinct = kernels.buildDictionarySpans(
          spans,
          values.length,
          table,
          7,
          0,
          64,
          dictionary,
          codes,
        )
        const texts = values.map(value => Buffer.from(value).toString('hex'))
        const expected = [...new Set(texts)]
        assert.deepEqual(
          readSpans(dictionary, distinct).map(value => Buffer.from(value).toString('hex')),
          expected,
        )
        assert.deepEqual(
          [...arena.i32(codes, values.length)],
          texts.map(text => expected.indexOf(text)),
        )
      }),
    ),
  )
})

test('compactCodes keeps codes that occur; a code outside the dictionary is found', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat(30)), { maxLength: 100 }), rows =>
      scratch(region => {
        const codes = put(
          region,
          Int32Array.from(rows, code => code ?? 99),
        )
        const bits = put(region, bytesOfBits(rows.map(code => (code === null ? 0 : 1))))
        const map = put(region, new Int32Array(31).fill(-1))
        const used = region.alloc(4 * 31)
        const out = region.alloc(4 * 100)
        const distinct = kernels.compactCodes(codes, bits, 0, rows.length, map, 31, used, 0, out)
        const valid = rows.filter(code => code !== null)
        const expected = [...new Set(valid)]
        assert.deepEqual([...arena.i32(used, distinct)], expected)
        assert.deepEqual(
          [...arena.i32(out, valid.length)],
          valid.map(code => expected.indexOf(code)),
        )
        const stamps = region.zeroed(4 * 31)
        const seen = kernels.distinctCodes(out, valid.length, stamps, 1, used)
        assert.deepEqual(
          [...arena.i32(used, seen)],
          expected.map((_, i) => i),
        )
        if (valid.length > 0) {
          arena.i32(map, 31).fill(-1)
          const size = Math.max(...valid)
          assert.equal(kernels.compactCodes(codes, bits, 0, rows.length, map, size, used, 0, out), -1)
        }
      }),
    ),
  )
})

test('compacting keeps the values whose bit is set', () => {
  fc.assert(
    fc.property(bitmap, fc.constantFrom(1, 2, 4, 8, 3, 16), ([bits, from], width) =>
      scratch(region => {
        const rest = bits.slice(from)
        const values = Uint8Array.from({ length: rest.length * width }, (_, i) => i * 37)
        const address = put(region, values)
        const validity = put(region, bytesOfBits(bits))
        const expected = rest.flatMap((bit, i) =>
          bit ? [...values.subarray(i * width, (i + 1) * width)] : [],
        )
        const compact = new Map([
          [1, kernels.compact8],
          [2, kernels.compact16],
          [4, kernels.compact32],
          [8, kernels.compact64],
        ]).get(width)
        const bytes = output(
          region,
          rest.length * width,
          out =>
            width *
            (compact?.(address, validity, from, rest.length, out) ??
              kernels.compactWide(address, width, validity, from, rest.length, out)),
        )
        assert.deepEqual([...bytes], expected)
      }),
    ),
  )
})

test('conversions change what fits and stop at what does not', () => {
  const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
  const floor = (a: bigint, b: bigint) => (a - (((a % b) + b) % b)) / b
  fc.assert(
    fc.property(
      fc.array(fc.oneof(int64, fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n })), { maxLength: 9 }),
      values =>
        scratch(region => {
          const address = put(region, BigInt64Array.from(values))
          const out = region.alloc(8 * 9)
          const check = (done: number, results: bigint[], bits: number) => {
            const misfit = results.findIndex(value => BigInt.asIntN(bits, value) !== value)
            assert.equal(done, misfit < 0 ? values.length : misfit)
            const bytes = arena.u8(out, (bits / 8) * done).slice().buffer
            const got = bits === 64 ? [...new BigInt64Array(bytes)] : [...new Int32Array(bytes)].map(BigInt)
            assert.deepEqual(got, results.slice(0, done))
          }
          check(
            kernels.daysOfMillis(address, values.length, out),
            values.map(v => floor(v, 86_400_000n)),
            32,
          )
          check(kernels.cutDecimal(address, 8, values.length, 4, false, out), values, 32)
          const scaled = values.map(value => value * 1000n)
          check(kernels.scale64(address, values.length, 1000, out), scaled, 64)
          const small = values.map(value => BigInt.asIntN(32, value))
          const narrow = put(region, Int32Array.from(small, Number))
          check(
            kernels.scale32(narrow, values.length, 1000, out),
            small.map(v => v * 1000n),
            32,
          )
        }),
    ),
  )
})

test('decimals are cut to big-endian bytes', () => {
  const value = fc.bigInt({ min: -(2n ** 127n), max: 2n ** 127n - 1n })
  fc.assert(
    fc.property(value, fc.integer({ min: 1, max: 16 }), (number, width) =>
      scratch(region => {
        const words = BigUint64Array.of(BigInt.asUintN(64, number), BigInt.asUintN(64, number >> 64n))
        const out = region.alloc(16)
        const done = kernels.cutDecimal(put(region, words), 16, 1, width, true, out)
        const fits = BigInt.asIntN(8 * width, number) === number
        assert.equal(done, fits ? 1 : 0)
        if (!fits) return
        const hex = Buffer.from(arena.u8(out, width)).toString('hex')
        assert.equal(BigInt.asIntN(8 * width, BigInt(`0x${hex}`)), number)
      }),
    ),
  )
})

test('small integers are widened, streams split', () => {
  scratch(region => {
    const values = put(region, Int8Array.of(-128, -1, 0, 127))
    const out = region.alloc(32)
    kernels.widen(values, 1, true, 4, out)
    assert.deepEqual([...arena.i32(out, 4)], [-128, -1, 0, 127])
    kernels.widen(values, 1, false, 4, out)
    assert.deepEqual([...arena.i32(out, 4)], [128, 255, 0, 127])
    kernels.widen(values, 2, true, 2, out)
    assert.deepEqual([...arena.i32(out, 2)], [-128, 32512])
    kernels.widen(values, 2, false, 2, out)
    assert.deepEqual([...arena.i32(out, 2)], [65408, 32512])
    kernels.splitStreams(put(region, Uint8Array.of(1, 2, 3, 4, 5, 6)), 3, 2, out)
    assert.deepEqual([...arena.u8(out, 6)], [1, 4, 2, 5, 3, 6])
  })
})

const ascending = <T extends number | bigint>(values: readonly T[]): T[] =>
  [...values].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
const least = <T extends number | bigint>(values: readonly T[]): T => ascending(values)[0]!
const greatest = <T extends number | bigint>(values: readonly T[]): T => ascending(values).at(-1)!

test('bounds of numbers, NaN left out', () => {
  const kinds = {
    boundsI32: Int32Array,
    boundsU32: Uint32Array,
    boundsI64: BigInt64Array,
    boundsU64: BigUint64Array,
    boundsF32: Float32Array,
    boundsF64: Float64Array,
    bounds8: Uint8Array,
  } as const
  const bytes = fc.uint8Array({ minLength: 8, maxLength: 200 })
  for (const [name, View] of Object.entries(kinds) as [
    keyof typeof kinds,
    (typeof kinds)[keyof typeof kinds],
  ][]) {
    const width = View.BYTES_PER_ELEMENT
    fc.assert(
      fc.property(fc.oneof(bytes, fc.constant(new Uint8Array(least64.buffer))), raw =>
        scratch(region => {
          const count = Math.floor(raw.length / width)
          const values = new View(raw.slice(0, count * width).buffer)
          const out = region.alloc(32)
          kernels[name](put(region, values), count, out)
          const [min, max] = new View(arena.u8(out, 2 * width).slice().buffer)
          const numbers = ([...values] as (number | bigint)[]).filter(value => !Number.isNaN(value))
          if (numbers.length === 0) assert.ok(min! > max!)
          else {
            // -0 and 0 are equal here; statistics set the sign themselves.
            assert.ok(min === least(numbers))
            assert.ok(max === greatest(numbers))
          }
        }),
      ),
    )
  }
})

test('bounds of half-precision floats', () => {
  const toNumber = (half: number): number => {
    const sign = half & 0x8000 ? -1 : 1
    const exponent = (half >> 10) & 31
    const fraction = half & 1023
    if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024))
  }
  fc.assert(
    fc.property(fc.uint16Array({ minLength: 1, maxLength: 40 }), halves =>
      scratch(region => {
        const out = region.alloc(32)
        const any = kernels.boundsF16(put(region, halves), halves.length, out)
        const numbers = [...halves].map(toNumber).filter(value => !Number.isNaN(value))
        assert.equal(any, numbers.length === 0 ? 0 : 1)
        if (any === 0) return
        const [min, max] = new Uint16Array(arena.u8(out, 4).slice().buffer)
        assert.ok(toNumber(min!) === Math.min(...numbers) || Math.min(...numbers) === 0)
        assert.ok(toNumber(max!) === Math.max(...numbers) || Math.max(...numbers) === 0)
      }),
    ),
  )
})

test('bounds of byte strings', () => {
  fc.assert(
    fc.property(
      strings.filter(values => values.length > 0),
      values =>
        scratch(region => {
          const out = region.alloc(32)
          kernels.boundsSpans(putSpans(region, values), values.length, false, out)
          const [low, high] = arena.i32(out, 2)
          const sorted = values.map(value => Buffer.from(value)).sort(Buffer.compare)
          assert.deepEqual(Buffer.from(values[low!]!), sorted[0])
          assert.deepEqual(Buffer.from(values[high!]!), sorted.at(-1))
        }),
    ),
  )
  const width = 11
  const signed = fc.bigInt({ min: -(2n ** 87n), max: 2n ** 87n - 1n })
  fc.assert(
    fc.property(fc.array(signed, { minLength: 1, maxLength: 20 }), numbers =>
      scratch(region => {
        const values = numbers.map(number =>
          Buffer.from(
            BigInt.asUintN(8 * width, number)
              .toString(16)
              .padStart(2 * width, '0'),
            'hex',
          ),
        )
        const out = region.alloc(32)
        kernels.boundsSpans(putSpans(region, values), values.length, true, out)
        const [low, high] = arena.i32(out, 2)
        assert.equal(numbers[low!], least(numbers))
        assert.equal(numbers[high!], greatest(numbers))
      }),
    ),
  )
})
