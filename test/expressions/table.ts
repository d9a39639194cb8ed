import {
  Bool,
  type Data,
  type DataType,
  DateDay,
  Decimal,
  Dictionary,
  Field,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  makeData,
  type RecordBatch,
  Schema,
  Timestamp,
  TimeUnit,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Utf8,
  Vector,
  vectorFromArray,
} from 'apache-arrow'
import { makeBatch } from '../../src/core/batch.ts'
import { formatDate, formatTimestamp } from '../../src/core/expressions/temporal.ts'
import { reprOf, unitNanos } from '../../src/core/expressions/types.ts'
import { decimalText } from '../../src/core/expressions/value-text.ts'

/** A value of a test column: integers and what is counted in integers as bigints, as in `ColumnBounds`. */
export type Cell = bigint | number | boolean | string | null

export interface TestColumn {
  name: string
  type: DataType
  /** DuckDB's name for the type. */
  sql: string
  cells: Cell[]
}

const I64 = 2n ** 63n
const micro = (text: string) => BigInt(Date.parse(`${text}Z`)) * 1000n

/** Columns of every type that expressions compute with, with nulls and the awkward values of each. */
export const COLUMNS: readonly TestColumn[] = [
  column('i8', new Int8(), 'TINYINT', [0n, 1n, -1n, 127n, -128n, null, 5n]),
  column('i16', new Int16(), 'SMALLINT', [0n, 1n, null, 32767n, -32768n, -7n]),
  column('i32', new Int32(), 'INTEGER', [0n, 1n, 2n, null, -1n, 2147483647n, -2147483648n, 42n, 3n]),
  column('i64', new Int64(), 'BIGINT', [
    0n,
    null,
    1n,
    -1n,
    I64 - 1n,
    -I64,
    9007199254740993n,
    -9007199254740993n,
    3n,
  ]),
  column('u8', new Uint8(), 'UTINYINT', [0n, 1n, 255n, null, 128n]),
  column('u16', new Uint16(), 'USMALLINT', [0n, 65535n, null, 3n]),
  column('u32', new Uint32(), 'UINTEGER', [0n, null, 4294967295n, 2147483648n, 7n]),
  column('u64', new Uint64(), 'UBIGINT', [0n, 1n, 2n * I64 - 1n, null, I64, 9007199254740993n]),
  column('f32', new Float32(), 'FLOAT', [
    0,
    -0,
    1.5,
    Number.NaN,
    null,
    Infinity,
    -Infinity,
    Math.fround(0.1),
    -3,
  ]),
  column('f64', new Float64(), 'DOUBLE', [
    0,
    -0,
    0.1,
    null,
    Number.NaN,
    Infinity,
    -Infinity,
    1e300,
    -2.5,
    3,
    2 ** 53,
    5e-324,
  ]),
  column('flag', new Bool(), 'BOOLEAN', [true, false, null]),
  column('text', new Utf8(), 'VARCHAR', [
    '',
    'a',
    'abc',
    null,
    'ABC',
    'a%b',
    'é',
    'zürich',
    '日本語',
    '😀x',
    'a_b',
    'abcabcabd',
    "it's",
    'Ab',
  ]),
  column('when', new DateDay(), 'DATE', [0n, -1n, 20_000n, null, 19_782n, -40_000n, 11_016n, 59n, 80_000n]),
  column('at', new Timestamp(TimeUnit.MICROSECOND, null), 'TIMESTAMP', [
    0n,
    -1n,
    micro('2024-02-29T23:59:59.999'),
    null,
    micro('1969-12-31T12:00:00') + 7n,
    micro('2000-01-01T00:00:00'),
    micro('2024-12-30T01:02:03'),
  ]),
  column('ms', new Timestamp(TimeUnit.MILLISECOND, null), 'TIMESTAMP_MS', [
    0n,
    -1n,
    null,
    1_709_251_199_999n,
    946_684_800_000n,
  ]),
  column('ns', new Timestamp(TimeUnit.NANOSECOND, null), 'TIMESTAMP_NS', [
    0n,
    1n,
    // Whole microseconds before 1970: DuckDB takes parts of others from the microsecond after.
    -1000n,
    null,
    1_709_251_199_999_999_999n,
  ]),
  column('price', new Decimal(2, 10), 'DECIMAL(10,2)', [
    0n,
    1n,
    -1000n,
    150n,
    9_999_999_999n,
    null,
    -12_345n,
  ]),
  column('exact', new Decimal(5, 38), 'DECIMAL(38,5)', [
    0n,
    null,
    10n ** 37n,
    -(10n ** 37n),
    150_000n,
    1n,
    123_456_789_012_345_678_901_234n,
  ]),
]

