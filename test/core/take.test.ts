import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  Bool,
  type Data,
  DateDay,
  Decimal,
  Dictionary,
  Field,
  FixedSizeBinary,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  List,
  Struct,
  Utf8,
  Vector,
  vectorFromArray,
} from 'apache-arrow'
import fc from 'fast-check'
import { Arena, type Region } from '../../src/core/arena.ts'
import { concatColumns } from '../../src/core/concat.ts'
import { numberRows } from '../../src/core/distinct.ts'
import { materialise, takeColumn } from '../../src/core/take.ts'
import { cases } from '../support/cases.ts'

const arena = new Arena(2 ** 20)

/** Something of each layout in memory: bits, every width, offsets, codes, nested. */
const columns: [name: string, type: unknown, value: (i: number) => unknown][] = [
  ['bool', new Bool(), i => i % 3 === 0],
  ['int8', new Int8(), i => (i % 256) - 128],
  ['int16', new Int16(), i => i * 3],
  ['date', new DateDay(), i => new Date(i * 86_400_000)],
  ['int64', new Int64(), i => BigInt(i) * 1_000_000_007n],
  ['float64', new Float64(), i => i / 3],
  ['decimal', new Decimal(0, 20, 128), i => Uint32Array.of(i * 10, 0, 0, 0)],
  ['fixed', new FixedSizeBinary(3), i => Uint8Array.of(i & 255, 1, 2)],
  ['text', new Utf8(), i => 'é'.repeat(i % 5) + i],
  ['dictionary', new Dictionary(new Utf8(), new Int32()), i => `value ${i % 7}`],
  ['list', new List(new Field('item', new Int32())), i => Array.from({ length: i % 4 }, (_, k) => i + k)],
  [
    'struct',
    new Struct([new Field('a', new Int32()), new Field('b', new Utf8())]),
    i => ({ a: i, b: `b${i}` }),
  ],
]

function build(type: unknown, value: (i: number) => unknown, rows: number, nulls: boolean): Data {
  const values = Array.from({ length: rows }, (_, i) => (nulls && i % 5 === 2 ? null : value(i)))
  return vectorFromArray(values, type as Int32).data[0] as unknown as Data
}

const plain = (data: Data): unknown[] => JSON.parse(stringify([...new Vector([data])]))
const stringify = (value: unknown) =>
  JSON.stringify(value, (_, v) =>
    typeof v === 'bigint' ? `${v}n` : v?.toJSON === undefined ? v : v.toJSON(),
  )

function indicesIn(region: Region, indices: readonly number[]): { count: number; indices: number } {
  const address = region.alloc(indices.length * 4)
  new Uint32Array(arena.buffer, address, indices.length).set(indices)
  return { count: indices.length, indices: address }
}

/** Rows that lie side by side for a while, and jumps. */
const wanted = fc
  .array(fc.tuple(fc.nat(199), fc.nat(60)), { maxLength: 8 })
  .map(runs => runs.flatMap(([start, length]) => Array.from({ length }, (_, i) => Math.min(199, start + i))))

for (const [name, type, value] of columns) {
  for (const nulls of [false, true]) {
    test(`rows are taken by index: ${name}${nulls ? ' with nulls' : ''}`, () => {
      const whole = build(type, value, 203, nulls)
      for (const column of [whole, whole.slice(3, 200)]) {
        const all = plain(column)
        fc.assert(
          fc.property(wanted, rows => {
            const region = arena.region()
            const taken = takeColumn(column, indicesIn(region, rows), region)
            assert.deepEqual(
              plain(taken),
              rows.map(row => all[row]),
            )
            region.free()
          }),
          { numRuns: cases(40), seed: 7 },
        )
      }
    })

    test(`columns are joined: ${name}${nulls ? ' with nulls' : ''}`, () => {
      const region = arena.region()
      const parts = [0, 9, 1, 40]
        .map(rows => build(type, value, rows, nulls))
        .concat(build(type, value, 50, false).slice(7, 30))
      const joined = concatColumns(parts, region)
      assert.deepEqual(plain(joined), parts.flatMap(plain))
      assert.deepEqual(plain(materialise(joined, region)), parts.flatMap(plain))
      region.free()
    })
  }
}

for (const [name, type, value] of columns.filter(
  ([kind]) => !['decimal', 'fixed', 'list', 'struct'].includes(kind),
)) {
  for (const nulls of [false, true]) {
    test(`rows are numbered by value: ${name}${nulls ? ' with nulls' : ''}`, () => {
      const region = arena.region()
      const whole = build(type, i => value(i % 23), 300, nulls)
      for (const column of [whole, whole.slice(11, 250)]) {
        const { codes, base, values } = numberRows(column, 100, region)!
        const texts = plain(values)
        const numbers = [...arena.i32(codes, column.length)]
        assert.deepEqual(
          numbers.map(number => (number < base ? null : texts[number - base])),
          plain(column),
        )
      }
      region.free()
    })
  }
}

test('too many values are not numbered', () => {
  const region = arena.region()
  const column = build(new Int64(), i => BigInt(i), 1000, false)
  assert.equal(numberRows(column, 100, region), undefined)
  assert.equal(numberRows(column, 1000, region)!.values.length >= 1000, true)
  region.free()
})

test('a region gives everything back', () => {
  assert.equal(arena.used, 0)
})
