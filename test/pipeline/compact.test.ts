import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import {
  type CompactOptions,
  type CompactReport,
  compact,
  filter,
  parquetFile,
  source,
  sql,
} from '../../src/index.ts'
import { interceptStore } from '../dataset/intercept.ts'
import { hasCode } from '../dataset/support.ts'
import { quote } from '../support/duckdb.ts'
import { noPython, python } from '../support/python.ts'
import { assertSameRows, datasetSql, fingerprint, openWorkspace, strayFiles } from './support.ts'

const { folder, store, duckdb } = await openWorkspace({ after })
/** No page was decoded. */
const NONE = { total: 0, pruned: 0 }
const COLUMNS = `i::BIGINT AS id, 'name ' || i % 50 AS few, CASE WHEN i % 10 > 0 THEN i / 8 END AS real,
  'text ' || hash(i) AS text`

/** Writes rows `start` to `end` with DuckDB, and gives the query that they are. */
async function write(
  file: string,
  start: number,
  end: number,
  columns = COLUMNS,
  options = '',
): Promise<string> {
  const query = `SELECT ${columns} FROM range(${start}, ${end}) AS t(i)`
  const path = join(folder, file)
  mkdirSync(join(path, '..'), { recursive: true })
  await duckdb.query(`COPY (${query}) TO ${quote(path)} (FORMAT parquet, COMPRESSION zstd ${options})`)
  return query
}

let datasets = 0
/** A dataset of days with small files each; gives its folder's name and its rows as a query. */
async function days(count: number, files: number, rows = 500): Promise<{ name: string; expected: string }> {
  const name = `days-${datasets++}`
  const queries: string[] = []
  for (let day = 0; day < count; day++) {
    const date = `2024-01-0${day + 1}`
    for (let file = 0; file < files; file++) {
      const start = (day * files + file) * rows
      const query = await write(`${name}/day=${date}/part-${file}.parquet`, start, start + rows)
      queries.push(`SELECT *, DATE '${date}' AS day FROM (${query})`)
    }
  }
  return { name, expected: queries.join(' UNION ALL ') }
}

const run = (name: string, options: CompactOptions = {}): Promise<CompactReport> =>
  compact(store.child(name), options)

const byDay = (name: string) => datasetSql(join(folder, name), undefined, { day: 'DATE' })
const flat = (name: string) => datasetSql(join(folder, name), undefined)

