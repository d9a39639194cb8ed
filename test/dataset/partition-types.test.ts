import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  Bool,
  type DataType,
  DateDay,
  DateMillisecond,
  Decimal,
  Field,
  Float64,
  Int8,
  Int64,
  TimeMicrosecond,
  TimestampMicrosecond,
  TimestampMillisecond,
  TimestampNanosecond,
  TimestampSecond,
  Uint64,
  Utf8,
} from 'apache-arrow'
import fc from 'fast-check'
import { isSluiceError } from '../../src/core/errors.ts'
import { isDataFile } from '../../src/dataset/hive.ts'
import {
  discoverPartitions,
  formatPartitionValue,
  inferType,
  isPartitionType,
  type PartitionValue,
  parsePartitionValue,
} from '../../src/dataset/partition-types.ts'
import { corpus, noCorpus } from '../support/corpus.ts'
import { openDuckDB, quote } from '../support/duckdb.ts'
import { hasCode } from './support.ts'

const hive = join(corpus, 'duckdb-hive-partitioning')

/** DuckDB's names of the types that are inferred. */
const duckdbType: Record<string, string> = { Int64: 'BIGINT', Utf8: 'VARCHAR', 'Date32<DAY>': 'DATE' }

function dataFiles(folder: string): string[] {
  return readdirSync(join(hive, folder), { recursive: true, encoding: 'utf8' }).filter(isDataFile).sort()
}

const agreeing = [
  'simple',
  'different_order',
  'duplicate_names',
  'hive_col_also_in_file',
  'missing',
  'union_by_name',
]

for (const folder of agreeing) {
  test(`corpus: ${folder} has the keys, types and values that DuckDB finds`, { skip: noCorpus }, async t => {
    const duckdb = await openDuckDB(t)
    const keys = dataFiles(folder)
    const { fields, values } = discoverPartitions(keys)
    for (const [index, field] of fields.entries()) {
      const name = `"${field.name}"`
      const rows = await duckdb.query(
        `SELECT DISTINCT filename, typeof(${name}) AS type, ${name}::VARCHAR AS value FROM read_parquet(` +
          `${quote(`${hive}/${folder}/**/*.parquet`)}, hive_partitioning = true, filename = true, union_by_name = true)`,
      )
      const found = new Map(rows.map(row => [String(row['filename']), row]))
      for (const [row, key] of keys.entries()) {
        const theirs = found.get(join(hive, folder, key))
        assert.equal(theirs?.['type'], duckdbType[String(field.type)])
        assert.equal(formatPartitionValue(field.type, values[row]![index]!), theirs?.['value'])
      }
    }
    assert.ok(fields.length > 0)
  })
}

test('corpus: empty text and NULL are text, as in Polars, PyArrow and DuckDB 2', { skip: noCorpus }, () => {
  const { fields, values } = discoverPartitions(dataFiles('empty_string'))
  assert.deepEqual(fields.map(String), ['key: Utf8'])
  assert.deepEqual(values, [[''], ['NULL'], ['a']])
})

for (const folder of ['mismatching_names', 'mismatching_count']) {
  test(`corpus: ${folder} is refused, as by DuckDB, naming two files`, { skip: noCorpus }, async t => {
    const duckdb = await openDuckDB(t)
    const glob = quote(`${hive}/${folder}/**/*.parquet`)
    await assert.rejects(duckdb.query(`FROM read_parquet(${glob}, hive_partitioning = true)`), /mismatch/)
    const [first, second] = dataFiles(folder)
    assert.throws(
      () => discoverPartitions([first!, second!]),
      error =>
        isSluiceError(error) &&
        error.code === 'schema' &&
        error.file === second &&
        error.message.includes(first!),
    )
  })
}

test('corpus: names of columns are told apart by case', { skip: noCorpus }, () => {
  const { fields } = discoverPartitions(dataFiles('ci-column-names'))
  assert.deepEqual(
    fields.map(field => field.name),
    ['COL1'],
  )
  assert.throws(() => discoverPartitions(['a=1/f.parquet', 'A=2/f.parquet']), hasCode('schema'))
})

