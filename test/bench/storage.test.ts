import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Measured } from '../../bench/child.ts'
import { contestantResult } from '../../bench/results.ts'
import { SMALL, type StorageTask, scaleOf, storageJobs } from '../../bench/storage/jobs.ts'
import { openPlace } from '../../bench/storage/place.ts'
import { type StorageResults, storageJobResult, withServerLimit } from '../../bench/storage/results.ts'
import { openStore } from '../../src/index.ts'
import { noS3 } from '../servers/s3.ts'
import { onOneNode } from '../support/cases.ts'
import { root } from '../support/root.ts'
import { tempFolder } from '../support/temp.ts'

const scale = { large: 3 * 1024 * 1024, small: 3, keys: 1_200 }
const jobOf = (name: StorageTask) => storageJobs(scale).find(job => job.name === name)!

test('a smoke run of the storage harness gives complete results and a page of them', {
  skip: noS3 || onOneNode,
}, t => {
  const folder = tempFolder(t)
  const jobs: StorageTask[] = ['put-large', 'get-small', 'list', 'copy-streamed', 'copy-in-store']
  const options = [
    '--smoke',
    '--peers',
    'sdk',
    '--jobs',
    jobs.join(','),
    '--disk',
    folder,
    '--output',
    folder,
  ]
  const run = spawnSync(process.execPath, ['--import', 'tsx', 'bench/main.ts', 'storage', ...options], {
    cwd: root,
    encoding: 'utf8',
  })
  assert.equal(run.status, 0, run.stderr + run.stdout)
  const output = (end: string) =>
    readFileSync(join(folder, readdirSync(folder).find(file => file.endsWith(end))!), 'utf8')
  const results = JSON.parse(output('.json')) as StorageResults
  assert.deepEqual(
    results.jobs.map(({ name }) => name),
    jobs,
  )
  for (const { name, contestants } of results.jobs) {
    const limits = name === 'list' || name === 'copy-in-store' ? ['disk'] : ['socket', 'disk']
    assert.deepEqual(
      contestants.map(({ name }) => name),
      ['sluice', 'sdk', ...limits],
    )
    for (const { seconds, peakRssBytes, ratios } of contestants) {
      assert.ok(seconds! > 0 && peakRssBytes! > 1e6 && ratios.disk! > 0)
    }
  }
  assert.match(output('.html'), /copy-streamed: 2 MiB/)
  assert.match(run.stdout, /sluice +\d/)
  assert.deepEqual(readdirSync(join(folder, 'storage')), [], 'nothing is left')
})

test('only who moved the right bytes has a time', { skip: noS3 }, async t => {
  const place = await openPlace(tempFolder(t), scale)
  t.after(() => place.stop())
  const { AWS_ENDPOINT_URL: endpoint, AWS_REGION: region } = place.env
  const credentials = {
    accessKeyId: place.env['AWS_ACCESS_KEY_ID']!,
    secretAccessKey: place.env['AWS_SECRET_ACCESS_KEY']!,
  }
  const [source, target] = await Promise.all(
    ['source', 'target'].map(name => openStore(`s3://${name}`, { endpoint, region, credentials })),
  )
  const answer = (told: Partial<Measured>): Measured => {
    return {
      version: '1',
      startedAt: 0,
      seconds: 1,
      processSeconds: 1,
      peakRssBytes: 1,
      samples: [],
      ...told,
    }
  }
  const nothing = answer({})

  await target!.put('large/object', (await source!.get('large/object')).body)
  await place.verify(jobOf('put-large'), nothing, false)
  await target!.put('large/object', new Uint8Array(scale.large))
  await assert.rejects(place.verify(jobOf('copy-streamed'), nothing, false), /bytes of the hash/)
  await target!.put('large/object', new Uint8Array(7))
  await assert.rejects(place.verify(jobOf('put-large'), nothing, false), /so many bytes: 7/)
  place.clear()
  await assert.rejects(place.verify(jobOf('put-large'), nothing, false), /ENOENT/)

  await source!.copy('large/object', 'large/copy')
  await place.verify(jobOf('copy-in-store'), nothing, false)
  for (const key of ['small/000000', 'small/000001', 'small/000002']) {
    await target!.put(key, (await source!.get(key)).body)
  }
  await place.verify(jobOf('put-small'), nothing, true)
  await target!.put('small/000001', new Uint8Array(SMALL))
  await assert.rejects(place.verify(jobOf('put-small'), nothing, true), /bytes of the hash/)

  const get = jobOf('get-small')
  await place.verify(get, answer({ rows: 3, bytes: 3 * SMALL }), false)
  await assert.rejects(place.verify(get, answer({ rows: 2, bytes: 3 * SMALL }), false), /objects: 2/)
  const wrong = answer({ rows: 3, bytes: 3 * SMALL, sha256: 'other' })
  await assert.rejects(place.verify(get, wrong, true), /hash other/)
})

test('ratios are to obstore and to the limits of the same run', () => {
  const of = (name: string, seconds: number) => {
    const shape = { peer: name !== 'sluice', reference: name === 'disk' || name === 'socket' }
    const run = { seconds, processSeconds: seconds, peakRssBytes: 1, samples: [] }
    return contestantResult({ name, ...shape, peer: shape.peer && !shape.reference }, 1, [run], undefined)
  }
  const result = (name: StorageTask, sluice: number, obstore: number) =>
    storageJobResult(jobOf(name), 'disk', [of('sluice', sluice), of('obstore', obstore), of('disk', 0.5)])
  const jobs = withServerLimit([
    result('put-large', 4, 3),
    result('get-large', 1, 2),
    result('copy-streamed', 4, 6),
  ])
  const ratios = jobs.map(({ contestants }) => contestants[0]!.ratios)
  assert.deepEqual(ratios, [
    { obstore: 0.75, disk: 0.125 },
    { obstore: 2, disk: 0.5 },
    { obstore: 1.5, disk: 0.125, server: 0.75 },
  ])
  assert.equal(jobs[1]!.fastestPeer, 'obstore')
  assert.deepEqual(scaleOf(1, 1_000_000), { large: 1024 ** 3, small: 10_000, keys: 1_000_000 })
})
