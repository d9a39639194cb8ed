import assert from 'node:assert/strict'
import { mkdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { Int32, type RecordBatch, Table, Utf8, type Vector, vectorFromArray } from 'apache-arrow'
import {
  col,
  derive,
  filter,
  fromBatches,
  isSluiceError,
  type Mode,
  mapBatches,
  parquetFile,
  partitionedParquet,
  repartition,
  source,
} from '../../src/index.ts'
import { onOneNode } from '../support/cases.ts'
import { quote } from '../support/duckdb.ts'
import { noPython, python } from '../support/python.ts'
import { assertSameRows, datasetSql, openWorkspace } from './support.ts'

const modes: readonly Mode[] = ['streaming', 'fragment', 'batch']
const { folder, store, duckdb } = await openWorkspace({ after })
let runs = 0

/** Writes a file below a source folder of its own. */
async function writeFile(key: string, sql: string, options = 'ROW_GROUP_SIZE 2048'): Promise<void> {
  const path = join(folder, key)
  mkdirSync(dirname(path), { recursive: true })
  await duckdb.query(`COPY (${sql}) TO ${quote(path)} (FORMAT parquet, ${options})`)
}

async function copyInEveryMode(from: string, expected: string, memory = '32MiB'): Promise<void> {
  for (const mode of modes) {
    const target = `out-${runs++}`
    await source(store.child(from), { mode, memory }).to(partitionedParquet(store.child(target)))
    await assertSameRows(duckdb, datasetSql(join(folder, target), undefined), expected)
  }
}

describe('files of a source', { skip: onOneNode }, () => {
  test('some without rows, some without row groups, columns in another order, further columns', async () => {
    await writeFile('mixed/a.parquet', `SELECT i AS id, 'a' || i AS text FROM range(5000) AS t(i)`)
    await writeFile('mixed/b.parquet', `SELECT i AS id, 'x' AS text FROM range(0) AS t(i)`)
    await writeFile(
      'mixed/c/c.parquet',
      `SELECT 1 AS more, 'c' || i AS text, i AS id FROM range(5000) AS t(i)`,
    )
    await writeFile('mixed/_hidden/d.parquet', `SELECT 1 AS nothing`)
    await writeFile('mixed/.e.parquet', `SELECT 1 AS nothing`)
    await copyInEveryMode(
      'mixed',
      `SELECT i AS id, unnest(['a' || i, 'c' || i]) AS text FROM range(5000) AS t(i)`,
    )
  })

  test('only ones without rows', async () => {
    await writeFile('empty/a.parquet', `SELECT i AS id, 'x' AS text FROM range(0) AS t(i)`)
    for (const mode of modes) {
      const report = await source(store.child('empty'), { mode })
        .pipe(repartition({ by: ['text'] }))
        .to(partitionedParquet(store.child(`out-${runs++}`)))
      assert.deepEqual([report.rowsIn, report.rowsOut, report.files], [0, 0, 0])
    }
    await source(store.child('empty')).to(parquetFile(store, 'empty.parquet'))
    const read = `SELECT * FROM read_parquet(${quote(join(folder, 'empty.parquet'))})`
    await assertSameRows(duckdb, read, `SELECT i AS id, 'x' AS text FROM range(0) AS t(i)`)
    assert.equal((await source(store.child('empty')).collect()).numRows, 0)
  })

  test('one that lacks a column is named', async () => {
    await writeFile('lacking/a.parquet', `SELECT i AS id, i AS total FROM range(10) AS t(i)`)
    await writeFile('lacking/b.parquet', `SELECT i AS id, i AS totals FROM range(10) AS t(i)`)
    for (const mode of modes) {
      const run = source(store.child('lacking'), { mode }).to(
        partitionedParquet(store.child(`out-${runs++}`)),
      )
      await assert.rejects(run, error => {
        assert.ok(isSluiceError(error))
        assert.deepEqual([error.code, error.column], ['schema', 'total'])
        assert.match(error.message, /b\.parquet.*'totals'/s)
        return true
      })
    }
  })

  test('one whose column has another type is named', async () => {
    await writeFile('types/a.parquet', `SELECT i AS id FROM range(10) AS t(i)`)
    await writeFile('types/b.parquet', `SELECT i::VARCHAR AS id FROM range(10) AS t(i)`)
    await assert.rejects(source(store.child('types')).collect(), error => {
      assert.ok(isSluiceError(error))
      assert.deepEqual([error.code, error.column], ['schema', 'id'])
      return true
    })
  })

  test('many of them, many row groups', async () => {
    await duckdb.query(
      `COPY (SELECT i AS id, i % 60 AS part FROM range(60_000) AS t(i)) TO ${quote(join(folder, 'many'))}
       (FORMAT parquet, PARTITION_BY part, ROW_GROUP_SIZE 100)`,
    )
    for (const mode of modes) {
      const target = `out-${runs++}`
      await source(store.child('many'), { mode, memory: '32MiB' }).to(partitionedParquet(store.child(target)))
      const found = datasetSql(join(folder, target), ['id', 'part'])
      await assertSameRows(duckdb, found, 'SELECT i AS id, i % 60 AS part FROM range(60_000) AS t(i)')
    }
  })

  test('row groups larger than the budget, after a small one', async () => {
    const sql = `SELECT i AS id, i * 31 AS a, hash(i) % 1000000 AS b FROM range(2_000_000) AS t(i)`
    await writeFile('wide/a.parquet', `SELECT * FROM (${sql}) LIMIT 10`, 'COMPRESSION uncompressed')
    await writeFile('wide/b.parquet', sql, 'COMPRESSION uncompressed, ROW_GROUP_SIZE 2_000_000')
    await copyInEveryMode('wide', `SELECT * FROM (${sql}) UNION ALL (SELECT * FROM (${sql}) LIMIT 10)`)
  })
})

describe('files that are written', { skip: onOneNode }, () => {
  const rows = `SELECT i AS id, i % 3 AS k, (hash(i) % 1000000007)::BIGINT AS noise FROM range(100_000) AS t(i)`
  const sizes = (target: string) =>
    duckdb.query(
      `SELECT file_name, num_rows::INTEGER AS rows FROM parquet_file_metadata(${quote(join(folder, target, '**/*.parquet'))})`,
    )

  for (const mode of modes) {
    test(`hold at most maxRowsPerFile, mode ${mode}`, async () => {
      await writeFile('rows/rows.parquet', rows, 'ROW_GROUP_SIZE 10_240')
      const target = `out-${runs++}`
      const report = await source(store.child('rows'), { mode })
        .pipe(repartition({ by: ['k'], maxRowsPerFile: 5000 }))
        .to(partitionedParquet(store.child(target)))
      const files = await sizes(target)
      assert.equal(files.length, report.files)
      assert.ok(files.every(file => (file['rows'] as number) <= 5000))
      // 33,333 rows need 7 files; a few more where lanes leave remainders.
      assert.ok(files.length >= 21 && files.length <= 30, `${files.length} files`)
      await assertSameRows(
        duckdb,
        datasetSql(join(folder, target), ['id', 'k', 'noise'], { k: 'BIGINT' }),
        rows,
      )
    })
    test(`have about targetFileBytes, mode ${mode}`, async () => {
      const target = `out-${runs++}`
      await source(store.child('rows'), { mode })
        .pipe(repartition({ by: [], targetFileBytes: 100_000 }))
        .to(partitionedParquet(store.child(target), { rowGroupRows: 2000 }))
      const bytes = (await sizes(target)).map(file => statSync(String(file['file_name'])).size)
      assert.ok(bytes.length > 3)
      assert.ok(
        bytes.every(size => size < 125_000),
        String(bytes),
      )
    })
  }

  test('hold at most maxRowsPerFile when many lanes have leftovers', async () => {
    const large = `SELECT i AS id, i % 3 AS k, hash(i) AS a, hash(i + 1) AS b FROM range(1_000_000) AS t(i)`
    await writeFile('leftovers/rows.parquet', large, 'COMPRESSION uncompressed, ROW_GROUP_SIZE 20_480')
    const target = `out-${runs++}`
    await source(store.child('leftovers'), { lanes: 8 })
      .pipe(repartition({ by: ['k'], maxRowsPerFile: 60_000 }))
      .to(partitionedParquet(store.child(target)))
    assert.ok((await sizes(target)).every(file => (file['rows'] as number) <= 60_000))
    await assertSameRows(
      duckdb,
      datasetSql(join(folder, target), ['id', 'k', 'a', 'b'], { k: 'BIGINT' }),
      large,
    )
  })
})

test('columns with odd names', { skip: noPython }, async () => {
  const names = [
    '__proto__',
    'constructor',
    'a.b',
    '',
    'toString',
    'quote"d',
    "it's",
    ' space ',
    'é 東',
    'length',
    '*',
  ]
  mkdirSync(join(folder, 'odd'))
  await python(
    `
    import pyarrow as pa, pyarrow.parquet as pq
    path, names = input
    table = pa.table([pa.array([i * 100 + n if i % 7 else None for i in range(3000)]) for n in range(len(names))], names=names)
    pq.write_table(table, path, row_group_size=1000)`,
    [join(folder, 'odd/odd.parquet'), names],
  )
  for (const mode of modes) {
    const target = `out-${runs++}`
    await source(store.child('odd'), { mode })
      .pipe(
        filter(col('__proto__').isNotNull()),
        derive({ constructor: col('constructor').plus(1), hasOwnProperty: col('').plus(col('a.b')) }),
        repartition({ by: ['length'] }),
      )
      .to(partitionedParquet(store.child(target), {}))
    const answer = await python<[string[], number, Record<string, number>]>(
      `
      import pyarrow.dataset as ds, pyarrow.compute as pc
      table = ds.dataset(input, partitioning='hive').to_table()
      result = [table.column_names, table.num_rows, {n: pc.sum(pc.cast(table[n], 'int64')).as_py() for n in table.column_names}]`,
      join(folder, target),
    )
    const sum = (column: number, more = 0) => {
      let total = 0
      for (let i = 0; i < 3000; i++) if (i % 7 > 0) total += i * 100 + column + more
      return total
    }
    const expected = [...names.filter(name => name !== 'length'), 'hasOwnProperty', 'length']
    assert.deepEqual(answer[0], expected)
    assert.equal(answer[1], 2571)
    for (const [column, name] of names.entries()) {
      assert.equal(
        Object.entries(answer[2]).find(([key]) => key === name)![1],
        sum(column, name === 'constructor' ? 1 : 0),
        name,
      )
    }
    assert.equal(answer[2]['hasOwnProperty'], sum(2) + sum(3))
  }
})

describe('batches that a function makes', async () => {
  const numbers = vectorFromArray([1, 2, 3], new Int32())
  const words = vectorFromArray(['a', 'b', 'c'], new Utf8())
  const batch = (columns: Record<string, Vector>) => new Table(columns).batches[0]!
  const write = (batches: RecordBatch[], target: string) =>
    fromBatches(batches[0]!.schema, [batches[0]!])
      .pipe(mapBatches(() => batches))
      .to(partitionedParquet(store.child(target)))

  test('their columns go by name, whatever the order', async () => {
    const target = `out-${runs++}`
    await write([batch({ n: numbers, w: words }), batch({ w: words, more: numbers, n: numbers })], target)
    const expected = "SELECT * FROM (VALUES (1, 'a'), (2, 'b'), (3, 'c')) AS t(n, w)"
    await assertSameRows(
      duckdb,
      datasetSql(join(folder, target), undefined),
      `${expected} UNION ALL ${expected}`,
    )
  })

  test('a column that is missing, or of another type, is named', async () => {
    const first = batch({ n: numbers, w: words })
    for (const [other, reason] of [
      [batch({ n: numbers }), /column 'w': is missing in a batch/],
      [batch({ n: words, w: words }), /column 'n': is of type Utf8 in a batch and of type Int32/],
    ] as const) {
      await assert.rejects(write([first, other], `out-${runs++}`), error => {
        return isSluiceError(error) && error.code === 'schema' && reason.test(error.message)
      })
    }
  })
})