test('files beside folders, and folders of another key, are a mismatch', () => {
  assert.throws(() => discoverPartitions(['a=1/f.parquet', 'f.parquet']), hasCode('schema'))
  assert.throws(() => discoverPartitions(['a=1/f.parquet', 'b=1/f.parquet']), hasCode('schema'))
  assert.throws(() => discoverPartitions(['f.parquet', 'a=1/f.parquet']), hasCode('schema'))
})

test('no keys, and no files, are no partitions', () => {
  assert.deepEqual(discoverPartitions([]), { fields: [], values: [] })
  assert.deepEqual(discoverPartitions(['x/f.parquet', 'g.parquet']), { fields: [], values: [[], []] })
})

test('a type is inferred from all values together, and only where their text is canonical', () => {
  const cases: [(string | null)[], DataType][] = [
    [['1', '-2', '0', null], new Int64()],
    [['9223372036854775807', '-9223372036854775808'], new Int64()],
    [['9223372036854775808'], new Utf8()],
    [['001', '2'], new Utf8()],
    [['-0'], new Utf8()],
    [['+1'], new Utf8()],
    [[' 1'], new Utf8()],
    [['1.0'], new Utf8()],
    [['', '1'], new Utf8()],
    [['null', '1'], new Utf8()],
    [['true', 'false'], new Utf8()],
    [['2025-01-01', null, '0001-01-01', '9999-12-31', '2024-02-29'], new DateDay()],
    [['2025-02-29'], new Utf8()],
    [['2025-13-01'], new Utf8()],
    [['0000-01-01'], new Utf8()],
    [['10183-09-21'], new Utf8()],
    [['2025-1-1'], new Utf8()],
    [['2025-01'], new Utf8()],
    [['2025-01-01', '3'], new Utf8()],
    [['2025-01-01 10:00:00'], new Utf8()],
    [[null], new Utf8()],
    [[], new Utf8()],
  ]
  for (const [values, type] of cases)
    assert.equal(String(inferType(values)), String(type), JSON.stringify(values))
})

test('inferred values give their text back', () => {
  const text = fc.option(
    fc.oneof(
      fc.string(),
      fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }).map(String),
      fc.date({ noInvalidDate: true }).map(date => date.toISOString().slice(0, 10)),
    ),
  )
  fc.assert(
    fc.property(fc.array(text), texts => {
      const type = inferType(texts)
      for (const text of texts) {
        assert.equal(formatPartitionValue(type, parsePartitionValue(type, text)), text)
      }
    }),
  )
})

test('declared types count, and others are inferred', () => {
  const keys = ['year=2024/code=001/f.parquet', 'code=02/year=2025/f.parquet']
  const declared = [
    new Field('year', new Int8(), true),
    new Field('code', new Int64(), false),
    new Field('x', new Utf8()),
  ]
  assert.throws(
    () => discoverPartitions(keys, declared),
    error =>
      isSluiceError(error) && error.code === 'schema' && error.column === 'year' && error.file === keys[0],
  )
  const { fields, values } = discoverPartitions(keys, declared.slice(1))
  assert.deepEqual(fields.map(String), ['year: Int64', 'code: Int64'])
  assert.deepEqual(values, [
    [2024n, 1n],
    [2025n, 2n],
  ])
})

test('a column is nullable where a folder says null', () => {
  const { fields, values } = discoverPartitions([
    'a=__HIVE_DEFAULT_PARTITION__/b=/f.parquet',
    'a=1/b=x/f.parquet',
  ])
  assert.deepEqual(
    fields.map(field => field.nullable),
    [true, false],
  )
  assert.deepEqual(values, [
    [null, ''],
    [1n, 'x'],
  ])
})

