import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SluiceError } from '../../src/core/errors.ts'
import { commitKey } from '../../src/dataset/commits.ts'
import { openJob } from '../../src/dataset/job.ts'
import { readSnapshot } from '../../src/dataset/snapshot.ts'
import { MemoryStore } from '../../src/storage/memory.ts'
import type { Store } from '../../src/storage/store.ts'
import type { StoreRequest } from '../../src/storage/wrappers/wrapped.ts'
import { cases } from '../support/cases.ts'
import { faultyStore, type Interceptor, interceptStore } from './intercept.ts'
import {
  allKeys,
  contents,
  type Files,
  hasCode,
  leftovers,
  plainContents,
  planOf,
  runJob,
  seed,
  stagedKeys,
  writeTask,
} from './support.ts'

/** A store whose calls, and their replies, wait until the scheduler lets them go, in an order that it draws. */
function interleaved(store: Store, scheduler: fc.Scheduler): Store {
  return interceptStore(store, (call, run) => wait(scheduler, call, run))
}

async function wait<T>(scheduler: fc.Scheduler, call: StoreRequest, run: () => Promise<T>): Promise<T> {
  await scheduler.schedule(Promise.resolve(), `${call.method} ${call.key}`)
  const result = await run()
  await scheduler.schedule(Promise.resolve(), `reply to ${call.method} ${call.key}`)
  return result
}

/** Holds back the first call to a key that matches until it is let go. */
function gate(key: RegExp): { pass: Interceptor; reached: Promise<void>; letGo: () => void } {
  let arrive = () => {}
  let letGo = () => {}
  const reached = new Promise<void>(resolve => (arrive = resolve))
  const opened = new Promise<void>(resolve => (letGo = resolve))
  let waiting = true
  const pass: Interceptor = async (call, run) => {
    if (waiting && key.test(call.key)) {
      waiting = false
      arrive()
      await opened
    }
    return run()
  }
  return { pass, reached, letGo }
}

async function newestNumber(root: Store): Promise<number> {
  const { objects } = await root.listLevel({ prefix: '_sluice/lake/commits/' })
  return Number(/(\d+)\.json$/.exec(objects.at(-1)?.key ?? '')?.[1] ?? 0)
}

test('jobs that append at once all land, each under a number of its own; readers see whole jobs', async () => {
  const names = ['a', 'b', 'c', 'd', 'e']
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), async scheduler => {
      const root = new MemoryStore()
      const busy = interleaved(root, scheduler).child('lake')
      const seen: string[][] = []
      const read = async () => {
        for (let i = 0; i < 4; i++) {
          const { objects } = await readSnapshot(busy)
          seen.push(objects.map(({ key }) => key.slice(2, 3)))
        }
      }
      const append = (name: string) =>
        runJob(busy, { existing: 'append', tasks: [{ [`k=${name}/`]: ['1', '2'] }] })
      await scheduler.waitFor(Promise.all([...names.map(append), read()]))
      assert.equal((await contents(root.child('lake'))).length, 2 * names.length)
      assert.equal(await newestNumber(root), names.length)
      assert.deepEqual(await leftovers(root), [])
      for (const [index, snapshot] of seen.entries()) {
        for (const name of names) assert.ok([0, 2].includes(snapshot.filter(key => key === name).length))
        const before = seen[index - 1] ?? []
        assert.ok(
          before.every(key => snapshot.includes(key)),
          'time runs forwards',
        )
      }
    }),
    { numRuns: cases(40) },
  )
})

