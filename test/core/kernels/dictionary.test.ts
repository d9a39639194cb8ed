import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { offsetsOf, packBits, packIntegers } from '../../support/bytes.ts'
import { at, call, inPlace, input, output, spansAt, spansOf } from './call.ts'
import { byteStrings, forAll, integers, rowsOf } from './values.ts'

/** Slots of a table that is at least twice as large as the dictionary. */
const bitsFor = (limit: number) => Math.ceil(Math.log2(Math.max(1, limit) * 2))

/** Few different values many times, or many different ones. */
const repeating = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof(
    rowsOf(value),
    fc.array(value, { minLength: 1, maxLength: 20 }).chain(few => rowsOf(fc.constantFrom(...few))),
  )

for (const [name, width] of [
  ['buildDictionary32', 4],
  ['buildDictionary64', 8],
] as const) {
  test(`${name} numbers values as they appear, and goes on where it stopped`, () => {
    const columns = fc.tuple(repeating(integers(8 * width)), fc.nat(100))
    forAll(columns, ([values, cut]) => {
      const distinct = [...new Set(values)]
      const limit = distinct.length
      const bits = bitsFor(limit)
      const first = Math.min(cut, values.length)
      const source = input(packIntegers(values, width))
      const codes = inPlace(new Int32Array(values.length))
      const dictionary = inPlace(new Uint8Array(width * limit))
      const table = inPlace(new Uint8Array(4 << bits))
      const before = call(name, source, first, table, bits, 0, limit, dictionary, codes)
      const [rest, restCodes] = [at(source, first * width), at(codes, 4 * first)]
      const left = values.length - first
      const found = call(name, rest, left, table, bits, before, limit, dictionary, restCodes)
      assert.equal(found, limit)
      assert.deepEqual(dictionary.bytes, packIntegers(distinct, width))
      assert.deepEqual(
        codes.as(Int32Array),
        values.map(value => distinct.indexOf(value)),
      )
      if (limit === 0) return
      const [smaller, cleared] = [output(width * (limit - 1)), inPlace(new Uint8Array(4 << bits))]
      const ranges = [cleared, bits, 0, limit - 1, smaller, output(4 * values.length)] as const
      assert.equal(call(name, source, values.length, ...ranges), -1)
    })
  })
}

test('buildDictionarySpans numbers byte strings as they appear, and goes on where it stopped', () => {
  const hex = (value: Uint8Array) => Buffer.from(value).toString('hex')
  forAll(fc.tuple(repeating(byteStrings), fc.nat(100)), ([values, cut]) => {
    const texts = values.map(hex)
    const distinct = [...new Set(texts)]
    const limit = distinct.length
    const bits = bitsFor(limit)
    const first = Math.min(cut, values.length)
    const { spans, data } = spansOf(values)
    const table = inPlace(new Uint8Array(8 << bits))
    const codes = inPlace(new Int32Array(values.length))
    const begun = output(8 * limit)
    const before = call('buildDictionarySpans', spans, first, table, bits, 0, limit, begun, codes)
    const kept = begun.strings(before, data)
    assert.deepEqual(kept.map(hex), distinct.slice(0, before))
    // The data lie elsewhere in the second call.
    const starts = offsetsOf(values)
    const places = kept.map(value => [starts[texts.indexOf(hex(value))]!, value.length] as const)
    const dictionary = spansAt(data, places, limit)
    const [rest, restCodes] = [at(spans, 8 * first), at(codes, 4 * first)]
    const left = values.length - first
    const ranges = [table, bits, before, limit, dictionary, restCodes] as const
    assert.equal(call('buildDictionarySpans', rest, left, ...ranges), limit)
    assert.deepEqual(dictionary.strings(limit, data).map(hex), distinct)
    assert.deepEqual(
      codes.as(Int32Array),
      texts.map(text => distinct.indexOf(text)),
    )
    if (limit === 0) return
    const [smaller, cleared] = [output(8 * (limit - 1)), inPlace(new Uint8Array(8 << bits))]
    const tooFew = [cleared, bits, 0, limit - 1, smaller, output(4 * values.length)] as const
    assert.equal(call('buildDictionarySpans', spans, values.length, ...tooFew), -1)
  })
})

const SIZE = 31
const codedRows = rowsOf(fc.option(fc.nat(SIZE - 1), { freq: 4 }))
/** Of a null row the code may be anything. */
const codesOf = (rows: readonly (number | null)[]) =>
  input(Uint32Array.from(rows, (code, i) => code ?? (i % 2 === 0 ? 2 ** 32 - 1 : 3)))
const unmapped = () => inPlace(new Int32Array(SIZE))

