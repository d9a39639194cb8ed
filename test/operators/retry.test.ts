import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RecordBatch } from 'apache-arrow'
import {
  fromBatches,
  mapBatches,
  openStore,
  parquetFile,
  retry,
  SluiceError,
  source,
} from '../../src/index.ts'
import { withFaults } from '../../src/testing/index.ts'
import { numbers, parquetStore, Tracked, valuesOf } from './support.ts'

const fast = { minDelayMs: 0, maxDelayMs: 0 }
const broken = () => new SluiceError('io', 'broken')
const rows = Array.from({ length: 10_000 }, (_, i) => BigInt(i))

/** A store whose reads fail `failures` times, but for the first one. */
async function failing(t: Parameters<typeof parquetStore>[0], failures: number) {
  let left = failures
  let reads = 0
  return withFaults(await parquetStore(t, 10_000), ({ method }) =>
    method === 'getRanges' && reads++ > 0 && left-- > 0 ? 'before' : undefined,
  )
}

test('a failed read is repeated, and every row comes once', async t => {
  const target = await openStore('memory:')
  const report = await source(await failing(t, 3))
    .pipe(retry({ attempts: 4, ...fast }))
    .to(parquetFile(target, 'copy.parquet'))
  assert.equal(report.retries, 3)
  const found = (await valuesOf(source(target))) as bigint[]
  assert.deepEqual(
    found.sort((a, b) => Number(a - b)),
    rows,
  )
})

test('behind a function the stream starts anew, with its lanes, and goes on behind what was delivered', async t => {
  const store = await failing(t, 0)
  for (const before of [
    mapBatches(batch => batch),
    async function* own(input: AsyncIterable<RecordBatch>) {
      yield* input
    },
  ]) {
    let failures = 3
    let seen = 0
    const flaky = mapBatches(batch => {
      if (++seen % 2 === 0 && failures-- > 0) throw broken()
      return batch
    })
    const target = await openStore('memory:')
    const report = await source(store, { mode: 'batch', batchRows: 1000, memory: '32MiB' })
      .pipe(before, flaky, retry({ attempts: 4, ...fast, shouldRetry: () => true }))
      .to(parquetFile(target, 'copy.parquet'))
    assert.equal(report.retries, 3)
    const found = (await valuesOf(source(target))) as bigint[]
    assert.deepEqual(
      found.sort((a, b) => Number(a - b)),
      rows,
    )
  }
})

test('a source of batches that starts anew is read again', async () => {
  const tracked = new Tracked(4, (i, attempt) => {
    if (i === 2 && attempt < 2) throw broken()
  })
  assert.deepEqual(await valuesOf(tracked.pipeline().pipe(retry(fast))), [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n])
  assert.deepEqual([tracked.begun, tracked.ended], [3, 3])
})

test('it gives up with the last failure, and at once with what is not worth another try', async () => {
  const failure = broken()
  const other = new Error('not of the kind')
  for (const [thrown, begun] of [
    [failure, 3],
    [other, 1],
  ] as const) {
    const tracked = new Tracked(4, i => {
      if (i === 1) throw thrown
    })
    await assert.rejects(
      valuesOf(tracked.pipeline().pipe(retry({ attempts: 3, ...fast }))),
      error => error === thrown,
    )
    assert.equal(tracked.begun, begun)
  }
})

test('batches that can be read once are not taken for a stream that has ended', async () => {
  const once = new Tracked(4)[Symbol.asyncIterator]()
  const pipeline = fromBatches(numbers().schema, once)
  assert.equal((await valuesOf(pipeline)).length, 8)
  await assert.rejects(valuesOf(pipeline), { code: 'invalid-argument', option: 'batches' })
})

test('a stream that is shorter the second time is an error, not an end', async () => {
  const tracked = new Tracked(4, (i, attempt) => {
    if (i === 2 && attempt === 0) throw broken()
  })
  const shorter = fromBatches(numbers().schema, {
    [Symbol.asyncIterator]: () =>
      tracked.begun === 0 ? tracked[Symbol.asyncIterator]() : new Tracked(1)[Symbol.asyncIterator](),
  })
  await assert.rejects(valuesOf(shorter.pipe(retry(fast))), { code: 'precondition' })
})
