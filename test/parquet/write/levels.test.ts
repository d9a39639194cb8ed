import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bool, Data, Field, Int32, List, Map_, makeData, Struct, Utf8, vectorFromArray } from 'apache-arrow'
import { makeBatch } from '../../../src/core/batch.ts'
import { isSluiceError } from '../../../src/core/errors.ts'
import { encodeRowGroup } from '../../../src/parquet/row-group-writer.ts'
import { shred } from '../../../src/parquet/shred.ts'
import { resolveWriteOptions } from '../../../src/parquet/write-options.ts'
import { dataOf, fieldOf, type Shape } from '../nested.ts'
import { arena, parquetBytes, rowsOf } from './support.ts'

const leaf = (kind: 'int32' | 'utf8', nullable = false): Shape => ({ kind, nullable })
const list = (element: Shape): Shape => ({ kind: 'list', nullable: false, element })
const struct = (fields: Shape[], nullable = false): Shape => ({ kind: 'struct', nullable, fields })

/** Repetition and definition level of each slot, by leaf. */
function levelsOf(shape: Shape, rows: unknown[]): Record<string, [number, number][]> {
  const region = arena.region()
  const result: Record<string, [number, number][]> = {}
  const part = { data: dataOf(shape, rows), start: 0, length: rows.length }
  shred(region, fieldOf('doc', shape), [part], ({ path, levels }) => {
    const { slots, repetition, definition, maxRepetition } = levels
    result[path.join('.')] = Array.from({ length: slots }, (_, i) => [
      maxRepetition === 0 ? 0 : arena.u8(repetition, slots)[i]!,
      arena.u8(definition, slots)[i]!,
    ])
  })
  region.free()
  assert.equal(arena.used, 0)
  return result
}

test('the documents of the Dremel paper have the levels that it gives them', () => {
  // DocId; Links { Backward, Forward }; Name [ Language [ Code, Country ], Url ]
  const language = struct([leaf('utf8'), leaf('utf8', true)])
  const name = struct([list(language), leaf('utf8', true)])
  const links = struct([list(leaf('int32')), list(leaf('int32'))], true)
  const shape = struct([leaf('int32'), links, list(name)])
  const code = (a: string, b: string | null) => ({ a, b })
  const first = {
    a: 10,
    b: { a: [], b: [20, 40, 60] },
    'c d': [
      { a: [code('en-us', 'us'), code('en', null)], b: 'http://A' },
      { a: [], b: 'http://B' },
      { a: [code('en-gb', 'gb')], b: null },
    ],
  }
  const second = { a: 20, b: { a: [10, 30], b: [80] }, 'c d': [{ a: [], b: 'http://C' }] }
  const name_ = 'doc.c d.list.element'
  assert.deepEqual(levelsOf(shape, [first, second]), {
    'doc.a': [
      [0, 0],
      [0, 0],
    ],
    'doc.b.a.list.element': [
      [0, 1],
      [0, 2],
      [1, 2],
    ],
    'doc.b.b.list.element': [
      [0, 2],
      [1, 2],
      [1, 2],
      [0, 2],
    ],
    [`${name_}.a.list.element.a`]: [
      [0, 2],
      [2, 2],
      [1, 1],
      [1, 2],
      [0, 1],
    ],
    [`${name_}.a.list.element.b`]: [
      [0, 3],
      [2, 2],
      [1, 1],
      [1, 3],
      [0, 1],
    ],
    [`${name_}.b`]: [
      [0, 2],
      [1, 2],
      [1, 1],
      [0, 2],
    ],
  })
})