test('of jobs that overwrite a partition at once, one wins or they take turns; other partitions are untouched', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), async scheduler => {
      const root = new MemoryStore()
      const lake = root.child('lake')
      await seed(lake, { 'k=p/old.parquet': 'p0', 'k=q/old.parquet': 'q0', 'k=r/old.parquet': 'r0' })
      const busy = interleaved(root, scheduler).child('lake')
      const overwrite = async (text: string, partition: string) => {
        const tasks: Files[] = [{ [`k=${partition}/`]: [`${text}1`, `${text}2`] }]
        await runJob(busy, { existing: 'overwrite-partitions', tasks }).catch(error => {
          assert.ok(hasCode('conflict')(error), String(error))
          throw error
        })
        return text
      }
      const work = [overwrite('a', 'p'), overwrite('b', 'p'), overwrite('c', 'p'), overwrite('d', 'q')]
      const results = await scheduler.waitFor(Promise.allSettled(work))
      const won = results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
      const found = await contents(lake)
      assert.ok(won.includes('d') && found.includes('d1') && found.includes('d2') && found.includes('r0'))
      const winner = found[0]![0]!
      assert.ok(won.includes(winner))
      assert.deepEqual(found, [`${winner}1`, `${winner}2`, 'd1', 'd2', 'r0'])
      assert.deepEqual(await plainContents(lake), found)
      assert.equal(await newestNumber(root), won.length)
    }),
    { numRuns: cases(40) },
  )
})

test('processes that run one named job at once make one commit of it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), async scheduler => {
      const root = new MemoryStore()
      const busy = interleaved(root, scheduler).child('lake')
      const tasks = [{ '': ['a'] }, { '': ['b', 'c'] }]
      const run = () => runJob(busy, { name: 'n', existing: 'append', tasks })
      const other = runJob(busy, { existing: 'append', tasks: [{ '': ['z'] }] })
      await scheduler.waitFor(Promise.all([run(), run(), run(), other]))
      assert.deepEqual(await plainContents(root.child('lake')), ['a', 'b', 'c', 'z'])
      assert.equal(await newestNumber(root), 2)
      assert.deepEqual(await stagedKeys(root), [])
      assert.deepEqual(await leftovers(root), [])
    }),
    { numRuns: cases(40) },
  )
})

test('a process that finishes tasks after the job was committed leaves nothing behind', async () => {
  const root = new MemoryStore()
  const dataset = root.child('lake')
  const tasks: Files[] = [{ '': ['a'] }, { '': ['b', 'c'] }]
  const late = await openJob(dataset, { name: 'n', existing: 'append', plan: planOf(2) })
  await writeTask(late, 0, tasks[0]!)
  await runJob(dataset, { name: 'n', existing: 'append', tasks })
  await writeTask(late, 1, tasks[1]!)
  await late.commit()
  assert.deepEqual(await plainContents(dataset), ['a', 'b', 'c'])
  assert.deepEqual(await stagedKeys(root), [])
  assert.deepEqual(await leftovers(root), [])
})

test('jobs die at any moment among others: each lands whole or not at all', async () => {
  const at = fc.nat({ max: 60 })
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(at, { minLength: 4, maxLength: 4 }),
      async (scheduler, deaths) => {
        const root = new MemoryStore()
        const busy = interleaved(root, scheduler)
        const run = async (index: number) => {
          const faulty = faultyStore(busy, {
            at: deaths[index]!,
            when: index % 2 ? 'before' : 'after',
            fatal: true,
          })
          const tasks = [{ '': [`${index}a`, `${index}b`] }]
          return runJob(faulty.store.child('lake'), { existing: 'append', tasks })
        }
        const results = await scheduler.waitFor(Promise.allSettled(deaths.map((_, index) => run(index))))
        const lake = root.child('lake')
        await runJob(lake, { existing: 'append', tasks: [{ '': ['z'] }] })
        const found = await contents(lake)
        assert.deepEqual(await plainContents(lake), found)
        assert.ok(found.includes('z'))
        for (const [index, { status }] of results.entries()) {
          const own = found.filter(text => text.startsWith(String(index)))
          assert.ok(own.length === 2 || (own.length === 0 && status === 'rejected'), `${index}: ${own}`)
        }
      },
    ),
    { numRuns: cases(60) },
  )
})

test('a process that takes a number long pruned withdraws and takes the next', async () => {
  const root = new MemoryStore()
  const lake = root.child('lake')
  const late = gate(/commits\/000000000001\.json$/)
  const slow = runJob(interceptStore(root, late.pass).child('lake'), {
    existing: 'append',
    tasks: [{ '': ['slow'] }],
  })
  await late.reached
  for (let i = 0; i < 12; i++) await runJob(lake, { existing: 'append', tasks: [{ '': [`${i}`] }] })
  await assert.rejects(root.head(`_sluice/lake/${commitKey(1)}`), hasCode('not-found'))
  late.letGo()
  await slow
  assert.equal((await contents(lake)).length, 13)
  assert.equal(await newestNumber(root), 13)
  assert.deepEqual(await leftovers(root), [])
})

