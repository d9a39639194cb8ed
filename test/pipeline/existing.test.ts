import assert from 'node:assert/strict'
import { closeSync, copyFileSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { after, beforeEach, describe, test } from 'node:test'
import {
  col,
  derive,
  filter,
  isSluiceError,
  type Mode,
  mapBatches,
  type PartitionedParquetOptions,
  partitionedParquet,
  type RunOptions,
  type RunReport,
  repartition,
  source,
} from '../../src/index.ts'
import { quote } from '../support/duckdb.ts'
import { assertSameRows, datasetSql, fingerprint, openWorkspace, strayFiles } from './support.ts'

const modes: readonly Mode[] = ['streaming', 'fragment', 'batch']
const { folder, store, duckdb } = await openWorkspace({ after })
const old = `SELECT i AS id, i % 4 AS k FROM range(4000) AS t(i)`
const fresh = `SELECT i + 10000 AS id, i % 3 + 2 AS k FROM range(3000) AS t(i)`
await duckdb.query(
  `COPY (${old}) TO ${quote(join(folder, 'old.parquet'))} (FORMAT parquet, ROW_GROUP_SIZE 2048)`,
)
await duckdb.query(
  `COPY (${fresh}) TO ${quote(join(folder, 'new.parquet'))} (FORMAT parquet, ROW_GROUP_SIZE 2048)`,
)
let runs = 0
let target = ''

function write(
  files: string,
  options: PartitionedParquetOptions,
  run: RunOptions & { mode?: Mode } = {},
): Promise<RunReport> {
  return source(store, { files, mode: run.mode ?? 'streaming' })
    .pipe(repartition({ by: ['k'] }))
    .to(partitionedParquet(store.child(target), options), run)
}

async function assertRows(expected: string): Promise<void> {
  await assertSameRows(duckdb, datasetSql(join(folder, target), ['id', 'k'], { k: 'BIGINT' }), expected)
  assert.deepEqual(strayFiles(folder), [])
}

beforeEach(async () => {
  target = `out-${runs++}`
  await write('old.parquet', {})
})

describe('existing', () => {
  for (const mode of modes) {
    test(`append keeps what is there, mode ${mode}`, async () => {
      await write('new.parquet', { existing: 'append' }, { mode })
      await assertRows(`${old} UNION ALL ${fresh}`)
    })
    test(`overwrite replaces all of it, mode ${mode}`, async () => {
      await write('new.parquet', { existing: 'overwrite' }, { mode })
      await assertRows(fresh)
    })
    test(`overwrite-partitions replaces the partitions written to, mode ${mode}`, async () => {
      await write('new.parquet', { existing: 'overwrite-partitions' }, { mode })
      await assertRows(`SELECT * FROM (${old}) WHERE k < 2 UNION ALL ${fresh}`)
    })
    test(`overwrite of the source itself, mode ${mode}`, async () => {
      await source(store.child(target), { mode })
        .pipe(filter(col('id').gte(1000)), derive({ id: col('id').plus(1) }), repartition({ by: ['k'] }))
        .to(partitionedParquet(store.child(target), { existing: 'overwrite' }))
      await assertRows(`SELECT id + 1 AS id, k FROM (${old}) WHERE id >= 1000`)
    })
    test(`overwrite by nothing leaves nothing, mode ${mode}`, async () => {
      const report = await source(store, { files: 'new.parquet', mode })
        .pipe(filter(col('id').lt(0)), repartition({ by: ['k'] }))
        .to(partitionedParquet(store.child(target), { existing: 'overwrite' }))
      assert.deepEqual([report.rowsOut, report.files, report.partitions], [0, 0, 0])
      assert.deepEqual(Object.keys(fingerprint(join(folder, target))), ['_SUCCESS'])
    })
  }
  test('error, the default, refuses and changes nothing', async () => {
    const before = fingerprint(folder)
    for (const options of [{}, { existing: 'error' }] as const) {
      await assert.rejects(write('new.parquet', options), hasCode('already-exists', 'existing'))
    }
    assert.deepEqual(fingerprint(folder), before)
  })
  test('error accepts a folder that holds no data', async () => {
    target = `out-${runs++}`
    await write('new.parquet', { existing: 'error' })
    await assertRows(fresh)
  })
})

describe('a run that ends early leaves the destination as it was', () => {
  const options = { existing: 'overwrite' } as const
  const all = join(folder, 'big.parquet')
  const prepared = duckdb.query(
    `COPY (SELECT i AS id, i % 4 AS k, hash(i) AS h FROM range(400_000) AS t(i)) TO ${quote(all)}
     (FORMAT parquet, ROW_GROUP_SIZE 10_240, COMPRESSION uncompressed)`,
  )

  for (const lanes of [1, 2]) {
    for (const mode of modes) {
      test(`aborted, mode ${mode}, ${lanes} lanes`, async () => {
        await prepared
        const before = fingerprint(folder)
        const reason = new Error('enough')
        const stop = new AbortController()
        let seen = 0
        const run = source(store, { files: 'big.parquet', mode, lanes })
          .pipe(
            mapBatches(batch => {
              if (seen++ === 2 || mode === 'fragment') stop.abort(reason)
              return batch
            }),
            repartition({ by: ['k'] }),
          )
          .to(partitionedParquet(store.child(target), options), { signal: stop.signal })
        await assert.rejects(run, error => error === reason)
        assert.deepEqual(fingerprint(folder), before)
      })
      test(`aborted in the lanes, mode ${mode}, ${lanes} lanes`, async () => {
        await prepared
        const before = fingerprint(folder)
        const reason = new Error('enough')
        const stop = new AbortController()
        const run = source(store, { files: 'big.parquet', mode, lanes })
          .pipe(repartition({ by: ['k'], maxRowsPerFile: 2000 }))
          .to(
            partitionedParquet(store.child(target), {
              ...options,
              fileName: ({ tag, sequence }) => {
                if (sequence === 3) stop.abort(reason)
                return `${sequence}-${tag}.parquet`
              },
            }),
            { signal: stop.signal },
          )
        await assert.rejects(run, error => error === reason)
        assert.deepEqual(fingerprint(folder), before)
      })
    }
  }
  test('aborted before it begins', async () => {
    const before = fingerprint(folder)
    const reason = new Error('no')
    await assert.rejects(
      write('new.parquet', options, { signal: AbortSignal.abort(reason) }),
      error => error === reason,
    )
    assert.deepEqual(fingerprint(folder), before)
  })
  test('a function that throws late', async () => {
    await prepared
    const before = fingerprint(folder)
    const cause = new Error('row 300,000')
    let rows = 0
    const run = source(store, { files: 'big.parquet' })
      .pipe(
        mapBatches(batch => {
          rows += batch.numRows
          if (rows > 300_000) throw cause
          return batch
        }),
        repartition({ by: ['k'], maxRowsPerFile: 2000 }),
      )
      .to(partitionedParquet(store.child(target), options))
    await assert.rejects(
      run,
      error => isSluiceError(error) && error.code === 'callback' && error.cause === cause,
    )
    assert.deepEqual(fingerprint(folder), before)
  })
  for (const mode of modes) {
    test(`a source that is damaged in its last row group, mode ${mode}`, async () => {
      await prepared
      const [chunk] = await duckdb.query(
        `SELECT row_group_id AS row_group, data_page_offset AS start FROM parquet_metadata(${quote(all)})
         WHERE path_in_schema = 'id' ORDER BY row_group_id DESC LIMIT 1`,
      )
      const damaged = join(folder, `damaged-${mode}.parquet`)
      copyFileSync(all, damaged)
      const file = openSync(damaged, 'r+')
      writeSync(file, Buffer.alloc(64, 0xff), 0, 64, Number(chunk!['start']))
      closeSync(file)
      const before = fingerprint(folder)
      await assert.rejects(write(`damaged-${mode}.parquet`, options, { mode }), error => {
        assert.ok(isSluiceError(error))
        assert.deepEqual(
          [error.code, error.column, error.rowGroup],
          ['corrupt', 'id', Number(chunk!['row_group'])],
        )
        assert.match(error.message, /damaged-/)
        return true
      })
      assert.deepEqual(fingerprint(folder), before)
    })
  }
})

describe('a named job', () => {
  test('that has committed is not done again, and says so', async () => {
    const first = await write('new.parquet', { existing: 'append' }, { job: 'daily' })
    assert.equal(first.alreadyCommitted, undefined)
    assert.equal(first.job, 'daily')
    const before = fingerprint(folder)
    const again = await write('new.parquet', { existing: 'append' }, { job: 'daily' })
    assert.deepEqual([again.alreadyCommitted, again.job, again.rowsOut], [true, 'daily', 0])
    assert.deepEqual(fingerprint(folder), before)
    await assertRows(`${old} UNION ALL ${fresh}`)
  })
  test('is refused for another pipeline', async () => {
    await write('new.parquet', { existing: 'append' }, { job: 'daily-2' })
    const before = fingerprint(folder)
    await assert.rejects(write('old.parquet', { existing: 'append' }, { job: 'daily-2' }), isSluiceError)
    assert.deepEqual(fingerprint(folder), before)
  })
})

function hasCode(code: string, option: string): (error: unknown) => boolean {
  return error => isSluiceError(error) && error.code === code && error.option === option
}
