import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bitsOf, concat, offsetsOf, packBits, utf8 } from '../../support/bytes.ts'
import { call, input, output, type Range } from './call.ts'
import { type Sides, sides } from './sides.ts'
import { forAll, rowsOf, texts } from './values.ts'

/** Offsets from `first` on, and bytes. */
function columnOf(values: readonly (string | Uint8Array)[], first = 0): [offsets: Range, data: Range] {
  const bytes = values.map(value => (typeof value === 'string' ? utf8(value) : value))
  return [input(offsetsOf(bytes, first)), input(concat([new Uint8Array(first).fill(0x61), ...bytes]))]
}

/** Bytes that need not be text. */
const anything = fc.oneof(
  fc.uint8Array({ maxLength: 30, size: 'max' }),
  texts.map(text => utf8(text).slice(1)),
)

type Token = string | 'any text' | 'any one'

interface Pattern {
  bytes: Uint8Array
  flags: number[]
  prefix: number
  shape: number
  regExp: RegExp
}

/** Patterns of characters that texts are made of, as bytes and their flags. */
const patterns: fc.Arbitrary<Pattern> = fc
  .array(
    fc.oneof(
      fc.constantFrom<Token>('a', 'b', '%', 'é', '漢', '😀', 'any one', 'any text', 'any text'),
      fc.string({ unit: 'grapheme-ascii', maxLength: 3 }),
    ),
    { maxLength: 9, size: 'max' },
  )
  .map(patternOf)

function patternOf(tokens: readonly Token[]): Pattern {
  const parts = tokens.map(token =>
    token === 'any text'
      ? { bytes: Uint8Array.of(0), flag: 2, source: '.*' }
      : token === 'any one'
        ? { bytes: Uint8Array.of(0), flag: 1, source: '.' }
        : { bytes: utf8(token), flag: 0, source: token.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&') },
  )
  const flags = parts.flatMap(({ bytes, flag }) => [...bytes].fill(flag))
  const wildcard = flags.findIndex(flag => flag > 0)
  return {
    bytes: concat(parts.map(part => part.bytes)),
    flags,
    prefix: wildcard < 0 ? flags.length : wildcard,
    shape: wildcard >= 0 && wildcard === flags.length - 1 && flags[wildcard] === 2 ? 1 : 0,
    regExp: new RegExp(`^${parts.map(part => part.source).join('')}$`, 'su'),
  }
}

function like(values: readonly (string | Uint8Array)[], pattern: Pattern): number[] {
  const { bytes, flags, prefix, shape } = pattern
  const out = output((values.length + 7) >> 3)
  const [offsets, data] = columnOf(values, 3)
  const ranges = [input(bytes), input(Uint8Array.from(flags)), flags.length, prefix, shape, out] as const
  call('like', offsets, data, values.length, ...ranges)
  assert.equal(bitsOf(out.bytes, values.length, (8 - (values.length & 7)) & 7).includes(1), false)
  return out.bits(0, values.length)
}

test('like matches as a regular expression of the same meaning does', () => {
  const word = fc.string({
    unit: fc.constantFrom('a', 'b', '%', 'é', '漢', '😀'),
    maxLength: 12,
    size: 'max',
  })
  const repeated = fc.tuple(word, fc.nat(9)).map(([text, times]) => text.repeat(times))
  forAll(
    fc.tuple(rowsOf(fc.oneof(word, texts, repeated)), patterns),
    ([values, pattern]) => {
      assert.deepEqual(
        like(values, pattern),
        values.map(value => Number(pattern.regExp.test(value))),
      )
    },
    300,
  )
})

test('any one character begins where a character does', () => {
  // Seen from its second byte on, the first character would be two.
  const [text, one] = ['any text', 'any one'] as const
  assert.deepEqual(like(['漢xab', '漢xyab'], patternOf([text, one, one, one, 'a', text])), [0, 1])
  assert.deepEqual(like(['😀ab', '😀xyab'], patternOf([text, one, one, one, 'a', text])), [0, 1])
})

test('like finds a text that was made of its pattern', () => {
  const filled = fc.tuple(patterns, fc.array(texts, { minLength: 1 })).map(([pattern, fillings]) => {
    let used = 0
    const next = () => fillings[used++ % fillings.length]!
    const parts = [...pattern.flags.entries()].map(([i, flag]) =>
      flag === 0 ? pattern.bytes.slice(i, i + 1) : utf8(flag === 1 ? ([...next()][0] ?? '漢') : next()),
    )
    return { pattern, text: concat(parts) }
  })
  forAll(filled, ({ pattern, text }) => {
    assert.deepEqual(like([text], pattern), [1])
  })
})

test('countCharacters counts code points', () => {
  forAll(fc.tuple(rowsOf(texts), fc.nat(9)), ([values, first]) => {
    const out = output(8 * values.length)
    call('countCharacters', ...columnOf(values, first), values.length, out)
    assert.deepEqual(
      out.as(BigInt64Array),
      values.map(value => BigInt([...value].length)),
    )
  })
})

test('mapAscii changes the case of ASCII, and says so if there is anything else', () => {
  const ascii = fc.uint8Array({ max: 127, maxLength: 200, size: 'max' })
  const mixed = fc.tuple(ascii, fc.nat(199), fc.integer({ min: 128, max: 255 })).map(([bytes, at, byte]) => {
    return bytes.length === 0 ? bytes : bytes.with(at % bytes.length, byte)
  })
  forAll(fc.tuple(fc.oneof(ascii, ascii, mixed), fc.nat(1)), ([bytes, upper]) => {
    const out = output(bytes.length)
    const isAscii = bytes.every(byte => byte < 128)
    assert.equal(call('mapAscii', input(bytes), bytes.length, upper, out), Number(isAscii))
    if (!isAscii) return
    const text = Buffer.from(bytes).toString()
    assert.equal(Buffer.from(out.bytes).toString(), upper ? text.toUpperCase() : text.toLowerCase())
  })
})

const places = fc.tuple(
  fc.oneof(fc.integer({ min: -15, max: 15 }), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1)),
  fc.oneof(fc.nat(15), fc.constantFrom(2 ** 31 - 1, -1)),
)

