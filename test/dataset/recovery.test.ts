import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Job, openJob } from '../../src/dataset/job.ts'
import { abortJob, listJobs } from '../../src/dataset/jobs.ts'
import { vacuum } from '../../src/dataset/vacuum.ts'
import { MemoryStore } from '../../src/storage/memory.ts'
import type { Store } from '../../src/storage/store.ts'
import { faultyStore, interceptStore } from './intercept.ts'
import {
  allKeys,
  contents,
  hasCode,
  leftovers,
  plainContents,
  planOf,
  runJob,
  stagedKeys,
  writeTask,
} from './support.ts'

/** A dataset with a file `a`, and unfinished jobs of processes that have ended: 'nightly' and one without a name. */
async function abandoned(): Promise<{ root: MemoryStore; lake: Store; named: Job; unnamed: Job }> {
  const root = new MemoryStore()
  const lake = root.child('lake')
  await runJob(lake, { name: 'seed', existing: 'append', tasks: [{ 'dt=1/': ['a'] }] })
  const named = await openJob(lake, { name: 'nightly', existing: 'append', plan: planOf(3) })
  await writeTask(named, 0, { 'dt=1/': ['n0'] })
  const unnamed = await openJob(lake, { existing: 'append', plan: planOf(2) })
  await writeTask(unnamed, 0, { 'dt=2/': ['u0'] })
  await (await unnamed.createFile(1, 'dt=2/')).write(Buffer.from('half'))
  // What was put in this very millisecond is not old yet.
  await sleep(2)
  return { root, lake, named, unnamed }
}

test('listJobs tells what has become of each job', async () => {
  const { lake, unnamed } = await abandoned()
  const given = await openJob(lake, { name: 'given', existing: 'append', plan: planOf(1) })
  await given.abort()
  const jobs = await listJobs(lake)
  const told = jobs.map(({ name, named, state, tasks }) => [name, named, state, tasks?.done, tasks?.total])
  assert.deepEqual(
    told.sort(),
    [
      ['given', true, 'given-up', undefined, undefined],
      ['nightly', true, 'unfinished', 1, 3],
      ['seed', true, 'committed', undefined, undefined],
      [unnamed.id, false, 'unfinished', 1, 2],
    ].sort(),
  )
  const { startedBy, started, lastActivity } = jobs.find(({ name }) => name === 'nightly')!
  assert.match(startedBy!, new RegExp(`, process ${process.pid}$`))
  assert.ok(started! <= lastActivity && lastActivity <= new Date())
  assert.deepEqual(await listJobs(new MemoryStore()), [])
})

