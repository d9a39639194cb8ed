import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openJob } from '../../src/dataset/job.ts'
import { MemoryStore } from '../../src/storage/memory.ts'
import { allKeys, contents, hasCode, planOf, runJob, seed, writeTask } from './support.ts'

for (const existing of ['append', 'overwrite', 'overwrite-partitions'] as const) {
  test(`${existing} into a dataset that holds data`, async () => {
    const root = new MemoryStore()
    const lake = root.child('lake/silver')
    await seed(lake, { 'dt=1/old.parquet': 'one', 'dt=2/old.parquet': 'two' })
    const result = await runJob(lake, {
      existing,
      tasks: [{ 'dt=2/': ['b'], 'dt=3/': ['c'] }, { 'dt=3/': ['d'] }],
    })
    const kept = { append: ['one', 'two'], overwrite: [], 'overwrite-partitions': ['one'] }[existing]
    assert.deepEqual(await contents(lake), [...kept, 'b', 'c', 'd'].sort())
    assert.deepEqual(result, { files: 3, rows: 3, bytes: 3, removed: 2 - kept.length })
    assert.deepEqual(
      (await allKeys(root)).filter(key => !key.endsWith('.parquet')),
      ['_sluice/lake/silver/commits/000000000001.json', 'lake/silver/_SUCCESS'],
    )
    assert.equal((await root.head('_sluice/lake/silver/commits/000000000001.json')).size, 0)
  })
}

test("'error' refuses a destination that holds data, before and at the commit", async () => {
  const lake = new MemoryStore().child('lake')
  await seed(lake, { _SUCCESS: '', 'notes.txt': 'no data' })
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
