import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import * as hyparquet from 'hyparquet'
import { isSluiceError } from '../../../src/core/errors.ts'
import { arrowSchema, leavesOf } from '../../../src/parquet/arrow-schema.ts'
import { LOGICAL_TYPE_KEY } from '../../../src/parquet/field-metadata.ts'
import { FOOTER_TAIL, readFooter } from '../../../src/parquet/footer.ts'
import { writeFooter } from '../../../src/parquet/footer-writer.ts'
import { readColumnIndex, readOffsetIndex } from '../../../src/parquet/index-pages.ts'
import type { FileMetadata, SchemaElement } from '../../../src/parquet/metadata.ts'
import { columnDescriptors } from '../../../src/parquet/schema-tree.ts'
import { ThriftReader } from '../../../src/parquet/thrift-reader.ts'
import { concat, varint } from '../../support/bytes.ts'
import { corpus, noCorpus } from '../../support/corpus.ts'
import { footerOf } from './support.ts'

const folder = join(corpus, 'parquet-testing/data')
const names = existsSync(folder) ? readdirSync(folder).filter(name => name.endsWith('.parquet')) : []

test('footers say what hyparquet reads in them', { skip: noCorpus }, () => {
  for (const name of names) {
    const file = readFileSync(join(folder, name))
    const ours = footerOf(file, name)
    const theirs = hyparquet.parquetMetadata(arrayBuffer(file))
    assert.deepEqual(
      ours.schema.map(({ name, type, repetition, numChildren, typeLength }) => [
        name,
        type,
        repetition,
        numChildren,
        typeLength,
      ]),
      // The root of some has a repetition, which means nothing.
      theirs.schema.map(element => [
        element.name,
        element.type,
        element.repetition_type,
        element.num_children,
        element.type_length,
      ]),
      name,
    )
    assert.equal(ours.createdBy, theirs.created_by, name)
    assert.deepEqual(
      ours.keyValueMetadata,
      (theirs.key_value_metadata ?? []).map(({ key, value }) => [key, value ?? '']),
    )
    assert.deepEqual(
      ours.rowGroups.map(group => [group.numRows, group.totalByteSize]),
      theirs.row_groups.map(group => [Number(group.num_rows), Number(group.total_byte_size)]),
    )
    ours.rowGroups.forEach((group, g) => {
      group.columns.forEach((chunk, c) => {
        const other = theirs.row_groups[g]!.columns[c]!
        const meta = other.meta_data!
        const number = (value: bigint | undefined) => (value === undefined ? undefined : Number(value))
        assert.deepEqual(
          [
            chunk.type,
            chunk.codec,
            chunk.path,
            chunk.numValues,
            chunk.dataPageOffset,
            chunk.dictionaryPageOffset,
          ],
          [
            meta.type,
            meta.codec,
            meta.path_in_schema,
            number(meta.num_values),
            number(meta.data_page_offset),
            number(meta.dictionary_page_offset),
          ],
          `${name} ${chunk.path}`,
        )
        assert.deepEqual(
          [
            chunk.offsetIndexOffset,
            chunk.columnIndexLength,
            chunk.bloomFilterOffset,
            chunk.statistics?.nullCount,
          ],
          [
            number(other.offset_index_offset),
            other.column_index_length,
            number(meta.bloom_filter_offset),
            number(meta.statistics?.null_count),
          ],
          `${name} ${chunk.path}`,
        )
      })
    })
  }
})

test('page indexes say what hyparquet reads in them', { skip: noCorpus }, () => {
  let seen = 0
  for (const name of names) {
    const file = readFileSync(join(folder, name))
    const metadata = footerOf(file, name)
    const schema = hyparquet.parquetSchema(hyparquet.parquetMetadata(arrayBuffer(file)))
    for (const group of metadata.rowGroups) {
      for (const [index, chunk] of group.columns.entries()) {
        const part = (start: number, length: number) => file.subarray(start, start + length)
        if (chunk.offsetIndexOffset !== undefined) {
          const bytes = part(chunk.offsetIndexOffset, chunk.offsetIndexLength!)
          const theirs = hyparquet.readOffsetIndex({ view: view(bytes), offset: 0 })
          assert.deepEqual(
            readOffsetIndex(bytes).pages,
            theirs.page_locations.map(page => ({
              offset: Number(page.offset),
              compressedPageSize: page.compressed_page_size,
              firstRowIndex: Number(page.first_row_index),
            })),
          )
          seen++
        }
        if (chunk.columnIndexOffset !== undefined) {
          const bytes = part(chunk.columnIndexOffset, chunk.columnIndexLength!)
          const { element } = schema.children[index] ?? schema
          const theirs = hyparquet.readColumnIndex({ view: view(bytes), offset: 0 }, element)
          const ours = readColumnIndex(bytes)
          if (ours === undefined) {
            assert.ok(
              theirs.null_counts!.some(count => count < 0n),
              name,
            )
            continue
          }
          assert.deepEqual(
            [ours.nullPages, ours.boundaryOrder, ours.nullCounts],
            [theirs.null_pages, theirs.boundary_order, theirs.null_counts?.map(Number)],
            name,
          )
        }
      }
    }
  }
  assert.ok(seen > 20)
})

