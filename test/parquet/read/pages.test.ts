import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Data, Vector } from 'apache-arrow'
import { isSluiceError } from '../../../src/core/errors.ts'
import type { Encoding, FileMetadata, SchemaElement } from '../../../src/parquet/metadata.ts'
import { columnDescriptors } from '../../../src/parquet/schema-tree.ts'
import { ENCODINGS } from '../../../src/parquet/thrift-enums.ts'
import { ThriftWriter } from '../../../src/parquet/thrift-writer.ts'
import { bytesOf, concat, packBits } from '../../support/bytes.ts'
import { readRowGroup } from './support.ts'

// Pages that today's writers do not make: by hand, as Encodings.md and parquet.thrift have them.

interface PageParts {
  /** 0 data, 1 index, 2 dictionary. */
  type: 0 | 1 | 2
  values?: number
  encoding?: Encoding
  levels?: Encoding
  body: Uint8Array | readonly number[]
  /** What the header says, if not the truth. */
  size?: number
}

function pageOf({ type, values = 0, encoding = 'PLAIN', levels = 'RLE', body, size }: PageParts): Uint8Array {
  const w = new ThriftWriter()
  w.i32(1, type)
  w.i32(2, size ?? body.length)
  w.i32(3, body.length)
  if (type !== 1) {
    w.struct(type === 0 ? 5 : 7, () => {
      w.i32(1, values)
      w.i32(2, ENCODINGS.indexOf(encoding))
      if (type === 0) w.i32(3, ENCODINGS.indexOf(levels))
    })
  }
  return concat([w.finish(), body])
}

const I32 = (...values: number[]) => bytesOf(Int32Array.from(values))
/** Levels of a nullable column: the length of the runs, then one bit-packed run. */
const levelsOf = (...bits: number[]) => {
  const packed = packBits(bits)
  return concat([I32(packed.length + 1), [(packed.length << 1) | 1], packed])
}

async function readPages(
  element: Partial<SchemaElement>,
  rows: number,
  pages: readonly PageParts[],
): Promise<unknown[]> {
  const leaf: SchemaElement = { name: 'x', type: 'INT32', repetition: 'REQUIRED', ...element }
  const chunk = concat(pages.map(pageOf))
  const schema: SchemaElement[] = [{ name: 'root', numChildren: 1 }, leaf]
  const metadata: FileMetadata = {
    version: 2,
    schema,
    columns: columnDescriptors(schema),
    numRows: rows,
    rowGroups: [
      {
        numRows: rows,
        totalByteSize: chunk.length,
        columns: [
          {
            type: leaf.type!,
            encodings: [],
            path: ['x'],
            codec: 'UNCOMPRESSED',
            numValues: rows,
            totalUncompressedSize: chunk.length,
            totalCompressedSize: chunk.length,
            dataPageOffset: 0,
          },
        ],
      },
    ],
    keyValueMetadata: [],
    hasColumnOrders: false,
  }
  const values: unknown[] = []
  await readRowGroup(chunk, metadata, 0, batch => {
    values.push(...new Vector([batch.data.children[0] as Data]))
  })
  return values
}

function corrupt(message: RegExp): (error: unknown) => boolean {
  return error => {
    assert.ok(isSluiceError(error), String(error))
    assert.deepEqual([error.code, error.file, error.rowGroup, error.column], ['corrupt', 'file', 0, 'x'])
    assert.match(error.message, message)
    return true
  }
}

test('levels in the deprecated BIT_PACKED encoding', async () => {
  const body = concat([[0b10110000, 0b01000000], I32(1, 2, 3, 4)])
  const pages: PageParts[] = [{ type: 0, values: 10, levels: 'BIT_PACKED', body }]
  const expected = [1, null, 2, 3, null, null, null, null, null, 4]
  assert.deepEqual(await readPages({ repetition: 'OPTIONAL' }, 10, pages), expected)
  await assert.rejects(
    readPages({ repetition: 'OPTIONAL' }, 10, [{ ...pages[0]!, body: [0b10110000] }]),
    corrupt(/definition levels/),
  )
})

