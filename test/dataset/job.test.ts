import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSluiceError } from '../../src/core/errors.ts'
import { openJob } from '../../src/dataset/job.ts'
import { readSnapshot, type SnapshotOptions } from '../../src/dataset/snapshot.ts'
import { LocalStore } from '../../src/storage/local/store.ts'
import { MemoryStore } from '../../src/storage/memory.ts'
import { tempFolder } from '../support/temp.ts'
import { interceptStore } from './intercept.ts'
import {
  allKeys,
  contents,
  hasCode,
  leftovers,
  plainContents,
  planOf,
  runJob,
  seed,
  stagedKeys,
  writeTask,
} from './support.ts'

const commitFile = '_sluice/lake/silver/commits/000000000001.json'

for (const open of [() => new MemoryStore(), (dir: string) => new LocalStore(dir)]) {
  for (const existing of ['append', 'overwrite', 'overwrite-partitions'] as const) {
    const name = open('/nowhere').constructor.name
    test(`${name}: ${existing} into a dataset that holds data`, async t => {
      const root = open(tempFolder(t))
      const lake = root.child('lake/silver')
      await seed(lake, { 'dt=1/old.parquet': 'one', 'dt=2/old.parquet': 'two' })
      const tasks = [{ 'dt=2/': ['b'], 'dt=3/': ['c'] }, { 'dt=3/': ['d'] }]
      const result = await runJob(lake, { existing, tasks })
      const kept = { append: ['one', 'two'], overwrite: [], 'overwrite-partitions': ['one'] }[existing]
      assert.deepEqual(await contents(lake), ['b', 'c', 'd', ...kept])
      assert.deepEqual(result, { files: 3, rows: 3, bytes: 3, removed: 2 - kept.length })
      const others = (await allKeys(root)).filter(key => !key.endsWith('.parquet'))
      assert.deepEqual(others, [commitFile, 'lake/silver/_SUCCESS'])
      assert.equal((await root.head(commitFile)).size, 0)
      assert.equal((await lake.head('_SUCCESS')).size, 0)
    })
  }
}

test("'error' refuses a destination that holds data, when the job is opened and when it commits", async () => {
  const lake = new MemoryStore().child('lake')
  await seed(lake, { _SUCCESS: '', 'notes.txt': 'no data', '_tmp/x.parquet': 'neither' })
  const first = await openJob(lake, { existing: 'error', plan: planOf(1) })
  await writeTask(first, 0, { '': ['a'] })
  const second = await openJob(lake, { existing: 'error', plan: planOf(1) })
  await writeTask(second, 0, { '': ['b'] })
  await first.commit()
  await assert.rejects(second.commit(), hasCode('already-exists'))
  await second.abort()
  await assert.rejects(openJob(lake, { existing: 'error', plan: planOf(1) }), hasCode('already-exists'))
  assert.deepEqual(await contents(lake), ['a'])
})

test('an overwrite that produces nothing empties the dataset', async () => {
  const lake = new MemoryStore().child('lake')
  await seed(lake, { 'old.parquet': 'one' })
  await runJob(lake, { existing: 'overwrite', tasks: [] })
  assert.deepEqual(await contents(lake), [])
})

test('partitions are overwritten however their folders are spelt', async () => {
  const lake = new MemoryStore().child('lake')
  await seed(lake, {
    'k=a b/old.parquet': '1',
    'k=a%20b/old.parquet': '2',
    'k=a/old.parquet': '3',
    'old.parquet': '4',
  })
  await runJob(lake, { existing: 'overwrite-partitions', tasks: [{ 'k=a%20b/': ['new'] }] })
  assert.deepEqual(await contents(lake), ['3', '4', 'new'])
})

test('a dataset is rewritten in place: its files are there until the commit', async () => {
  const lake = new MemoryStore().child('lake')
  await seed(lake, { 'a.parquet': 'a', 'b.parquet': 'b' })
  const { objects } = await readSnapshot(lake)
  const plan = { ...planOf(1), sources: objects.map(({ key, size, etag }) => ({ key, size, etag })) }
  const job = await openJob(lake, { existing: 'overwrite', plan })
  await writeTask(job, 0, { '': ['ab'] })
  assert.deepEqual(await plainContents(lake), ['a', 'b'])
  await job.commit()
  assert.deepEqual(await plainContents(lake), ['ab'])
})

test('an aborted job leaves the store as it was', async () => {
  const root = new MemoryStore()
  const lake = root.child('lake')
  await seed(lake, { 'a.parquet': 'a' })
  const abort = new AbortController()
  const job = await openJob(lake, { existing: 'overwrite', plan: planOf(2), signal: abort.signal })
  await writeTask(job, 0, { 'k=1/': ['x'] })
  await (await job.createFile(1, 'k=1/')).seal()
  await (await job.createFile(1, 'k=2/')).write(Buffer.from('unsealed'))
  abort.abort(new Error('enough'))
  await assert.rejects(job.commit(), { message: 'enough' })
  await job.abort()
  assert.deepEqual(await allKeys(root), ['lake/a.parquet'])
  assert.deepEqual(await stagedKeys(root), [])
})

