import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  Binary,
  type DataType,
  Field,
  Float64,
  Int64,
  makeData,
  makeVector,
  Utf8,
  type Vector,
  vectorFromArray,
} from 'apache-arrow'
import { parquetMetadata, parquetSchema, readColumnIndex, readOffsetIndex } from 'hyparquet'
import { makeBatch } from '../../../src/core/batch.ts'
import type { ParquetWriteOptions } from '../../../src/parquet/write-options.ts'
import { noPython, python } from '../../support/python.ts'
import { tempFolder } from '../../support/temp.ts'
import { codedColumn, fieldOf, KINDS, plainColumn } from './columns.ts'
import { batchOf, parquetBytes } from './support.ts'

/** Raw bounds of each chunk as PyArrow reports them, against the least and greatest of PyArrow's reading. */
const PROGRAM = `
  import pyarrow as pa, pyarrow.parquet as pq

  def raw(array, chunk):
      """Values as they lie in the file."""
      if isinstance(array.type, pa.BaseExtensionType): array = array.storage
      kind = array.type
      if pa.types.is_decimal(kind):
          numbers = [int(value.scaleb(kind.scale, context=decimal.Context(prec=100))) for value in array.to_pylist()]
          if chunk.physical_type != 'FIXED_LEN_BYTE_ARRAY': return numbers
          return [(number, chunk.length) for number in numbers]
      if kind == pa.date32(): array = array.cast(pa.int32())
      elif pa.types.is_time32(kind): array = array.cast(pa.int32())
      elif pa.types.is_temporal(kind): array = array.cast(pa.int64())
      values = array.to_pylist()
      if pa.types.is_string(kind): return [value.encode() for value in values]
      return [value for value in values if value == value]

  def check(path):
      table = pq.read_table(path, arrow_extensions_enabled=True)
      group = pq.ParquetFile(path).metadata.row_group(0)
      for i, name in enumerate(table.column_names):
          chunk, array = group.column(i), table.column(i).combine_chunks()
          if isinstance(array, pa.ChunkedArray): array = array.chunk(0)
          stats = chunk.statistics
          if stats.null_count != array.null_count: yield f'{name}: {stats.null_count} nulls'
          if not (chunk.has_offset_index and chunk.has_column_index) and not name.startswith('float'):
              yield f'{name}: no page index'
          array = array.drop_null()
          if len(array) == 0:
              if stats.has_min_max: yield f'{name}: bounds of nothing'
              continue
          if not stats.has_min_max:
              yield f'{name}: no bounds'
              continue
          low, high = stats.min_raw, stats.max_raw
          if pa.types.is_decimal(array.type) and isinstance(low, bytes):
              low, high = int.from_bytes(low, 'big', signed=True), int.from_bytes(high, 'big', signed=True)
              values = [int(v.scaleb(array.type.scale, context=decimal.Context(prec=100))) for v in array.to_pylist()]
          elif array.type == pa.float16():
              values = [v for v in array.to_pylist() if v == v]
              low, high = (float(pa.array([int.from_bytes(b, 'little')], pa.uint16()).view(pa.float16())[0].as_py()) for b in (low, high))
          elif array.type in (pa.uint32(), pa.uint64()):
              bits = array.type.bit_width
              values, low, high = array.to_pylist(), low % 2**bits, high % 2**bits
          else: values = raw(array, chunk)
          least, greatest = min(values), max(values)
          if isinstance(least, bytes) and chunk.physical_type == 'BYTE_ARRAY':
              if not (low == least if len(least) <= 64 else low == least[:len(low)] and 60 < len(low) <= 64):
                  yield f'{name}: least {least} is given as {low}'
              # Where nothing greater of 64 bytes exists the bound stays whole.
              whole = len(greatest) <= 64 or greatest[0] == 255 or greatest.startswith(b'\\xf4\\x8f\\xbf\\xbf')
              if not (high == greatest if whole else high > greatest and len(high) <= 64):
                  yield f'{name}: greatest {greatest} is given as {high}'
          elif low != least or high != greatest:
              yield f'{name}: {least} to {greatest} is given as {low} to {high}'

  result = [f'{path}: {problem}' for path in input for problem in check(path)]
`

