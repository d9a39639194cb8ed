import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { readSnapshot } from '../../src/dataset/snapshot.ts'
import {
  compact,
  isSluiceError,
  partitionedParquet,
  repartition,
  type Store,
  source,
} from '../../src/index.ts'
import { MemoryStore } from '../../src/storage/memory.ts'
import { faultyStore, interceptStore } from '../dataset/intercept.ts'
import { allKeys, leftovers, stagedKeys } from '../dataset/support.ts'
import { openDuckDB, quote } from '../support/duckdb.ts'
import { tempFolder } from '../support/temp.ts'

const RESOURCES = { memory: '32MiB', lanes: 1 } as const
const folder = tempFolder({ after })
const duckdb = await openDuckDB({ after })
/** Ten rows whose ids begin at `start`. */
async function piece(start: number): Promise<Uint8Array> {
  const path = join(folder, `${start}.parquet`)
  await duckdb.query(
    `COPY (SELECT i::INT AS id, 'name ' || i % 3 AS name FROM range(${start}, ${start + 10}) AS t(i)) TO ${quote(path)}`,
  )
  return readFileSync(path)
}
const pieces = await Promise.all([0, 10, 20, 30, 40].map(piece))
const added = await piece(100)
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)
const OLD = range(0, 50)

/** A dataset that somebody else has written: three files in one partition, two in another. */
async function begin(): Promise<{ root: MemoryStore; lake: Store }> {
  const root = new MemoryStore()
  const lake = root.child('lake')
  for (const [i, bytes] of pieces.entries()) await lake.put(`k=${i < 3 ? 1 : 2}/${i}.parquet`, bytes)
  return { root, lake }
}

/** The ids in some files, sorted, as hyparquet reads them. */
async function idsOf(store: Store, keys: readonly string[]): Promise<number[]> {
  const ids: number[] = []
  for (const key of keys) {
    const chunks: Uint8Array[] = []
    for await (const chunk of (await store.get(key)).body) chunks.push(chunk)
    const { buffer, byteOffset, byteLength } = new Uint8Array(Buffer.concat(chunks))
    const file = buffer.slice(byteOffset, byteOffset + byteLength)
    for (const row of await parquetReadObjects({ file, compressors, columns: ['id'] }))
      ids.push(Number(row['id']))
  }
  return ids.sort((a, b) => a - b)
}

/** What a reader of Sluice's finds, and one that knows nothing of commits. */
async function seen(lake: Store): Promise<number[]> {
  return idsOf(
    lake,
    (await readSnapshot(lake)).objects.map(({ key }) => key),
  )
}
const seenPlain = async (lake: Store) =>
  idsOf(
    lake,
    (await allKeys(lake)).filter(key => key.endsWith('.parquet')),
  )

async function assertCompacted(
  root: Store,
  lake: Store,
  ids: number[],
  files: number,
  place: string,
): Promise<void> {
  assert.deepEqual(await seen(lake), ids, place)
  assert.deepEqual(await seenPlain(lake), ids, place)
  assert.equal((await readSnapshot(lake)).objects.length, files, place)
  assert.deepEqual(await leftovers(root), [], place)
}

for (const when of ['before', 'after'] as const) {
  test(`killed ${when} any call, no row is lost or doubled, and a second run completes the compaction`, async () => {
    for (let at = 0; ; at++) {
      const { root, lake } = await begin()
      const faulty = faultyStore(root, { at, when, fatal: true })
      const run = (store: Store) => compact(store, { ...RESOURCES, job: 'nightly' })
      await run(faulty.store.child('lake')).catch(() => {})
      const place = `${when} ${faulty.requests[at]?.method} '${faulty.requests[at]?.key}' (call ${at})`
      assert.deepEqual(await seen(lake), OLD, place)
      await run(lake)
      await assertCompacted(root, lake, OLD, 2, place)
      if (faulty.requests.length > at) continue
      assert.ok(at > 30, 'the job makes calls')
      return
    }
  })

  test(`one call fails ${when} it took effect: the dataset is as it was, or compacted`, async () => {
    for (let at = 0; ; at++) {
      const { root, lake } = await begin()
      const faulty = faultyStore(root, { at, when })
      const failed = await compact(faulty.store.child('lake'), RESOURCES).then(
        () => false,
        () => true,
      )
      const place = `${when} ${faulty.requests[at]?.method} '${faulty.requests[at]?.key}' (call ${at})`
      const { length } = (await readSnapshot(lake)).objects
      assert.ok(length === 2 || (failed && length === 5), place)
      await assertCompacted(root, lake, OLD, length, place)
      assert.deepEqual(await stagedKeys(root), [], place)
      if (faulty.requests.length <= at) return
    }
  })
}