test('a job that cannot begin leaves nothing', async () => {
  const root = new MemoryStore()
  const reply = new Error('the connection is gone')
  const store = interceptStore(root, async ({ method, key }, run) => {
    const result = await run()
    if (method === 'put' && key.endsWith('plan.json')) throw reply
    return result
  })
  await assert.rejects(openJob(store.child('lake'), { existing: 'append', plan: planOf(1) }), reply)
  assert.deepEqual(await allKeys(root), [])
})

test('a job whose tasks are not finished does not commit', async () => {
  const lake = new MemoryStore().child('lake')
  const job = await openJob(lake, { existing: 'append', plan: planOf(2) })
  await writeTask(job, 1, { '': ['a'] })
  await assert.rejects(job.commit(), hasCode('invalid-argument'))
  await writeTask(job, 0, {})
  assert.equal((await job.commit()).files, 1)
})

test('file names are checked', async () => {
  const lake = new MemoryStore().child('lake')
  const job = await openJob(lake, { existing: 'append', plan: planOf(1) })
  for (const name of ['a.parquet', `${job.tag}.csv`, `_${job.tag}.parquet`, `k=1/${job.tag}.parquet`]) {
    await assert.rejects(job.createFile(0, '', name), hasCode('invalid-argument'), name)
  }
  await assert.rejects(job.createFile(1, ''), hasCode('invalid-argument'))
  assert.equal(job.fileName(0), `part-00000-0000-${job.tag}.parquet`)
  assert.equal(job.fileName(0), `part-00000-0001-${job.tag}.parquet`)
  const own = await job.createFile(0, 'k=1/', `mine-${job.tag}.parquet`)
  assert.equal((await own.seal()).key, `k=1/mine-${job.tag}.parquet`)
})

test('a named job is resumed: finished tasks are kept, with the plan it was begun with', async () => {
  const root = new MemoryStore()
  const lake = root.child('lake')
  const sources = [{ key: 'a', size: 1, etag: 'x' }]
  const first = await openJob(lake, { name: 'n', existing: 'append', plan: { ...planOf(2), sources } })
  await writeTask(first, 0, { '': ['a'] })
  await (await first.createFile(1, '')).seal()
  await first.suspend()
  assert.equal((await stagedKeys(root)).length, 1, 'only the finished task stays')
  const second = await openJob(lake, { name: 'n', existing: 'append', plan: planOf(3) })
  assert.equal(second.id, first.id)
  assert.deepEqual(second.plan.sources, sources)
  assert.equal(second.plan.tasks.length, 2)
  assert.deepEqual([...second.doneTasks], [0])
  await writeTask(second, 1, { '': ['b'] })
  assert.equal((await second.commit()).files, 2)
  assert.deepEqual(await contents(lake), ['a', 'b'])
})

test('a named job that was committed is done; another under its name is a conflict', async () => {
  const root = new MemoryStore()
  const lake = root.child('lake')
  const tasks = [{ '': ['a'] }]
  await runJob(lake, { name: 'n', existing: 'append', tasks })
  const again = await openJob(lake, { name: 'n', existing: 'append', plan: planOf(1) })
  assert.equal(again.committed, true)
  assert.deepEqual([...again.doneTasks], [0])
  assert.deepEqual(await again.commit(), { files: 0, rows: 0, bytes: 0, removed: 0 })
  await assert.rejects(again.createFile(0, ''), hasCode('invalid-argument'))
  await again.abort()
  const other = openJob(lake, { name: 'n', existing: 'append', plan: planOf(1, 'something else') })
  await assert.rejects(other, hasCode('conflict'))
  assert.deepEqual(await contents(lake), ['a'])
  assert.deepEqual(await leftovers(root), [])
})

test('an unfinished job is not resumed by one that does something else; the error says what differs', async () => {
  const lake = new MemoryStore().child('lake')
  await openJob(lake, { name: 'n', existing: 'append', plan: planOf(1, { where: 'fare > 10' }) })
  const another = openJob(lake, { name: 'n', existing: 'append', plan: planOf(1, { where: 'fare > 20' }) })
  await assert.rejects(another, error => {
    assert.ok(isSluiceError(error))
    assert.equal(error.code, 'conflict')
    assert.match(error.message, /fare > 10.*fare > 20/)
    return true
  })
  const overwrite = openJob(lake, {
    name: 'n',
    existing: 'overwrite',
    plan: planOf(1, { where: 'fare > 10' }),
  })
  await assert.rejects(overwrite, /'append', not 'overwrite'/)
})

test('the order of properties does not make another pipeline', async () => {
  const lake = new MemoryStore().child('lake')
  const first = await openJob(lake, {
    name: 'n',
    existing: 'append',
    plan: planOf(1, { a: 1, b: [{ c: 2, d: 3 }] }),
  })
  const again = await openJob(lake, {
    name: 'n',
    existing: 'append',
    plan: planOf(1, { b: [{ d: 3, c: 2 }], a: 1 }),
  })
  assert.equal(again.id, first.id)
})