test('abortJob removes what a job wrote, and its process finds out', async () => {
  for (const which of ['named', 'unnamed'] as const) {
    const { root, lake, ...jobs } = await abandoned()
    const job = jobs[which]
    const name = which === 'named' ? 'nightly' : job.id
    await abortJob(lake, name)
    assert.deepEqual(await contents(lake), ['a'])
    assert.ok((await stagedKeys(lake)).every(key => !key.includes(job.id)))
    for (let task = 1; task < job.plan.tasks.length; task++) await writeTask(job, task, { 'dt=9/': ['late'] })
    await assert.rejects(job.commit(), hasCode('conflict'))
    await job.abort()
    assert.deepEqual(await plainContents(lake), ['a'])
    assert.ok((await stagedKeys(lake)).every(key => !key.includes(job.id)))
    await assert.rejects(abortJob(lake, name), { code: 'not-found', message: /Unfinished: '/ })
    assert.ok((await leftovers(root)).every(key => !key.includes(job.id)))
  }
})

test('vacuum clears what nobody can go on with, and keeps what somebody can', async () => {
  const { root, lake, named, unnamed } = await abandoned()
  const orphan = await lake.stage('dt=3/part-of-nobody.parquet')
  await orphan.write(Buffer.from('orphan'))
  await sleep(2)
  const before = await allKeys(root)

  assert.deepEqual(await vacuum(lake), { dryRun: false, jobs: [], uploads: [], records: 0, kept: [] })
  const planned = await vacuum(lake, { olderThan: 0, dryRun: true })
  assert.deepEqual(await allKeys(root), before)
  assert.equal((await stagedKeys(lake)).length, 4)

  const done = await vacuum(lake, { olderThan: 0 })
  assert.deepEqual({ ...done, dryRun: true }, planned)
  assert.deepEqual(
    [done.jobs.map(({ id }) => id), done.kept.map(({ name }) => name)],
    [[unnamed.id], ['nightly']],
  )
  assert.equal(done.uploads.length, 3)
  assert.deepEqual(await contents(lake), ['a'])
  assert.deepEqual(
    (await stagedKeys(lake)).map(key => key.includes(named.id)),
    [true],
  )

  for (const task of [1, 2]) await writeTask(named, task, { 'dt=1/': [`n${task}`] })
  await named.commit()
  assert.deepEqual(await contents(lake), ['a', 'n0', 'n1', 'n2'])
})

test('a process that comes back after its job was cleared away commits nothing, however late', async () => {
  for (const rounds of [1, 2, 3]) {
    const { root, lake, unnamed } = await abandoned()
    for (let round = 0; round < rounds; round++) {
      await vacuum(lake, { olderThan: 0 })
      await sleep(2)
    }
    await writeTask(unnamed, 1, { 'dt=2/': ['u1'] })
    await assert.rejects(unnamed.commit(), hasCode('conflict'))
    await unnamed.abort()
    assert.deepEqual(await plainContents(lake), ['a'])
    await sleep(2)
    await vacuum(lake, { olderThan: 0 })
    assert.deepEqual(
      (await leftovers(root)).filter(key => key.includes(unnamed.id)),
      [],
    )
  }
})

test('vacuum of a folder leaves the jobs of datasets in it alone', async () => {
  const root = new MemoryStore()
  const inner = root.child('lake/events')
  const job = await openJob(inner, { existing: 'append', plan: planOf(1) })
  const other = await openJob(inner, { name: 'named', existing: 'append', plan: planOf(1) })
  await writeTask(job, 0, { '': ['x'] })
  await writeTask(other, 0, { '': ['y'] })
  await sleep(2)
  for (const outer of [root, root.child('lake')]) {
    assert.deepEqual((await vacuum(outer, { olderThan: 0 })).uploads, [])
  }
  await job.commit()
  await other.commit()
  assert.deepEqual(await contents(inner), ['x', 'y'])
})

test('vacuum that dies at any of its calls is finished by the next one', async () => {
  for (const when of ['before', 'after'] as const) {
    for (let at = 0; ; at++) {
      const { root, lake, unnamed } = await abandoned()
      const faulty = faultyStore(root, { at, when, fatal: true })
      const died = await vacuum(faulty.store.child('lake'), { olderThan: 0 }).then(
        () => false,
        () => true,
      )
      await sleep(2)
      await vacuum(lake, { olderThan: 0 })
      assert.deepEqual(await plainContents(lake), ['a'], `call ${at}`)
      assert.ok(
        (await stagedKeys(lake)).every(key => !key.includes(unnamed.id)),
        `call ${at}`,
      )
      assert.ok(
        (await leftovers(root)).every(key => !key.includes(unnamed.id)),
        `call ${at}`,
      )
      if (!died && faulty.requests.length <= at) {
        assert.ok(at > 15)
        break
      }
    }
  }
})

test('a job that commits at any moment of a vacuum has all of its rows, or none and knows', async () => {
  const outcomes = new Set<boolean>()
  for (let at = 0; ; at++) {
    const { root, lake, unnamed } = await abandoned()
    await writeTask(unnamed, 1, { 'dt=2/': ['u1'] })
    await sleep(2)
    let calls = 0
    let committed: boolean | undefined
    const store = interceptStore(root, async (_, run) => {
      if (calls++ === at) {
        committed = await unnamed.commit().then(
          () => true,
          error => {
            assert.ok(hasCode('conflict')(error), String(error))
            return false
          },
        )
      }
      return run()
    })
    await vacuum(store.child('lake'), { olderThan: 0 })
    if (committed === undefined) break
    outcomes.add(committed)
    assert.deepEqual(await contents(lake), committed ? ['a', 'u0', 'u1'] : ['a'], `call ${at}`)
    assert.deepEqual(await plainContents(lake), await contents(lake))
  }
  assert.deepEqual([...outcomes].sort(), [false, true])
})

test('a wrong length of time is told', async () => {
  for (const olderThan of ['soon', '7 x', '-1d', -1, Number.NaN, '5']) {
    await assert.rejects(vacuum(new MemoryStore(), { olderThan }), {
      code: 'invalid-argument',
      option: 'olderThan',
    })
  }
})
