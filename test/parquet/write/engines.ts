import type { ColumnEncoding } from '../../../src/parquet/write-options.ts'
import { KINDS } from './columns.ts'

/** DuckDB refuses files with BSON in them. */
export const COMMON: readonly string[] = Object.keys(KINDS).filter(key => key !== 'bson')

const INTEGERS = COMMON.filter(key => /^(u?int|date|time)|^decimal(5|9|18|12)/.test(key))
const BYTES = ['utf8', 'few', 'largeUtf8', 'binary', 'largeBinary', 'json']
const FIXED = COMMON.filter(key => !BYTES.includes(key) && !/bool|null|one|enum|bson/.test(key))
/** Encodings, and the kinds of columns that have them. */
export const ENCODINGS: readonly (readonly [ColumnEncoding, readonly string[]])[] = [
  ['PLAIN', COMMON],
  ['RLE', ['bool']],
  ['RLE_DICTIONARY', [...FIXED, ...BYTES, 'one']],
  ['DELTA_BINARY_PACKED', INTEGERS],
  ['DELTA_LENGTH_BYTE_ARRAY', BYTES],
  ['DELTA_BYTE_ARRAY', BYTES],
  ['BYTE_STREAM_SPLIT', FIXED],
]

/**
 * PyArrow's reading of each file against the Arrow stream of what went in; then Polars' and DuckDB's reading
 * against PyArrow's. `result` lists what differs.
 */
export const READ_BY_ENGINES = `
  import duckdb, polars as pl, pyarrow as pa, pyarrow.compute as pc, pyarrow.parquet as pq
  INTEGERS = {pa.float16(): pa.int16(), pa.float32(): pa.int32(), pa.float64(): pa.int64()}

  def plain(column):
      array = column.combine_chunks()
      if isinstance(array, pa.ChunkedArray):
          array = array.chunk(0) if array.num_chunks else pa.array([], array.type)
      if isinstance(array.type, pa.DictionaryType): array = array.dictionary_decode()
      if isinstance(array.type, pa.BaseExtensionType): array = array.storage
      return array

  def cast(array, type):
      if pa.types.is_fixed_size_binary(type) and pa.types.is_string(array.type):  # DuckDB's UUIDs are text
          return pa.array([value and uuid.UUID(value).bytes for value in array.to_pylist()], type)
      return array if array.type == type else array.cast(type)

  def same(got, want):
      if not got.is_null().equals(want.is_null()): return False
      got, want = got.drop_null(), want.drop_null()
      bits = INTEGERS.get(got.type)
      return (got.view(bits) if bits else got).equals(want.view(bits) if bits else want)

  def read_polars(path, names):
      frame = pl.read_parquet(path, columns=names)
      return pa.table({name: frame[name].to_arrow() for name in names})

  def read_duckdb(path, names):
      columns = ', '.join(f'"{name}"' for name in names)
      return duckdb.sql(f"SELECT {columns} FROM read_parquet('{path}')").to_arrow_table()

  def check(file):
      want = pa.ipc.open_stream(file['ipc']).read_all()
      got = pq.read_table(file['parquet'], page_checksum_verification=True, arrow_extensions_enabled=True)
      for i, column in enumerate(file['columns']):
          values = got.column(i)
          if got.column_names[i] != column['name']: yield f'named {got.column_names[i]}'
          if got.schema.field(i).nullable != column['nullable']: yield f"{column['name']}: nullable"
          kind = str(values.type).replace('extension<arrow.', '').replace('>', '')
          if kind != column['read'] and not kind.startswith(column['read'] + '['): yield f"{column['name']}: read as {kind}"
          array, expected = plain(values), plain(want.column(i))
          if not same(array, cast(expected, array.type)): yield f"{column['name']}: PyArrow differs"
      # Neither reads decimals of 256 bits, nor BYTE_STREAM_SPLIT of byte arrays.
      unread = ('decimal76',)
      if file['name'].startswith('BYTE_STREAM_SPLIT'): unread += ('fixed', 'uuid', 'float16', 'decimal19', 'decimal38')
      for engine, read in (('Polars', read_polars), ('DuckDB', read_duckdb)):
          if engine == 'DuckDB' and file['name'].startswith('BSON'): continue
          names = [column['name'] for column in file['columns'] if not column['name'].startswith(unread)]
          if not names: continue
          table = read(file['parquet'], names)
          for name in names:
              try:
                  array, expected = plain(table[name]), plain(got[name])
                  if pa.types.is_null(expected.type): expected = cast(expected, array.type)
                  if not same(cast(array, expected.type), expected): yield f'{name}: {engine} differs'
              except pa.ArrowException as error: yield f'{name}: {engine} reads {table[name].type}, {error}'

  result = []
  for file in input:
      result += [f"{file['name']}: {problem}" for problem in check(file)]
`