/** A footer with something in every field that is read. */
const ALL: FileMetadata = (() => {
  const schema: SchemaElement[] = [
    { name: 'root', numChildren: 6 },
    { name: '__proto__', type: 'INT32', repetition: 'REQUIRED', logicalType: { type: 'DATE' }, fieldId: 7 },
    {
      name: '',
      type: 'FIXED_LEN_BYTE_ARRAY',
      typeLength: 9,
      repetition: 'OPTIONAL',
      convertedType: 'DECIMAL',
      logicalType: { type: 'DECIMAL', scale: 2, precision: 20 },
      scale: 2,
      precision: 20,
    },
    { name: 'a.b', type: 'BYTE_ARRAY', repetition: 'OPTIONAL', logicalType: { type: 'JSON' } },
    {
      name: 'constructor',
      type: 'INT64',
      repetition: 'OPTIONAL',
      logicalType: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'NANOS' },
    },
    {
      name: 'unsigned',
      type: 'INT32',
      repetition: 'OPTIONAL',
      logicalType: { type: 'INTEGER', bitWidth: 16, isSigned: false },
    },
    { name: 'nested', numChildren: 1, repetition: 'REPEATED' },
    { name: 'leaf', type: 'DOUBLE', repetition: 'OPTIONAL', logicalType: { type: 'OTHER', id: 99 } },
  ]
  const columns = columnDescriptors(schema)
  return {
    version: 2,
    schema,
    columns,
    numRows: 5,
    rowGroups: [
      {
        numRows: 5,
        totalByteSize: 600,
        columns: columns.map(({ element, path }, index) => ({
          type: element.type!,
          encodings: ['PLAIN', 'RLE_DICTIONARY'],
          path,
          codec: 'ZSTD',
          numValues: 5,
          totalUncompressedSize: 120,
          totalCompressedSize: 100,
          dataPageOffset: 4 + index * 100,
          statistics: {
            min: Uint8Array.of(index),
            max: Uint8Array.of(index, 255),
            isMinExact: true,
            isMaxExact: false,
            nullCount: index,
            distinctCount: 3,
          },
        })),
        sortingColumns: [{ columnIndex: 0, descending: true, nullsFirst: false }],
      },
    ],
    keyValueMetadata: [
      ['ARROW:schema', 'x'],
      ['__proto__', 'ü'],
    ],
    createdBy: 'test',
    hasColumnOrders: true,
  }
})()

function fileOf(metadata: FileMetadata): Uint8Array {
  const body = new Uint8Array(4 + 100 * metadata.columns.length)
  return concat([body, writeFooter(metadata)])
}

test('every field that is written comes back', () => {
  const { rowGroups, ...rest } = footerOf(fileOf(ALL))
  const { rowGroups: expected, ...expectedRest } = ALL
  assert.deepEqual(rest, expectedRest)
  const { columns, sortingColumns } = rowGroups[0]!
  assert.deepEqual(columns, expected[0]!.columns)
  assert.deepEqual(sortingColumns, expected[0]!.sortingColumns)
  assert.deepEqual(structuredClone(rowGroups), rowGroups)
})

test('a tail that is too short says how much is needed, until it is enough', () => {
  const file = fileOf(ALL)
  fc.assert(
    fc.property(fc.nat(file.length), size => {
      const answer = readFooter(file.subarray(file.length - size), file.length, 'f')
      if ('need' in answer) {
        assert.ok(answer.need > size && answer.need <= Math.max(file.length, FOOTER_TAIL))
        const again = readFooter(file.subarray(file.length - answer.need), file.length, 'f')
        assert.ok('metadata' in again || again.need > answer.need)
      } else assert.equal(answer.metadata.numRows, 5)
    }),
  )
})