test('substring takes characters from either end', () => {
  forAll(
    fc.tuple(rowsOf(texts), places, fc.nat(9)),
    ([values, [start, length], skip]) => {
      const parts = values.map(value => {
        const characters = [...value]
        const first = start < 0 ? characters.length + start : start - 1
        return utf8(characters.slice(Math.max(0, first), Math.max(0, first + length)).join(''))
      })
      const data = concat(parts)
      const [offsets, out] = [output(4 * (values.length + 1)), output(data.length)]
      call('substring', ...columnOf(values, skip), values.length, start, length, offsets, out)
      assert.deepEqual(offsets.as(Int32Array), [...offsetsOf(parts)])
      assert.deepEqual(out.bytes, data)
    },
    200,
  )
})

test('bytes that are no text are read within their bounds, too', () => {
  forAll(fc.tuple(rowsOf(anything), patterns, places), ([values, pattern, [start, length]]) => {
    const [offsets, data] = columnOf(values)
    like(values, pattern)
    call('countCharacters', offsets, data, values.length, output(8 * values.length))
    const outOffsets = output(4 * (values.length + 1))
    const out = output(data.bytes.length)
    call('substring', offsets, data, values.length, start, length, outOffsets, out)
    assert.ok(outOffsets.as(Int32Array).at(-1)! <= data.bytes.length)
  })
})

/** Offsets, stride and data of one side. */
function sideOf({ rows, aOnce, bOnce }: Sides<string>, side: 'a' | 'b'): [Range, number, Range] {
  const once = side === 'a' ? aOnce : bOnce
  const [offsets, data] = columnOf(rows.map(row => row[side]).slice(0, once ? 1 : undefined), 2)
  return [offsets, once ? 0 : 4, data]
}

test('concatOffsets and concatBytes join row by row', () => {
  forAll(sides(texts), columns => {
    const { rows } = columns
    const [a, b] = [sideOf(columns, 'a'), sideOf(columns, 'b')]
    const joined = rows.map(row => utf8(row.a + row.b))
    const data = concat(joined)
    const offsets = output(4 * (rows.length + 1))
    assert.equal(call('concatOffsets', a[0], a[1], b[0], b[1], rows.length, offsets), data.length)
    assert.deepEqual(offsets.as(Int32Array), [...offsetsOf(joined)])
    const out = output(data.length)
    call('concatBytes', ...a, ...b, rows.length, out)
    assert.deepEqual(out.bytes, data)
  })
})

test('pickOffsets and pickBytes take each row from one side or the other', () => {
  forAll(sides(texts), columns => {
    const { rows } = columns
    const [a, b] = [sideOf(columns, 'a'), sideOf(columns, 'b')]
    const picked = rows.map(row => utf8(row.valid ? row.a : row.b))
    const data = concat(picked)
    const mask = input(packBits(rows.map(row => row.valid)))
    const offsets = output(4 * (rows.length + 1))
    assert.equal(call('pickOffsets', mask, a[0], a[1], b[0], b[1], rows.length, offsets), data.length)
    assert.deepEqual(offsets.as(Int32Array), [...offsetsOf(picked)])
    const out = output(data.length)
    call('pickBytes', mask, ...a, ...b, rows.length, out)
    assert.deepEqual(out.bytes, data)
  })
})

test('how much text there would be beyond 32 bits is said', () => {
  const long = input(Int32Array.of(0, 2 ** 31 - 1))
  const short = input(Int32Array.of(0, 1))
  assert.equal(call('concatOffsets', long, 0, short, 0, 3, output(16)), 3 * 2 ** 31)
  const mask = input(Uint8Array.of(0b011))
  assert.equal(call('pickOffsets', mask, long, 0, short, 0, 3, output(16)), 2 * (2 ** 31 - 1) + 1)
})
