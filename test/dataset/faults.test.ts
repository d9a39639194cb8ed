import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Existing, openJob } from '../../src/dataset/job.ts'
import { MemoryStore } from '../../src/storage/memory.ts'
import type { Store } from '../../src/storage/store.ts'
import { type Fault, faultyStore, interceptStore } from './intercept.ts'
import {
  contents,
  type Files,
  leftovers,
  plainContents,
  planOf,
  runJob,
  seed,
  stagedKeys,
  writeTask,
} from './support.ts'

const tasks: Files[] = [{ 'dt=2/': ['b1', 'b2'], 'dt=3/': ['c1'] }, { 'dt=3/': ['c2'] }]

const cases: { existing: Existing; before: string[]; after: string[] }[] = [
  { existing: 'error', before: [], after: ['b1', 'b2', 'c1', 'c2'] },
  { existing: 'append', before: ['a0', 'b0'], after: ['a0', 'b0', 'b1', 'b2', 'c1', 'c2'] },
  { existing: 'overwrite', before: ['a0', 'b0'], after: ['b1', 'b2', 'c1', 'c2'] },
  { existing: 'overwrite-partitions', before: ['a0', 'b0'], after: ['a0', 'b1', 'b2', 'c1', 'c2'] },
]

/** A store with a dataset in it that a job of the past and a foreign writer have made. */
async function begin(before: string[]): Promise<{ root: MemoryStore; lake: Store }> {
  const root = new MemoryStore()
  const lake = root.child('lake')
  if (before.length > 0) {
    await runJob(lake, { existing: 'append', tasks: [{ 'dt=1/': ['a0'] }] })
    await seed(lake, { 'dt=2/foreign.parquet': 'b0' })
  }
  return { root, lake }
}

/** Runs `check` after a fault at every call that `work` makes. */
async function atEveryCall(
  before: string[],
  fault: Omit<Fault, 'at'>,
  work: (lake: Store) => Promise<unknown>,
  check: (found: { root: MemoryStore; lake: Store; failed: boolean; place: string }) => Promise<void>,
): Promise<void> {
  for (let at = 0; ; at++) {
    const { root, lake } = await begin(before)
    const faulty = faultyStore(root, { ...fault, at })
    const failed = await work(faulty.store.child('lake')).then(
      () => false,
      () => true,
    )
    const call = faulty.requests[at]
    const place = `${fault.when} ${call?.method} '${call?.key}' (call ${at})`
    await check({ root, lake, failed, place })
    if (faulty.requests.length <= at) {
      assert.ok(at > 20, 'the job makes calls')
      return
    }
  }
}

for (const { existing, before, after } of cases) {
  for (const when of ['before', 'after'] as const) {
    const job = (lake: Store) => runJob(lake, { name: 'nightly', existing, tasks })

    test(`${existing}: killed ${when} any call, the dataset is old or new, and a second run completes it`, async () => {
      await atEveryCall(before, { when, fatal: true }, job, async ({ root, lake, failed, place }) => {
        const seen = await contents(lake)
        assert.ok(failed || same(seen, after), place)
        assert.ok(same(seen, before) || same(seen, after), `${place}: ${seen}`)
        await assertHonest(lake, before, after, place)
        await job(lake)
        assert.deepEqual(await contents(lake), after, place)
        assert.deepEqual(await plainContents(lake), after, place)
        assert.deepEqual(await leftovers(root), [], place)
      })
    })

    test(`${existing}: killed ${when} any call, another job finds a sound dataset`, async () => {
      await atEveryCall(before, { when, fatal: true }, job, async ({ lake, place }) => {
        const expected = [...((await isDecided(lake)) ? after : await contents(lake)), 'z'].sort()
        await runJob(lake, { existing: 'append', tasks: [{ 'dt=9/': ['z'] }] })
        assert.deepEqual(await contents(lake), expected, place)
        assert.deepEqual(await plainContents(lake), expected, place)
      })
    })

    test(`${existing}: one call fails ${when} it took effect, and the job is aborted, or has committed`, async () => {
      const work = async (lake: Store) => {
        const job = await openJob(lake, { existing, plan: planOf(tasks.length) })
        try {
          for (const [task, files] of tasks.entries()) await writeTask(job, task, files)
          await job.commit()
        } catch (error) {
          await job.abort()
          throw error
        }
      }
      await atEveryCall(before, { when }, work, async ({ root, lake, failed, place }) => {
        const seen = await contents(lake)
        assert.ok(same(seen, after) || (failed && same(seen, before)), `${place}: ${seen}`)
        assert.deepEqual(await plainContents(lake), seen, place)
        assert.deepEqual(await leftovers(root), [], place)
        assert.deepEqual(await stagedKeys(root), [], place)
      })
    })
  }

  test(`${existing}: at every moment of a job a reader finds the old dataset, then the new one`, async () => {
    const { root, lake } = await begin(before)
    let seenNew = false
    const watched = interceptStore(root, async (_, run) => {
      const result = await run()
      const seen = await contents(lake)
      seenNew ||= !same(seen, before)
      assert.deepEqual(seen, seenNew ? after : before)
      return result
    })
    await runJob(watched.child('lake'), { existing, tasks })
    assert.ok(seenNew)
  })
}

test('killed while it finishes the commit of a killed job, a process leaves a sound dataset', async () => {
  const [, , , { existing, before, after }] = cases as [never, never, never, (typeof cases)[0]]
  for (let first = 0; ; first++) {
    const prepare = async () => {
      const { root, lake } = await begin(before)
      const dying = faultyStore(root, { at: first, when: 'after', fatal: true })
      await runJob(dying.store.child('lake'), { name: 'nightly', existing, tasks }).catch(() => {})
      return { root, lake, died: dying.requests.length > first }
    }
    if (!(await prepare()).died) break
    for (let second = 0; ; second++) {
      const { root, lake } = await prepare()
      const expected = (await isDecided(lake)) ? after : await contents(lake)
      const faulty = faultyStore(root, { at: second, when: 'after', fatal: true })
      await openJob(faulty.store.child('lake'), { existing: 'append', plan: planOf(0) }).catch(() => {})
      const seen = await contents(lake)
      if (!(await isDecided(lake))) assert.deepEqual(seen, expected, `${first}, ${second}`)
      assert.ok(same(seen, before) || same(seen, after), `${first}, ${second}: ${seen}`)
      await runJob(lake, { name: 'nightly', existing, tasks })
      assert.deepEqual(await plainContents(lake), after, `${first}, ${second}`)
      if (faulty.requests.length <= second) break
    }
  }
})

/** A plain listing never shows a file of a job that has not committed. */
async function assertHonest(lake: Store, before: string[], after: string[], place: string): Promise<void> {
  const plain = await plainContents(lake)
  const added = after.filter(text => !before.includes(text))
  if (!same(await contents(lake), before)) return
  if (!(await isDecided(lake))) assert.deepEqual(plain, before, place)
  assert.ok(
    before.every(text => plain.includes(text)),
    place,
  )
  assert.ok(
    plain.every(text => before.includes(text) || added.includes(text)),
    place,
  )
}

/** A commit has been made and not yet brought to its end: whatever happens now, the dataset becomes the new one. */
async function isDecided(lake: Store): Promise<boolean> {
  const { objects } = await lake.root.store.listLevel({ prefix: '_sluice/lake/commits/' })
  return objects.some(object => object.size > 0)
}

function same(a: string[], b: string[]): boolean {
  return a.join() === b.join()
}
