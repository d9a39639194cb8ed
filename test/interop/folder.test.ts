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

const engines = ['polars', 'pyarrow', 'duckdb', 'dask']
/** Polars refuses a folder that holds any other file with bytes in it. */
const lenient = engines.filter(engine => engine !== 'polars')

/** What engines say of a folder that they are given by its name. */
async function answers(path: string, asked: string[]): Promise<Record<string, Answer>> {
  return await python(
    `
    import polars as pl, pyarrow, pyarrow.dataset as ds, pyarrow.compute as pc, dask.dataframe as dd, duckdb
    path, asked = input
    columns = ['id', 'x', 'word', 'k']
    def answer(table):
        return dict(rows=table.num_rows, ids=sum(table['id'].to_pylist()), x=pc.sum(table['x']).as_py(),
                    words=pc.count_distinct(table['word'], mode='all').as_py(),
                    ks=sorted({int(v) for v in table['k'].to_pylist()}))
    glob = f"read_parquet('{path}/**/*.parquet', hive_partitioning = 1)"
    readers = dict(
        polars=lambda: pl.scan_parquet(path).select(columns).collect().to_arrow(),
        pyarrow=lambda: ds.dataset(path, partitioning='hive').to_table(columns=columns),
        duckdb=lambda: duckdb.sql(f"SELECT id, x, word, k FROM {glob}").to_arrow_table(),
        dask=lambda: pyarrow.Table.from_pandas(
            dd.read_parquet(path, columns=columns).compute().astype({'k': 'int64'}), preserve_index=False))
    result = {engine: answer(readers[engine]()) for engine in asked}`,
    [path, asked],
  )
}

async function assertAgreed(path: string, expected: string, asked = engines): Promise<void> {
  const [wanted] = await duckdb.query(`
    SELECT count(*)::INTEGER AS rows, sum(id)::DOUBLE AS ids, sum(x)::DOUBLE AS x,
      (count(DISTINCT word) + max((word IS NULL)::INTEGER))::INTEGER AS words, list_sort(list(DISTINCT k)) AS ks
    FROM (${expected})`)
  const answer = { ...wanted, ks: (wanted!['ks'] as bigint[]).map(Number) }
  assert.deepEqual(await answers(path, asked), Object.fromEntries(asked.map(engine => [engine, answer])))
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
  /** Who can open it while there is a job that has not finished: a store's root has its state inside. */
  meanwhile: string[]
}

const places: Record<string, (name: string) => Promise<Place>> = {
  'a child of the opened store': async name => {
    const prefix = `deep/${name}`
    return {
      dataset: store.child(prefix),
      path: join(folder, prefix),
      opened: [folder, prefix],
      meanwhile: engines,
    }
  },
  'the opened store itself': async name => {
    const path = join(folder, `root-${name}`)
    mkdirSync(path)
    return { dataset: await openStore(path), path, opened: [path, ''], meanwhile: lenient }
  },
}

for (const [where, place] of Object.entries(places)) {
  describe(`other engines open by its name a dataset that is ${where}`, { skip: noPython }, () => {
    for (const options of [{}, { commonMetadata: true }, { successFile: false }]) {
      test(`after a job with ${JSON.stringify(options)}`, async () => {
        const { dataset, path } = await place(`done${Object.keys(options)}`)
        await write(dataset, options)
        await assertAgreed(path, rows, 'commonMetadata' in options ? lenient : engines)
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
      const { dataset, path, meanwhile } = await place('busy')
      await write(dataset)
      let looked = 0
      await source(store, { files: 'rows.parquet' })
        .pipe(
          mapBatches(async batch => {
            if (looked++ === 4) await assertAgreed(path, rows, meanwhile)
            return batch
          }),
          repartition({ by: ['k'], maxRowsPerFile: 500 }),
        )
        .to(partitionedParquet(dataset, { existing: 'overwrite' }))
      assert.ok(looked > 4)
      await assertAgreed(path, rows)
    })

    test('after one was killed, and when the next one has finished', async () => {
      const { dataset, path, opened, meanwhile } = await place('killed')
      await write(dataset)
      await killJob(opened)
      await assertAgreed(path, rows, meanwhile)
      await write(dataset, { existing: 'overwrite' })
      await assertAgreed(path, rows, meanwhile)
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