function filesOf(name: string): string[] {
  return readdirSync(join(folder, name), { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.parquet'))
    .sort()
}

const sizeOf = (name: string, file: string) => statSync(join(folder, name, file)).size

describe('in place', () => {
  test('the small files of each partition become one, and no page is decoded', async () => {
    const { name, expected } = await days(3, 6)
    const report = await run(name)
    assert.deepEqual(report.rowGroups, { total: 18, pruned: 0, copied: 0, joined: 18 })
    assert.deepEqual([report.pages, report.rowsOut, report.files, report.partitions], [NONE, 9000, 3, 3])
    assert.deepEqual([report.before.files, report.after.files], [18, 3])
    const files = filesOf(name)
    assert.equal(
      report.after.bytes,
      files.reduce((sum, file) => sum + sizeOf(name, file), 0),
    )
    assert.deepEqual(
      files.map(file => file.split('/')[0]),
      ['day=2024-01-01', 'day=2024-01-02', 'day=2024-01-03'],
    )
    assert.deepEqual(
      report.compacted.map(({ partition, filesBefore, filesAfter }) => [partition, filesBefore, filesAfter]),
      [1, 2, 3].map(day => [`day=2024-01-0${day}/`, 6, 1]),
    )
    await assertSameRows(duckdb, byDay(name), expected)
    assert.deepEqual(strayFiles(folder), [])
  })

  test('what is compact already is left alone, and the report says so', async () => {
    const { name } = await days(2, 3)
    await run(name)
    const before = fingerprint(join(folder, name))
    const report = await run(name)
    assert.deepEqual([report.compacted, report.files, report.job], [[], 0, undefined])
    assert.deepEqual(report.before, report.after)
    assert.deepEqual(fingerprint(join(folder, name)), before)
  })

  test('only in the chosen partitions', async () => {
    const { name, expected } = await days(4, 3)
    const untouched = fingerprint(join(folder, name, 'day=2024-01-01'))
    const report = await run(name, { partitions: "day >= '2024-01-03'" })
    assert.deepEqual(
      report.compacted.map(({ partition }) => partition),
      ['day=2024-01-03/', 'day=2024-01-04/'],
    )
    assert.deepEqual(report.before.files, 6)
    assert.deepEqual(fingerprint(join(folder, name, 'day=2024-01-01')), untouched)
    await assertSameRows(duckdb, byDay(name), expected)
    await assert.rejects(run(name, { partitions: 'hour = 3' }), hasCode('schema'))
    await assert.rejects(run(`${name}/day=2024-01-01`, { partitions: 'day > 1' }), {
      code: 'schema',
      option: 'partitions',
    })
    const none = await run(name, { partitions: "day > '2025-01-01'" })
    assert.deepEqual([none.compacted, none.before.files], [[], 0])
  })

  test('large files stay as they are', async () => {
    const name = `mixed-${datasets++}`
    const large = await write(`${name}/b-large.parquet`, 0, 20_000)
    const small = [
      await write(`${name}/a.parquet`, 20_000, 21_000),
      await write(`${name}/c.parquet`, 21_000, 22_000),
    ]
    const { 'b-large.parquet': before } = fingerprint(join(folder, name))
    const report = await run(name, { targetFileBytes: sizeOf(name, 'b-large.parquet') })
    assert.deepEqual([report.before.files, report.after.files, report.rowGroups.joined], [3, 2, 2])
    assert.equal(fingerprint(join(folder, name))['b-large.parquet'], before)
    await assertSameRows(duckdb, flat(name), [large, ...small].join(' UNION ALL '))
  })

  test('files come near the target, and what comes of it is left alone', async () => {
    const name = `sized-${datasets++}`
    const queries: string[] = []
    for (let file = 0; file < 40; file++)
      queries.push(
        await write(`${name}/${String(file).padStart(2, '0')}.parquet`, file * 1000, file * 1000 + 1000),
      )
    const targetFileBytes = sizeOf(name, '00.parquet') * 6.5
    const report = await run(name, { targetFileBytes })
    const sizes = filesOf(name).map(file => sizeOf(name, file))
    assert.ok(sizes.filter(size => size < targetFileBytes * 0.75).length <= 1, String(sizes))
    assert.ok(
      sizes.every(size => size < targetFileBytes * 1.1),
      String(sizes),
    )
    assert.deepEqual(report.after, { files: sizes.length, bytes: sizes.reduce((a, b) => a + b) })
    assert.deepEqual((await run(name, { targetFileBytes })).compacted, [])
    await assertSameRows(duckdb, flat(name), queries.join(' UNION ALL '))
  })

  test('a dry run changes nothing and says what would be', async () => {
    const { name } = await days(2, 4)
    const before = fingerprint(folder)
    const report = await run(name, { dryRun: true })
    assert.deepEqual(fingerprint(folder), before)
    assert.deepEqual(
      [report.dryRun, report.before.files, report.after.files, report.compacted.length],
      [true, 8, 2, 2],
    )
    assert.equal((await run(name)).after.files, report.after.files)
  })

  test('a folder keeps its name, whatever that is, and keys that the files hold as well stay in them', async () => {
    const name = `odd-${datasets++}`
    const queries: string[] = []
    for (const [at, folders] of [
      'k=a b',
      'k=x%2Fy',
      'k=__HIVE_DEFAULT_PARTITION__',
      'k=ü/j=007',
      'plain/deep',
    ].entries()) {
      for (const file of [0, 1])
        queries.push(
          await write(
            `${name}/${folders}/${file}.parquet`,
            at * 100 + file,
            at * 100 + 50,
            `${COLUMNS}, 'own' AS k`,
          ),
        )
    }
    const before = new Set(filesOf(name).map(file => file.slice(0, file.lastIndexOf('/'))))
    const report = await run(name)
    assert.deepEqual([report.before.files, report.after.files], [10, 5])
    assert.deepEqual(new Set(filesOf(name).map(file => file.slice(0, file.lastIndexOf('/')))), before)
    await assertSameRows(duckdb, flat(name), queries.join(' UNION ALL '))
  })

  test('a thousand files, with little memory', async () => {
    const name = `thousand-${datasets++}`
    await duckdb.query(`COPY (SELECT ${COLUMNS}, i // 100 AS part FROM range(100000) AS t(i)) TO
      ${quote(join(folder, name))} (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (part), FILENAME_PATTERN 'f')`)
    const plain = `${name}-flat`
    mkdirSync(join(folder, plain))
    for (const [i, file] of filesOf(name).entries())
      copyFileSync(join(folder, name, file), join(folder, plain, `${i}.parquet`))
    const report = await run(plain, { memory: '32MiB' })
    assert.deepEqual([report.before.files, report.after.files, report.rowGroups.joined], [1000, 1, 1000])
    assert.deepEqual(report.pages, NONE)
    assert.ok(report.budgetHighWaterBytes <= report.memoryBytes)
    await assertSameRows(duckdb, flat(plain), `SELECT ${COLUMNS} FROM range(100000) AS t(i)`)
    const folders = await run(name, { memory: '32MiB' })
    assert.deepEqual([folders.before.files, folders.compacted], [1000, []])
  })

  test('nested columns', async () => {
    const name = `nested-${datasets++}`
    const columns = `${COLUMNS}, CASE WHEN i % 5 > 0 THEN [i, NULL, 1] END AS list, {'a': i, 'b': ['x' || i]} AS struct`
    const queries: string[] = []
    for (const file of [0, 1, 2, 3])
      queries.push(await write(`${name}/${file}.parquet`, file * 700, file * 700 + 700, columns))
    const report = await run(name)
    assert.deepEqual([report.after.files, report.rowGroups.copied, report.rowGroups.joined], [1, 0, 0])
    const [groups] = await duckdb.query(
      `SELECT count(DISTINCT row_group_id)::INT AS n FROM parquet_metadata(${quote(join(folder, name, '*.parquet'))})`,
    )
    assert.equal(groups!['n'], 1)
    await assertSameRows(duckdb, flat(name), queries.join(' UNION ALL '))
  })

  test('files without rows: one that says which columns there are is left', async () => {
    const name = `empty-${datasets++}`
    for (const file of [0, 1, 2]) await write(`${name}/${file}.parquet`, 0, 0)
    const report = await run(name)
    assert.deepEqual([report.after.files, filesOf(name).length], [1, 1])
    const described = (await duckdb.query(`DESCRIBE ${flat(name)}`)).map(row => row['column_name'])
    assert.deepEqual(described, ['id', 'few', 'real', 'text'])
  })
})

describe('files that differ', () => {
  test('in order, width and nullability of their columns, or lack some: the output takes the rows of all', async () => {
    const name = `differing-${datasets++}`
    const rows: [columns: string, expected: string][] = [
      [
        'i::INT AS id, i::FLOAT AS real, [i::INT] AS list',
        'id, real::DOUBLE AS real, NULL AS text, list, NULL AS more',
      ],
      [
        `i::DOUBLE AS real, i AS id, 'x' || i AS text, [i::INT] AS list`,
        'id, real, text, list, NULL AS more',
      ],
      [
        `i::SMALLINT AS id, {'a': i} AS more, 'x' AS text`,
        'id, NULL::DOUBLE AS real, text, NULL AS list, more',
      ],
    ]
    const queries: string[] = []
    for (const [at, [columns, expected]] of rows.entries()) {
      const query = await write(`${name}/${at}.parquet`, at * 100, at * 100 + 100, columns)
      queries.push(`SELECT ${expected} FROM (${query})`)
    }
    await run(name)
    const expected = `SELECT id::BIGINT AS id, real::DOUBLE AS real, list::INT[] AS list, text::VARCHAR AS text,
      more::STRUCT(a BIGINT) AS more FROM (${queries.join(' UNION ALL ')})`
    assert.equal(filesOf(name).length, 1)
    await assertSameRows(duckdb, flat(name), expected)
  })

  test('those that lack a column in a partition that needs no merging stay', async () => {
    const name = `evolved-${datasets++}`
    const old = await write(`${name}/month=1/a.parquet`, 0, 100, 'i AS id')
    const fresh = [
      await write(`${name}/month=2/a.parquet`, 100, 200, 'i AS id, i AS extra'),
      await write(`${name}/month=2/b.parquet`, 200, 300, 'i AS id, i AS extra'),
    ]
    const report = await run(name)
    assert.deepEqual([report.rowGroups.joined, filesOf(name)[0]], [2, 'month=1/a.parquet'])
    await assertSameRows(duckdb, flat(`${name}/month=1`), old)
    await assertSameRows(duckdb, flat(`${name}/month=2`), fresh.join(' UNION ALL '))
  })
})

describe('as PyArrow writes it', { skip: noPython }, () => {
  for (const nulls of [true, false]) {
    test(`a file's schema and what it says of itself stay, columns ${nulls ? 'with' : 'without'} nulls`, async () => {
      const name = `arrow-${datasets++}`
      const path = join(folder, name)
      mkdirSync(path)
      await python(
        `
        import pyarrow as pa, pyarrow.parquet as pq, datetime as dt, decimal
        def field(name, type, **more): return pa.field(name, type, nullable=input['nulls'], **more)
        schema = pa.schema([
            field('a', pa.int8(), metadata={b'PARQUET:field_id': b'7'}), field('b', pa.uint32()), field('c', pa.timestamp('us', 'UTC')),
            field('d', pa.decimal128(9, 2)), field('e', pa.decimal128(30, 4)), field('f', pa.time64('us')), field('g', pa.binary(4)),
            field('h', pa.large_string()), field('i', pa.dictionary(pa.int32(), pa.string())), field('j', pa.duration('us')),
            field('k', pa.float16()), field('l', pa.bool_())], metadata={b'owner': b'me'})
        day = dt.datetime(2024, 1, 1, tzinfo=dt.timezone.utc)
        for part in range(3):
            rows = [None if input['nulls'] and n % 7 == 0 else n for n in range(10 * part, 10 * part + 10)]
            make = lambda f: [None if n is None else f(n) for n in rows]
            columns = [make(lambda n: n % 100), rows, make(lambda n: day), make(lambda n: decimal.Decimal(n) / 100),
                make(lambda n: decimal.Decimal(-n)), make(lambda n: dt.time(1)), make(lambda n: b'abcd'), make(str), make(lambda n: str(n % 3)),
                make(lambda n: dt.timedelta(seconds=n)), make(lambda n: n / 2), make(lambda n: n % 2 > 0)]
            arrays = [pa.array(column, type=field.type) for column, field in zip(columns, schema)]
            with pq.ParquetWriter(f"{input['path']}/{part}.parquet", schema) as writer:
                writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
                writer.add_key_value_metadata({'part': str(part)})
        `,
        { path, nulls },
      )
      const look = () =>
        python<unknown[]>(
          `
          import pyarrow as pa, pyarrow.parquet as pq, glob
          files = sorted(glob.glob(input + '/*.parquet'))
          table = pa.concat_tables([pq.read_table(file).replace_schema_metadata() for file in files])
          stored = str(pq.ParquetFile(files[0]).schema).split('\\n', 1)[1]
          metadata = pq.read_metadata(files[0]).metadata
          result = [len(files), metadata[b'owner'].decode(), b'part' in metadata,
              stored, str(table.schema), sorted(map(str, table.to_pylist()))]
          `,
          path,
        )
      const [, owner, , ...before] = await look()
      const report = await run(name)
      assert.deepEqual([report.rowGroups.joined, report.pages], [3, NONE])
      const [files, still, part, ...found] = await look()
      assert.deepEqual([files, still, part], [1, owner, false])
      assert.deepEqual(found, before)
    })
  }

  test('nested columns of which only some files have nulls inside', async () => {
    const name = `inside-${datasets++}`
    const path = join(folder, name)
    mkdirSync(path)
    const found = () =>
      python<string[]>(
        `
        import pyarrow.parquet as pq, glob
        result = sorted(str(row) for file in glob.glob(input + '/*.parquet') for row in pq.read_table(file).to_pylist())
        `,
        path,
      )
    await python(
      `
      import pyarrow as pa, pyarrow.parquet as pq
      def put(part, nulls, lists, structs):
          schema = pa.schema([pa.field('list', pa.list_(pa.field('element', pa.int32(), nullable=nulls))),
              pa.field('struct', pa.struct([pa.field('a', pa.int32(), nullable=nulls)]), nullable=nulls)])
          pq.write_table(pa.Table.from_pydict({'list': lists, 'struct': structs}, schema=schema), f'{input}/{part}.parquet')
      put(0, False, [[1, 2], [], None], [{'a': 1}] * 3)
      put(1, True, [[1, None], [None], None], [{'a': None}, None, {'a': 3}])
      put(2, False, [[5], [6], [7]], [{'a': 1}] * 3)
      `,
      path,
    )
    const before = await found()
    assert.equal((await run(name)).after.files, 1)
    assert.deepEqual(await found(), before)
  })

  for (const [how, codecs] of [
    ['joined', ['snappy', 'snappy', 'snappy']],
    ['copied', ['snappy', 'zstd', 'gzip']],
  ] as const) {
    test(`INT96 stays INT96, which Spark reads, with all of its dates: ${how}`, async () => {
      const name = `int96-${datasets++}`
      const path = join(folder, name)
      mkdirSync(path)
      await python(
        `
        import pyarrow as pa, pyarrow.parquet as pq, datetime as dt
        for part, codec in enumerate(input['codecs']):
            times = [dt.datetime([1960, 2024, 9999][n % 3], 1, 1) + dt.timedelta(hours=7 * part, microseconds=n) if n % 5 else None for n in range(50)]
            table = pa.table({'time': pa.array(times, type=pa.timestamp('us')), 'part': [part] * 50})
            pq.write_table(table, f"{input['path']}/{part}.parquet", use_deprecated_int96_timestamps=True, compression=codec, store_schema=False)
        `,
        { path, codecs },
      )
      const look = (files: string) =>
        python<[string[], string[]]>(
          `
          import pyarrow.parquet as pq, glob
          files = glob.glob(input)
          schema = pq.ParquetFile(files[0]).schema
          types = [schema.column(i).physical_type for i in range(len(schema.names))]
          rows = [row for file in files for row in pq.read_table(file, coerce_int96_timestamp_unit='us').to_pylist()]
          result = [types, sorted(map(str, rows))]
          `,
          join(path, files),
        )
      const before = await look('*.parquet')
      assert.equal(before[0][0], 'INT96')
      const { rowGroups, pages, after } = await run(name)
      assert.deepEqual(
        [after.files, pages, how === 'joined' ? rowGroups.joined : rowGroups.copied],
        [1, NONE, 3],
      )
      assert.deepEqual(await look('*.parquet'), before)

      const [file] = filesOf(name)
      const recent = filter(
        sql("time between timestamp '2000-01-01' and timestamp '2100-01-01' and part = 1"),
      )
      const sink = parquetFile(store, `${name}/written/anew.parquet`, { passThrough: false })
      await source(store, { files: `${name}/${file}` })
        .pipe(recent)
        .to(sink)
      const [types, rows] = await look('written/anew.parquet')
      assert.deepEqual(types, before[0])
      assert.deepEqual(
        rows,
        before[1].filter(row => row.includes('2024') && row.endsWith("'part': 1}")),
      )
    })
  }
})

describe('into another place', () => {
  test('go all files of the partitions, and the dataset stays', async () => {
    const { name, expected } = await days(3, 3)
    const large = await write(`${name}/day=2024-01-03/large.parquet`, 50_000, 60_000)
    const before = fingerprint(join(folder, name))
    const to = store.child(`${name}-to`)
    const report = await run(name, { to, partitions: "day > '2024-01-01'", targetFileBytes: '50KB' })
    assert.deepEqual([report.before.files, report.rowsOut], [7, 13_000])
    assert.deepEqual(report.after.files, filesOf(`${name}-to`).length)
    assert.deepEqual(fingerprint(join(folder, name)), before)
    await assertSameRows(
      duckdb,
      byDay(`${name}-to`),
      `SELECT * FROM (${expected} UNION ALL SELECT *, DATE '2024-01-03' AS day FROM (${large})) WHERE day > '2024-01-01'`,
    )
    await assert.rejects(run(name, { to }), hasCode('already-exists'))
    await run(name, { to, existing: 'overwrite' })
    assert.equal((await duckdb.multiset(byDay(`${name}-to`))).rows, 14_500n)
  })
})

describe('refused', () => {
  test('a damaged file: the error names it, and the dataset stays', async () => {
    const { name } = await days(2, 3)
    truncateSync(join(folder, name, 'day=2024-01-02', 'part-1.parquet'), 900)
    const before = fingerprint(folder)
    await assert.rejects(run(name), error => {
      assert.ok(hasCode('corrupt')(error))
      assert.match(String(error), /day=2024-01-02\/part-1\.parquet/)
      return true
    })
    assert.deepEqual(fingerprint(folder), before)
  })

  for (const [what, file] of [
    ['a Delta table', '_delta_log/00000000000000000000.json'],
    ['an Iceberg table', 'metadata/v1.metadata.json'],
    ['a Hudi table', '.hoodie/hoodie.properties'],
    ['a dataset with an index', '_metadata'],
  ] as const) {
    test(`${what}, whose files are accounted for elsewhere`, async () => {
      const { name, expected } = await days(1, 3)
      mkdirSync(join(folder, name, file, '..'), { recursive: true })
      writeFileSync(join(folder, name, file), '{}')
      await assert.rejects(run(name), hasCode('unsupported'))
      await run(name, { to: store.child(`${name}-to`) })
      await assertSameRows(duckdb, byDay(`${name}-to`), expected)
    })
  }

  test('files of types that do not go together, and a folder without files', async () => {
    const name = `other-${datasets++}`
    await write(`${name}/a.parquet`, 0, 100)
    await write(`${name}/b.parquet`, 0, 100, `'text' AS id`)
    const before = fingerprint(folder)
    await assert.rejects(run(name), {
      code: 'schema',
      column: 'id',
      file: pathToFileURL(join(folder, name, 'b.parquet')).href,
    })
    assert.deepEqual(fingerprint(folder), before)
    await assert.rejects(run('nowhere'), hasCode('not-found'))
  })

  for (const [options, option] of [
    [{ targetFileBytes: 0 }, 'targetFileBytes'],
    [{ targetFileBytes: 'many' }, 'targetFileBytes'],
    [{ existing: 'append' }, 'existing'],
    [{ memory: 1 }, 'memory'],
    [{ partitions: 7 as never }, 'partitions'],
  ] as const) {
    test(`${JSON.stringify(options)}`, async () => {
      await assert.rejects(run('nowhere', options), { code: 'invalid-argument', option })
    })
  }
})

test('what comes of it is the same to Polars and PyArrow', { skip: noPython }, async () => {
  const { name } = await days(2, 5)
  const from = filesOf(name).map(file => join(folder, name, file))
  const want = await python<number[]>(
    `
    import polars as pl
    result = pl.read_parquet(input, hive_partitioning=True).hash_rows(1).sort().to_list()
    `,
    from,
  )
  await run(name)
  const path = join(folder, name)
  const found = await python<number[][]>(
    `
    import polars as pl, pyarrow.dataset as ds, pyarrow as pa
    schema = pl.read_parquet(input + '/**/*.parquet', hive_partitioning=True)
    table = ds.dataset(input, format='parquet', partitioning=ds.partitioning(pa.schema([('day', pa.date32())]), flavor='hive')).to_table()
    result = [frame.select('id', 'few', 'real', 'text', 'day').hash_rows(1).sort().to_list() for frame in (schema, pl.from_arrow(table))]
    `,
    path,
  )
  assert.deepEqual(found, [want, want])
})

test('an aborted run leaves the dataset as it was', async () => {
  const { name } = await days(2, 3)
  const before = fingerprint(folder)
  const reason = new Error('enough')
  await assert.rejects(run(name, { signal: AbortSignal.abort(reason) }), reason)
  const stop = new AbortController()
  const aborting = interceptStore(store, (request, call) => {
    if (request.method === 'getRanges') stop.abort(reason)
    return call()
  })
  await assert.rejects(compact(aborting.child(name), { signal: stop.signal }), reason)
  assert.deepEqual(fingerprint(folder), before)
})