test('an old number that a killed process took misleads nobody, and is cleared away', async () => {
  const root = new MemoryStore()
  const lake = root.child('lake')
  const late = gate(/commits\/000000000001\.json$/)
  let dead = false
  const dying = interceptStore(interceptStore(root, late.pass), async (call, run) => {
    if (dead) throw new Error('killed')
    const result = await run()
    if (call.method === 'put' && call.key.includes('commits/')) dead = true
    return result
  })
  const tasks = [{ '': ['slow'] }]
  const slow = runJob(dying.child('lake'), { name: 'slow', existing: 'overwrite', tasks })
  await late.reached
  for (let i = 0; i < 12; i++) await runJob(lake, { existing: 'append', tasks: [{ '': [`${i}`] }] })
  late.letGo()
  await assert.rejects(slow)
  assert.ok((await root.head(`_sluice/lake/${commitKey(1)}`)).size > 0)
  assert.equal((await contents(lake)).length, 12)
  await runJob(lake, { existing: 'append', tasks: [{ '': ['last'] }] })
  assert.equal((await plainContents(lake)).length, 13)
  await assert.rejects(root.head(`_sluice/lake/${commitKey(1)}`), hasCode('not-found'))
  const again = runJob(lake, { name: 'slow', existing: 'overwrite', tasks })
  await assert.rejects(again, hasCode('conflict'), 'what it was to overwrite is not what is there')
})

test('the reply to a commit is lost: it is found to be ours', async () => {
  const root = new MemoryStore()
  let lost = false
  const store = interceptStore(root, async (call, run) => {
    const result = await run()
    if (!lost && call.method === 'put' && call.key.includes('commits/')) {
      lost = true
      throw new SluiceError('io', 'the connection is gone')
    }
    return result
  })
  await runJob(store.child('lake'), { existing: 'append', tasks: [{ '': ['a'] }] })
  assert.ok(lost)
  assert.equal(await newestNumber(root), 1)
})

test('a commit still on its way when its job is aborted comes too late', async () => {
  const root = new MemoryStore()
  const lake = root.child('lake')
  await seed(lake, { 'a.parquet': 'a' })
  let underWay: (() => Promise<unknown>) | undefined
  const store = interceptStore(root, async (call, run) => {
    if (underWay === undefined && call.method === 'put' && call.key.includes('commits/')) {
      underWay = run
      throw new SluiceError('io', 'no reply')
    }
    return run()
  })
  const job = await openJob(store.child('lake'), { existing: 'overwrite', plan: planOf(1) })
  await writeTask(job, 0, { '': ['b'] })
  await assert.rejects(job.commit(), hasCode('io'))
  await job.abort()
  await assert.rejects(underWay!(), hasCode('already-exists'))
  assert.deepEqual(await contents(lake), ['a'])
  assert.deepEqual(await stagedKeys(root), [])
  await runJob(lake, { existing: 'append', tasks: [{ '': ['c'] }] })
  assert.deepEqual(await plainContents(lake), ['a', 'c'])
})

test('a job given up by one process cannot be committed by another', async () => {
  for (const key of [/task-0/, /commits\/$/, /jobs\/n\/$/, /plan\.json$/, /commits\/\d+/]) {
    const root = new MemoryStore()
    const lake = root.child('lake')
    await seed(lake, { 'a.parquet': 'a' })
    const options = { name: 'n', existing: 'overwrite', plan: planOf(1) } as const
    await writeTask(await openJob(lake, options), 0, { '': ['b'] })
    let armed: ReturnType<typeof gate> | undefined
    const late = interceptStore(root, (call, run) => (armed === undefined ? run() : armed.pass(call, run)))
    const slow = await openJob(late.child('lake'), options)
    const other = await openJob(lake, options)
    armed = gate(key)
    const commit = slow.commit()
    await armed.reached
    await other.abort()
    armed.letGo()
    await assert.rejects(commit, hasCode('conflict'), String(key))
    assert.deepEqual(await contents(lake), ['a'], String(key))
    await runJob(lake, { name: 'n', existing: 'overwrite', tasks: [{ '': ['c'] }] })
    assert.deepEqual(await plainContents(lake), ['c'])
  }
})