test('PyArrow finds the bounds and null counts of every type', { skip: noPython }, async t => {
  const folder = tempFolder(t)
  const rows = 500
  const paths: string[] = []
  const kinds = Object.entries(KINDS)
  const forms = {
    plain: plainColumn,
    coded: (kind: (typeof KINDS)[string], n: number, nulls: 'required' | 'some' | 'all') =>
      codedColumn(kind, n, nulls, 90),
  }
  for (const [form, column] of Object.entries(forms)) {
    for (const options of [{}, { pageVersion: 2, pageRows: 64 }, { dictionary: false }] as const) {
      const columns = kinds.flatMap(([name, kind]) =>
        (['required', 'some', 'all'] as const)
          .filter(nulls => name !== 'null' || (nulls === 'all' && form === 'plain'))
          .map(nulls => ({
            field: fieldOf(`${name} ${nulls}`, kind, nulls !== 'required'),
            data: column(kind, rows, nulls),
          })),
      )
      const fields = columns.map(({ field }) => field)
      const batch = makeBatch(
        fields,
        columns.map(({ data }) => data),
        rows,
      )
      const path = join(folder, `${form} ${JSON.stringify(options).replaceAll('"', '')}.parquet`)
      await writeFile(path, parquetBytes(fields, [[batch]], options).bytes)
      paths.push(path)
    }
  }
  assert.deepEqual(await python(PROGRAM, paths), [])
})

/** Statistics of a file of one column, as bytes. */
function statisticsOf(type: DataType, values: readonly unknown[], options: ParquetWriteOptions = {}) {
  const fields = [new Field('c', type, true)]
  const { metadata } = parquetBytes(fields, [[batchOf(fields, [vectorFromArray(values, type)])]], options)
  const statistics = metadata.rowGroups[0]!.columns[0]!.statistics
  return statistics === undefined
    ? undefined
    : {
        ...statistics,
        min: statistics.min && Buffer.from(statistics.min),
        max: statistics.max && Buffer.from(statistics.max),
      }
}

const double = (value: number): Buffer => Buffer.from(Float64Array.of(value).buffer)

test('zero has both signs in bounds, and NaN has none', () => {
  for (const values of [
    [0, 0],
    [-0, -0],
    [0, -0, null],
  ]) {
    const { min, max } = statisticsOf(new Float64(), values)!
    assert.deepEqual([min, max], [double(-0), double(0)])
  }
  const some = statisticsOf(new Float64(), [Number.NaN, 3, Number.NaN, -1, null])!
  assert.deepEqual([some.min, some.max, some.nullCount], [double(-1), double(3), 1])
  const none = statisticsOf(new Float64(), [Number.NaN, null])!
  assert.deepEqual([none.min, none.max, none.nullCount], [undefined, undefined, 1])
  assert.equal(statisticsOf(new Float64(), [1], { statistics: false }), undefined)
})

test('long byte strings are cut: the least downwards, the greatest upwards, characters whole', () => {
  const text = (value: string) => statisticsOf(new Utf8(), [value])!
  const short = text('x'.repeat(64))
  assert.deepEqual([short.isMinExact, short.isMaxExact], [true, true])

  const ascii = text('x'.repeat(65))
  assert.equal(ascii.min?.toString(), 'x'.repeat(64))
  assert.equal(ascii.max?.toString(), `${'x'.repeat(63)}y`)
  assert.deepEqual([ascii.isMinExact, ascii.isMaxExact], [false, false])

  const wide = text('ab日'.repeat(30))
  assert.equal(wide.min?.toString(), `${'ab日'.repeat(12)}ab`)
  assert.equal(wide.max?.toString(), `${'ab日'.repeat(12)}ac`)
  // The last code point has no successor, the one below the surrogates skips them.
  assert.equal(text(`a${'\u{10ffff}'.repeat(20)}`).max?.toString(), 'b')
  assert.equal(text('\ud7ff'.repeat(30)).max?.toString(), `${'\ud7ff'.repeat(20)}\ue000`)
  // A successor that takes more bytes is none.
  assert.equal(text('a'.repeat(63) + '\x7f'.repeat(9)).max?.toString(), `${'a'.repeat(62)}b`)
  const last = '\u{10ffff}'.repeat(30)
  assert.deepEqual([text(last).max?.toString(), text(last).isMaxExact], [last, true])

  const bytes = (value: Uint8Array) => statisticsOf(new Binary(), [value])!
  const carried = bytes(Buffer.concat([Uint8Array.of(1, 2), new Uint8Array(70).fill(255)]))
  assert.deepEqual(carried.max, Buffer.of(1, 3))
  assert.deepEqual([bytes(new Uint8Array(70).fill(255)).max?.length, carried.min?.length], [70, 64])
})