test('values have the text that other engines read', () => {
  const cases: [DataType, PartitionValue, string][] = [
    [new Utf8(), 'é', 'é'],
    [new Int8(), -5, '-5'],
    [new Uint64(), 2n ** 64n - 1n, '18446744073709551615'],
    [new Bool(), true, 'true'],
    [new DateDay(), 20120, '2025-02-01'],
    [new DateDay(), -1, '1969-12-31'],
    [new DateDay(), 3_000_000, '10183-09-21'],
    [new DateDay(), -800_000, '-0221-09-04'],
    [new DateMillisecond(), -1n, '1969-12-31'],
    [new TimestampSecond(), 0n, '1970-01-01 00:00:00'],
    [new TimestampMillisecond(), -1n, '1969-12-31 23:59:59.999'],
    [new TimestampMicrosecond(), 1_735_787_045_600_000n, '2025-01-02 03:04:05.600000'],
    [new TimestampNanosecond('UTC'), 1_735_787_045_000_000_001n, '2025-01-02 03:04:05.000000001Z'],
    [new Decimal(2, 9, 128), -5n, '-0.05'],
    [new Decimal(2, 9, 128), 150n, '1.50'],
    [new Decimal(0, 9, 128), 7n, '7'],
    [new Decimal(-2, 9, 128), 7n, '700'],
  ]
  for (const [type, value, text] of cases) {
    assert.equal(formatPartitionValue(type, value), text)
    const back = DateMillisecond.name === type.constructor.name ? -86_400_000n : value
    assert.equal(parsePartitionValue(type, text), back)
    assert.ok(isPartitionType(type))
  }
})

test('milliseconds are written as JavaScript writes them, and read back', () => {
  const type = new TimestampMillisecond('UTC')
  fc.assert(
    fc.property(
      fc.date({ noInvalidDate: true, min: new Date('0001-01-01'), max: new Date('9999-12-31') }),
      date => {
        const text = formatPartitionValue(type, BigInt(date.getTime()))!
        assert.equal(new Date(text.replace(' ', 'T')).getTime(), date.getTime())
        assert.equal(parsePartitionValue(type, text), BigInt(date.getTime()))
        assert.equal(parsePartitionValue(type, date.toISOString()), BigInt(date.getTime()))
      },
    ),
  )
})

test('timestamps of other writers are read', () => {
  const type = new TimestampMicrosecond('UTC')
  const noon = 1_735_732_800_000_000n
  for (const text of [
    '2025-01-01 12:00:00',
    '2025-01-01T12:00:00Z',
    '2025-01-01 12:00',
    '2025-01-01 13:00:00+01',
    '2025-01-01 06:30:00-05:30',
    '2025-01-01 12:00:00.000000000',
  ]) {
    assert.equal(parsePartitionValue(type, text), noon, text)
  }
  assert.equal(parsePartitionValue(type, '2025-01-01'), noon - 43_200_000_000n)
})

test('what is no value of the type is an error that names it', () => {
  const cases: [DataType, string][] = [
    [new Int8(), '128'],
    [new Int8(), 'x'],
    [new Uint64(), '-1'],
    [new Bool(), 'yes'],
    [new DateDay(), '2025-02-30'],
    [new TimestampMillisecond(), '2025-01-01 10:00:00.0001'],
    [new TimestampMillisecond(), '2025-01-01 25:00:00'],
    [new Decimal(2, 4, 128), '0.001'],
    [new Decimal(2, 4, 128), '100'],
    [new Decimal(2, 4, 128), '.'],
  ]
  for (const [type, text] of cases) {
    assert.throws(
      () => parsePartitionValue(type, text, 'k'),
      error =>
        isSluiceError(error) &&
        error.code === 'schema' &&
        error.column === 'k' &&
        error.message.includes(text),
    )
  }
})

test('floats and times are no partition keys', () => {
  for (const type of [new Float64(), new TimeMicrosecond()]) {
    assert.ok(!isPartitionType(type))
    assert.throws(() => formatPartitionValue(type, 1, 'k'), hasCode('schema'))
    assert.throws(() => parsePartitionValue(type, '1', 'k'), hasCode('schema'))
  }
})
