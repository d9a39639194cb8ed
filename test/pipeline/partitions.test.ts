import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import {
  col,
  filter,
  isSluiceError,
  type Mode,
  parquetFile,
  partitionedParquet,
  project,
  repartition,
  source,
} from '../../src/index.ts'
import { cases } from '../support/cases.ts'
import { quote } from '../support/duckdb.ts'
import { assertSameRows, datasetSql, fingerprint, openWorkspace } from './support.ts'

const modes: readonly Mode[] = ['streaming', 'fragment', 'batch']
const { folder, store, duckdb } = await openWorkspace({ after })
let runs = 0

async function writeSource(
  sql: string,
  options = 'ROW_GROUP_SIZE 2048',
): Promise<{ files: string; rows: string }> {
  const files = `source-${runs++}.parquet`
  const path = join(folder, files)
  await duckdb.query(`COPY (${sql}) TO ${quote(path)} (FORMAT parquet, ${options})`)
  return { files, rows: `SELECT * FROM read_parquet(${quote(path)})` }
}

/** Values of a partition key, as SQL, and DuckDB's type for it. */
const keys: Record<string, { type: string; values: string[] }> = {
  text: {
    type: 'VARCHAR',
    values: ["'a'", "'b'", 'NULL', "'NULL'", "'null'", "'001'", "'1.0'", "'true'", "'2025-01-01'"],
  },
  'text with an empty one': { type: 'VARCHAR', values: ["''", "'a'", 'NULL'] },
  'text with characters of paths': {
    type: 'VARCHAR',
    values: [
      "'/'",
      "'a=b'",
      "'50%'",
      "'10:30'",
      "' '",
      "'a b '",
      "'é'",
      "'東京'",
      "'a\\b'",
      "'%2F'",
      "'..'",
      "'.'",
      "'?*[]{}'",
      "'+'",
      "'#&'",
      "'_x'",
      "'.x'",
      "'\"'",
      "''''",
      "'👩‍👧'",
      'chr(10)',
      'chr(127)',
    ],
  },
  bigint: {
    type: 'BIGINT',
    values: ['0', '-1', '9223372036854775807', '-9223372036854775808', 'NULL', '42'],
  },
  tinyint: { type: 'TINYINT', values: ['0', '-128', '127', 'NULL'] },
  ubigint: { type: 'UBIGINT', values: ['0', '18446744073709551615', 'NULL'] },
  uinteger: { type: 'UINTEGER', values: ['0', '4294967295', 'NULL'] },
  usmallint: { type: 'USMALLINT', values: ['0', '65535', 'NULL'] },
  date: { type: 'DATE', values: ["'2025-01-31'", "'1969-12-31'", "'0001-01-01'", "'9999-12-31'", 'NULL'] },
  boolean: { type: 'BOOLEAN', values: ['true', 'false', 'NULL'] },
  timestamp: { type: 'TIMESTAMP', values: ["'2025-01-31 10:00:00'", "'1969-12-31 23:59:59.000001'", 'NULL'] },
  decimal: { type: 'DECIMAL(9, 2)', values: ["'1.50'", "'-0.01'", "'0'", 'NULL'] },
}

describe('partition keys', () => {
  for (const [name, { type, values }] of Object.entries(keys)) {
    for (const dictionary of [false, true]) {
      test(`${name}, ${dictionary ? 'dictionary-encoded' : 'plain'}`, async () => {
        const sql = `SELECT ([${values.join(', ')}])[1 + i % ${values.length}]::${type} AS k, i AS id FROM range(5000) AS t(i)`
        const { files, rows } = await writeSource(
          sql,
          `ROW_GROUP_SIZE 2048, DICTIONARY_SIZE_LIMIT ${dictionary ? 1000 : 1}`,
        )
        for (const mode of modes) {
          const target = `out-${runs++}`
          const report = await source(store, { files, mode })
            .pipe(repartition({ by: ['k'] }))
            .to(partitionedParquet(store.child(target)))
          assert.equal(report.partitions, values.length)
          const found = datasetSql(join(folder, target), ['k', 'id'], { k: type })
          await assertSameRows(duckdb, found, rows)
        }
      })
    }
  }
  test('a key that holds one value', async () => {
    const { files, rows } = await writeSource(`SELECT 7 AS k, i AS id FROM range(5000) AS t(i)`)
    for (const mode of modes) {
      const target = `out-${runs++}`
      const report = await source(store, { files, mode })
        .pipe(repartition({ by: ['k'] }))
        .to(partitionedParquet(store.child(target)))
      assert.deepEqual([report.partitions, readdirSync(join(folder, target))], [1, ['_SUCCESS', 'k=7']])
      await assertSameRows(duckdb, datasetSql(join(folder, target), ['k', 'id'], { k: 'INTEGER' }), rows)
    }
  })
})

