import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { openStore, parquetFile, source } from '../../src/index.ts'
import { cases } from '../support/cases.ts'
import { noPython, python } from '../support/python.ts'
import { tempFolder } from '../support/temp.ts'

const part = fc.record({
  /** Beyond 2047 pages are copied rather than gathered. */
  rows: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 60 }) }, fc.constantFrom(700, 2500)),
  nulls: fc.constantFrom(0, 0.2, 1),
  nullable: fc.boolean(),
  distinct: fc.constantFrom(1, 5, 300, 1_000_000),
  /** Where its values begin: parts have all, some or none in common. */
  from: fc.constantFrom(0, 0, 3, 1000),
})

const dataset = fc.record({
  seed: fc.integer({ min: 0, max: 1e9 }),
  types: fc.uniqueArray(
    fc.constantFrom(
      'bool',
      'int8',
      'int32',
      'uint32',
      'int64',
      'uint64',
      'float',
      'double',
      'string',
      'binary',
    ),
    { minLength: 1, maxLength: 4 },
  ),
  other: fc.constantFrom('fixed', 'decimal9', 'decimal38', 'date', 'timestamp', 'time'),
  parts: fc.array(part, { minLength: 2, maxLength: 12 }),
  compression: fc.constantFrom('none', 'snappy', 'gzip', 'zstd', 'lz4', 'brotli'),
  version: fc.constantFrom('1.0', '2.0'),
  pageSize: fc.constantFrom(100, 2000, 1 << 20),
  /** Bytes at which a dictionary is given up, in the middle of a chunk; 0 for none from the start. */
  dictionary: fc.constantFrom(0, 100, 1 << 20, 1 << 20),
  encoding: fc.constantFrom('', '', 'delta', 'split'),
  checksum: fc.boolean(),
})

const WRITE = `
  import decimal, os, random, pyarrow as pa, pyarrow.parquet as pq
  TYPES = {
    'bool': (pa.bool_(), lambda k: k % 2 == 0), 'int8': (pa.int8(), lambda k: k % 200 - 100),
    'int32': (pa.int32(), lambda k: k * 7 - 1000), 'uint32': (pa.uint32(), lambda k: 2**32 - 1 - k),
    'int64': (pa.int64(), lambda k: k * 10**12 - 5), 'uint64': (pa.uint64(), lambda k: 2**64 - 1 - k),
    'float': (pa.float32(), lambda k: k / 4 - 9), 'double': (pa.float64(), lambda k: -0.0 if k == 3 else k / 8 - 9),
    'string': (pa.string(), lambda k: '' if k == 2 else f'välue {k}'),
    'binary': (pa.binary(), lambda k: bytes([k % 256]) * (k % 9)),
    'fixed': (pa.binary(5), lambda k: k.to_bytes(5, 'big')),
    'decimal9': (pa.decimal128(9, 2), lambda k: decimal.Decimal(k) / 4 if k % 2 == 0 else decimal.Decimal(-k)),
    'decimal38': (pa.decimal128(38, 0), lambda k: decimal.Decimal(k * 10**25)),
    'date': (pa.date32(), lambda k: k), 'timestamp': (pa.timestamp('us'), lambda k: k * 86_399_999_999),
    'time': (pa.time64('us'), lambda k: k * 1001),
  }
  DELTA = {'int32': 'DELTA_BINARY_PACKED', 'int64': 'DELTA_BINARY_PACKED', 'string': 'DELTA_BYTE_ARRAY',
           'binary': 'DELTA_LENGTH_BYTE_ARRAY', 'timestamp': 'DELTA_BINARY_PACKED'}
  SPLIT = {'float': 'BYTE_STREAM_SPLIT', 'double': 'BYTE_STREAM_SPLIT'}
  for number, dataset in enumerate(input['datasets']):
    folder = f"{input['folder']}/{number}"
    os.makedirs(folder)
    random.seed(dataset['seed'])
    types = dataset['types'] + [dataset['other']]
    encoding = {'delta': DELTA, 'split': SPLIT, '': {}}[dataset['encoding']]
    next_id = 0
    for index, part in enumerate(dataset['parts']):
      rows = part['rows']
      fields, columns = [pa.field('id', pa.int64())], [pa.array(range(next_id, next_id + rows), pa.int64())]
      next_id += rows
      for name in types:
        type, make = TYPES[name]
        nulls = part['nulls'] if part['nullable'] else 0
        values = [None if random.random() < nulls else make(part['from'] + random.randrange(part['distinct'])) for _ in range(rows)]
        fields.append(pa.field(name, type, nullable=part['nullable']))
        columns.append(pa.array(values, type))
      pq.write_table(pa.table(columns, pa.schema(fields)), f'{folder}/{index:02}.parquet',
        compression=dataset['compression'], data_page_version=dataset['version'], data_page_size=dataset['pageSize'],
        use_dictionary=[name for name in types if dataset['dictionary'] > 0 and name not in encoding and name != 'bool'],
        dictionary_pagesize_limit=max(1, dataset['dictionary']), write_batch_size=64,
        column_encoding={name: encoding[name] for name in types if name in encoding} or None,
        write_page_checksum=dataset['checksum'], write_page_index=True)
  `

