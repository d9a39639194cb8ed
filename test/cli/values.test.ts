import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  Binary,
  Bool,
  type Data,
  type DataType,
  DateDay,
  DateMillisecond,
  Decimal,
  Dictionary,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float16,
  Float32,
  Float64,
  Int8,
  Int32,
  Int64,
  List,
  Map_,
  makeData,
  Null,
  Struct,
  TimeMicrosecond,
  TimeNanosecond,
  TimestampMicrosecond,
  TimestampMillisecond,
  TimestampNanosecond,
  TimestampSecond,
  Uint64,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'
import { jsonCells, plainCells } from '../../src/cli/values.ts'

function texts(data: Data, metadata?: Map<string, string>): { plain: (string | null)[]; json: string[] } {
  const field = new Field('v', data.type, true, metadata)
  const rows = Array.from({ length: data.length }, (_, row) => row)
  return { plain: rows.map(plainCells(field, data)), json: rows.map(jsonCells(field, data)) }
}

function of(type: DataType, values: unknown[]): Data {
  return vectorFromArray(values, type).data[0] as Data
}

/** Values whose JSON is their text. */
function bare(name: string, data: Data, expected: string[]): void {
  test(name, () => assert.deepEqual(texts(data), { plain: expected, json: expected }))
}

/** Values that JSON wants in quotes. */
function quoted(name: string, data: Data, expected: string[], metadata?: Map<string, string>): void {
  test(name, () => {
    assert.deepEqual(texts(data, metadata), {
      plain: expected,
      json: expected.map(text => JSON.stringify(text)),
    })
  })
}

bare('booleans', of(new Bool(), [true, false, true]).slice(1, 2), ['false', 'true'])
bare('small integers', of(new Int8(), [-128, 127]), ['-128', '127'])
bare('integers beyond 2^53', of(new Int64(), [9007199254740993n, -(2n ** 63n)]), [
  '9007199254740993',
  '-9223372036854775808',
])
bare('unsigned 64-bit integers', of(new Uint64(), [2n ** 64n - 1n]), ['18446744073709551615'])
bare('doubles', of(new Float64(), [0.1, -0, 1e300, 5e-324]), ['0.1', '-0', '1e+300', '5e-324'])
bare('singles', of(new Float32(), [0.1, 16777216, 1.1754944e-38]), ['0.1', '16777216', '1.1754944e-38'])
bare('halves', of(new Float16(), [0.5, -2]), ['0.5', '-2'])
quoted('what is no number in JSON', of(new Float64(), [Number.NaN, Infinity, -Infinity]), [
  'NaN',
  'Infinity',
  '-Infinity',
])

const wide = makeData({
  type: new Decimal(2, 38, 128),
  length: 3,
  data: new Uint32Array([
    150, 0, 0, 0, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0, 0, 0, 0x4000_0000,
  ]),
})
bare('decimals', wide, ['1.50', '-0.01', '850705917302346158658436518579420528.64'])
bare(
  'decimals of 256 bits, sliced',
  makeData({
    type: new Decimal(0, 76, 256),
    length: 2,
    data: new Uint32Array([...Array(15).fill(0), 1]),
  }).slice(1, 1),
  [String(2n ** 224n)],
)

quoted('text', of(new Utf8(), ['', 'a"b\n', 'žluťoučký 🐎']), ['', 'a"b\n', 'žluťoučký 🐎'])
quoted('bytes', of(new Binary(), [new Uint8Array([0, 255]), new Uint8Array()]), ['AP8=', ''])
const sixteen = of(new FixedSizeBinary(16), [Uint8Array.from({ length: 16 }, (_, i) => i)])
quoted('fixed bytes', sixteen, ['AAECAwQFBgcICQoLDA0ODw=='])
const annotated = (name: string) => new Map([['PARQUET:logicalType', name]])
quoted('UUIDs', sixteen, ['00010203-0405-0607-0809-0a0b0c0d0e0f'], annotated('UUID'))
const interval = of(new FixedSizeBinary(12), [new Uint8Array(new Uint32Array([14, 3, 1500]).buffer)])
quoted('intervals', interval, ['P14M3DT1.5S'], annotated('INTERVAL'))

quoted('dates', makeData({ type: new DateDay(), length: 3, data: new Int32Array([0, -1, 19_782]) }), [
  '1970-01-01',
  '1969-12-31',
  '2024-02-29',
])
quoted(
  'dates of milliseconds',
  makeData({ type: new DateMillisecond(), length: 1, data: new BigInt64Array([86_400_001n]) }),
  ['1970-01-02T00:00:00.001'],
)
const long = (type: DataType, ...values: bigint[]) =>
  makeData({ type, length: values.length, data: new BigInt64Array(values) } as never) as Data
quoted('times', long(new TimeMicrosecond(), 36_000_000_001n), ['10:00:00.000001'])
quoted('times of nanoseconds', long(new TimeNanosecond(), 1n, 86_399_999_999_999n), [
  '00:00:00.000000001',
  '23:59:59.999999999',
])
quoted('seconds', long(new TimestampSecond(), 0n, -1n), ['1970-01-01T00:00:00', '1969-12-31T23:59:59'])
quoted('milliseconds in UTC', long(new TimestampMillisecond('UTC'), 1n), ['1970-01-01T00:00:00.001Z'])
quoted('microseconds', long(new TimestampMicrosecond(), -1n), ['1969-12-31T23:59:59.999999'])
quoted('nanoseconds', long(new TimestampNanosecond(), 1_704_164_645_123_456_789n), [
  '2024-01-02T03:04:05.123456789',
])

test('nulls, also behind an offset', () => {
  const data = of(new Int32(), [1, null, 3]).slice(1, 2)
  assert.deepEqual(texts(data), { plain: [null, '3'], json: ['null', '3'] })
  assert.deepEqual(texts(of(new Null(), [null])), { plain: [null], json: ['null'] })
})

test('dictionaries', () => {
  const data = of(new Dictionary(new Utf8(), new Int32()), ['a', null, 'b', 'a'])
  assert.deepEqual(texts(data), { plain: ['a', null, 'b', 'a'], json: ['"a"', 'null', '"b"', '"a"'] })
})

test('nested values are JSON in both', () => {
  const lists = of(new List(new Field('item', new Int64(), true)), [[1n, null], [], null, [2n ** 60n]])
  const expected = ['[1,null]', '[]', 'null', '[1152921504606846976]']
  assert.deepEqual(texts(lists).json, expected)
  assert.deepEqual(texts(lists).plain, ['[1,null]', '[]', null, '[1152921504606846976]'])
  assert.deepEqual(texts(lists.slice(1, 3)).json, expected.slice(1))

  const pairs = of(new FixedSizeList(2, new Field('item', new Int8(), true)), [
    [1, 2],
    [3, 4],
  ])
  assert.deepEqual(texts(pairs.slice(1, 1)).json, ['[3,4]'])

  const struct = new Struct([new Field('a"', new Utf8(), true), new Field('__proto__', new Int8(), true)])
  const members = makeData({
    type: struct,
    length: 2,
    children: [of(new Utf8(), ['x', null]), of(new Int8(), [1, 2])],
  })
  assert.deepEqual(texts(members as Data).json, ['{"a\\"":"x","__proto__":1}', '{"a\\"":null,"__proto__":2}'])

  const entry = new Struct<{ key: Utf8; value: Int8 }>([
    new Field('key', new Utf8(), false),
    new Field('value', new Int8(), true),
  ])
  const map = of(new Map_(new Field('entries', entry, false)), [new Map([['k', 1]])])
  assert.deepEqual(texts(map).json, ['[{"key":"k","value":1}]'])
})