describe('several keys', () => {
  const all = { a: 'VARCHAR', b: 'DATE', c: 'BIGINT' }
  const sql = `
    SELECT i AS id, CASE WHEN i % 5 > 0 THEN 'v' || i % 5 END AS a, DATE '2025-01-01' + (i % 3)::INTEGER AS b,
      CASE WHEN i % 7 > 0 THEN i % 7 END AS c
    FROM range(20_000) AS t(i)`
  for (const by of [['a', 'b'], ['b', 'a', 'c'], ['c', 'a', 'b'], ['c']] as const) {
    test(by.join(', '), async () => {
      const { files, rows } = await writeSource(sql)
      for (const mode of modes) {
        const target = `out-${runs++}`
        const report = await source(store, { files, mode })
          .pipe(repartition({ by }))
          .to(partitionedParquet(store.child(target)))
        const [wanted] = await duckdb.query(
          `SELECT count(*) AS n FROM (SELECT DISTINCT ${by.join(', ')} FROM (${rows}))`,
        )
        assert.equal(BigInt(report.partitions), wanted!['n'])
        const types = Object.fromEntries(by.map(name => [name, all[name]]))
        await assertSameRows(duckdb, datasetSql(join(folder, target), ['id', 'a', 'b', 'c'], types), rows)
      }
    })
  }

  test('two dictionaries that are far larger than what is left of them', async () => {
    const { files, rows } = await writeSource(
      `SELECT i AS id, 'a' || i AS a, 'b' || i AS b FROM range(100_000) AS t(i)`,
      'ROW_GROUP_SIZE 100_000, DICTIONARY_SIZE_LIMIT 200_000, STRING_DICTIONARY_PAGE_SIZE_LIMIT 100_000_000',
    )
    const target = `out-${runs++}`
    await source(store, { files })
      .pipe(filter(col('id').in([99_998, 49_999, 7])), repartition({ by: ['a', 'b'] }))
      .to(partitionedParquet(store.child(target)))
    await assertSameRows(
      duckdb,
      datasetSql(join(folder, target), ['id', 'a', 'b'], { a: 'VARCHAR', b: 'VARCHAR' }),
      `FROM (${rows}) WHERE id IN (99998, 49999, 7)`,
    )
  })
})

describe('many partitions', () => {
  for (const [mode, partitions] of [
    ['streaming', cases(2000)],
    ['fragment', cases(200)],
    ['batch', cases(200)],
  ] as const) {
    test(`${partitions} of them, mode ${mode}, also through our own reader`, async () => {
      const { files, rows } = await writeSource(
        `SELECT 'k' || (i * 7919) % ${partitions} AS k, i AS id, i / 3 AS x FROM range(60_000) AS t(i)`,
        'ROW_GROUP_SIZE 20_000',
      )
      const target = `out-${runs++}`
      const report = await source(store, { files, mode, memory: '32MiB' })
        .pipe(repartition({ by: ['k'] }))
        .to(partitionedParquet(store.child(target)))
      assert.deepEqual([report.partitions, report.files], [partitions, partitions])
      await assertSameRows(duckdb, datasetSql(join(folder, target), ['k', 'id', 'x'], { k: 'VARCHAR' }), rows)
      const back = `back-${target}.parquet`
      await source(store.child(target))
        .pipe(project('k', 'id', 'x'))
        .to(parquetFile(store, back))
      await assertSameRows(duckdb, `SELECT * FROM read_parquet(${quote(join(folder, back))})`, rows)
    })
  }

  for (const mode of modes) {
    test(`more than maxPartitions leave the destination as it was, mode ${mode}`, async () => {
      const { files } = await writeSource(`SELECT i % 50 AS k, i AS id FROM range(10_000) AS t(i)`)
      const target = `out-${runs++}`
      const run = (maxPartitions: number) =>
        source(store, { files, mode })
          .pipe(repartition({ by: ['k'], maxPartitions }))
          .to(partitionedParquet(store.child(target), { existing: 'overwrite' }))
      await run(50)
      const before = fingerprint(folder)
      await assert.rejects(run(49), error => {
        assert.ok(isSluiceError(error))
        assert.deepEqual([error.code, error.option], ['schema', 'maxPartitions'])
        return true
      })
      assert.deepEqual(fingerprint(folder), before)
    })
  }
})