test('a job that commits while another process gives it up is committed or given up, for both', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), async scheduler => {
      const root = new MemoryStore()
      const lake = root.child('lake')
      await seed(lake, { 'a.parquet': 'a' })
      let calm = true
      const busy = interceptStore(root, (call, run) => (calm ? run() : wait(scheduler, call, run))).child(
        'lake',
      )
      const options = { name: 'n', existing: 'overwrite', plan: planOf(1) } as const
      const first = await openJob(busy, options)
      const second = await openJob(busy, options)
      await writeTask(first, 0, { '': ['b'] })
      calm = false
      const other = runJob(busy, { existing: 'append', tasks: [] })
      const work = Promise.allSettled([first.commit(), second.abort(), other])
      const [committed] = await scheduler.waitFor(work)
      const found = await contents(lake)
      if (committed.status === 'fulfilled') assert.deepEqual(found, ['b'])
      else assert.deepEqual(found, ['a'])
      assert.deepEqual(await plainContents(lake), found)
      assert.deepEqual(await stagedKeys(root), [])
      await runJob(lake, { existing: 'append', tasks: [{ '': ['z'] }] })
      assert.deepEqual(await plainContents(lake), [...found, 'z'])
      assert.deepEqual(await leftovers(root), [])
    }),
    { numRuns: cases(100) },
  )
})

test('two processes share the tasks of one plan; the loser of a task gives its files up', async () => {
  const root = new MemoryStore()
  const lake = root.child('lake')
  const options = { name: 'n', existing: 'append', plan: planOf(3) } as const
  const [first, second] = [await openJob(lake, options), await openJob(lake, options)]
  await writeTask(first, 0, { '': ['0 by the first'] })
  await writeTask(first, 1, { '': ['1 by the first'] })
  await writeTask(second, 1, { '': ['1 by the second'] })
  await writeTask(second, 2, { '': ['2 by the second'] })
  assert.deepEqual(await first.commit(), { files: 3, rows: 3, bytes: 43, removed: 0 })
  assert.equal((await second.commit()).files, 2, 'what it knows of')
  assert.deepEqual(await plainContents(lake), ['0 by the first', '1 by the first', '2 by the second'])
  assert.deepEqual(await stagedKeys(root), [])
})

test('what a job is to replace has changed since it was planned: a conflict, and nothing happens', async () => {
  for (const existing of ['overwrite', 'overwrite-partitions'] as const) {
    const root = new MemoryStore()
    const lake = root.child('lake')
    await seed(lake, { 'k=1/a.parquet': 'a' })
    const job = await openJob(lake, { existing, plan: planOf(1) })
    await writeTask(job, 0, { 'k=1/': ['b'] })
    await runJob(lake, { existing: 'append', tasks: [{ 'k=1/': ['c'] }] })
    await assert.rejects(job.commit(), hasCode('conflict'))
    await job.abort()
    assert.deepEqual(await plainContents(lake), ['a', 'c'])
    assert.deepEqual(await stagedKeys(root), [])
  }
})

test('a commit that moves while a reader lists is seen by it', async () => {
  const root = new MemoryStore()
  const lake = root.child('lake')
  await seed(lake, { 'a.parquet': 'a' })
  const listing = gate(/^lake\/$/)
  const reading = readSnapshot(interceptStore(root, listing.pass).child('lake'))
  await listing.reached
  await dieAfter(root, 'completeStaged', { existing: 'append', tasks: [{ '': ['b', 'c'] }] })
  listing.letGo()
  assert.deepEqual(
    (await reading).objects.map(({ key }) => key),
    ['a.parquet'],
  )
})