/** What differs from the parts, for each engine; and statistics that do not hold. */
const COMPARE = `
  import glob, duckdb, polars as pl, pyarrow as pa, pyarrow.compute as pc, pyarrow.parquet as pq
  result = []
  for number, output in enumerate(input['outputs']):
    parts = [pq.read_table(path) for path in sorted(glob.glob(f"{input['folder']}/{number}/*.parquet"))]
    fields = [pa.field(field.name, field.type) for field in parts[0].schema]
    want = pa.concat_tables([part.cast(pa.schema(fields)) for part in parts])
    def compare(engine, read):
      try:
        have = read().sort_by('id')
        for name in want.column_names:
          # By text: -0 is not 0.
          if [str(v) for v in have[name].to_pylist()] != [str(v) for v in want[name].to_pylist()]:
            result.append(f'{number} {engine}: {name}')
      except Exception as error: result.append(f'{number} {engine}: {str(error)[:200]}')
    compare('PyArrow', lambda: pq.read_table(output, page_checksum_verification=True))
    compare('Polars', lambda: pl.read_parquet(output).to_arrow().cast(want.schema))
    compare('DuckDB', lambda: duckdb.sql(f"FROM read_parquet('{output}')").to_arrow_table().cast(want.schema))
    metadata = pq.ParquetFile(output).metadata
    start = 0
    for g in range(metadata.num_row_groups):
      group = metadata.row_group(g)
      rows = want.slice(start, group.num_rows) if metadata.num_row_groups == 1 else None
      start += group.num_rows
      for c in range(group.num_columns):
        chunk = group.column(c)
        stats = chunk.statistics
        if rows is None or stats is None: continue
        column = rows[chunk.path_in_schema]
        if stats.has_null_count and stats.null_count != column.null_count: result.append(f'{number}: nulls of {chunk.path_in_schema}')
        if stats.has_min_max and column.null_count < len(column):
          low, high = pc.min(column).as_py(), pc.max(column).as_py()
          if not (stats.min <= low and high <= stats.max): result.append(f'{number}: bounds of {chunk.path_in_schema}')
  `

test('joined row groups are the rows of their parts to every engine', { skip: noPython }, async t => {
  const folder = tempFolder(t)
  const datasets = fc.sample(dataset, { numRuns: cases(150), seed: 11 })
  await python(WRITE, { folder, datasets })
  const store = await openStore(folder)
  mkdirSync(join(folder, 'out'))
  const outputs: string[] = []
  let joined = 0
  for (const [number, { parts }] of datasets.entries()) {
    const report = await source(store.child(String(number)), { mode: 'streaming' }).to(
      parquetFile(store, `out/${number}.parquet`),
    )
    assert.equal(
      report.rowsOut,
      parts.reduce((sum, { rows }) => sum + rows, 0),
    )
    joined += report.rowGroups.joined === parts.length ? 1 : 0
    outputs.push(join(folder, 'out', `${number}.parquet`))
  }
  assert.ok(joined > datasets.length / 3, `${joined} of ${datasets.length} were joined`)
  assert.deepEqual(await python(COMPARE, { folder, outputs }), [])
})