test('pages show in the page index as they are', () => {
  const rows = 1000
  const page = 100
  const whole = (i: number): number | null => (Math.floor(i / page) === 3 || i % 7 === 0 ? null : i)
  const columns: Record<string, { vector: Vector; order: string }> = {
    up: {
      vector: vectorFromArray(
        Array.from({ length: rows }, (_, i) => (whole(i) === null ? null : BigInt(i))),
        new Int64(),
      ),
      order: 'ASCENDING',
    },
    down: {
      vector: vectorFromArray(
        Array.from({ length: rows }, (_, i) => -1 - i / 2),
        new Float64(),
      ),
      order: 'DESCENDING',
    },
    mixed: {
      vector: vectorFromArray(
        Array.from({ length: rows }, (_, i) => `k${(i * 7919) % 1000}`),
        new Utf8(),
      ),
      order: 'UNORDERED',
    },
    few: {
      vector: vectorFromArray(
        Array.from({ length: rows }, (_, i) => `k${Math.floor(i / 300)}`),
        new Utf8(),
      ),
      order: 'ASCENDING',
    },
    nothing: {
      vector: makeVector(
        makeData({
          type: new Int64(),
          length: rows,
          nullBitmap: new Uint8Array(125),
          data: new BigInt64Array(rows),
        }),
      ),
      order: 'ASCENDING',
    },
    notANumber: {
      vector: vectorFromArray(
        Array.from({ length: rows }, (_, i) => (i < 150 ? Number.NaN : i)),
        new Float64(),
      ),
      order: '',
    },
  }
  const names = Object.keys(columns)
  const fields = names.map(name => new Field(name, columns[name]!.vector.type, true))
  const batch = batchOf(
    fields,
    names.map(name => columns[name]!.vector),
  )
  for (const pageVersion of [1, 2] as const) {
    const { bytes } = parquetBytes(fields, [[batch], [batch]], { pageRows: page, pageVersion })
    const file = parquetMetadata(bytes.buffer)
    const schema = parquetSchema(file)
    assert.equal(file.row_groups.length, 2)
    for (const group of file.row_groups) {
      for (const [i, chunk] of group.columns.entries()) {
        const { vector, order } = columns[names[i]!]!
        const data = chunk.meta_data!
        const read = (offset: bigint | undefined, length: number | undefined) => ({
          view: new DataView(bytes.buffer, Number(offset), length),
          offset: 0,
        })
        const offsets = readOffsetIndex(read(chunk.offset_index_offset, chunk.offset_index_length))
        assert.equal(offsets.page_locations.length, rows / page)
        let at = data.data_page_offset
        for (const [p, location] of offsets.page_locations.entries()) {
          assert.equal(location.offset, at)
          assert.equal(location.first_row_index, BigInt(p * page))
          at += BigInt(location.compressed_page_size)
        }
        const start = data.dictionary_page_offset ?? data.data_page_offset
        assert.equal(at, start + data.total_compressed_size)

        if (order === '') {
          // A page of NaN alone has no bounds, which an index cannot say.
          assert.equal(chunk.column_index_offset, undefined)
          continue
        }
        const element = schema.children[i]!.element
        const index = readColumnIndex(read(chunk.column_index_offset, chunk.column_index_length), element)
        assert.equal(index.boundary_order, order, names[i])
        for (let p = 0; p < rows / page; p++) {
          const values = [...vector.slice(p * page, (p + 1) * page)]
          const valid = values.filter(value => value !== null).sort((a, b) => (a < b ? -1 : 1))
          assert.equal(index.null_counts?.[p], BigInt(page - valid.length))
          assert.equal(index.null_pages[p], valid.length === 0)
          if (valid.length === 0) continue
          assert.equal(index.min_values[p], valid[0])
          assert.equal(index.max_values[p], valid.at(-1))
        }
      }
    }
  }
  const { bytes } = parquetBytes(fields, [[batch]], { pageIndex: false })
  const [chunk] = parquetMetadata(bytes.buffer).row_groups[0]!.columns
  assert.equal(chunk?.offset_index_offset, undefined)
  assert.equal(chunk?.column_index_offset, undefined)
})