test('the record of a process that took an old number is not carried out', async () => {
  const root = new MemoryStore()
  const lake = root.child('lake')
  const [old, reading] = [gate(/commits\/000000000001\.json$/), gate(/commits\/000000000001\.json$/)]
  const late = dieAfter(
    interceptStore(root, old.pass),
    'put',
    { existing: 'append', tasks: [{ '': ['never'] }] },
    /commits/,
  )
  await old.reached
  await dieAfter(root, 'put', { existing: 'append', tasks: [{ '': ['0'] }] }, /commits/)
  const finishing = openJob(interceptStore(root, reading.pass).child('lake'), {
    existing: 'append',
    plan: planOf(0),
  })
  await reading.reached
  for (let i = 1; i <= 9; i++) await runJob(lake, { existing: 'append', tasks: [{ '': [`${i}`] }] })
  old.letGo()
  await late
  assert.ok((await root.head(`_sluice/lake/${commitKey(1)}`)).size > 0)
  reading.letGo()
  await finishing
  assert.deepEqual(await plainContents(lake), ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
})

test('a process that was finishing a commit is overtaken by others', async () => {
  const root = new MemoryStore()
  const lake = root.child('lake')
  await dieAfter(root, 'put', { existing: 'append', tasks: [{ '': ['a'] }] }, /commits/)
  const completing = gate(/part-.*\.parquet$/)
  const slow = runJob(interceptStore(root, completing.pass).child('lake'), {
    existing: 'append',
    tasks: [{ '': ['b'] }],
  })
  await completing.reached
  await runJob(lake, { existing: 'overwrite', tasks: [{ '': ['c'] }] })
  completing.letGo()
  await slow
  assert.deepEqual(await plainContents(lake), ['b', 'c'])
})

test('a job committed while another process was about to plan it is found committed', async () => {
  const root = new MemoryStore()
  const lake = root.child('lake')
  const planning = gate(/plan\.json$/)
  const options = { name: 'n', existing: 'append', plan: planOf(1) } as const
  const opening = openJob(interceptStore(root, planning.pass).child('lake'), options)
  await planning.reached
  await runJob(lake, { name: 'n', existing: 'append', tasks: [{ '': ['a'] }] })
  planning.letGo()
  assert.ok((await opening).committed)
  assert.deepEqual(await leftovers(root), [])
})

test('a name is taken before its plan goes: nobody plans the job anew while it is finished', async () => {
  const root = new MemoryStore()
  const lake = root.child('lake')
  const [looking, recording] = [gate(/jobs\/n\/$/), gate(/done-/)]
  const options = { name: 'n', existing: 'append', plan: planOf(1) } as const
  const opening = openJob(interceptStore(root, looking.pass).child('lake'), options)
  await looking.reached
  const first = runJob(interceptStore(root, recording.pass).child('lake'), {
    ...options,
    tasks: [{ '': ['a'] }],
  })
  await recording.reached
  looking.letGo()
  const second = await opening
  recording.letGo()
  await first
  await second.commit()
  assert.deepEqual(await plainContents(lake), ['a'])
  assert.deepEqual(await leftovers(root), [])
})

test('a job that another process has committed is not given up', async () => {
  const root = new MemoryStore()
  const lake = root.child('lake')
  const options = { name: 'n', existing: 'append', plan: planOf(1) } as const
  const [first, second] = [await openJob(lake, options), await openJob(lake, options)]
  await writeTask(first, 0, { '': ['a'] })
  await first.commit()
  const before = await allKeys(root)
  await second.abort()
  assert.deepEqual(await allKeys(root), before)
})

/** Runs a job whose process dies once a call of that kind has taken effect. */
async function dieAfter(
  root: Store,
  method: StoreRequest['method'],
  options: Parameters<typeof runJob>[1],
  key: RegExp = /./,
): Promise<void> {
  let dead = false
  const dying = interceptStore(root, async (call, run) => {
    if (dead) throw new Error('killed')
    const result = await run()
    if (call.method !== method || !key.test(call.key)) return result
    dead = true
    throw new Error('killed')
  })
  await assert.rejects(runJob(dying.child('lake'), options), /killed/)
}
