import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parquetMetadata } from 'hyparquet'
import { MAGIC, writeFooter } from '../../../src/parquet/footer-writer.ts'
import type {
  ColumnChunkMetadata,
  ColumnDescriptor,
  FileMetadata,
  LogicalType,
  SchemaElement,
} from '../../../src/parquet/metadata.ts'

const logicalTypes: LogicalType[] = [
  { type: 'STRING' },
  { type: 'ENUM' },
  { type: 'JSON' },
  { type: 'BSON' },
  { type: 'UUID' },
  { type: 'FLOAT16' },
  { type: 'DATE' },
  { type: 'UNKNOWN' },
  { type: 'DECIMAL', scale: 3, precision: 38 },
  { type: 'TIME', isAdjustedToUTC: true, unit: 'MILLIS' },
  { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'NANOS' },
  { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
  { type: 'INTEGER', bitWidth: 64, isSigned: false },
  { type: 'INTEGER', bitWidth: 8, isSigned: true },
]

/** A footer with every optional field in use: more columns than a short list holds, offsets beyond 2^32. */
function sample(): FileMetadata {
  const leaves: SchemaElement[] = logicalTypes.map((logicalType, index) => ({
    name: index === 0 ? '' : `спалте.${index}`,
    type: 'FIXED_LEN_BYTE_ARRAY',
    typeLength: index + 1,
    repetition: index % 2 === 0 ? 'REQUIRED' : 'OPTIONAL',
    logicalType,
    fieldId: index * 1000,
    ...(logicalType.type === 'DECIMAL' ? { convertedType: 'DECIMAL', scale: 3, precision: 38 } : {}),
  }))
  const columns: ColumnDescriptor[] = leaves.map((element, index) => ({
    index,
    path: [element.name],
    element,
    maxDefinitionLevel: index % 2,
    maxRepetitionLevel: 0,
    flat: true,
  }))
  const chunk = (index: number): ColumnChunkMetadata => ({
    type: 'FIXED_LEN_BYTE_ARRAY',
    encodings: ['PLAIN', 'RLE', 'RLE_DICTIONARY', 'BYTE_STREAM_SPLIT'],
    path: [leaves[index]!.name],
    codec: 'LZ4_RAW',
    numValues: 3_000_000_000,
    totalUncompressedSize: 2 ** 40,
    totalCompressedSize: 2 ** 39 + 1,
    dataPageOffset: 2 ** 52 + 100,
    dictionaryPageOffset: 2 ** 52 + 4,
    statistics: {
      min: Uint8Array.of(0, 1),
      max: Uint8Array.of(255, 255),
      nullCount: 7,
      distinctCount: 9,
      isMinExact: true,
      isMaxExact: false,
    },
    encodingStats: [
      { pageType: 'DICTIONARY_PAGE', encoding: 'PLAIN', count: 1 },
      { pageType: 'DATA_PAGE_V2', encoding: 'RLE_DICTIONARY', count: 12 },
    ],
    offsetIndexOffset: 2 ** 41,
    offsetIndexLength: 100_000,
    columnIndexOffset: 2 ** 42,
    columnIndexLength: 1,
    keyValueMetadata: [['k', 'v']],
  })
  return {
    version: 2,
    schema: [{ name: 'schema', numChildren: leaves.length }, ...leaves],
    columns,
    numRows: 6_000_000_000,
    rowGroups: [0, 1].map(() => ({
      columns: columns.map((_, index) => chunk(index)),
      totalByteSize: 2 ** 45,
      numRows: 3_000_000_000,
      totalCompressedSize: 2 ** 44,
      sortingColumns: [{ columnIndex: 13, descending: true, nullsFirst: false }],
    })),
    keyValueMetadata: [
      ['', 'empty key'],
      ['a', 'é'.repeat(200)],
    ],
    createdBy: 'sluice version 0.1.0 (build unknown)',
    hasColumnOrders: true,
  }
}

test('the footer says everything that the metadata says', () => {
  const metadata = sample()
  const footer = writeFooter(metadata)
  assert.deepEqual(footer.subarray(-4), MAGIC)
  const file = new Uint8Array(MAGIC.length + footer.length)
  file.set(MAGIC)
  file.set(footer, MAGIC.length)
  const read = parquetMetadata(file.buffer)

  assert.equal(read.version, 2)
  assert.equal(read.num_rows, 6_000_000_000n)
  assert.equal(read.created_by, metadata.createdBy)
  assert.deepEqual(
    read.key_value_metadata?.map(({ key, value }) => [key, value]),
    metadata.keyValueMetadata,
  )
  assert.equal(read.schema.length, metadata.schema.length)
  for (const [index, element] of metadata.schema.entries()) {
    const got = read.schema[index]!
    assert.equal(got.name, element.name)
    assert.equal(got.type, element.type)
    assert.equal(got.type_length, element.typeLength)
    assert.equal(got.num_children, element.numChildren)
    assert.equal(got.field_id, element.fieldId)
    assert.equal(got.converted_type, element.convertedType)
    if (element.repetition) assert.equal(got.repetition_type, element.repetition)
    const { logicalType } = element
    // hyparquet's name for UNKNOWN is the one that older versions of the format used.
    if (logicalType?.type === 'UNKNOWN') assert.deepEqual(got.logical_type, { type: 'NULL' })
    else if (logicalType) assert.deepEqual(got.logical_type, logicalType)
  }
  for (const group of read.row_groups) {
    assert.equal(group.num_rows, 3_000_000_000n)
    assert.equal(group.total_byte_size, 2n ** 45n)
    assert.deepEqual(group.sorting_columns, [{ column_idx: 13, descending: true, nulls_first: false }])
    for (const [index, chunk] of group.columns.entries()) {
      assert.equal(chunk.offset_index_offset, 2n ** 41n)
      assert.equal(chunk.offset_index_length, 100_000)
      assert.equal(chunk.column_index_offset, 2n ** 42n)
      const data = chunk.meta_data!
      assert.equal(data.codec, 'LZ4_RAW')
      assert.deepEqual(data.encodings, ['PLAIN', 'RLE', 'RLE_DICTIONARY', 'BYTE_STREAM_SPLIT'])
      assert.deepEqual(data.path_in_schema, metadata.columns[index]!.path)
      assert.equal(data.num_values, 3_000_000_000n)
      assert.equal(data.total_uncompressed_size, 2n ** 40n)
      assert.equal(data.total_compressed_size, 2n ** 39n + 1n)
      assert.equal(data.data_page_offset, 2n ** 52n + 100n)
      assert.equal(data.dictionary_page_offset, 2n ** 52n + 4n)
      assert.equal(data.statistics?.null_count, 7n)
      assert.equal(data.statistics?.distinct_count, 9n)
      assert.equal(data.statistics?.is_min_value_exact, true)
      assert.equal(data.statistics?.is_max_value_exact, false)
      assert.deepEqual(data.encoding_stats, [
        { page_type: 'DICTIONARY_PAGE', encoding: 'PLAIN', count: 1 },
        { page_type: 'DATA_PAGE_V2', encoding: 'RLE_DICTIONARY', count: 12 },
      ])
    }
  }
})
