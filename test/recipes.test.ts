import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { noAzure, startAzure } from './servers/azure.ts'
import { noGcs, startGcs } from './servers/gcs.ts'
import { noS3, startS3 } from './servers/s3.ts'
import { root } from './support/root.ts'
import { tempFolder } from './support/temp.ts'

interface Recipe {
  /** What it prints at its end, where it has compared itself with DuckDB or we do. */
  ending: RegExp
  skip?: string | false
  /** What it is called with, and what to look at when it has run. */
  prepare?: (
    t: TestContext,
    folder: string,
  ) => Promise<{
    args: string[]
    env: Record<string, string>
    check: () => void
  }>
}

const recipes: Record<string, Recipe> = {
  'quickstart.ts': { ending: /DuckDB +reads 2,946,774 rows from quickstart\/flights, expects 2,946,774\n$/ },
  'medallion.ts': { ending: /DuckDB: silver has (\d+,\d+) \(rows, days\), expects \1\n$/ },
  'cross-cloud-copy.ts': {
    ending:
      /^s3:.* to gs:.*: 4 copied, .*\ngs:.* to az:.*: 4 copied, .*\naz:.* to file:.*: 4 copied, 0 there already, 0 deleted\n$/,
    skip: noS3 || noGcs || noAzure,
    prepare: prepareClouds,
  },
  'incremental-sync.ts': {
    ending:
      /^first: 3 copied, 0 .*\nnothing new: 0 copied, 3 .*\na day later: 2 copied, 1 there already, 1 deleted\n(day=[234]\/trips\.csv {2}\d+ bytes\n){3}$/,
  },
}

test('every recipe is tested', () => {
  assert.deepEqual(readdirSync(join(root, 'recipes')).sort(), Object.keys(recipes).sort())
})

for (const [recipe, { ending, skip = false, prepare }] of Object.entries(recipes)) {
  test(`recipe ${recipe} runs and does what it says`, { skip }, async t => {
    // In a folder of its own, with the package under its name as a user has it.
    const folder = tempFolder(t)
    cpSync(join(root, 'recipes', recipe), join(folder, 'recipes', recipe))
    cpSync(join(root, 'package.json'), join(folder, 'package.json'))
    for (const name of ['dist', 'node_modules']) symlinkSync(join(root, name), join(folder, name))
    const { args, env, check } = (await prepare?.(t, folder)) ?? { args: [], env: {}, check: () => undefined }
    const run = spawnSync(process.execPath, ['--import', 'tsx', join('recipes', recipe), ...args], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, ...env },
    })
    assert.equal(run.status, 0, run.stderr)
    assert.match(run.stdout, ending)
    check()
  })
}

/** A server of each cloud, of which the first has files, and all that is set are the clouds' own variables. */
async function prepareClouds(
  t: TestContext,
  folder: string,
): Promise<{ args: string[]; env: Record<string, string>; check: () => void }> {
  const [s3, gcs, azure] = await Promise.all([startS3(), startGcs(), startAzure()])
  t.after(() => Promise.all([s3.stop(), gcs.stop(), azure.stop()]))
  const bucket = s3.createBucket('lake')
  await gcs.createBucket('lake')
  await azure.createContainer('lake')
  mkdirSync(join(bucket, 'data'))
  for (const name of ['flights-3m.parquet', 'movies.json', 'flights-5k.json', 'zipcodes.csv']) {
    cpSync(join(root, 'node_modules/vega-datasets/data', name), join(bucket, 'data', name))
  }
  const { accessKeyId, secretAccessKey } = s3.credentials
  return {
    args: ['s3://lake/data', 'gs://lake/data', 'az://lake/data', 'data'],
    env: {
      AWS_ENDPOINT_URL: s3.endpoint,
      AWS_REGION: s3.region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      STORAGE_EMULATOR_HOST: gcs.endpoint,
      AZURE_STORAGE_CONNECTION_STRING: `AccountName=${azure.account};AccountKey=${azure.accountKey};BlobEndpoint=${azure.endpoint}`,
    },
    check: () => void execFileSync('diff', ['-r', join(bucket, 'data'), join(folder, 'data')]),
  }
}
