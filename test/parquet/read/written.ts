/**
 * Python that fills a folder with files as PyArrow, Polars and DuckDB write them, and returns their paths: every
 * type, encoding, codec and page version there is, with many pages, with and without nulls.
 */
export const WRITE_FILES = `
import pyarrow as pa, pyarrow.parquet as pq, polars, duckdb, decimal, datetime, random, os, struct

random.seed(7)
folder = input['folder']
result = []

def path(name):
    result.append(os.path.join(folder, name + '.parquet'))
    return result[-1]

def with_nulls(values, share):
    return [None if random.random() < share else value for value in values]

N = 3000
words = ['', 'a', 'naïve', '東京', '🦆', 'x' * 40] + ['word %d' % i for i in range(200)]
def ints(bits, signed=True):
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    return [low, high, 0] + [random.randint(low, high) for _ in range(N - 3)]

def digits(n): return decimal.Decimal(random.randint(-10**n + 1, 10**n - 1)).scaleb(-2, context=decimal.Context(prec=80))
def floats(): return [0.0, -0.0, float('nan'), float('inf'), -float('inf')] + [random.gauss(0, 1e6) for _ in range(N - 5)]

columns = {
    'i8': (pa.int8(), ints(8)), 'i16': (pa.int16(), ints(16)), 'i32': (pa.int32(), ints(32)), 'i64': (pa.int64(), ints(64)),
    'u8': (pa.uint8(), ints(8, False)), 'u16': (pa.uint16(), ints(16, False)),
    'u32': (pa.uint32(), ints(32, False)), 'u64': (pa.uint64(), ints(64, False)),
    'f32': (pa.float32(), floats()), 'f64': (pa.float64(), floats()), 'bool': (pa.bool_(), [random.random() < .3 for _ in range(N)]),
    'sorted': (pa.int64(), list(range(10**12, 10**12 + N * 1000, 1000))), 'same': (pa.int32(), [7] * N),
    'runs': (pa.int32(), [i // 500 for i in range(N)]), 'few': (pa.int64(), [random.choice([3, 5, 1 << 40]) for _ in range(N)]),
    'text': (pa.string(), [random.choice(words) for _ in range(N)]), 'unique': (pa.string(), ['é%d' % i for i in range(N)]),
    'bytes': (pa.binary(), [random.randbytes(random.randint(0, 30)) for _ in range(N)]),
    'prefixed': (pa.binary(), [b'https://example.org/%06d' % i for i in range(N)]),
    'fixed5': (pa.binary(5), [random.randbytes(5) for _ in range(N)]), 'fixed16': (pa.binary(16), [bytes([i % 5] * 16) for i in range(N)]),
    'dec9': (pa.decimal128(9, 2), [digits(9) for _ in range(N)]), 'dec18': (pa.decimal128(18, 2), [digits(18) for _ in range(N)]),
    'dec38': (pa.decimal128(38, 2), [digits(38) for _ in range(N)]), 'dec76': (pa.decimal256(76, 2), [digits(76) for _ in range(N)]),
    'date': (pa.date32(), [datetime.date(1, 1, 1) + datetime.timedelta(random.randrange(3650000)) for _ in range(N)]),
    'time_ms': (pa.time32('ms'), [random.randrange(86400000) for _ in range(N)]),
    'time_us': (pa.time64('us'), [random.randrange(86400000000) for _ in range(N)]),
    'time_ns': (pa.time64('ns'), [random.randrange(86400000000000) for _ in range(N)]),
    'ts_s': (pa.timestamp('s'), [random.randrange(-10**10, 10**10) for _ in range(N)]),
    'ts_ms': (pa.timestamp('ms'), [random.randrange(-10**13, 10**13) for _ in range(N)]),
    'ts_us': (pa.timestamp('us', 'UTC'), [random.randrange(-10**16, 10**16) for _ in range(N)]),
    'ts_ns': (pa.timestamp('ns', 'Europe/Berlin'), [random.randrange(-10**18, 10**18) for _ in range(N)]),
    'duration': (pa.duration('ns'), ints(63)), 'null': (pa.null(), [None] * N), 'all_null': (pa.string(), [None] * N),
}
for name in ('__proto__', 'constructor', 'a.b', '', 'ü 🦆'): columns[name] = (pa.int32(), ints(32))

def table(share):
    fields, arrays = [], []
    for name, (type, values) in columns.items():
        arrays.append(pa.array(with_nulls(values, share), type))
        fields.append(pa.field(name, type, share > 0 or arrays[-1].null_count > 0))
    arrays.append(pa.array([struct.pack('<e', v if abs(v) < 6e4 else 1.5) for v in floats()], pa.binary(2)).view(pa.float16()))
    fields.append(pa.field('f16', pa.float16(), False))
    return pa.table(arrays, schema=pa.schema(fields))

full, holes, sparse = table(0), table(.2), table(.97)
small = dict(data_page_size=2000, write_batch_size=100)

for codec in ('none', 'snappy', 'gzip', 'brotli', 'lz4', 'zstd'):
    for version in ('1.0', '2.0'):
        pq.write_table(holes, path(f'pyarrow-{codec}-v{version}'), compression=codec, data_page_version=version,
            write_page_checksum=True, row_group_size=1700, **small)
for version in ('1.0', '2.0'):
    for label, data in (('full', full), ('holes', holes), ('sparse', sparse)):
        pq.write_table(data, path(f'pyarrow-plain-{label}-v{version}'), use_dictionary=False, data_page_version=version, **small)
        pq.write_table(data, path(f'pyarrow-dictionary-{label}-v{version}'), data_page_version=version)
        pq.write_table(data, path(f'pyarrow-dictionary-overflows-{label}-v{version}'), data_page_version=version,
            dictionary_pagesize_limit=600, **small)
        encodings = {
            'DELTA_BINARY_PACKED': [n for n, t in columns.items() if pa.types.is_integer(t[0]) or pa.types.is_temporal(t[0])],
            'DELTA_LENGTH_BYTE_ARRAY': ['text', 'unique', 'bytes', 'prefixed', 'all_null'],
            'DELTA_BYTE_ARRAY': ['text', 'unique', 'bytes', 'prefixed', 'fixed5', 'fixed16', 'dec38', 'f16'],
            'BYTE_STREAM_SPLIT': ['i32', 'i64', 'u32', 'f32', 'f64', 'fixed5', 'fixed16', 'dec18', 'dec38', 'f16', 'ts_ns'],
            'RLE': ['bool'],
        }
        for encoding, names in encodings.items():
            names = [n for n in names if n != 'a.b']  # a path to PyArrow's writer
            pq.write_table(data.select(names), path(f'pyarrow-{encoding}-{label}-v{version}'), use_dictionary=False,
                column_encoding={n: encoding for n in names}, data_page_version=version, **small)
pq.write_table(full.select(['ts_s', 'ts_ns']), path('pyarrow-int96'), use_deprecated_int96_timestamps=True)
pq.write_table(holes.select(['dec9', 'dec18']), path('pyarrow-decimal-as-integer'), store_decimal_as_integer=True)
pq.write_table(full.slice(0, 0), path('pyarrow-no-rows'))
pq.write_table(full.select([]).slice(0, 0), path('pyarrow-nothing'))
pq.write_table(full.slice(0, 1), path('pyarrow-one-row'))
nested = pa.table({
    'list': pa.array(with_nulls([[1, None, 3], [], [4]] * (N // 3), .1), pa.list_(pa.int64())),
    'struct': pa.array(with_nulls([{'a': 1, 'b': 'x'}, {'a': None, 'b': None}] * (N // 2), .1), pa.struct([('a', pa.int32()), ('b', pa.string())])),
    'map': pa.array(with_nulls([[('k', 1)], []] * (N // 2), .1), pa.map_(pa.string(), pa.float64())),
    'deep': pa.array([[[{'a': [datetime.datetime(2020, 1, 1)]}], None]] * N, pa.list_(pa.list_(pa.struct([('a', pa.list_(pa.timestamp('us', 'UTC')))])))),
    'decimals': pa.array([[decimal.Decimal('1.25')]] * N, pa.list_(pa.decimal128(20, 2))),
    'flat': pa.array(range(N)),
})
for version in ('1.0', '2.0'):
    pq.write_table(nested, path(f'pyarrow-nested-v{version}'), data_page_version=version, row_group_size=1000, **small)

frame = polars.from_arrow(holes.drop_columns(['null', 'dec76', 'f16', 'duration']))
for codec in ('uncompressed', 'snappy', 'gzip', 'brotli', 'lz4', 'zstd'):
    frame.write_parquet(path(f'polars-{codec}'), compression=codec, data_page_size=2000, row_group_size=1700)

db = duckdb.connect()
db.execute('SET enable_progress_bar = false')
db.execute('''CREATE TABLE t AS SELECT i, i::TINYINT % 100 AS tiny, (i % 7)::UTINYINT AS utiny, i::UBIGINT AS ubig, i::HUGEINT AS huge,
    i / 7 AS double, (i / 7)::FLOAT AS float, i % 3 = 0 AS flag, 'text ' || i % 50 AS text, 'unique ' || i AS unique,
    ('blob' || i)::BLOB AS blob, i::DECIMAL(4, 1) AS d4, i::DECIMAL(9, 2) AS d9, i::DECIMAL(18, 3) AS d18, i::DECIMAL(38, 4) AS d38,
    DATE '2000-01-01' + i::INT AS date, TIME '01:02:03' + to_microseconds(i) AS time, TIMESTAMP '2000-01-01' + to_seconds(i) AS ts,
    (TIMESTAMP '2000-01-01' + to_seconds(i))::TIMESTAMPTZ AS tstz, make_timestamp_ns(i * 1000003) AS ts_ns, epoch_ms(i)::TIMESTAMP_MS AS ts_ms,
    uuid() AS uuid, to_days(i::INT) AS interval, ('v' || i % 3)::ENUM('v0', 'v1', 'v2') AS enum, ('{"i":' || i || '}')::JSON AS json,
    CASE WHEN i % 5 > 0 THEN i END AS holes, CASE WHEN i % 5 > 0 THEN 't' || i % 9 END AS text_holes,
    [i, NULL, 3] AS list, {'a': i, 'b': 'x'} AS struct, MAP {'k': i} AS map
    FROM range(100) AS small(i)''')
db.execute('CREATE TABLE wide AS SELECT i, i // 100 AS runs, i * 1000 AS step, hash(i) AS hash, hash(i) % 1000 AS few, i / 3 AS third,'
    "'t' || hash(i) % 300 AS text, 'u' || hash(i) AS unique, CASE WHEN hash(i) % 4 > 0 THEN i END AS holes FROM range(50000) AS big(i)")
for codec in ('uncompressed', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4_raw'):
    for version in ('V1', 'V2'):
        for name in ('t',) if codec == 'brotli' else ('t', 'wide'): # DuckDB's brotli takes ten seconds
            db.execute(f"COPY {name} TO '{path(f'duckdb-{name}-{codec}-{version}')}' (FORMAT parquet, CODEC {codec}, PARQUET_VERSION {version})")
`