test('at every moment of a compaction a reader finds every row once', async () => {
  const { root, lake } = await begin()
  const watched = interceptStore(root, async (_, run) => {
    const result = await run()
    assert.deepEqual(await seen(lake), OLD)
    return result
  })
  await compact(watched.child('lake'), RESOURCES)
  await assertCompacted(root, lake, OLD, 2, '')
})

/** Does something else, whole, before each call of a compaction in turn. */
async function beforeEveryCall(
  work: (lake: Store) => Promise<unknown>,
  check: (lake: Store, failure: unknown, place: string) => Promise<void>,
): Promise<void> {
  for (let at = 0; ; at++) {
    const { root, lake } = await begin()
    let calls = 0
    let place = ''
    const shared = interceptStore(root, async ({ method, key }, run) => {
      if (calls++ === at) {
        place = `before ${method} '${key}' (call ${at})`
        await work(lake)
      }
      return run()
    })
    const failure = await compact(shared.child('lake'), RESOURCES).then(
      () => undefined,
      error => error,
    )
    if (calls <= at) {
      assert.ok(at > 30, 'the job makes calls')
      return
    }
    await check(lake, failure, place)
    assert.deepEqual(await leftovers(root), [], place)
    assert.deepEqual(await stagedKeys(root), [], place)
  }
}

/** Writes the ids from 100 on into the partition that is being compacted. */
async function writeFresh(lake: Store, existing: 'append' | 'overwrite-partitions'): Promise<void> {
  const other = new MemoryStore()
  await other.put('k=1/new.parquet', added)
  await source(other, RESOURCES)
    .pipe(repartition({ by: ['k'] }))
    .to(partitionedParquet(lake, { existing, successFile: false }))
}

test('an append to the same partition at any moment lands beside it', async () => {
  await beforeEveryCall(
    lake => writeFresh(lake, 'append'),
    async (lake, failure, place) => {
      assert.equal(failure, undefined, place)
      const expected = [...OLD, ...range(100, 110)]
      assert.deepEqual(await seen(lake), expected, place)
      assert.deepEqual(await seenPlain(lake), expected, place)
    },
  )
})

test('a partition that is overwritten at any moment stays overwritten: the compaction was before, or conflicts', async () => {
  let conflicts = 0
  await beforeEveryCall(
    lake => writeFresh(lake, 'overwrite-partitions'),
    async (lake, failure, place) => {
      const conflict = isSluiceError(failure) && failure.code === 'conflict'
      assert.ok(failure === undefined || conflict, `${place}: ${failure}`)
      if (conflict) conflicts++
      const expected = [...range(30, 50), ...range(100, 110)]
      assert.deepEqual(await seen(lake), expected, place)
      assert.deepEqual(await seenPlain(lake), expected, place)
    },
  )
  assert.ok(conflicts > 5)
})

test('a file that is replaced behind its back is a conflict, and a named job begins anew', async () => {
  const { root, lake } = await begin()
  const shared = interceptStore(root, async ({ method, key }, run) => {
    if (method === 'put' && key.includes('/task-')) await lake.put('k=2/4.parquet', added)
    return run()
  })
  const options = { ...RESOURCES, job: 'nightly' }
  await assert.rejects(compact(shared.child('lake'), options), { code: 'conflict', file: 'k=2/4.parquet' })
  const expected = [...range(0, 40), ...range(100, 110)]
  assert.deepEqual(await seenPlain(lake), expected)
  await compact(lake, options)
  await assertCompacted(root, lake, expected, 2, '')
})

test('two compactions at once: one of them wins, or both did different partitions', async () => {
  const { root, lake } = await begin()
  const outcomes = await Promise.allSettled([compact(lake, RESOURCES), compact(lake, RESOURCES)])
  const failures = outcomes.filter(outcome => outcome.status === 'rejected').map(({ reason }) => reason.code)
  assert.ok(failures.length < 2 && failures.every(code => code === 'conflict'), String(failures))
  await assertCompacted(root, lake, OLD, 2, '')
  const { lake: second } = await begin()
  await Promise.all([
    compact(second, { ...RESOURCES, partitions: 'k = 1' }),
    compact(second, { ...RESOURCES, partitions: 'k = 2' }),
  ])
  assert.deepEqual(await seenPlain(second), OLD)
  assert.equal((await readSnapshot(second)).objects.length, 2)
})
