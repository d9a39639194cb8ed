import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import {
  col,
  derive,
  mapBatches,
  openStore,
  type PartitionedParquetOptions,
  partitionedParquet,
  repartition,
  type Store,
  source,
} from '../../src/index.ts'
import { assertSameRows, datasetSql, openWorkspace, strayFiles } from '../pipeline/support.ts'
import { quote } from '../support/duckdb.ts'
import { noPython, python } from '../support/python.ts'
import { root } from '../support/root.ts'

const { folder, store, duckdb } = await openWorkspace({ after })
const rows = `
  SELECT i AS id, CASE WHEN i % 5 > 0 THEN i / 8 END AS x, CASE WHEN i % 3 > 0 THEN 'Zürich ' || i % 70 END AS word,
    DATE '2025-01-30' + (i % 4)::INTEGER AS day, i % 2 = 0 AS even, 1 + i % 3 AS k
  FROM range(30_000) AS t(i)`
await duckdb.query(
  `COPY (${rows}) TO ${quote(join(folder, 'rows.parquet'))} (FORMAT parquet, ROW_GROUP_SIZE 4096)`,
)

interface Answer {
  rows: number
  ids: number
  x: number
  words: number
  ks: number[]
}

/** What four engines say of a folder that they are given by its name. */
async function answers(path: string): Promise<Record<string, Answer>> {
  return await python(
    `
    import polars as pl, pyarrow, pyarrow.dataset as ds, pyarrow.compute as pc, dask.dataframe as dd, duckdb
    columns = ['id', 'x', 'word', 'k']
    def answer(table):
        return dict(rows=table.num_rows, ids=sum(table['id'].to_pylist()), x=pc.sum(table['x']).as_py(),
                    words=pc.count_distinct(table['word'], mode='all').as_py(),
                    ks=sorted({int(v) for v in table['k'].to_pylist()}))
    polars = pl.scan_parquet(input).select(columns).collect().to_arrow()
    arrow = ds.dataset(input, partitioning='hive').to_table(columns=columns)
    duck = duckdb.sql(f"SELECT id, x, word, k FROM read_parquet('{input}/**/*.parquet', hive_partitioning = 1)")
    frame = dd.read_parquet(input, columns=columns).compute()
    frame['k'] = frame['k'].astype('int64')
    dask = pyarrow.Table.from_pandas(frame, preserve_index=False)
    result = dict(polars=answer(polars), arrow=answer(arrow), duckdb=answer(duck.to_arrow_table()), dask=answer(dask))`,
    path,
  )
}

async function assertAgreed(path: string, expected: string): Promise<void> {
  const [wanted] = await duckdb.query(`
    SELECT count(*)::INTEGER AS rows, sum(id)::DOUBLE AS ids, sum(x)::DOUBLE AS x,
      (count(DISTINCT word) + max((word IS NULL)::INTEGER))::INTEGER AS words, list_sort(list(DISTINCT k)) AS ks
    FROM (${expected})`)
  const answer = { ...wanted, ks: (wanted!['ks'] as bigint[]).map(Number) }
  assert.deepEqual(await answers(path), { polars: answer, arrow: answer, duckdb: answer, dask: answer })
}

function write(to: Store, options: PartitionedParquetOptions = {}): Promise<unknown> {
  return source(store, { files: 'rows.parquet' })
    .pipe(repartition({ by: ['k'] }))
    .to(partitionedParquet(to, options))
}

interface Place {
  dataset: Store
  path: string
  /** What is opened as a store, and the dataset's prefix in it. */
  opened: [folder: string, prefix: string]
}

const places: Record<string, (name: string) => Promise<Place>> = {
  'a child of the opened store': async name => {
    const prefix = `deep/${name}`
    return { dataset: store.child(prefix), path: join(folder, prefix), opened: [folder, prefix] }
  },
  'the opened store itself': async name => {
    const path = join(folder, `root-${name}`)
    mkdirSync(path)
    return { dataset: await openStore(path), path, opened: [path, ''] }
  },
}

for (const [where, place] of Object.entries(places)) {
  describe(`other engines open by its name a dataset that is ${where}`, { skip: noPython }, () => {
    for (const options of [{}, { commonMetadata: true }, { successFile: false }]) {
      test(`after a job with ${JSON.stringify(options)}`, async () => {
        const { dataset, path } = await place(`done${Object.keys(options)}`)
        await write(dataset, options)
        await assertAgreed(path, rows)
        assert.equal(readdirSync(path).includes('_common_metadata'), 'commonMetadata' in options)
        assert.equal(readdirSync(path).includes('_SUCCESS'), !('successFile' in options))
      })
    }

    test('after appending and a named overwrite', async () => {
      const { dataset, path } = await place('again')
      await write(dataset)
      await write(dataset, { existing: 'append' })
      await assertAgreed(path, `${rows} UNION ALL ${rows}`)
      await source(store, { files: 'rows.parquet' })
        .pipe(derive({ id: col('id').plus(1) }), repartition({ by: ['k'] }))
        .to(partitionedParquet(dataset, { existing: 'overwrite-partitions' }), { job: 'nightly' })
      await assertAgreed(path, `SELECT * REPLACE (id + 1 AS id) FROM (${rows})`)
      assert.deepEqual(strayFiles(path), [])
    })

    test('while another job runs into it', async () => {
      const { dataset, path } = await place('busy')
      await write(dataset)
      let looked = 0
      await source(store, { files: 'rows.parquet' })
        .pipe(
          mapBatches(async batch => {
            if (looked++ === 4) await assertAgreed(path, rows)
            return batch
          }),
          repartition({ by: ['k'], maxRowsPerFile: 500 }),
        )
        .to(partitionedParquet(dataset, { existing: 'overwrite' }))
      assert.ok(looked > 4)
      await assertAgreed(path, rows)
    })

    test('after one was killed, and when the next one has finished', async () => {
      const { dataset, path, opened } = await place('killed')
      await write(dataset)
      await killJob(opened)
      await assertAgreed(path, rows)
      await write(dataset, { existing: 'overwrite' })
      await assertAgreed(path, rows)
      const back = datasetSql(path, ['id', 'x', 'word', 'day', 'even', 'k'], { k: 'BIGINT' })
      await assertSameRows(duckdb, back, rows)
    })
  })
}

/** Starts a job in a process of its own and kills it when it has written something. */
async function killJob(opened: [folder: string, prefix: string]): Promise<void> {
  const script = join(root, 'test/interop/endless-job.ts')
  const args = ['--import', 'tsx', script, ...opened, join(folder, 'rows.parquet')]
  const job = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], cwd: root })
  await firstOutput(job)
  const ended = new Promise(resolve => job.once('exit', (_, signal) => resolve(signal)))
  job.kill('SIGKILL')
  assert.equal(await ended, 'SIGKILL')
}

function firstOutput(job: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    job.stdout!.once('data', () => resolve())
    job.once('exit', code => reject(new Error(`the job ended by itself with code ${code}`)))
  })
}