test('nested data that does not fit is an error that names the leaf', () => {
  const ints = (values: (number | null)[]) => vectorFromArray(values, new Int32()).data[0]! as Data
  const lists = (offsets: number[], child: Data) =>
    makeData({
      type: new List(new Field('item', new Int32(), false)),
      length: offsets.length - 1,
      valueOffsets: Int32Array.from(offsets),
      child,
    } as never) as Data
  const entries = new Struct([new Field('key', new Utf8(), false), new Field('value', new Int32(), true)])
  const map = (keys: (string | null)[]) => {
    const child = new Data(entries as never, 0, 1, 0, {}, [
      vectorFromArray(keys, new Utf8()).data[0]! as Data,
      ints([1]),
    ])
    const type = new Map_(new Field('entries', entries, false) as Field<never>)
    return makeData({ type, length: 1, valueOffsets: Int32Array.of(0, 1), child } as never) as Data
  }
  const type = lists([0, 0], ints([])).type
  const cases: [RegExp, string, Field, Data][] = [
    [/without nulls and has 1/, 'l.list.element', new Field('l', type, true), lists([0, 2], ints([1, null]))],
    [/without nulls and has 1/, 'm.key_value.key', new Field('m', map(['a']).type, true), map([null])],
    [/do not ascend/, 'l', new Field('l', type, true), lists([0, 2, 1, 3], ints([1, 2, 3]))],
    [/elements 0 to 4 of 3/, 'l', new Field('l', type, true), lists([0, 4], ints([1, 2, 3]))],
    [/elements -1 to 3 of 3/, 'l', new Field('l', type, true), lists([-1, 3], ints([1, 2, 3]))],
    [/declared as List.*Int32/, 'l', new Field('l', type, true), ints([1])],
    [
      /declared as Bool and holds Int32/,
      'l.list.element',
      new Field('l', new List(new Field('item', new Bool())), true),
      lists([0, 1], ints([1])),
    ],
  ]
  for (const [message, column, field, data] of cases) {
    assert.throws(
      () => parquetBytes([field], [[makeBatch([field], [data], data.length)]]),
      error => {
        assert.ok(isSluiceError(error), String(error))
        assert.deepEqual([error.code, error.column], ['schema', column])
        assert.match(error.message, message)
        return true
      },
    )
    assert.equal(arena.used, 0)
  }
})

test('what a null hides need not be valid', () => {
  const shape: Shape = { kind: 'list', nullable: true, element: struct([leaf('int32')]) }
  assert.deepEqual(levelsOf(shape, [null, [{ a: 1 }], []]), {
    'doc.list.element.a': [
      [0, 0],
      [0, 2],
      [0, 1],
    ],
  })
})

test('pages begin with a row, and say with which', () => {
  const rows = Array.from({ length: 100 }, (_, i) => Array.from({ length: i % 7 }, (_, k) => i + k))
  const shape = list(leaf('int32'))
  const field = fieldOf('doc', shape)
  const options = { pageRows: 9, pageBytes: 40, encodings: { 'doc.list.element': 'PLAIN' } } as const
  const batch = makeBatch([field], [dataOf(shape, rows)], rows.length)
  const { group, output } = encodeRowGroup(
    arena,
    [field],
    rowsOf([batch]),
    1000,
    resolveWriteOptions(options),
  )
  output.free()
  const { metadata, pages } = group.columns[0]!
  const slotsOf = (from: number, to: number) =>
    rows.slice(from, to).reduce((sum, row) => sum + Math.max(1, row.length), 0)
  assert.deepEqual(metadata.path, ['doc', 'list', 'element'])
  assert.equal(metadata.numValues, slotsOf(0, rows.length))
  assert.ok(pages.length > 20)
  for (const [i, { firstRowIndex, slots, nullCount }] of pages.entries()) {
    const end = pages[i + 1]?.firstRowIndex ?? rows.length
    assert.equal(slots, slotsOf(firstRowIndex, end))
    assert.equal(nullCount, rows.slice(firstRowIndex, end).filter(row => row.length === 0).length)
    assert.ok(end - firstRowIndex === 1 || (end - firstRowIndex <= 9 && slots - nullCount <= 10))
  }
})