test('names of jobs are checked', async () => {
  const lake = new MemoryStore().child('lake')
  for (const name of ['', 'a/b', '../x', '_x', 'ä', 'x'.repeat(101)]) {
    const job = openJob(lake, { name, existing: 'append', plan: planOf(0) })
    await assert.rejects(job, hasCode('invalid-argument'), name)
  }
})

test('after it was given up a job is begun anew under its name', async () => {
  const root = new MemoryStore()
  const lake = root.child('lake')
  const first = await openJob(lake, { name: 'n', existing: 'append', plan: planOf(1) })
  await writeTask(first, 0, { '': ['a'] })
  await first.abort()
  assert.deepEqual(await stagedKeys(root), [])
  await runJob(lake, { name: 'n', existing: 'append', tasks: [{ '': ['b'] }] })
  assert.deepEqual(await contents(lake), ['b'])
})

test('a dataset that is its own root holds empty files only when no job runs', async () => {
  const root = new MemoryStore()
  await runJob(root, { name: 'n', existing: 'append', tasks: [{ 'k=1/': ['a'] }] })
  await runJob(root, { existing: 'overwrite', tasks: [{ 'k=1/': ['b'] }] })
  assert.deepEqual(await contents(root), ['b'])
  assert.deepEqual(await leftovers(root), [])
})

test('the state can be elsewhere', async () => {
  const [lake, state] = [new MemoryStore(), new MemoryStore()]
  await runJob(lake, { state, existing: 'append', successFile: false, tasks: [{ '': ['a'] }] })
  assert.match((await allKeys(lake)).join(), /^part-00000-0000-[^,]+\.parquet$/)
  assert.deepEqual(await allKeys(state), ['commits/000000000001.json'])
  assert.equal((await readSnapshot(lake, { state })).commit, 1)
})

test('datasets within one another keep their states apart', async () => {
  const root = new MemoryStore()
  const names = ['', 'jobs', 'jobs/n', 'commits', 'staging']
  for (const name of names) {
    const dataset = name === '' ? root : root.child(name)
    await runJob(dataset, {
      name: 'n',
      existing: 'append',
      tasks: [{ [`k=${name.replace('/', '-')}/`]: [name] }],
    })
    const job = await openJob(dataset, { name: 'm', existing: 'append', plan: planOf(1) })
    await job.abort()
  }
  for (const name of names.slice(1)) {
    const again = await openJob(root.child(name), { name: 'n', existing: 'append', plan: planOf(1) })
    assert.ok(again.committed, name)
  }
})

test('what a job needs and a store cannot do is said before anything is done', async () => {
  const store = new MemoryStore()
  for (const lacking of ['write', 'list', 'stage', 'putCreate'] as const) {
    const poor = interceptStore(store, (_, run) => run())
    Object.defineProperty(poor, 'capabilities', { value: { ...store.capabilities, [lacking]: false } })
    await assert.rejects(
      openJob(poor, { state: poor, existing: 'append', plan: planOf(0) }),
      hasCode('unsupported'),
      lacking,
    )
  }
})

test('a commit file that is damaged, or newer than this version, is an error that names it', async () => {
  for (const [text, code] of [
    ['{"version":1', 'corrupt'],
    [Buffer.from([0x22, 0xff, 0x22]), 'corrupt'],
    ['{"version":2}', 'unsupported'],
    ['null', 'unsupported'],
  ] as const) {
    const root = new MemoryStore()
    await root.put(commitFile, Buffer.from(text))
    const lake = root.child('lake/silver')
    const named = (error: unknown) => hasCode(code)(error) && String(error).includes(commitFile)
    await assert.rejects(readSnapshot(lake), named)
    await assert.rejects(openJob(lake, { existing: 'append', plan: planOf(0) }), named)
  }
})

test('a snapshot holds data only: by default Parquet files, or what is asked for, and nothing hidden', async () => {
  const root = new MemoryStore()
  const empty = { _SUCCESS: '', '_sluice/commits/000000000001.json': '' }
  await seed(root, {
    ...empty,
    'k=1/a.parquet': 'a',
    'k=2/b.csv': 'b',
    'k=2/_c.csv': 'c',
    'k=2/d.parquet': 'd',
  })
  const keys = async (options: SnapshotOptions) =>
    (await readSnapshot(root, options)).objects.map(({ key }) => key)
  assert.deepEqual(await keys({}), ['k=1/a.parquet', 'k=2/d.parquet'])
  assert.deepEqual(await keys({ list: () => root.list({ prefix: 'k=2/' }) }), ['k=2/d.parquet'])
  assert.deepEqual(await keys({ match: key => key.endsWith('.csv') }), ['k=2/b.csv'])
  assert.deepEqual(await keys({ match: () => true, state: null }), [
    'k=1/a.parquet',
    'k=2/b.csv',
    'k=2/d.parquet',
  ])
  assert.equal((await readSnapshot(root)).commit, 1)
})
