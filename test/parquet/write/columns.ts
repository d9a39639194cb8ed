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
  Float16,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  LargeBinary,
  LargeUtf8,
  makeData,
  makeVector,
  Null,
  TimeMicrosecond,
  TimeMillisecond,
  TimeNanosecond,
  TimeSecond,
  TimestampMicrosecond,
  TimestampMillisecond,
  TimestampNanosecond,
  TimestampSecond,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Utf8,
} from 'apache-arrow'

/** A kind of column: its Arrow type, PyArrow's name for what is read back, and its values. */
export interface Kind {
  type: DataType
  /** Type as PyArrow reads it. */
  read: string
  /** Parquet's annotation, where Arrow has no type. */
  logicalType?: string
  /** Values number 0 to n - 1, the extremes of the type among the first. */
  values(n: number): { data: ArrayBufferView; valueOffsets?: ArrayBufferView }
}

const numbers =
  <T extends ArrayBufferView>(
    View: { from(values: number[]): T },
    edges: number[],
    next: (i: number) => number,
  ) =>
  (n: number) => ({ data: View.from(Array.from({ length: n }, (_, i) => edges[i] ?? next(i))) })

const bigints =
  (View: { from(values: bigint[]): ArrayBufferView }, edges: bigint[], next: (i: bigint) => bigint) =>
  (n: number) => ({ data: View.from(Array.from({ length: n }, (_, i) => edges[i] ?? next(BigInt(i)))) })

/** Spread over the range, reproducible. */
const scatter = (i: number): number => (Math.imul(i + 1, 0x9e3779b1) >>> 0) % 100_000
const scatter64 = (i: bigint): bigint => BigInt.asIntN(64, (i + 1n) * 0x9e3779b97f4a7c15n)

const strings =
  (text: (i: number) => string | Uint8Array, large = false) =>
  (n: number) => {
    const parts = Array.from({ length: n }, (_, i) => Buffer.from(text(i)))
    const ends = parts.map(
      (
        sum => part =>
          (sum += part.length)
      )(0),
    )
    const valueOffsets = large ? BigInt64Array.from([0, ...ends], BigInt) : Int32Array.from([0, ...ends])
    return { data: new Uint8Array(Buffer.concat(parts)), valueOffsets }
  }

const WORDS = ['', 'a', 'Zürich', '日本', '\u{10ffff}', 'ß'.repeat(40), `${'\u{10ffff}'.repeat(20)}x`]
const text = (i: number): string => WORDS[i] ?? `value ${scatter(i)}`
const binary = (i: number): Uint8Array => {
  if (i === 0) return new Uint8Array(80).fill(0xff)
  return Uint8Array.from({ length: i % 90 }, (_, k) => i * 7 + k * 3)
}
const raw = (width: number) => (n: number) => ({
  data: Uint8Array.from({ length: n * width }, (_, i) => (i < width ? 255 : scatter(i))),
})

/** Decimals as little-endian two's complement, up to the greatest of the precision. */
const decimals = (precision: number, bits: 128 | 256) => (n: number) => {
  const most = 10n ** BigInt(precision) - 1n
  const words = new BigUint64Array((n * bits) / 64)
  const edges = [most, -most, 0n, -1n, 255n, -256n]
  for (let i = 0; i < n; i++) {
    const value = edges[i] ?? scatter64(BigInt(i)) ** 5n % most
    for (let w = 0; w < bits / 64; w++) {
      words[(i * bits) / 64 + w] = BigInt.asUintN(64, value >> BigInt(64 * w))
    }
  }
  return { data: new Uint32Array(words.buffer) }
}

const decimal = (precision: number, scale: number, bits: 128 | 256 = 128): Kind => ({
  type: new Decimal(scale, precision, bits),
  read: `decimal${precision > 38 ? 256 : 128}(${precision}, ${scale})`,
  values: decimals(precision, bits),
})