/** Rows in which each column goes through its own cells in an order of its own. */
export const ROWS = 131

export const SCHEMA: Schema = new Schema(COLUMNS.map(({ name, type }) => new Field(name, type, true)))

export function cellAt({ cells, name }: TestColumn, row: number): Cell {
  const start = name.charCodeAt(0) + name.length
  return cells[(row * (row % 3 === 0 ? 1 : 5) + start + Math.floor(row / cells.length)) % cells.length]!
}

export function plainBatch(): RecordBatch {
  return batchOf(({ type }, cells) => dataOf(type, cells))
}

/** The same rows, every column that can be one a dictionary. */
export function dictionaryBatch(): RecordBatch {
  return batchOf(({ type }, cells) => {
    const values = [...new Map(cells.filter(cell => cell !== null).map(cell => [key(cell), cell])).values()]
    const codes = vectorFromArray(
      cells.map(cell => (cell === null ? null : values.findIndex(value => key(value) === key(cell)))),
      new Int32(),
    ).data[0]!
    return makeData({
      type: new Dictionary(type, new Int32()),
      length: cells.length,
      nullCount: codes.nullCount,
      nullBitmap: codes.nullBitmap,
      data: codes.values,
      dictionary: new Vector([dataOf(type, values)]),
    }) as Data
  })
}

/** The same rows, columns being parts of longer ones that do not begin on a byte of their bitmaps. */
export function slicedBatch(): RecordBatch {
  return batchOf(({ type, cells: all }, cells) => {
    const padding = [all[0]!, null, all[0]!]
    return dataOf(type, [...padding, ...cells, ...padding]).slice(3, cells.length)
  })
}

/** One value of a result as text, alike for every way of writing the same value. */
export function shown(type: DataType, data: Data, row: number): string {
  if (!data.getValid(row)) return 'null'
  if (data.dictionary !== undefined) {
    return shown(type, data.dictionary.data[0]!, (data.values as Int32Array)[row]!)
  }
  const repr = reprOf(type)
  if (repr === 'bool')
    return String(((data.values as Uint8Array)[(data.offset + row) >> 3]! >> ((data.offset + row) & 7)) & 1)
  if (repr === 'bytes') {
    const offsets = data.valueOffsets as Int32Array
    return `'${Buffer.from((data.values as Uint8Array).subarray(offsets[row], offsets[row + 1])).toString()}'`
  }
  if (repr === 'i128') {
    const words = data.values as Uint32Array
    const value = [3, 2, 1, 0].reduce((sum, index) => (sum << 32n) | BigInt(words[row * 4 + index]!), 0n)
    return trimmed(decimalText(BigInt.asIntN(128, value), (type as Decimal).scale))
  }
  const value = (data.values as BigInt64Array | Float64Array)[row]!
  if (type instanceof DateDay) return formatDate(Number(value))
  if (type instanceof Timestamp) return instant(formatTimestamp(BigInt(value) * unitNanos(type)))
  return Object.is(value, -0) ? '-0' : String(value)
}

/** The same of what DuckDB gave. */
export function shownBy(type: DataType, value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'boolean') return value ? '1' : '0'
  if (typeof value === 'string') {
    if (type instanceof Utf8) return `'${value}'`
    return type instanceof Decimal ? trimmed(value) : instant(value)
  }
  return Object.is(value, -0) ? '-0' : String(value)
}