test('what is not a whole Parquet file is corrupt, by name', () => {
  const file = fileOf(ALL)
  const cases: [Uint8Array, RegExp][] = [
    [new Uint8Array(0), /x\.parquet: not a Parquet file: it has 0 bytes/],
    [new TextEncoder().encode('year,month,day\n2024,1,1\n'), /it does not end in 'PAR1'/],
    [
      concat([
        [80, 65, 82, 49],
        [255, 255, 255, 127],
        [80, 65, 82, 49],
      ]),
      /claims 2147483647 bytes of a file of 12/,
    ],
    [file.subarray(0, file.length - 1), /it does not end in 'PAR1'/],
    [file.subarray(404), /x\.parquet, row group 0, column '.*': the chunk claims bytes/],
  ]
  for (const [bytes, message] of cases) {
    assert.throws(
      () => readFooter(bytes, bytes.length, 'x.parquet'),
      error => isSluiceError(error) && error.code === 'corrupt' && message.test(error.message),
    )
  }
})

test('lists longer than their bytes, deep nesting and endless numbers are refused', () => {
  const cases: [number[], RegExp][] = [
    [[0x29, 0xfc, ...varint(1n << 31n)], /list longer than its bytes/],
    [[0x28, ...varint(1n << 40n)], /ends too early/],
    [new Array<number>(1000).fill(0x1c), /nested too deeply/],
    [[0x2b, ...varint(1n << 31n), 0x55], /map longer than its bytes/],
    [new Array<number>(30).fill(0x99), /list of|list longer|nested|ends too early/],
    [[0x26, ...new Array<number>(20).fill(0xff)], /too many bytes/],
  ]
  for (const [bytes, message] of cases) {
    assert.throws(
      () => new ThriftReader(Uint8Array.from(bytes)).struct(() => false),
      error => isSluiceError(error) && error.code === 'corrupt' && message.test(error.message),
      String(message),
    )
  }
})

test('the Arrow schema has the types of the values and keeps what they do not say', () => {
  const schema = arrowSchema(ALL)
  assert.deepEqual(
    schema.fields.map(({ name, type, nullable }) => [name, String(type), nullable]),
    [
      ['__proto__', 'Date32<DAY>', false],
      ['', 'Decimal[20e+2]', true],
      ['a.b', 'Utf8', true],
      ['constructor', 'Timestamp<NANOSECOND, UTC>', true],
      ['unsigned', 'Uint16', true],
      ['nested', 'List<Struct<{leaf:Float64}>>', false],
    ],
  )
  assert.equal(schema.fields[2]!.metadata.get(LOGICAL_TYPE_KEY), 'JSON')
  assert.deepEqual([...schema.metadata], [['__proto__', 'ü']])
  assert.deepEqual(leavesOf(ALL, ['nested', '__proto__']), [5, 0])
  assert.throws(
    () => leavesOf(ALL, ['b']),
    error => isSluiceError(error) && error.code === 'schema' && error.column === 'b',
  )
})

function view(bytes: Uint8Array): DataView<ArrayBuffer> {
  return new DataView(arrayBuffer(bytes))
}

function arrayBuffer(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer
}

test('files read with one memo share a schema that is the same, and no other', () => {
  const field = (name: string) => ({ name, type: 'INT32' as const, repetition: 'REQUIRED' as const })
  const footer = (...names: string[]) => {
    const schema: SchemaElement[] = [{ name: 'schema', numChildren: names.length }, ...names.map(field)]
    const bytes = writeFooter({
      version: 2,
      schema,
      columns: columnDescriptors(schema),
      numRows: 0,
      rowGroups: [],
      keyValueMetadata: [],
      hasColumnOrders: false,
    })
    return concat([new TextEncoder().encode('PAR1'), bytes])
  }
  const memo = {}
  const read = (bytes: Uint8Array) => {
    const result = readFooter(bytes, bytes.length, 'test', memo)
    assert.ok('metadata' in result)
    return result.metadata
  }
  const [one, same, other, again] = [footer('a'), footer('a'), footer('b'), footer('a')].map(read)
  assert.equal(one!.schema, same!.schema)
  assert.equal(one!.columns, same!.columns)
  assert.deepEqual(
    [one!, other!, again!].map(({ columns }) => columns.map(({ path }) => path)),
    [[['a']], [['b']], [['a']]],
  )
})