const int = (most: bigint) => bigints(BigInt64Array, [most, -most, 0n, -1n, 1n], i => scatter64(i) % most)
const DAY = 86_400
const time = (units: number) =>
  units < 1e6
    ? numbers(Int32Array, [0, DAY * units - 1], i => (scatter(i) * 7) % (DAY * units))
    : bigints(BigInt64Array, [0n, BigInt(DAY * units) - 1n], i => {
        const value = scatter64(i) % BigInt(DAY * units)
        return value < 0n ? -value : value
      })

/** Every flat type. */
export const KINDS: Record<string, Kind> = {
  int8: { type: new Int8(), read: 'int8', values: numbers(Int8Array, [127, -128], scatter) },
  int16: { type: new Int16(), read: 'int16', values: numbers(Int16Array, [32767, -32768], scatter) },
  int32: {
    type: new Int32(),
    read: 'int32',
    values: numbers(Int32Array, [2 ** 31 - 1, -(2 ** 31)], i => i * 3),
  },
  int64: { type: new Int64(), read: 'int64', values: int(2n ** 63n - 1n) },
  uint8: { type: new Uint8(), read: 'uint8', values: numbers(Uint8Array, [255, 0], scatter) },
  uint16: { type: new Uint16(), read: 'uint16', values: numbers(Uint16Array, [65535, 0], scatter) },
  uint32: { type: new Uint32(), read: 'uint32', values: numbers(Uint32Array, [2 ** 32 - 1, 0], scatter) },
  uint64: {
    type: new Uint64(),
    read: 'uint64',
    values: bigints(BigUint64Array, [2n ** 64n - 1n, 0n, 2n ** 63n], i => BigInt.asUintN(64, scatter64(i))),
  },
  float16: {
    type: new Float16(),
    read: 'halffloat',
    values: numbers(Uint16Array, [0x8000, 0, 0x7e00, 0x7c00, 0xfc00, 1], i => 0x3c00 + (i % 1000)),
  },
  float32: {
    type: new Float32(),
    read: 'float',
    values: numbers(Float32Array, [-0, 0, Number.NaN, Number.POSITIVE_INFINITY, -1e38], i => Math.sin(i)),
  },
  float64: {
    type: new Float64(),
    read: 'double',
    values: numbers(Float64Array, [-0, 0, Number.NaN, Number.POSITIVE_INFINITY, -1e308], i => Math.sin(i)),
  },
  bool: { type: new Bool(), read: 'bool', values: n => raw(1)(Math.ceil(n / 8)) },
  utf8: { type: new Utf8(), read: 'string', values: strings(text) },
  few: { type: new Utf8(), read: 'string', values: strings(i => `word ${i % 7}`) },
  one: { type: new Utf8(), read: 'string', values: strings(() => 'the same') },
  largeUtf8: { type: new LargeUtf8(), read: 'string', values: strings(text, true) },
  binary: { type: new Binary(), read: 'binary', values: strings(binary) },
  largeBinary: { type: new LargeBinary(), read: 'binary', values: strings(binary, true) },
  fixed1: { type: new FixedSizeBinary(1), read: 'fixed_size_binary[1]', values: raw(1) },
  fixed4: { type: new FixedSizeBinary(4), read: 'fixed_size_binary[4]', values: raw(4) },
  fixed100: { type: new FixedSizeBinary(100), read: 'fixed_size_binary[100]', values: raw(100) },
  decimal5: decimal(5, 2),
  decimal9: decimal(9, 9),
  decimal18: decimal(18, 0),
  decimal19: decimal(19, 4),
  decimal38: decimal(38, 10),
  decimal12of256: decimal(12, 3, 256),
  decimal76: decimal(76, 30, 256),
  dateDay: {
    type: new DateDay(),
    read: 'date32[day]',
    values: numbers(Int32Array, [-719162, 2932896], scatter),
  },
  dateMillisecond: {
    type: new DateMillisecond(),
    read: 'date32[day]',
    values: bigints(BigInt64Array, [-86_400_000n, 0n], i => 86_400_000n * (i % 400n)),
  },
  timeSecond: { type: new TimeSecond(), read: 'time32[ms]', values: time(1) },
  timeMillisecond: { type: new TimeMillisecond(), read: 'time32[ms]', values: time(1e3) },
  timeMicrosecond: { type: new TimeMicrosecond(), read: 'time64[us]', values: time(1e6) },
  timeNanosecond: { type: new TimeNanosecond(), read: 'time64[ns]', values: time(1e9) },
  timestampSecond: { type: new TimestampSecond(), read: 'timestamp[ms]', values: int(10n ** 10n) },
  timestampMillisecond: {
    type: new TimestampMillisecond('UTC'),
    read: 'timestamp[ms, tz=UTC]',
    values: int(10n ** 13n),
  },
  timestampMicrosecond: { type: new TimestampMicrosecond(), read: 'timestamp[us]', values: int(10n ** 16n) },
  timestampNanosecond: {
    type: new TimestampNanosecond('UTC'),
    read: 'timestamp[ns, tz=UTC]',
    values: int(2n ** 62n),
  },
  json: { type: new Utf8(), read: 'json', logicalType: 'JSON', values: strings(i => `{"i": ${i % 90}}`) },
  enum: { type: new Utf8(), read: 'binary', logicalType: 'ENUM', values: strings(i => `E${i % 5}`) },
  bson: { type: new Binary(), read: 'binary', logicalType: 'BSON', values: strings(binary) },
  uuid: { type: new FixedSizeBinary(16), read: 'uuid', logicalType: 'UUID', values: raw(16) },
  null: { type: new Null(), read: 'null', values: () => ({ data: new Uint8Array(0) }) },
}

