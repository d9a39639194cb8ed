import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  type Data,
  Decimal,
  Dictionary,
  DurationMillisecond,
  Field,
  Float64,
  Int32,
  Int64,
  LargeUtf8,
  List,
  makeData,
  makeVector,
  Struct,
  TimestampSecond,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'
import { parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { makeBatch } from '../../../src/core/batch.ts'
import { isSluiceError, type SluiceError } from '../../../src/core/errors.ts'
import { ParquetFileWriter } from '../../../src/parquet/file-writer.ts'
import { encodeRowGroup } from '../../../src/parquet/row-group-writer.ts'
import { type ParquetWriteOptions, resolveWriteOptions } from '../../../src/parquet/write-options.ts'
import { noPython, python } from '../../support/python.ts'
import { root } from '../../support/root.ts'
import { tempFolder } from '../../support/temp.ts'
import { codedColumn, fieldOf, KINDS, plainColumn } from './columns.ts'
import { arena, batchOf, parquetBytes, rowsOf } from './support.ts'

function failure(run: () => unknown): SluiceError {
  try {
    run()
  } catch (error) {
    assert.ok(isSluiceError(error), String(error))
    assert.equal(arena.used, 0, 'memory is given back')
    return error
  }
  assert.fail('no error')
}

const write = (field: Field, data: Data, options: ParquetWriteOptions = {}) =>
  parquetBytes([field], [[makeBatch([field], [data], data.length)]], options)

test('data that does not fit is an error that names the column', () => {
  const codes = (type: Dictionary['dictionary'], code: number) =>
    makeData({
      type: new Dictionary(type, new Int32()),
      length: 1,
      data: Int32Array.of(code),
      dictionary: vectorFromArray(['a'], new Utf8()),
    })
  const cases: [RegExp, Field, Data][] = [
    [/without nulls and has 1/, new Field('c', new Int64(), false), vectorFromArray([1n, null]).data[0]!],
    [
      /does not fit in DECIMAL/,
      new Field('c', new Decimal(0, 5), true),
      makeData({ type: new Decimal(0, 5), length: 1, data: Uint32Array.of(0, 1, 0, 0) }),
    ],
    [
      /does not fit in TIMESTAMP/,
      new Field('c', new TimestampSecond(), true),
      makeData({ type: new TimestampSecond(), length: 1, data: BigInt64Array.of(2n ** 62n) }),
    ],
    [
      /declared as Int64 and holds Float64/,
      new Field('c', new Int64(), true),
      makeData({ type: new Float64(), length: 1, data: Float64Array.of(1) }),
    ],
    [/declared as LargeUtf8 and holds Utf8/, new Field('c', new LargeUtf8(), true), codes(new Utf8(), 0)],
    [/outside its dictionary/, new Field('c', new Utf8(), true), codes(new Utf8(), 1)],
    [/outside its dictionary/, new Field('c', new Utf8(), true), codes(new Utf8(), -1)],
    [
      /offsets do not ascend/,
      new Field('c', new Utf8(), true),
      makeData({
        type: new Utf8(),
        length: 2,
        valueOffsets: Int32Array.of(0, 5, 3),
        data: new Uint8Array(9),
      }),
    ],
    [
      /has 3 bytes instead of 7/,
      new Field('c', new Utf8(), true),
      makeData({ type: new Utf8(), length: 1, valueOffsets: Int32Array.of(0, 7), data: new Uint8Array(3) }),
    ],
    [
      /has 8 bytes instead of 16/,
      new Field('c', new Float64(), true),
      makeData({ type: new Float64(), length: 2, data: Float64Array.of(1) }),
    ],
  ]
  for (const [message, field, data] of cases) {
    const error = failure(() => write(field, data))
    assert.equal(error.code, 'schema')
    assert.equal(error.column, 'c')
    assert.match(error.message, message)
  }
})

test('a dictionary in several chunks is not supported', () => {
  const [data] = vectorFromArray(['a'], new Dictionary(new Utf8(), new Int32())).data
  const chunk = vectorFromArray(['a', 'b'], new Utf8())
  const clone = data!.clone()
  clone.dictionary = chunk.concat(chunk)
  const error = failure(() => write(new Field('c', new Utf8(), true), clone))
  assert.deepEqual([error.code, error.column], ['unsupported', 'c'])
})

test('types and options that cannot be are refused before the first byte', () => {
  const writer = (fields: Field[], options: ParquetWriteOptions = {}) =>
    failure(() => new ParquetFileWriter(fields, resolveWriteOptions(options)))
  const ints = [new Field('a', new Int32(), true)]
  const nested = writer([new Field('l', new List(new Field('item', new DurationMillisecond())), true)])
  assert.deepEqual([nested.code, nested.column], ['unsupported', 'l.list.element'])
  const hollow = writer([new Field('s', new Struct([]), true)])
  assert.deepEqual([hollow.code, hollow.column], ['unsupported', 's'])
  assert.equal(writer([new Field('d', new DurationMillisecond(), true)]).code, 'unsupported')
  assert.deepEqual([writer([...ints, ...ints]).code, writer([...ints, ...ints]).column], ['schema', 'a'])

  const refused: [string, ParquetWriteOptions][] = [
    ['encodings', { encodings: { b: 'PLAIN' } }],
    ['dictionary', { dictionary: ['b'] }],
    ['sortedBy', { sortedBy: [{ column: 'b' }] }],
    ['encodings', { encodings: { a: 'GZIP' as 'PLAIN' } }],
    ['pageVersion', { pageVersion: 3 as 2 }],
    ['pageRows', { pageRows: 0 }],
    ['pageBytes', { pageBytes: 1.5 }],
    ...['zst', 'zstd:0', 'zstd:23', 'zstd:', 'zstd:3:1', 'snappy:1', 'gzip:10', ''].map(
      (compression): [string, ParquetWriteOptions] => ['compression', { compression: compression as 'zstd' }],
    ),
  ]
  for (const [option, options] of refused) {
    const error = writer(ints, options)
    assert.deepEqual([error.code, error.option], ['invalid-argument', option], JSON.stringify(options))
  }
  const wrong = failure(() =>
    write(ints[0]!, vectorFromArray([1], new Int32()).data[0]!, { encodings: { a: 'DELTA_BYTE_ARRAY' } }),
  )
  assert.deepEqual([wrong.code, wrong.option, wrong.column], ['invalid-argument', 'encodings', 'a'])
})

test('a value larger than a page has one to itself', async () => {
  const field = new Field('c', new Utf8(), false)
  const values = ['a', 'x'.repeat(100_000), 'b', '', 'y'.repeat(70_000)]
  const { bytes, metadata } = write(field, vectorFromArray(values, new Utf8()).data[0]!, {
    pageBytes: 1000,
    compression: 'none',
  })
  assert.deepEqual(
    metadata.rowGroups[0]!.columns[0]!.encodingStats?.map(stats => stats.count),
    // 'b' and '' share one.
    [4],
  )
  const rows = await parquetReadObjects({ file: bytes.buffer })
  assert.deepEqual(
    rows.map(row => row['c']),
    values,
  )
})

test('an encoded row group crosses threads as it is', () => {
  const field = fieldOf('c', KINDS['utf8']!, true)
  const batch = makeBatch([field], [plainColumn(KINDS['utf8']!, 50, 'some')], 50)
  const options = structuredClone(resolveWriteOptions({ encodings: { c: 'PLAIN' } }))
  const { group, output } = encodeRowGroup(arena, [field], rowsOf([batch]), 1000, options)
  assert.ok(group.bytes.buffer instanceof SharedArrayBuffer)
  const there = structuredClone(group)
  assert.deepEqual(there, group)
  assert.equal(there.bytes.byteOffset, group.bytes.byteOffset)
  output.free()
})

test('dictionaries give way where they do not pay', () => {
  const encodingOf = (data: Data, options?: ParquetWriteOptions) =>
    write(new Field('c', data.type, true), data, options).metadata.rowGroups[0]!.columns[0]!.encodings[0]
  const rows = 60_000
  const data = <T extends Int64 | Float64>(type: T, value: (i: number) => number): Data => {
    const values = Array.from({ length: rows }, (_, i) => value(i))
    return type instanceof Int64
      ? makeData({ type, length: rows, data: BigInt64Array.from(values, BigInt) })
      : makeData({ type: new Float64(), length: rows, data: Float64Array.from(values) })
  }
  const random = (i: number) => Math.imul(i + 1, 0x9e3779b1) >>> 0
  const huge = (i: number) => random(i) * 2 ** 20 + random(i * 31)
  assert.equal(encodingOf(data(new Int64(), huge)), 'PLAIN')
  assert.equal(encodingOf(data(new Int64(), i => 1.7e15 + i * 1000)), 'DELTA_BINARY_PACKED')
  assert.equal(encodingOf(data(new Int64(), i => (random(i) % 50) * 2 ** 40)), 'PLAIN')
  const dictionary = write(
    new Field('c', new Int64(), true),
    data(new Int64(), i => (random(i) % 50) * 2 ** 40),
  ).metadata.rowGroups[0]!.columns[0]!
  assert.ok(dictionary.encodings.includes('RLE_DICTIONARY'))
  assert.equal(encodingOf(data(new Float64(), i => Math.sin(i))), 'PLAIN')
  const strings = (value: (i: number) => string) =>
    write(
      new Field('c', new Utf8(), true),
      vectorFromArray(
        Array.from({ length: rows }, (_, i) => value(i)),
        new Utf8(),
      ).data[0]!,
    ).metadata.rowGroups[0]!.columns[0]!.encodings
  assert.deepEqual(
    strings(i => `unique ${i}`),
    ['PLAIN', 'RLE'],
  )
  assert.deepEqual(
    strings(i => `one of ${random(i) % 3000}`),
    ['PLAIN', 'RLE_DICTIONARY', 'RLE'],
  )
})

test('PyArrow reads what the footer says, and files without rows or columns', { skip: noPython }, async t => {
  const folder = tempFolder(t)
  const names = ['__proto__', 'constructor', 'a.b', '', 'ünï', 'with "quotes"']
  const fields = names.map(
    (name, i) => new Field(name, new Int32(), true, new Map([['PARQUET:field_id', `${i + 7}`]])),
  )
  const batch = batchOf(
    fields,
    names.map((_, i) => vectorFromArray([i, null, i + 1], new Int32())),
  )
  const files = {
    full: parquetBytes(fields, [[batch]], {
      keyValueMetadata: [['key', 'välue']],
      sortedBy: [{ column: 'a.b', descending: true, nullsFirst: true }, { column: '' }],
    }),
    noRowGroups: parquetBytes(fields, []),
    noRows: parquetBytes(fields, [[], [batch.slice(0, 0)]]),
    noColumns: parquetBytes([], []),
  }
  const paths: Record<string, string> = {}
  for (const [name, { bytes }] of Object.entries(files)) {
    paths[name] = join(folder, `${name}.parquet`)
    await writeFile(paths[name], bytes)
  }
  // One byte of the last column's page body is turned around.
  const damaged = files.full.bytes.slice()
  const chunk = files.full.metadata.rowGroups[0]!.columns.at(-1)!
  damaged[chunk.dataPageOffset + chunk.totalCompressedSize - 1]! ^= 1
  paths['damaged'] = join(folder, 'damaged.parquet')
  await writeFile(paths['damaged'], damaged)

  const result = await python<Record<string, unknown>>(
    `
    import pyarrow.parquet as pq
    full = pq.ParquetFile(input['full'])
    table = full.read()
    meta = full.metadata
    try:
        pq.read_table(input['damaged'], page_checksum_verification=True)
        damaged = 'read'
    except OSError as error: damaged = str(error)
    result = {
        'columns': {name: table[i].to_pylist() for i, name in enumerate(table.column_names)},
        'ids': [int(field.metadata[b'PARQUET:field_id']) for field in table.schema],
        'metadata': meta.metadata[b'key'].decode(),
        'created': meta.created_by,
        'version': meta.format_version,
        'sorting': [[s.column_index, s.descending, s.nulls_first] for s in meta.row_group(0).sorting_columns],
        'rows': [pq.read_table(input[name]).num_rows for name in ('noRowGroups', 'noRows', 'noColumns')],
        'damaged': damaged,
    }
    `,
    paths,
  )
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  assert.match(String(result['damaged']), /[Cc]hecksum|CRC/)
  assert.deepEqual(
    Object.entries(result['columns'] as object),
    names.map((name, i) => [name, [i, null, i + 1]]),
  )
  assert.deepEqual(result['ids'], [7, 8, 9, 10, 11, 12])
  assert.equal(result['metadata'], 'välue')
  assert.equal(result['created'], `sluice version ${version} (build unknown)`)
  assert.equal(result['version'], '2.6')
  assert.deepEqual(result['sorting'], [
    [2, true, true],
    [3, false, false],
  ])
  assert.deepEqual(result['rows'], [0, 0, 0])
})

test('a dictionary of one value, of none in use, of empty strings', async () => {
  const kind = KINDS['utf8']!
  const fields = [fieldOf('c', kind, true)]
  const dictionary = (values: (string | null)[]) => vectorFromArray(values, new Utf8())
  const column = (values: (string | null)[], codes: number[], bits: number) =>
    makeData({
      type: new Dictionary(kind.type, new Int32()),
      length: codes.length,
      nullBitmap: Uint8Array.of(bits),
      data: Int32Array.from(codes),
      dictionary: dictionary(values),
    })
  const cases: [Data, (string | null)[]][] = [
    [column(['only'], [0, 0, 0, 0], 0b1111), ['only', 'only', 'only', 'only']],
    [column(['unused'], [0, 0], 0), [null, null]],
    [column([''], [0, 0, 9], 0b011), ['', '', null]],
    [column(['', null, 'x'], [0, 1, 2], 0b111), ['', null, 'x']],
    [makeVector(codedColumn(kind, 0, 'required', 3)).data[0]!, []],
  ]
  for (const [data, expected] of cases) {
    for (const dictionaries of [true, false]) {
      const { bytes } = parquetBytes(fields, [[makeBatch(fields, [data], data.length)]], {
        dictionary: dictionaries,
        encodings: dictionaries ? { c: 'RLE_DICTIONARY' } : {},
      })
      const rows = await parquetReadObjects({ file: bytes.buffer, compressors })
      assert.deepEqual(
        rows.map(row => row['c']),
        expected,
      )
    }
  }
})