test('empty pages and pages of unknown kind are passed over', async () => {
  const pages: PageParts[] = [
    { type: 0, values: 0, body: [] },
    { type: 0, values: 2, body: I32(1, 2) },
    { type: 1, body: [1, 2, 3] },
    { type: 0, values: 0, encoding: 'DELTA_BINARY_PACKED', body: [] },
    { type: 0, values: 1, body: I32(3) },
  ]
  assert.deepEqual(await readPages({}, 3, pages), [1, 2, 3])
})

test('nulls may be dictionary-encoded without a dictionary', async () => {
  const nulls: PageParts = { type: 0, values: 3, encoding: 'RLE_DICTIONARY', body: levelsOf(0, 0, 0) }
  const value: PageParts = {
    type: 0,
    values: 3,
    encoding: 'PLAIN_DICTIONARY',
    body: concat([levelsOf(0, 1, 0), [1, 2, 0]]),
  }
  for (const type of ['INT32', 'BYTE_ARRAY'] as const) {
    const element: Partial<SchemaElement> = { type, repetition: 'OPTIONAL' }
    assert.deepEqual(await readPages(element, 3, [nulls]), [null, null, null])
    await assert.rejects(
      readPages(element, 3, [value]),
      corrupt(/code 0 is beyond the dictionary of 0 values/),
    )
  }
})

test('codes of width 0 and codes beyond the dictionary', async () => {
  const dictionary: PageParts = { type: 2, values: 2, body: I32(7, 8) }
  const coded = (...body: number[]): PageParts[] => [
    dictionary,
    { type: 0, values: 3, encoding: 'RLE_DICTIONARY', body },
  ]
  assert.deepEqual(await readPages({}, 3, coded(0)), [7, 7, 7])
  assert.deepEqual(await readPages({}, 3, coded(1, 6, 1)), [8, 8, 8])
  await assert.rejects(
    readPages({}, 3, coded(2, 6, 2)),
    corrupt(/code 2 is beyond the dictionary of 2 values/),
  )
  await assert.rejects(readPages({}, 3, coded(33, 6, 1)), corrupt(/RLE_DICTIONARY values/))
  await assert.rejects(readPages({}, 3, coded()), corrupt(/RLE_DICTIONARY values/))
})

test('sizes and counts that lie', async () => {
  const cases: [PageParts[], RegExp][] = [
    [[{ type: 0, values: 2, body: I32(1, 2) }], /the pages hold 2 of 3 values/],
    [[{ type: 0, values: 4, body: I32(1, 2, 3, 4) }], /more than 3 values/],
    [[{ type: 0, values: 3, body: I32(1, 2) }], /PLAIN values/],
    [[{ type: 0, values: -3, body: I32(1, 2, 3) }], /claims -3 values/],
    [[{ type: 0, values: 3, body: I32(1, 2, 3), size: 2 ** 31 - 1 }], /page of 2147483647 bytes/],
    [[{ type: 0, values: 3, body: I32(1, 2, 3), size: -5 }], /page claims/],
    [
      [
        { type: 2, values: 1 << 30, body: I32(1) },
        { type: 0, values: 3, encoding: 'RLE_DICTIONARY', body: [0] },
      ],
      /dictionary claims 1073741824 values in 4 bytes/,
    ],
    [
      [
        { type: 0, values: 1, body: I32(1) },
        { type: 2, values: 1, body: I32(1) },
      ],
      /not the first page/,
    ],
  ]
  for (const [pages, message] of cases) await assert.rejects(readPages({}, 3, pages), corrupt(message))
})

test('encodings that a type does not have are unsupported', async () => {
  const cases: [SchemaElement['type'], Encoding][] = [
    ['DOUBLE', 'DELTA_BINARY_PACKED'],
    ['INT96', 'BYTE_STREAM_SPLIT'],
    ['BYTE_ARRAY', 'BYTE_STREAM_SPLIT'],
    ['BOOLEAN', 'RLE_DICTIONARY'],
    ['INT32', 'DELTA_BYTE_ARRAY'],
    ['INT32', 'BIT_PACKED'],
  ]
  for (const [type, encoding] of cases) {
    await assert.rejects(
      readPages({ type: type! }, 1, [{ type: 0, values: 1, encoding, body: new Uint8Array(12) }]),
      error => isSluiceError(error) && error.code === 'unsupported' && error.message.includes(encoding),
      `${type} ${encoding}`,
    )
  }
})