const coded = fc.tuple(codedRows, fc.nat(20), fc.boolean()).map(([rows, from, nullable]) => ({
  rows: nullable ? rows : rows.map(code => code ?? 0),
  bits: nullable
    ? input(
        packBits(
          rows.map(code => code !== null),
          from,
        ),
      )
    : 0,
  from,
}))

test('compactCodes renumbers the codes that occur, drops nulls, and goes on where it stopped', () => {
  forAll(fc.tuple(coded, fc.nat(100)), ([{ rows, bits, from }, cut]) => {
    const valid = rows.filter(code => code !== null)
    const distinct = [...new Set(valid)]
    const first = Math.min(cut, rows.length)
    const firstValid = rows.slice(0, first).filter(code => code !== null).length
    const [codes, map] = [codesOf(rows), unmapped()]
    const used = inPlace(new Int32Array(SIZE))
    const out = inPlace(new Int32Array(valid.length))
    const before = call('compactCodes', codes, bits, from, first, map, SIZE, used, 0, out)
    const [rest, restOut] = [at(codes, 4 * first), at(out, 4 * firstValid)]
    const left = rows.length - first
    const found = call('compactCodes', rest, bits, from + first, left, map, SIZE, used, before, restOut)
    assert.equal(found, distinct.length)
    assert.deepEqual(used.as(Uint32Array, found), distinct)
    assert.deepEqual(
      out.as(Int32Array),
      valid.map(code => distinct.indexOf(code)),
    )
  })
})

test('renumberCodes renumbers the codes that occur, and gives nulls 0', () => {
  forAll(coded, ({ rows, bits, from }) => {
    const distinct = [...new Set(rows.filter(code => code !== null))]
    const [used, out] = [output(4 * SIZE), output(4 * rows.length)]
    const map = unmapped()
    const found = call('renumberCodes', codesOf(rows), bits, from, rows.length, map, SIZE, used, out)
    assert.equal(found, distinct.length)
    assert.deepEqual(used.as(Uint32Array, found), distinct)
    assert.deepEqual(
      out.as(Int32Array),
      rows.map(code => (code === null ? 0 : distinct.indexOf(code))),
    )
  })
})

test('translateCodes looks codes up, in place as well, and gives nulls 0', () => {
  forAll(
    fc.tuple(coded, fc.array(fc.nat(2 ** 31), { minLength: SIZE, maxLength: SIZE })),
    ([column, table]) => {
      const { rows, bits, from } = column
      const expected = rows.map(code => (code === null ? 0 : table[code]!))
      const [codes, names] = [codesOf(rows), input(Uint32Array.from(table))]
      const out = output(4 * rows.length)
      assert.equal(call('translateCodes', codes, bits, from, names, SIZE, rows.length, out), rows.length)
      assert.deepEqual(out.as(Uint32Array), expected)
      const own = inPlace(codes.bytes)
      assert.equal(call('translateCodes', own, bits, from, names, SIZE, rows.length, own), rows.length)
      assert.deepEqual(own.as(Uint32Array), expected)
    },
  )
})

test('codes outside the dictionary are refused', () => {
  const odd = fc.constantFrom(SIZE, SIZE + 1, 2 ** 31, 2 ** 32 - 1)
  forAll(fc.tuple(rowsOf(fc.nat(SIZE - 1)), odd, fc.nat(70)), ([rows, code, place]) => {
    const codes = input(Uint32Array.from(rows.toSpliced(place, 0, code)))
    const n = rows.length + 1
    const [used, out] = [output(4 * SIZE), output(4 * n)]
    assert.equal(call('compactCodes', codes, 0, 0, n, unmapped(), SIZE, used, 0, out), -1)
    assert.equal(call('renumberCodes', codes, 0, 0, n, unmapped(), SIZE, used, out), -1)
    assert.equal(call('translateCodes', codes, 0, 0, input(new Uint32Array(SIZE)), SIZE, n, out), -1)
  })
})

test('distinctCodes lists each code once, and remembers by the epoch', () => {
  forAll(fc.tuple(rowsOf(fc.nat(SIZE - 1)), rowsOf(fc.nat(SIZE - 1))), ([first, second]) => {
    const stamps = inPlace(new Int32Array(SIZE))
    const list = (codes: number[], epoch: number, most: number) => {
      const out = output(4 * most)
      const found = call('distinctCodes', input(Uint32Array.from(codes)), codes.length, stamps, epoch, out)
      return out.as(Uint32Array, found)
    }
    const distinct = [...new Set(first)]
    assert.deepEqual(list(first, 1, distinct.length), distinct)
    const more = [...new Set(second)].filter(code => !distinct.includes(code))
    assert.deepEqual(list(second, 1, more.length), more)
    assert.deepEqual(list(second, 2, new Set(second).size), [...new Set(second)])
  })
})
