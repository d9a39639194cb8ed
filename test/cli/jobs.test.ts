import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openJob } from '../../src/dataset/job.ts'
import { openStore } from '../../src/index.ts'
import { planOf, runJob, stagedKeys, writeTask } from '../dataset/support.ts'
import { tempFolder } from '../support/temp.ts'
import { output, sluice } from './support.ts'

test('jobs are listed, given up and cleared away', async t => {
  const folder = tempFolder(t)
  const url = join(folder, 'lake')
  mkdirSync(url)
  const lake = (await openStore(folder)).child('lake')
  assert.equal(await output('jobs', url), 'no jobs\n')
  await runJob(lake, { name: 'seed', existing: 'append', tasks: [{ 'dt=1/': ['a'] }] })
  for (const name of ['nightly', 'weekly']) {
    const job = await openJob(lake, { name, existing: 'append', plan: planOf(3) })
    await writeTask(job, 0, { 'dt=1/': [name] })
  }
  const unnamed = await openJob(lake, { existing: 'append', plan: planOf(1) })
  await writeTask(unnamed, 0, { 'dt=2/': ['u'] })

  const listed = await output('jobs', url)
  assert.match(listed, /^job +state +tasks done +started +by +last activity\n/)
  assert.match(
    listed,
    new RegExp(`^nightly +unfinished +1 of 3 +\\d{4}-.* process ${process.pid} +\\d{4}-`, 'm'),
  )
  assert.match(listed, /^seed +committed +\d{4}-/m)
  const [first] = (await output('jobs', url, '--json'))
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  assert.ok(['named', 'state', 'lastActivity'].every(property => property in first))

  assert.equal(await output('abort', url, 'nightly'), "gave up 'nightly'\n")
  const again = await sluice('abort', url, 'nightly')
  assert.equal(again.code, 1)
  assert.match(again.stderr, /there is no unfinished job 'nightly'.*Unfinished: .*'weekly'/)

  await sleep(50)
  const nothing =
    'removed 0 unfinished uploads\nremoved 0 jobs without a name, 0 records of jobs that were given up\n'
  assert.equal(await output('vacuum', url), nothing)
  const planned = await output('vacuum', url, '--older-than', '20ms', '--dry-run')
  assert.match(planned, /^would remove 1 unfinished uploads.*\nwould remove 1 jobs without a name, 1 records/)
  assert.match(planned, /^kept job 'weekly', 1 of 3 tasks done/m)
  assert.equal((await stagedKeys(lake)).length, 2)
  assert.equal(
    await output('vacuum', url, '--older-than', '20ms'),
    planned.replaceAll('would remove', 'removed'),
  )
  assert.equal((await stagedKeys(lake)).length, 1)
  assert.equal((await sluice('vacuum', url, '--older-than', 'soon')).code, 2)
})