/** SQL that makes DuckDB's table `t` of the same rows, with their numbers. */
export function tableSql(): string {
  const rows = Array.from({ length: ROWS }, (_, row) => {
    const values = COLUMNS.map(column => {
      const cell = cellAt(column, row)
      if (cell === null) return 'NULL'
      const text =
        reprOf(column.type) === 'i128'
          ? decimalText(cell as bigint, (column.type as Decimal).scale)
          : temporalText(column.type, cell)
      return `'${text.replaceAll("'", "''")}'::${column.sql}`
    })
    return `(${row}, ${values.join(', ')})`
  })
  return `CREATE TABLE t AS SELECT * FROM (VALUES ${rows.join(',\n')}) AS v(row_number, ${COLUMNS.map(({ name }) => `"${name}"`).join(', ')})`
}

function column(name: string, type: DataType, sql: string, cells: Cell[]): TestColumn {
  return { name, type, sql, cells }
}

function batchOf(make: (column: TestColumn, cells: Cell[]) => Data): RecordBatch {
  const columns = COLUMNS.map(column =>
    make(
      column,
      Array.from({ length: ROWS }, (_, row) => cellAt(column, row)),
    ),
  )
  return makeBatch(SCHEMA.fields, columns, ROWS)
}

/** Arrow data from cells, by the memory layout alone. */
function dataOf(type: DataType, cells: readonly Cell[]): Data {
  const repr = reprOf(type)
  const rows = cells.length
  const nullBitmap = new Uint8Array(Math.ceil(rows / 8) + 1)
  cells.forEach((cell, row) => {
    if (cell !== null) nullBitmap[row >> 3]! |= 1 << (row & 7)
  })
  const nullCount = cells.filter(cell => cell === null).length
  const nulls = { length: rows, nullCount, nullBitmap: nullCount === 0 ? null : nullBitmap }
  if (repr === 'bytes') {
    const texts = cells.map(cell => Buffer.from(cell === null ? '' : String(cell)))
    const valueOffsets = new Int32Array(rows + 1)
    texts.forEach((text, row) => {
      valueOffsets[row + 1] = valueOffsets[row]! + text.length
    })
    return makeData({ type: type as Utf8, ...nulls, valueOffsets, data: Buffer.concat(texts) }) as Data
  }
  if (repr === 'bool') {
    const data = new Uint8Array(Math.ceil(rows / 8) + 1)
    cells.forEach((cell, row) => {
      if (cell === true) data[row >> 3]! |= 1 << (row & 7)
    })
    return makeData({ type: type as Bool, ...nulls, data }) as Data
  }
  if (repr === 'i128') {
    const data = new Uint32Array(rows * 4)
    cells.forEach((cell, row) => {
      const bits = BigInt.asUintN(128, (cell as bigint | null) ?? 77n)
      for (let k = 0; k < 4; k++) data[row * 4 + k] = Number((bits >> BigInt(32 * k)) & 0xffffffffn)
    })
    return makeData({ type: type as Decimal, ...nulls, data }) as Data
  }
  const data = new (type.ArrayType as Float64ArrayConstructor)(rows)
  const big = data instanceof BigInt64Array || data instanceof BigUint64Array
  cells.forEach((cell, row) => {
    // Garbage under the nulls, that nothing may look at.
    const value = cell ?? (repr.startsWith('f') ? 1e308 : repr === 'i64' ? I64 - 1n : 99n)
    data[row] = (big ? value : Number(value)) as number
  })
  return makeData({ type: type as Float64, ...nulls, data } as never) as Data
}

function key(cell: Cell): string {
  return Object.is(cell, -0) ? '-0' : String(cell)
}

function temporalText(type: DataType, cell: Exclude<Cell, null>): string {
  if (type instanceof DateDay) return formatDate(Number(cell))
  if (type instanceof Timestamp) return formatTimestamp((cell as bigint) * unitNanos(type))
  return Object.is(cell, -0) ? '-0.0' : String(cell)
}

function trimmed(text: string): string {
  const short = text.includes('.') ? text.replace(/\.?0+$/, '') : text
  return short === '-0' ? '0' : short
}

function instant(text: string): string {
  return (text.includes('.') ? text.replace(/\.?0+$/, '') : text).replace(/ 00:00:00$/, '')
}
