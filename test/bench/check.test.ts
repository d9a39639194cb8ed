import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkFiles, expect, filesIn } from '../../bench/check.ts'
import { jobs } from '../../bench/jobs.ts'
import { contestantResult, jobResult } from '../../bench/results.ts'
import { statement } from '../../bench/sql.ts'
import { openDuckDB } from '../support/duckdb.ts'
import { tempFolder } from '../support/temp.ts'

const day = jobs.find(({ name }) => name === 'rewrite-day')!

test('only the right rows count, in any order and any number of files', async t => {
  const { connection } = await openDuckDB(t)
  const folder = tempFolder(t)
  const data = join(folder, 'data')
  mkdirSync(data)
  await connection.run(`COPY (SELECT i AS id, TIMESTAMP '2024-01-01' + INTERVAL (i) HOUR AS ts,
    i::DOUBLE AS amount, CASE WHEN i % 3 > 0 THEN 1.5 END AS tip FROM range(100) AS source(i))
    TO '${data}/part.parquet'`)
  const expected = await expect(connection, day, [data])
  assert.equal(expected.rows, 95)

  const written = async (name: string, text: string) => {
    const out = join(folder, name)
    mkdirSync(out)
    await connection.run(text.replaceAll('OUT', out))
    return out
  }
  const right = await written('right', statement(day, [data], 'OUT'))
  await checkFiles(connection, right, expected, true)
  assert.equal(filesIn(right).files, 5)

  const rows = `SELECT * FROM read_parquet('${right}/**/*.parquet', hive_partitioning = true)`
  const copy = (text: string) => `COPY (${text}) TO 'OUT/data.parquet'`
  await checkFiles(connection, await written('joined', copy(`${rows} ORDER BY id DESC`)), expected, true)

  const wrong = async (name: string, text: string, message: RegExp, thorough: boolean) => {
    const out = await written(name, copy(text))
    await assert.rejects(checkFiles(connection, out, expected, thorough), { message })
  }
  await wrong('fewer', `${rows} WHERE id <> 50`, /gave 94 rows instead of 95/, false)
  await wrong('id', `SELECT * REPLACE (id + 1 AS id) FROM (${rows})`, /other values/, false)
  await wrong('value', `SELECT * REPLACE (total + 1e-9 AS total) FROM (${rows})`, /other values/, true)
  await wrong('null', `SELECT * REPLACE (coalesce(tip, 0) AS tip) FROM (${rows})`, /other values/, true)
  await wrong('column', `SELECT * EXCLUDE (tip) FROM (${rows})`, /gave the columns/, false)
})

test('a ratio is to the median of the fastest peer that gave the right rows', () => {
  const of = (name: string, seconds: number[], failed?: string) => {
    const runs = seconds.map(value => ({
      seconds: value,
      processSeconds: value + 1,
      peakRssBytes: 1e6,
      samples: [[0, 1]] as [number, number][],
    }))
    return contestantResult({ name, peer: name !== 'sluice', reference: false }, 1000, runs, failed)
  }
  const data = { folders: [], files: 1, rows: 1000, bytes: 1 }
  const { fastestPeer, contestants } = jobResult(day, 'disk', data, [
    of('sluice', [3, 1, 2]),
    of('polars', [4, 5, 90, 3]),
    of('duckdb', [9, 9, 9]),
    of('pyarrow', [0.1], 'gave rows with other values'),
  ])
  assert.equal(fastestPeer, 'polars')
  assert.deepEqual(
    contestants.map(({ seconds, ratio }) => [seconds, ratio]),
    [
      [2, 2.25],
      [4.5, 1],
      [9, 0.5],
      [undefined, undefined],
    ],
  )
  assert.equal(contestants[0]!.rowsPerSecond, 500)
})