export type Nulls = 'required' | 'some' | 'runs' | 'all'

/** A column of `rows` rows, plain. */
export function plainColumn(kind: Kind, rows: number, nulls: Nulls): Data {
  const valid = (i: number): boolean =>
    nulls === 'required' || (nulls === 'some' ? i % 3 !== 1 : nulls === 'runs' ? i % 200 < 90 : false)
  return makeData({
    type: kind.type,
    length: rows,
    ...(nulls === 'required' ? {} : { nullBitmap: bitmap(rows, valid) }),
    ...kind.values(rows),
  } as Parameters<typeof makeData>[0])
}

/** A column of `rows` codes of a dictionary of `entries` values, of which one may be null. */
export function codedColumn(
  kind: Kind,
  rows: number,
  nulls: Nulls,
  entries: number,
  nullEntry = false,
): Data {
  const dictionary = makeData({
    type: kind.type,
    length: entries,
    ...(nullEntry ? { nullBitmap: bitmap(entries, i => i !== 1) } : {}),
    ...kind.values(entries),
  } as Parameters<typeof makeData>[0])
  const codes = plainColumn(
    { ...KINDS['int32']!, values: numbers(Int32Array, [], i => scatter(i) % entries) },
    rows,
    nulls,
  )
  return makeData({
    type: new Dictionary(kind.type, new Int32()),
    length: rows,
    nullBitmap: codes.nullBitmap,
    data: codes.values,
    dictionary: makeVector(dictionary),
  })
}

function bitmap(rows: number, valid: (i: number) => boolean): Uint8Array {
  const bits = new Uint8Array(Math.ceil(rows / 8))
  for (let i = 0; i < rows; i++) if (valid(i)) bits[i >> 3]! |= 1 << (i & 7)
  return bits
}

/** The field of a kind of column. */
export function fieldOf(name: string, kind: Kind, nullable: boolean): Field {
  const metadata = kind.logicalType === undefined ? [] : [['PARQUET:logicalType', kind.logicalType] as const]
  return new Field(name, kind.type, nullable, new Map(metadata))
}
